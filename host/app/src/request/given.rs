//! What a request says about a command's arguments, and which of its words came to nothing. An argument is given only by
//! words that name its value; what is turned around (`not by type`) gives none.

use super::{
    Candidate,
    forms::{Form, Style, said, value},
    lexicon::LEXICON,
    matching::aside,
    meaning::concept,
    schema::{Kind, Property, properties},
    table::{Id, Row, Table, has},
    words::{Word, fold, split},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The arguments that a request gives: each form where it fits first; then values of lists that are named without one.
/// And of each word, whether that took it.
pub(super) fn arguments(candidate: &Candidate, words: &[Word]) -> (Value, Vec<bool>) {
    let command = &candidate.command;
    let properties = properties(&command.arguments);
    let forms: Vec<Form> = command.forms.iter().filter_map(|form| Form::read(form, &properties)).collect();
    let against = against(words);
    let mut found = Map::new();
    let mut taken = vec![false; words.len()];
    for form in &forms {
        let fits = (0..words.len()).filter(|at| !against[*at]).find_map(|at| {
            let mut arguments = Map::new();
            let took = form.fit(free(words, &taken, at), &properties, Style::Said, &mut arguments)?;
            Some((at, took, arguments))
        });
        if let Some((at, took, arguments)) = fits
            && !arguments.keys().any(|name| found.contains_key(name))
        {
            found.extend(arguments);
            taken[at..at + took].fill(true);
        }
    }
    for property in properties.iter().filter(|property| property.many && matches!(property.kind, Kind::OneOf(_))) {
        if !found.contains_key(&property.name)
            && let Some((at, (values, took))) = (0..words.len())
                .filter(|at| !against[*at])
                .find_map(|at| Some((at, value(property, free(words, &taken, at), None, Style::Said)?)))
        {
            found.insert(property.name.clone(), values);
            taken[at..at + took].fill(true);
        }
    }
    reject(words, &against, &forms, &properties, &found, &mut taken);
    (Value::Object(found), taken)
}

/// The words from here on that nothing took yet.
fn free<'w>(words: &'w [Word], taken: &[bool], at: usize) -> &'w [Word] {
    let until = (at..words.len()).find(|at| taken[*at]).unwrap_or(words.len());
    &words[at..until]
}

/// Of each word, whether it is turned around: by a negation before it in its clause, or by one that ends the clause.
fn against(words: &[Word]) -> Vec<bool> {
    let mut against = Vec::with_capacity(words.len());
    for clause in words.split_inclusive(|word| word.ends) {
        let until = aside(clause);
        let folded: Vec<&str> = clause.iter().map(|word| word.folded.as_str()).collect();
        let turns =
            |at: usize| !clause[at].quoted && (LEXICON.is_negation(folded[at]) || LEXICON.is_instead(&folded[at..]));
        // `nach Typ bitte nicht`
        let content = (0..until).rev().find(|at| turns(*at) || !LEXICON.is_stopword(folded[*at]));
        let last = content.is_some_and(turns) && (0..until).filter(|at| turns(*at)).count() == 1;
        let mut on = last;
        for (at, word) in folded.iter().enumerate() {
            on = at < until && (last || turns(at) || (on && !LEXICON.is_contrast(word)));
            against.push(on);
        }
    }
    against
}

/// Take the words that turn down a value where the argument has another one, or where it is something to be switched on:
/// then they came true.
fn reject(
    words: &[Word],
    against: &[bool],
    forms: &[Form],
    properties: &[Property],
    found: &Map<String, Value>,
    taken: &mut [bool],
) {
    let came_true = |name: &String, value: &Value| {
        let property = properties.iter().find(|property| property.name == *name);
        match (found.get(name), property.map(|property| &property.kind)) {
            (None, Some(Kind::Flag(_))) => true,
            (Some(Value::Array(has)), Some(Kind::OneOf(_))) => {
                value.as_array().is_some_and(|values| values.iter().all(|value| !has.contains(value)))
            }
            (Some(has), Some(Kind::OneOf(_))) => has != value,
            _ => false,
        }
    };
    for at in (0..words.len()).filter(|at| against[*at]) {
        let fit = forms.iter().filter_map(|form| {
            let mut arguments = Map::new();
            let took = form.fit(free(words, taken, at), properties, Style::Said, &mut arguments)?;
            Some((took, arguments))
        });
        let plain = properties.iter().filter(|property| property.many).filter_map(|property| {
            let (value, took) = value(property, free(words, taken, at), None, Style::Said)?;
            Some((took, Map::from_iter([(property.name.clone(), value)])))
        });
        let fit = fit.chain(plain).max_by_key(|(took, _)| *took);
        if let Some((took, arguments)) = fit
            && arguments.iter().all(|(name, value)| came_true(name, value))
            // `not only by type` does not turn it down
            && !(at.saturating_sub(3)..at).any(|at| against[at] && LEXICON.is_kind(&words[at].folded))
        {
            // the word that turns it down, and what little stands between
            let between = |at: usize| against[at] && !taken[at] && LEXICON.is_stopword(&words[at].folded);
            let mut from = at;
            while from > 0 && between(from - 1) {
                from -= 1;
            }
            let folded: Vec<&str> = words[..at].iter().map(|word| word.folded.as_str()).collect();
            if from > 0 && LEXICON.is_instead(&folded[from - 1..]) {
                from -= 1;
            }
            taken[from..at + took].fill(true);
        }
    }
}

