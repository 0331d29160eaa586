//! What matching needs of all installed commands, worked out once for all requests: their triggers and vocabularies as
//! numbered concepts. Every text that occurs is held once, and stands elsewhere as its number; as the texts are sorted,
//! numbers are in the order of the texts.

use super::{
    lexicon::LEXICON,
    meaning::Meaning,
    schema::{Kind, properties},
    words::read,
};
use deskhand_vocabulary::manifest::Command;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The number of a text.
pub(crate) type Id = u32;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    /// Sorted, each once.
    texts: Vec<String>,
    /// What concepts weigh, each weight once.
    weights: Vec<f64>,
    /// All words that any command knows.
    words: Vec<Id>,
    /// Concepts of the language files that only one command speaks of.
    pub(crate) own: Vec<Id>,
    /// The commands.
    pub(crate) rows: Vec<Row>,
}

/// A command. Its lists of numbers are sorted, but for those whose order says something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// As they are declared; behind them the summary.
    pub(crate) triggers: Vec<Text>,
    pub(crate) not_for: Vec<Text>,
    /// What it does: acts in its name, or in every fifth of its triggers.
    pub(crate) acts: Vec<Id>,
    /// Every concept of all that it declares.
    pub(crate) concepts: Vec<Id>,
    /// Every word.
    pub(crate) words: Vec<Id>,
}

/// A text of a command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Text {
    /// Sorted, each with the place of its weight.
    concepts: Vec<(Id, u8)>,
    /// What else it speaks of.
    pub(crate) elsewhere: Vec<Id>,
}

/// A command before texts are numbered.
struct Vocabulary {
    triggers: Vec<Meaning>,
    not_for: Vec<Meaning>,
    acts: BTreeSet<String>,
    concepts: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Vocabulary {
    fn of(command: &Command) -> Self {
        let meaning = |text: &str| Meaning::of(&read(text));
        let named = meaning(command.name.as_str());
        let mut triggers: Vec<Meaning> = command.triggers.iter().map(|trigger| meaning(trigger)).collect();
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for concept in triggers.iter().flat_map(|trigger| trigger.concepts.keys()) {
            *counts.entry(concept).or_default() += 1;
        }
        let often = |concept: &&String| counts.get(concept).is_some_and(|count| count * 5 >= triggers.len());
        let acts = named.concepts.keys().chain(counts.keys().copied().filter(often));
        let acts = acts.filter(|concept| LEXICON.is_act(concept) && LEXICON.weight(concept) > 0.5).cloned().collect();
        triggers.push(meaning(&command.summary));
        let properties = properties(&command.arguments);
        let phrases = properties.iter().flat_map(|property| match &property.kind {
            Kind::Flag(phrases) => phrases.clone(),
            Kind::OneOf(values) => values.iter().flat_map(|(_, phrases)| phrases.clone()).collect(),
            Kind::Integer | Kind::Text => Vec::new(),
        });
        let (mut concepts, mut words) = (BTreeSet::new(), BTreeSet::new());
        let texts = command.triggers.iter().chain(&command.forms).chain([&command.summary]).cloned();
        for text in texts.chain(phrases.map(|phrase| phrase.join(" "))).chain([command.name.to_string()]) {
            let read = read(&text);
            words.extend(read.iter().map(|word| word.folded.clone()));
            concepts.extend(Meaning::of(&read).concepts.into_keys());
        }
        let not_for = command.not_for.iter().map(|text| meaning(text)).collect();
        Self { triggers, not_for, acts, concepts, words }
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        let meanings = self.triggers.iter().chain(&self.not_for);
        meanings
            .flat_map(|meaning| meaning.concepts.keys().chain(&meaning.elsewhere))
            .chain(&self.acts)
            .chain(&self.concepts)
            .chain(&self.words)
    }
}

impl Table {
    /// What is to be known of these commands, in their order.
    pub(crate) fn of<'c>(commands: impl Iterator<Item = &'c Command>) -> Self {
        let known: Vec<Vocabulary> = commands.map(Vocabulary::of).collect();
        let texts: BTreeSet<&String> = known.iter().flat_map(Vocabulary::texts).collect();
        let ids: HashMap<&String, Id> = texts.iter().copied().zip(0..).collect();
        let id = |text: &String| ids.get(text).copied().unwrap_or(Id::MAX);
        let numbered = |texts: &BTreeSet<String>| texts.iter().map(id).collect::<Vec<_>>();
        let mut weights: Vec<f64> = Vec::new();
        let mut weight = |weight: f64| {
            let at = weights.iter().position(|known| known.to_bits() == weight.to_bits()).unwrap_or_else(|| {
                weights.push(weight);
                weights.len() - 1
            });
            // there are as many as the language files give, which are three
            u8::try_from(at).unwrap_or(u8::MAX)
        };
        let mut text = |meaning: &Meaning| Text {
            concepts: meaning.concepts.iter().map(|(concept, weighs)| (id(concept), weight(*weighs))).collect(),
            elsewhere: meaning.elsewhere.iter().map(id).collect(),
        };
        let rows: Vec<Row> = known
            .iter()
            .map(|known| Row {
                triggers: known.triggers.iter().map(&mut text).collect(),
                not_for: known.not_for.iter().map(&mut text).collect(),
                acts: numbered(&known.acts),
                concepts: numbered(&known.concepts),
                words: numbered(&known.words),
            })
            .collect();
        let mut speak: BTreeMap<&String, usize> = BTreeMap::new();
        for concept in known.iter().flat_map(|known| &known.concepts) {
            *speak.entry(concept).or_default() += 1;
        }
        let own = speak.iter().filter(|(concept, count)| **count == 1 && LEXICON.is_known(concept));
        let own = own.map(|(concept, _)| id(concept)).collect();
        let words: BTreeSet<Id> = rows.iter().flat_map(|row| row.words.iter().copied()).collect();
        let texts = texts.into_iter().cloned().collect();
        Self { texts, weights, words: words.into_iter().collect(), own, rows }
    }

    /// The number of a text that a command knows.
    pub(crate) fn id(&self, text: &str) -> Option<Id> {
        let at = self.texts.binary_search_by(|known| known.as_str().cmp(text)).ok()?;
        Id::try_from(at).ok()
    }

    /// True if any command knows the word.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.id(word).is_some_and(|id| has(&self.words, id))
    }

    /// All words that any command knows.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|id| self.texts.get(*id as usize)).map(String::as_str)
    }

    /// The concepts of a text, with what they weigh.
    pub(crate) fn weighed(&self, text: &Text) -> impl Iterator<Item = (Id, f64)> {
        text.concepts.iter().map(|(id, weight)| (*id, self.weights.get(usize::from(*weight)).copied().unwrap_or(0.0)))
    }
}

/// Whether a number is in a sorted list.
pub(crate) fn has(sorted: &[Id], id: Id) -> bool {
    sorted.binary_search(&id).is_ok()
}
