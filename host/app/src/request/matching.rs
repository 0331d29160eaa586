//! A request in plain words, matched to the installed commands by their declared triggers and forms.
//!
//! Words become *concepts* (words that mean the same, else the stem). A command fits as far as one of its triggers
//! shares its concepts with the request, and as far as the command's own vocabulary covers what the request says: a
//! word that no trigger, form or summary of it knows speaks against it. Requests that a command declares as not its
//! own (`not_for`) speak against it as loudly as triggers speak for it. Where nothing is sure, nothing is chosen.

use super::{
    Catalogue,
    forms::{Form, Style},
    given::{Said, arguments},
    lexicon::LEXICON,
    meaning::Meaning,
    schema::{Property, properties},
    slash::check,
    table::{Id, Row, Table, Text, has},
    words::{Word, read, stem},
};
use deskhand_runtime::PluginFault;
use serde_json::{Map, Value};

/// From this score on a command is chosen (0 to 1); below, the nearest are named.
const SURE: f64 = 0.6;
/// By this much the chosen one is ahead of any other.
const AHEAD: f64 = 0.05;
/// From this score on a command is worth naming. One below it can neither be chosen nor stand in the way of another, so
/// that its manifest is not looked into.
const NEAR: f64 = 0.3;
const _: () = assert!(SURE - NEAR > AHEAD);

/// What a request means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    /// One command serves it.
    Chosen {
        /// Index of the command.
        candidate: usize,
        /// The arguments, which fit the command's schema.
        arguments: Value,
        /// The trigger that fits best, for the person.
        trigger: String,
        /// Words of the request that did not count, or that mean some of the files where the command takes all.
        uncounted: Vec<String>,
    },
    /// One command serves it, but cannot do anything with what the request says of its arguments.
    Lacking {
        /// Index of the command.
        candidate: usize,
        /// What the request does say of them.
        arguments: Value,
        /// The trigger that fits best, for the person.
        trigger: String,
        /// As of [`Match::Chosen`].
        uncounted: Vec<String>,
    },
    /// None is sure. Indices of the nearest, best first; empty if none is near.
    Unsure(Vec<usize>),
}

/// Choose the command that serves a request.
pub(crate) fn choose(request: &str, catalogue: &Catalogue) -> Result<Match, PluginFault> {
    let table = catalogue.table();
    let words = corrected(&read(request), table);
    let clauses: Vec<Clause> = clauses(&words, table);
    let mut scored: Vec<(f64, usize, usize)> = Vec::with_capacity(table.rows.len());
    for (index, row) in table.rows.iter().enumerate() {
        let mut shape = Shape { catalogue, index, read: None };
        let (mut best, mut trigger) = (0.0, 0);
        for (at, clause) in clauses.iter().enumerate() {
            let (score, fitting) = score(table, row, clause, &mut shape)?;
            // of clauses that fit as well as each other, the last
            if at == 0 || score >= best {
                (best, trigger) = (score, fitting);
            }
        }
        scored.push((best, index, trigger));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let runner_up = scored.get(1).map_or(0.0, |second| second.0);
    if let Some((score, index, trigger)) = scored.first()
        && *score >= SURE
        && score - runner_up >= AHEAD
    {
        let candidate = catalogue.candidate(*index)?;
        let (arguments, taken) = arguments(&candidate, &words);
        let command = &candidate.command;
        let said = command.triggers.get(*trigger).unwrap_or(&command.summary).clone();
        let given = Said { words: &words, taken: &taken, arguments: &arguments };
        let uncounted = given.uncounted(table, &table.rows[*index], &candidate, *trigger);
        let (index, trigger) = (*index, said);
        return Ok(match check(&candidate, &arguments) {
            Ok(()) => Match::Chosen { candidate: index, arguments, trigger, uncounted },
            Err(_) => Match::Lacking { candidate: index, arguments, trigger, uncounted },
        });
    }
    let near = scored.iter().filter(|(score, ..)| *score >= NEAR).take(3).map(|(_, index, _)| *index);
    Ok(Match::Unsure(near.collect()))
}

/// The forms of a command, read when they are needed.
struct Shape<'c> {
    catalogue: &'c Catalogue,
    index: usize,
    read: Option<(Vec<Form>, Vec<Property>)>,
}