/// A request whose command and arguments are found.
pub(super) struct Said<'a> {
    pub(super) words: &'a [Word],
    /// Of each word, whether an argument took it.
    pub(super) taken: &'a [bool],
    pub(super) arguments: &'a Value,
}

impl Said<'_> {
    /// The words that came to nothing though they say something: those that the command knows nothing of, or that mean
    /// only some of the files; names of a value that is not given; what is turned around or to be left alone.
    pub(super) fn uncounted(&self, table: &Table, row: &Row, candidate: &Candidate, trigger: usize) -> Vec<String> {
        let among = |ids: &[Id], text: &str| table.id(text).is_some_and(|id| has(ids, id));
        let command = &candidate.command;
        let trigger = command.triggers.get(trigger).unwrap_or(&command.summary);
        let trigger: BTreeSet<String> = split(trigger).into_iter().collect();
        let against = against(self.words);
        let idle = self.idle(table, row, candidate);
        let counts = |at: usize| {
            let word = &self.words[at];
            let folded = word.folded.as_str();
            if self.taken[at] {
                return true;
            }
            if word.quoted || LEXICON.is_kind(folded) || idle[at] {
                return false;
            }
            match concept(folded) {
                None => true,
                Some(_) if against[at] => LEXICON.is_negation(folded) || LEXICON.is_stopword(folded),
                Some((concept, _)) => {
                    trigger.contains(folded)
                        || among(&row.words, folded)
                        || among(&row.concepts, &concept)
                        || LEXICON.is_concept(&concept)
                }
            }
        };
        let mut named = Vec::new();
        let mut start = 0;
        for clause in self.words.split_inclusive(|word| word.ends) {
            let until = aside(clause);
            let folded: Vec<&str> = clause.iter().map(|word| word.folded.as_str()).collect();
            named.extend((start..start + until).filter(|at| !counts(*at)));
            if let Some(took) = LEXICON.protects(&folded[until..]) {
                let says = |at: &usize| {
                    let word = &self.words[*at];
                    word.quoted || concept(&word.folded).is_some_and(|(concept, _)| concept != fold("file"))
                };
                named.extend((start + until + took..start + clause.len()).filter(|at| !self.taken[*at]).filter(says));
            }
            start += clause.len();
        }
        named.into_iter().map(|at| self.words[at].text.clone()).collect()
    }

    /// Of each word, whether it names a value that is not given. A word that the command's triggers are full of, such as
    /// `name` for one that renames, names nothing by itself.
    fn idle(&self, table: &Table, row: &Row, candidate: &Candidate) -> Vec<bool> {
        let common = |word: &str| {
            let Some(id) = concept(word).and_then(|(concept, _)| table.id(&concept)) else { return true };
            let speak = |text: &&_| table.weighed(text).any(|(concept, _)| concept == id);
            row.triggers.iter().filter(speak).count() * 3 >= row.triggers.len()
        };
        let given = |name: &str, value: &str| match &self.arguments[name] {
            Value::Array(values) => values.iter().any(|given| given == value),
            given => given == value,
        };
        let mut idle = vec![false; self.words.len()];
        for property in properties(&candidate.command.arguments) {
            let phrases: Vec<Vec<String>> = match property.kind {
                Kind::Flag(phrases) if self.arguments[&property.name].is_null() => phrases,
                Kind::OneOf(values) => values
                    .into_iter()
                    .filter(|(value, _)| !given(&property.name, value))
                    .flat_map(|(_, phrases)| phrases)
                    .collect(),
                _ => continue,
            };
            for at in 0..self.words.len() {
                let here = free(self.words, self.taken, at);
                for took in phrases.iter().filter_map(|phrase| said(phrase, here, Style::Typed)) {
                    for (word, idle) in here.iter().zip(&mut idle[at..]).take(took) {
                        *idle |= !LEXICON.is_stopword(&word.folded) && !common(&word.folded);
                    }
                }
            }
        }
        idle
    }
}
