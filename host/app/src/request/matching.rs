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
    schema::{Kind, properties},
    slash::check,
    words::{Word, read, stem},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// From this score on a command is chosen (0 to 1); below, the nearest are named.
const SURE: f64 = 0.62;
/// By this much the chosen one is ahead of any other.
const AHEAD: f64 = 0.06;
/// From this score on a command is worth naming.
const NEAR: f64 = 0.3;

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
    let clauses = clauses(&words);
    let mut scored: Vec<(f64, usize, &str)> = vocabularies
        .iter()
        .enumerate()
        .map(|(index, vocabulary)| {
            let (score, trigger) = vocabulary.score(&clauses);
            (score, index, trigger)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let runner_up = scored.get(1).map_or(0.0, |second| second.0);
    if let Some((score, candidate, trigger)) = scored.first()
        && *score >= SURE
        && score - runner_up >= AHEAD
    {
        let arguments = arguments(&candidates[*candidate], &words);
        if check(&candidates[*candidate], &arguments).is_ok() {
            return Match::Chosen { candidate: *candidate, arguments, trigger: (*trigger).to_owned() };
        }
    }
    Match::Unsure(scored.iter().filter(|(score, ..)| *score >= NEAR).take(3).map(|(_, index, _)| *index).collect())
}

/// A text as weighted concepts, and the one it begins with: what is to be done stands first in a request.
#[derive(Clone, Debug, Default)]
struct Meaning {
    concepts: BTreeMap<String, f64>,
    head: Option<String>,
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
                meaning.add(concept.to_owned(), LEXICON.weight(concept));
                // words under a gap keep their own meaning
                for word in &words[at + 1..at + taken] {
                    if let Some(inner) = LEXICON.concept(&word.folded) {
                        meaning.add(inner.to_owned(), LEXICON.weight(inner));
                    }
                }
                at += taken;
                continue;
            }
            if let Some((concept, weight)) = concept(folded[at]) {
                meaning.add(concept, weight);
            }
            at += 1;
        }
        meaning
    }

    fn add(&mut self, concept: String, weight: f64) {
        if weight > 0.5 && self.head.is_none() {
            self.head = Some(concept.clone());
        }
        self.concepts.insert(concept, weight);
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
        let both = self.weight() + other.weight();
        if both == 0.0 { 0.0 } else { 2.0 * self.shared(other) / both }
    }
}

/// What a folded word means, and how much that says. None for a stop word.
fn concept(word: &str) -> Option<(String, f64)> {
    if let Some(concept) = LEXICON.concept(word) {
        return Some((concept.to_owned(), LEXICON.weight(concept)));
    }
    if LEXICON.is_stopword(word) || word.len() < 2 || word.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let stemmed = stem(word);
    match LEXICON.concept(&stemmed) {
        Some(concept) => Some((concept.to_owned(), LEXICON.weight(concept))),
        None => Some((stemmed, 1.0)),
    }
}

/// All that a command declares, as meanings.
struct Vocabulary<'c> {
    triggers: Vec<(&'c str, Meaning)>,
    not_for: Vec<Meaning>,
    all: Meaning,
    words: BTreeSet<String>,
}

impl<'c> Vocabulary<'c> {
    fn of(candidate: &'c Candidate) -> Self {
        let command = &candidate.command;
        let meaning = |text: &str| Meaning::of(&read(text));
        let mut triggers: Vec<(&str, Meaning)> =
            command.triggers.iter().map(|trigger| (trigger.as_str(), meaning(trigger))).collect();
        triggers.push((command.summary.as_str(), meaning(&command.summary)));
        triggers.push((command.name.as_str(), meaning(command.name.as_str())));
        let mut all = Meaning::default();
        let mut words = BTreeSet::new();
        let properties = properties(&command.arguments);
        let phrases = properties.iter().flat_map(|property| match &property.kind {
            Kind::Flag(phrases) => phrases.clone(),
            Kind::OneOf(values) => values.iter().flat_map(|(_, phrases)| phrases.clone()).collect(),
            Kind::Integer | Kind::Text => Vec::new(),
        });
        let texts = command.triggers.iter().chain(&command.forms).chain([&command.summary]).cloned();
        for text in texts.chain(phrases.map(|phrase| phrase.join(" "))).chain([command.name.to_string()]) {
            let read = read(&text);
            words.extend(read.iter().map(|word| word.folded.clone()));
            all.concepts.extend(Meaning::of(&read).concepts);
        }
        Self { triggers, not_for: command.not_for.iter().map(|text| meaning(text)).collect(), all, words }
    }

    /// How well the command serves a request, clause by clause; and the trigger that fits best.
    fn score(&self, clauses: &[Meaning]) -> (f64, &'c str) {
        clauses.iter().map(|clause| self.score_clause(clause)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, ""))
    }

    fn score_clause(&self, clause: &Meaning) -> (f64, &'c str) {
        if clause.concepts.is_empty() {
            return (0.0, "");
        }
        let best = self
            .triggers
            .iter()
            .map(|(text, trigger)| {
                // what is to be done must be shared: a request and a trigger that only speak of the same things differ
                let head = trigger.head.as_ref().or(clause.head.as_ref());
                let done = head.is_some_and(|head| clause.concepts.contains_key(head));
                (trigger.likeness(clause) * if done { 1.0 } else { 0.6 }, *text)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((0.0, ""));
        let covered = clause.shared(&self.all) / clause.weight();
        let against = self.not_for.iter().map(|text| text.likeness(clause)).fold(0.0, f64::max);
        let score = 0.55 * best.0 + 0.45 * covered;
        let score = if against > best.0 { score * 0.5 } else { score };
        // a single generic word is no request
        (if clause.weight() < 0.9 { score * 0.5 } else { score }, best.1)
    }
}

/// The clauses of a request that ask for something, and all of them together. Asides are left out.
fn clauses(words: &[Word]) -> Vec<Meaning> {
    let mut kept: Vec<Vec<Word>> = Vec::new();
    for clause in words.split_inclusive(|word| word.ends) {
        let folded: Vec<&str> = clause.iter().map(|word| word.folded.as_str()).collect();
        let until = (0..clause.len()).find(|at| LEXICON.is_aside(&folded[*at..])).unwrap_or(clause.len());
        if until > 0 {
            kept.push(clause[..until].to_vec());
        }
    }
    let mut clauses: Vec<Meaning> = kept.iter().map(|clause| Meaning::of(clause)).collect();
    clauses.push(Meaning::of(&kept.concat()));
    clauses
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
fn arguments(candidate: &Candidate, words: &[Word]) -> Value {
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
    Value::Object(found)
}

#[cfg(test)]
mod tests;
