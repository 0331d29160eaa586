//! A request in plain words, matched to the installed commands by their declared triggers and forms.
//!
//! Words become *concepts* (words that mean the same, else the stem). A command fits as far as one of its triggers
//! shares its concepts with the request, and as far as the command's own vocabulary covers what the request says: a
//! word that no trigger, form or summary of it knows speaks against it. Requests that a command declares as not its
//! own (`not_for`) speak against it as loudly as triggers speak for it. Where nothing is sure, nothing is chosen.

use super::{
    Candidate,
    forms::{Form, Style, value},
    lexicon::LEXICON,
    schema::{Kind, Property, properties},
    slash::check,
    words::{Word, read, stem},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// From this score on a command is chosen (0 to 1); below, the nearest are named.
const SURE: f64 = 0.6;
/// By this much the chosen one is ahead of any other.
const AHEAD: f64 = 0.05;
/// From this score on a command is worth naming.
const NEAR: f64 = 0.3;
/// What a word says that no language file knows: a little, for it may be a name or a circumstance.
const UNKNOWN: f64 = 0.3;
/// The concept of words that speak of something else than the files of a folder.
const ELSEWHERE: &str = "elsewhere";

/// What a request means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    /// One command serves it.
    Chosen {
        /// Index of the candidate.
        candidate: usize,
        /// The arguments, which fit the command's schema.
        arguments: Value,
        /// The trigger that fits best, for the person.
        trigger: String,
        /// Words of the request that did not count, or that mean some of the files where the command takes all.
        uncounted: Vec<String>,
    },
    /// None is sure. Indices of the nearest, best first; empty if none is near.
    Unsure(Vec<usize>),
}