impl Shape<'_> {
    /// Whether a form fits anywhere in these words.
    fn fits(&mut self, words: &[Word]) -> Result<bool, PluginFault> {
        if self.read.is_none() {
            let command = self.catalogue.candidate(self.index)?.command;
            let properties = properties(&command.arguments);
            let forms = command.forms.iter().filter_map(|form| Form::read(form, &properties)).collect();
            self.read = Some((forms, properties));
        }
        let Some((forms, properties)) = &self.read else { return Ok(false) };
        Ok((0..words.len()).any(|at| {
            forms.iter().any(|form| form.fit(&words[at..], properties, Style::Hinted, &mut Map::new()).is_some())
        }))
    }
}

/// A clause of a request, in the numbers of a table.
struct Clause {
    words: Vec<Word>,
    /// In the order of the concepts, none for what no command speaks of.
    concepts: Vec<(Option<Id>, f64)>,
    /// Those that have a number, sorted.
    known: Vec<Id>,
    weight: f64,
    /// What else it speaks of: as a whole, and word by word.
    elsewhere: Vec<(Option<Id>, Vec<Option<Id>>)>,
    /// The first thing that is to be done, and what that weighs.
    act: Option<(Option<Id>, f64)>,
}

impl Clause {
    fn of(words: Vec<Word>, table: &Table) -> Self {
        let meaning = Meaning::of(&words);
        let concepts: Vec<_> = meaning.concepts.iter().map(|(concept, weight)| (table.id(concept), *weight)).collect();
        let elsewhere =
            meaning.elsewhere.iter().map(|text| (table.id(text), text.split(' ').map(|word| table.id(word)).collect()));
        Self {
            known: concepts.iter().filter_map(|(id, _)| *id).collect(),
            weight: concepts.iter().map(|(_, weight)| weight).sum(),
            elsewhere: elsewhere.collect(),
            act: meaning.act.map(|act| (table.id(&act), LEXICON.weight(&act))),
            concepts,
            words,
        }
    }

    /// How alike a text and the clause are, from 0 to 1: what they share of what both say (Dice's coefficient, weighted).
    fn likeness(&self, table: &Table, text: &Text) -> f64 {
        let too = |id: &&Id| self.elsewhere.iter().any(|(whole, _)| *whole == Some(**id));
        let alike = text.elsewhere.iter().filter(too).count();
        let here = self.elsewhere.iter().filter(|(whole, _)| !whole.is_some_and(|id| text.elsewhere.contains(&id)));
        let apart = text.elsewhere.len() - alike + here.count();
        let weight: f64 = table.weighed(text).map(|(_, weight)| weight).sum();
        let shared = table.weighed(text).filter(|(id, _)| has(&self.known, *id)).map(|(_, weight)| weight);
        let both = weight + self.weight + apart as f64 + 2.0 * alike as f64;
        if both == 0.0 { 0.0 } else { 2.0 * (shared.sum::<f64>() + alike as f64) / both }
    }
}

