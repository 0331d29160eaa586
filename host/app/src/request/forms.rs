//! Forms: how a command's arguments are written in words, such as `by {by}` or `replace {old} with {new}`.

use super::{
    lexicon::LEXICON,
    schema::{Kind, Property},
    words::{Word, fold},
};
use serde_json::{Map, Value};

/// A form, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// A word, folded.
    Literal(String),
    /// An index into the properties.
    Slot(usize),
}

/// How freely a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Typed behind a slash: a text may stand without quotes, nothing is guessed.
    Typed,
    /// Said in a sentence: texts stand in quotes, other words may stand between.
    Said,
    /// Said, and only asked whether it speaks of the argument at all: a word that shares a concept with a value's name is
    /// enough.
    Hinted,
}

impl Form {
    /// Read a form. A slot that names no property makes the form void: it can never fit.
    pub(crate) fn read(form: &str, properties: &[Property]) -> Option<Self> {
        let parts =
            form.split_whitespace().map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => properties.iter().position(|property| property.name == name).map(Part::Slot),
                None => Some(Part::Literal(fold(part))),
            });
        Some(Self { parts: parts.collect::<Option<_>>()? }).filter(|form| !form.parts.is_empty())
    }

    /// True if it begins with this word, which is literal in it.
    pub(crate) fn begins(&self, word: &Word) -> bool {
        matches!(self.parts.first(), Some(Part::Literal(literal)) if *literal == word.folded && !word.quoted)
    }

    /// If the words from here on fit, put what they say into `arguments` and return how many words that took.
    pub(crate) fn fit(
        &self,
        words: &[Word],
        properties: &[Property],
        style: Style,
        arguments: &mut Map<String, Value>,
    ) -> Option<usize> {
        let mut found = Map::new();
        let mut at = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let rest = &words[at..];
            at += match part {
                Part::Literal(literal) => {
                    let first = rest.first().filter(|word| !word.quoted)?;
                    if first.folded == *literal {
                        1
                    } else if style != Style::Typed {
                        let folded: Vec<&str> = rest.iter().map(|word| word.folded.as_str()).collect();
                        LEXICON.literal(literal, &folded)?
                    } else {
                        return None;
                    }
                }
                Part::Slot(slot) => {
                    let property = &properties[*slot];
                    let stop = self.parts.get(index + 1).and_then(|next| match next {
                        Part::Literal(literal) => Some(literal.as_str()),
                        Part::Slot(_) => None,
                    });
                    // `keep the {keep}` is meant by `keep {keep}` too: a few small words may stand before a named value
                    let small = if index > 0 && style != Style::Typed && property.is_named() { small(rest) } else { 0 };
                    let (value, taken) = (0..=small)
                        .find_map(|skipped| Some((skipped, value(property, &rest[skipped..], stop, style)?)))
                        .map(|(skipped, (value, taken))| (value, skipped + taken))?;
                    found.insert(property.name.clone(), value);
                    taken
                }
            };
        }
        arguments.extend(found);
        Some(at)
    }
}

/// How many words at the start, two at the most, say nothing by themselves.
fn small(words: &[Word]) -> usize {
    let says_nothing = |word: &&Word| {
        !word.quoted && !word.ends && LEXICON.is_stopword(&word.folded) && !LEXICON.is_negation(&word.folded)
    };
    words.iter().take(2).take_while(says_nothing).count()
}

/// The value of a property at the start of `words`, and how many words it takes.
pub(crate) fn value(property: &Property, words: &[Word], stop: Option<&str>, style: Style) -> Option<(Value, usize)> {
    if !property.many {
        return one(&property.kind, words, stop, style);
    }
    let (first, mut taken) = one(&property.kind, words, stop, style)?;
    let mut values = vec![first];
    loop {
        let joints = joints(&words[taken..], style);
        // the longest run of joining words is skipped, but only if a value follows
        let next = (joints.min(1)..=joints).rev().find_map(|skipped| {
            let (value, more) = one(&property.kind, &words[taken + skipped..], stop, style)?;
            (skipped > 0 || words[taken - 1].ends || !matches!(property.kind, Kind::Text))
                .then_some((value, skipped + more))
        });
        match next {
            Some((value, more)) if Some(&value) != values.last() && !values.contains(&value) => {
                values.push(value);
                taken += more;
            }
            _ => return Some((Value::Array(values), taken)),
        }
    }
}

/// How many words at the start only join values of a list.
fn joints(words: &[Word], style: Style) -> usize {
    let joining = |word: &Word| match style {
        Style::Typed => matches!(word.folded.as_str(), "and" | "then" | "und" | "dann" | ""),
        Style::Said | Style::Hinted => {
            (LEXICON.is_stopword(&word.folded) && !LEXICON.is_negation(&word.folded))
                || matches!(
                    word.folded.as_str(),
                    "by" | "first"
                        | "zuerst"
                        | "erst"
                        | "second"
                        | "afterwards"
                        | "danach"
                        | "nach"
                        | "next"
                        | "folder"
                        | "folders"
                        | "below"
                        | "darin"
                        | "darunter"
                )
        }
    };
    words
        .iter()
        .take(if style == Style::Typed { 2 } else { 6 })
        .take_while(|word| !word.quoted && joining(word))
        .count()
}

fn one(kind: &Kind, words: &[Word], stop: Option<&str>, style: Style) -> Option<(Value, usize)> {
    let first = words.first()?;
    match kind {
        Kind::Flag(phrases) => Some((Value::Bool(true), phrases.iter().find_map(|phrase| said(phrase, words, style))?)),
        Kind::OneOf(values) => values
            .iter()
            .flat_map(|(value, phrases)| {
                phrases.iter().filter_map(move |phrase| Some((said(phrase, words, style)?, value)))
            })
            .max_by_key(|(taken, _)| *taken)
            .map(|(taken, value)| (Value::from(value.as_str()), taken)),
        Kind::Integer => Some((Value::from(first.text.parse::<i64>().ok()?), 1)),
        Kind::Text if first.quoted => Some((Value::from(first.text.as_str()), 1)),
        Kind::Text if style != Style::Typed => None,
        Kind::Text => {
            let taken = match stop {
                Some(stop) => words.iter().position(|word| word.folded == *stop)?,
                None => 1,
            };
            let text: Vec<&str> = words[..taken].iter().map(|word| word.text.as_str()).collect();
            (taken > 0).then(|| (Value::from(text.join(" ")), taken))
        }
    }
}

/// If the words from here on are the phrase, how many that is. A plural counts as its singular. In a sentence a word
/// counts too that means what the phrase's word names: `kind` for `type`. Words that only belong to the same concept do
/// not: `uppercase` and `lowercase` speak of the same thing and say the opposite.
pub(crate) fn said(phrase: &[String], words: &[Word], style: Style) -> Option<usize> {
    let same = |(word, wanted): (&Word, &String)| {
        let alike = || {
            let concept = LEXICON.concept(&word.folded);
            match style {
                Style::Typed => false,
                Style::Said => concept == Some(wanted.as_str()),
                Style::Hinted => concept.is_some() && concept == LEXICON.concept(wanted),
            }
        };
        !word.quoted && (word.folded == *wanted || word.folded.strip_suffix('s') == Some(wanted.as_str()) || alike())
    };
    (!phrase.is_empty() && words.len() >= phrase.len() && words.iter().zip(phrase).all(same)).then_some(phrase.len())
}