/// Choose the command that serves a request.
pub(crate) fn choose(request: &str, candidates: &[Candidate]) -> Match {
    let words = read(request);
    let vocabularies: Vec<Vocabulary<'_>> = candidates.iter().map(Vocabulary::of).collect();
    let known: BTreeSet<&str> = vocabularies
        .iter()
        .flat_map(|vocabulary| vocabulary.words.iter().map(String::as_str))
        .chain(LEXICON.known())
        .collect();
    let words = corrected(&words, &known);
    let mut of: BTreeMap<&String, usize> = BTreeMap::new();
    for concept in vocabularies.iter().flat_map(|vocabulary| vocabulary.all.concepts.keys()) {
        *of.entry(concept).or_default() += 1;
    }
    let own = |concept: &String| of.get(concept) == Some(&1) && LEXICON.is_known(concept);
    let clauses = clauses(&words);
    let mut scored: Vec<(f64, usize, &str)> = vocabularies
        .iter()
        .enumerate()
        .map(|(index, vocabulary)| {
            let (score, trigger) = vocabulary.score(&clauses, &own);
            (score, index, trigger)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let runner_up = scored.get(1).map_or(0.0, |second| second.0);
    if let Some((score, candidate, trigger)) = scored.first()
        && *score >= SURE
        && score - runner_up >= AHEAD
    {
        let (arguments, rest) = arguments(&candidates[*candidate], &words);
        if check(&candidates[*candidate], &arguments).is_ok() {
            let uncounted = vocabularies[*candidate].uncounted(&rest);
            return Match::Chosen { candidate: *candidate, arguments, trigger: (*trigger).to_owned(), uncounted };
        }
    }
    Match::Unsure(scored.iter().filter(|(score, ..)| *score >= NEAR).take(3).map(|(_, index, _)| *index).collect())
}

/// A text as weighted concepts.
#[derive(Clone, Debug, Default)]
struct Meaning {
    concepts: BTreeMap<String, f64>,
    /// Words that speak of something else than files, folded.
    elsewhere: Vec<String>,
    /// The first thing that is to be done.
    act: Option<String>,
}

impl Meaning {
    fn of(words: &[Word]) -> Self {
        let mut meaning = Self::default();
        let folded: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
        let mut at = 0;
        while at < words.len() {
            if words[at].quoted {
                at += 1;
                continue;
            }
            if let Some((concept, taken)) = LEXICON.phrase(&folded[at..]) {
                meaning.add(concept.to_owned(), LEXICON.weight(concept), &folded[at..at + taken].join(" "));
                // words under a gap, and what else the phrase speaks of, keep their own meaning
                for word in folded[at..at + taken].iter().filter(|_| concept != ELSEWHERE) {
                    if let Some(inner) = LEXICON.concept(word).filter(|inner| *inner != ELSEWHERE) {
                        meaning.add(inner.to_owned(), LEXICON.weight(inner), word);
                    }
                }
                at += taken;
                continue;
            }
            if let Some((concept, weight)) = concept(folded[at]) {
                meaning.add(concept, weight, folded[at]);
            }
            at += 1;
        }
        meaning
    }

    fn add(&mut self, concept: String, weight: f64, words: &str) {
        if concept == ELSEWHERE {
            self.elsewhere.push(words.to_owned());
        } else {
            if self.act.is_none() && LEXICON.is_act(&concept) {
                self.act = Some(concept.clone());
            }
            self.concepts.insert(concept, weight);
        }
    }

    fn weight(&self) -> f64 {
        self.concepts.values().sum()
    }

    fn shared(&self, other: &Self) -> f64 {
        self.concepts
            .iter()
            .filter(|(concept, _)| other.concepts.contains_key(*concept))
            .map(|(_, weight)| weight)
            .sum()
    }

    /// How alike two texts are, from 0 to 1: what they share of what both say (Dice's coefficient, weighted).
    fn likeness(&self, other: &Self) -> f64 {
        let apart = self.elsewhere.iter().filter(|words| !other.elsewhere.contains(words)).count()
            + other.elsewhere.iter().filter(|words| !self.elsewhere.contains(words)).count();
        let alike = self.elsewhere.iter().filter(|words| other.elsewhere.contains(words)).count();
        let both = self.weight() + other.weight() + apart as f64 + 2.0 * alike as f64;
        if both == 0.0 { 0.0 } else { 2.0 * (self.shared(other) + alike as f64) / both }
    }
}

/// What a folded word means, and how much that says. None for a stop word.
fn concept(word: &str) -> Option<(String, f64)> {
    let known = |word: &str| LEXICON.concept(word).map(|concept| (concept.to_owned(), LEXICON.weight(concept)));
    if let Some(known) = known(word) {
        return Some(known);
    }
    if LEXICON.is_stopword(word) || word.len() < 2 || word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let stemmed = stem(word);
    known(&stemmed).or(Some((stemmed, UNKNOWN)))
}

/// All that a command declares, as meanings.
struct Vocabulary<'c> {
    triggers: Vec<(&'c str, Meaning)>,
    not_for: Vec<Meaning>,
    /// What it does: acts in its name, or in every fifth of its triggers.
    acts: BTreeSet<String>,
    forms: Vec<Form>,
    properties: Vec<Property>,
    all: Meaning,
    words: BTreeSet<String>,
}

impl<'c> Vocabulary<'c> {
    fn of(candidate: &'c Candidate) -> Self {
        let command = &candidate.command;
        let meaning = |text: &str| Meaning::of(&read(text));
        let named = meaning(command.name.as_str());
        let mut triggers: Vec<(&str, Meaning)> =
            command.triggers.iter().map(|trigger| (trigger.as_str(), meaning(trigger))).collect();
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for concept in triggers.iter().flat_map(|(_, trigger)| trigger.concepts.keys()) {
            *counts.entry(concept).or_default() += 1;
        }
        let often = |concept: &&String| counts.get(concept).is_some_and(|count| count * 5 >= triggers.len());
        let acts = named.concepts.keys().chain(counts.keys().copied().filter(often));
        let acts = acts.filter(|concept| LEXICON.is_act(concept) && LEXICON.weight(concept) > 0.5).cloned().collect();
        triggers.push((command.summary.as_str(), meaning(&command.summary)));
        let properties = properties(&command.arguments);
        let phrases = properties.iter().flat_map(|property| match &property.kind {
            Kind::Flag(phrases) => phrases.clone(),
            Kind::OneOf(values) => values.iter().flat_map(|(_, phrases)| phrases.clone()).collect(),
            Kind::Integer | Kind::Text => Vec::new(),
        });
        let mut all = Meaning::default();
        let mut words = BTreeSet::new();
        let texts = command.triggers.iter().chain(&command.forms).chain([&command.summary]).cloned();
        for text in texts.chain(phrases.map(|phrase| phrase.join(" "))).chain([command.name.to_string()]) {
            let read = read(&text);
            words.extend(read.iter().map(|word| word.folded.clone()));
            all.concepts.extend(Meaning::of(&read).concepts);
        }
        Self {
            triggers,
            not_for: command.not_for.iter().map(|text| meaning(text)).collect(),
            acts,
            forms: command.forms.iter().filter_map(|form| Form::read(form, &properties)).collect(),
            properties,
            all,
            words,
        }
    }

    /// The words that say something which this command knows nothing of, or that mean only some of the files.
    fn uncounted(&self, words: &[Word]) -> Vec<String> {
        let kept: Vec<Word> = kept(words).concat();
        let counts = |word: &&Word| {
            let known = || match concept(&word.folded) {
                None => true,
                Some((concept, _)) => self.all.concepts.contains_key(&concept) || LEXICON.is_concept(&concept),
            };
            !word.quoted && !LEXICON.is_kind(&word.folded) && (self.words.contains(&word.folded) || known())
        };
        kept.iter().filter(|word| !counts(word)).map(|word| word.text.clone()).collect()
    }

    /// How well the command serves a request, clause by clause; and the trigger that fits best.
    fn score(&self, clauses: &[(Meaning, Vec<Word>)], own: &impl Fn(&String) -> bool) -> (f64, &'c str) {
        clauses
            .iter()
            .map(|clause| self.score_clause(clause, own))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((0.0, ""))
    }

    fn score_clause(&self, (clause, words): &(Meaning, Vec<Word>), own: &impl Fn(&String) -> bool) -> (f64, &'c str) {
        if clause.concepts.is_empty() {
            return (0.0, "");
        }
        let (likeness, trigger) = self
            .triggers
            .iter()
            .map(|(text, trigger)| (trigger.likeness(clause), *text))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((0.0, ""));
        let against = self.not_for.iter().map(|text| text.likeness(clause)).fold(0.0, f64::max);
        let covered = clause.shared(&self.all) / clause.weight();
        let fits = (0..words.len()).any(|at| {
            self.forms
                .iter()
                .any(|form| form.fit(&words[at..], &self.properties, Style::Said, &mut Map::new()).is_some())
        });
        let has = |concept: &String| clause.concepts.contains_key(concept);
        let done = if self.acts.iter().any(has) {
            1.0
        } else if self.all.concepts.keys().any(|concept| has(concept) && own(concept)) {
            // it speaks of what no other command speaks of
            0.7
        } else if fits && clause.act.is_some() {
            0.4
        } else {
            0.0
        };
        // what is asked for first is something that this command does not do
        let other =
            clause.act.as_ref().is_some_and(|act| LEXICON.weight(act) > 0.5 && !self.all.concepts.contains_key(act));
        let foreign =
            clause.elsewhere.iter().filter(|words| !words.split(' ').all(|word| self.words.contains(word))).count();
        let score = 0.38 * done + 0.34 * likeness + 0.24 * covered + if fits { 0.06 } else { 0.0 };
        let score = score - 0.3 * (foreign.min(2) as f64);
        (if against > likeness || other { score * 0.6 } else { score }, trigger)
    }
}

/// The clauses of a request without asides.
fn kept(words: &[Word]) -> Vec<Vec<Word>> {
    let mut kept: Vec<Vec<Word>> = Vec::new();
    for clause in words.split_inclusive(|word| word.ends) {
        let folded: Vec<&str> = clause.iter().map(|word| word.folded.as_str()).collect();
        let until = (0..clause.len()).find(|at| LEXICON.is_aside(&folded[*at..])).unwrap_or(clause.len());
        if until > 0 {
            kept.push(clause[..until].to_vec());
        }
    }
    kept
}

/// The clauses of a request that ask for something, and all of them together. A clause that is turned around asks for
/// nothing that a command could do.
fn clauses(words: &[Word]) -> Vec<(Meaning, Vec<Word>)> {
    let mut kept = kept(words);
    kept.retain(|clause| !clause.iter().any(|word| !word.quoted && LEXICON.is_negation(&word.folded)));
    let all = kept.concat();
    kept.push(all);
    kept.into_iter().map(|words| (Meaning::of(&words), words)).collect()
}

/// Typing errors corrected: a word that nothing knows, and that is one slip (two in a long word) from one that is known.
fn corrected(words: &[Word], known: &BTreeSet<&str>) -> Vec<Word> {
    let correct = |word: &Word| {
        let folded = word.folded.as_str();
        let length = folded.chars().count();
        if word.quoted
            || length < 4
            || known.contains(folded)
            || LEXICON.is_stopword(folded)
            || LEXICON.concept(&stem(folded)).is_some()
        {
            return word.clone();
        }
        let slips = if length >= 8 { 2 } else { 1 };
        let near = known
            .iter()
            .filter(|known| {
                known.chars().count().abs_diff(length) <= slips && known.chars().next() == folded.chars().next()
            })
            .map(|known| (strsim::damerau_levenshtein(known, folded), *known))
            .filter(|(distance, known)| *distance <= slips && known.chars().count() >= 4)
            .min();
        match near {
            Some((_, known)) => Word { folded: known.to_owned(), ..word.clone() },
            None => word.clone(),
        }
    };
    words.iter().map(correct).collect()
}

/// The arguments that a request gives: each form where it fits first; then values of lists that are named without one.
/// And the words that no form took.
fn arguments(candidate: &Candidate, words: &[Word]) -> (Value, Vec<Word>) {
    let command = &candidate.command;
    let properties = properties(&command.arguments);
    let forms = command.forms.iter().filter_map(|form| Form::read(form, &properties));
    let mut found = Map::new();
    let mut rest = words.to_vec();
    for form in forms {
        let fits = (0..rest.len()).find_map(|at| {
            let mut arguments = Map::new();
            let taken = form.fit(&rest[at..], &properties, Style::Said, &mut arguments)?;
            Some((at, taken, arguments))
        });
        if let Some((at, taken, arguments)) = fits {
            if arguments.keys().any(|name| found.contains_key(name)) {
                continue;
            }
            found.extend(arguments);
            rest.drain(at..at + taken);
        }
    }
    for property in properties.iter().filter(|property| property.many && matches!(property.kind, Kind::OneOf(_))) {
        if !found.contains_key(&property.name)
            && let Some((values, _)) = (0..rest.len()).find_map(|at| value(property, &rest[at..], None, Style::Said))
        {
            found.insert(property.name.clone(), values);
        }
    }
    (Value::Object(found), rest)
}

#[cfg(test)]
mod tests;