/// How well a command serves a clause, and which of its triggers fits best.
fn score(table: &Table, row: &Row, clause: &Clause, shape: &mut Shape<'_>) -> Result<(f64, usize), PluginFault> {
    if clause.concepts.is_empty() {
        return Ok((0.0, row.triggers.len()));
    }
    let (likeness, trigger) = row
        .triggers
        .iter()
        .enumerate()
        .map(|(at, trigger)| (clause.likeness(table, trigger), at))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((0.0, row.triggers.len()));
    let against = row.not_for.iter().map(|text| clause.likeness(table, text)).fold(0.0, f64::max);
    let covered = clause.concepts.iter().filter(|(id, _)| id.is_some_and(|id| has(&row.concepts, id)));
    let covered = covered.map(|(_, weight)| weight).sum::<f64>() / clause.weight;
    let done = if clause.known.iter().any(|id| has(&row.acts, *id)) {
        Some(1.0)
    } else if clause.known.iter().any(|id| has(&row.concepts, *id) && has(&table.own, *id)) {
        // it speaks of what no other command speaks of
        Some(0.7)
    } else {
        None
    };
    // what is asked for first is something that this command does not do
    let other = clause.act.is_some_and(|(act, weight)| weight > 0.5 && !act.is_some_and(|act| has(&row.concepts, act)));
    let foreign = clause
        .elsewhere
        .iter()
        .filter(|(_, words)| !words.iter().all(|word| word.is_some_and(|word| has(&row.words, word))))
        .count();
    let score = |fits: bool| {
        let done = done.unwrap_or(if fits && clause.act.is_some() { 0.4 } else { 0.0 });
        let score = 0.38 * done + 0.34 * likeness + 0.24 * covered + if fits { 0.06 } else { 0.0 };
        let score = score - 0.3 * (foreign.min(2) as f64);
        if against > likeness || other { score * 0.6 } else { score }
    };
    let most = score(true);
    let score = if most < NEAR { most } else { score(shape.fits(&clause.words)?) };
    Ok((score, trigger))
}

/// The clauses of a request without asides.
fn kept(words: &[Word]) -> Vec<Vec<Word>> {
    let mut kept: Vec<Vec<Word>> = Vec::new();
    for clause in words.split_inclusive(|word| word.ends) {
        let until = aside(clause);
        if until > 0 {
            kept.push(clause[..until].to_vec());
        }
    }
    kept
}

/// Where the aside of a clause begins: at its end if it has none.
pub(super) fn aside(clause: &[Word]) -> usize {
    let folded: Vec<&str> = clause.iter().map(|word| word.folded.as_str()).collect();
    (0..clause.len()).find(|at| LEXICON.is_aside(&folded[*at..])).unwrap_or(clause.len())
}

/// The clauses of a request that ask for something, and all of them together. A clause that is turned around asks for
/// nothing that a command could do.
fn clauses(words: &[Word], table: &Table) -> Vec<Clause> {
    let mut kept = kept(words);
    kept.retain(|clause| !clause.iter().any(|word| !word.quoted && LEXICON.is_negation(&word.folded)));
    let all = kept.concat();
    kept.push(all);
    kept.into_iter().map(|words| Clause::of(words, table)).collect()
}

/// Typing errors corrected: a word that nothing knows, and that is one slip (two in a long word) from one that is known.
fn corrected(words: &[Word], table: &Table) -> Vec<Word> {
    let correct = |word: &Word| {
        let folded = word.folded.as_str();
        let length = folded.chars().count();
        if word.quoted
            || length < 4
            || table.knows(folded)
            || LEXICON.concept(folded).is_some()
            || LEXICON.is_stopword(folded)
            || LEXICON.concept(&stem(folded)).is_some()
        {
            return word.clone();
        }
        let slips = if length >= 8 { 2 } else { 1 };
        let near = table
            .words()
            .chain(LEXICON.known())
            .filter(|known| {
                known.chars().next() == folded.chars().next() && known.chars().count().abs_diff(length) <= slips
            })
            .map(|known| (strsim::damerau_levenshtein(known, folded), known))
            .filter(|(distance, known)| *distance <= slips && known.chars().count() >= 4)
            .min();
        match near {
            Some((_, known)) => Word { folded: known.to_owned(), ..word.clone() },
            None => word.clone(),
        }
    };
    words.iter().map(correct).collect()
}

#[cfg(test)]
mod tests;
