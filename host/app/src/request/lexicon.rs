//! What is known of a language: stop words, words that mean the same, and parts of a request that change nothing.

use super::words::{fold, split};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

/// The languages together: a request may mix them, and a word seldom means two things in two languages.
pub(crate) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon::default();
    for source in [include_str!("lexicon/english.toml"), include_str!("lexicon/german.toml")] {
        #[expect(clippy::expect_used, reason = "the files are part of the program and read by a test")]
        lexicon.add(&toml::from_str(source).expect("a lexicon is well formed"));
    }
    lexicon
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    stopwords: Vec<String>,
    generic: Vec<String>,
    acts: Vec<String>,
    negations: Vec<String>,
    instead: Vec<String>,
    contrasts: Vec<String>,
    kinds: Vec<String>,
    concepts: BTreeMap<String, Vec<String>>,
    asides: Vec<Asides>,
    literals: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asides {
    phrases: Vec<String>,
    /// True if they say what is to be left alone: then what follows them is not to be passed over.
    #[serde(default)]
    protect: bool,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Lexicon {
    stopwords: HashSet<String>,
    generic: HashSet<String>,
    acts: HashSet<String>,
    negations: HashSet<String>,
    instead: Vec<Vec<String>>,
    contrasts: HashSet<String>,
    kinds: HashSet<String>,
    /// One folded word → the concept that it names.
    concepts: HashMap<String, String>,
    known: HashSet<String>,
    /// Longer first: folded words, `*` for up to six of any → the concept.
    phrases: Vec<(Vec<String>, String)>,
    /// Each with whether it protects.
    asides: Vec<(Vec<String>, bool)>,
    /// A literal word of a form → what is said in its place.
    literals: HashMap<String, Vec<Vec<String>>>,
}

/// The most words that `*` of a phrase stands for.
const GAP: usize = 6;

impl Lexicon {
    fn add(&mut self, source: &Source) {
        self.stopwords.extend(source.stopwords.iter().map(|word| fold(word)));
        self.generic.extend(source.generic.iter().cloned());
        self.acts.extend(source.acts.iter().cloned());
        self.negations.extend(source.negations.iter().map(|word| fold(word)));
        self.instead.extend(source.instead.iter().map(|phrase| pattern(phrase)));
        self.contrasts.extend(source.contrasts.iter().map(|word| fold(word)));
        self.kinds.extend(source.kinds.iter().map(|word| fold(word)));
        for (concept, members) in &source.concepts {
            self.known.insert(concept.clone());
            for member in members {
                let words = pattern(member);
                match words.as_slice() {
                    [word] => {
                        // a word of two concepts keeps the first, so that it does not change from run to run
                        self.concepts.entry(word.clone()).or_insert_with(|| concept.clone());
                    }
                    _ => self.phrases.push((words, concept.clone())),
                }
            }
        }
        for asides in &source.asides {
            self.asides.extend(asides.phrases.iter().map(|phrase| (pattern(phrase), asides.protect)));
        }
        for (literal, phrases) in &source.literals {
            self.literals.entry(literal.clone()).or_default().extend(phrases.iter().map(|phrase| pattern(phrase)));
        }
        self.phrases.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    }

    pub(crate) fn is_stopword(&self, word: &str) -> bool {
        self.stopwords.contains(word)
    }

    /// True for a word that turns a request around.
    pub(crate) fn is_negation(&self, word: &str) -> bool {
        self.negations.contains(word)
    }

    /// True if the words from here on reject what follows them, in favour of something else.
    pub(crate) fn is_instead(&self, words: &[&str]) -> bool {
        self.instead.iter().any(|phrase| starts(phrase, words).is_some())
    }

    /// True for a word that ends what a negation turns around.
    pub(crate) fn is_contrast(&self, word: &str) -> bool {
        self.contrasts.contains(word)
    }

    /// True for a word that means some of the files and not all.
    pub(crate) fn is_kind(&self, word: &str) -> bool {
        self.kinds.contains(word)
    }

    /// How much a concept says about which command is meant, from 0 to 1.
    pub(crate) fn weight(&self, concept: &str) -> f64 {
        if self.generic.contains(concept) { 0.35 } else { 1.0 }
    }

    /// True for any concept of a language file.
    pub(crate) fn is_concept(&self, concept: &str) -> bool {
        self.known.contains(concept)
    }

    /// True for a concept of a language file, as against a word that only a request or a manifest has.
    pub(crate) fn is_known(&self, concept: &str) -> bool {
        self.known.contains(concept) && !self.generic.contains(concept)
    }

    /// True for what a request asks to be done, as against what it is about.
    pub(crate) fn is_act(&self, concept: &str) -> bool {
        self.acts.contains(concept)
    }

    /// The concept that a folded word names.
    pub(crate) fn concept(&self, word: &str) -> Option<&str> {
        self.concepts.get(word).map(String::as_str)
    }

    /// The concept that the words from here on name together, and how many of them.
    pub(crate) fn phrase(&self, words: &[&str]) -> Option<(&str, usize)> {
        self.phrases.iter().find_map(|(phrase, concept)| Some((concept.as_str(), starts(phrase, words)?)))
    }

    /// How many of the words stand in place of a form's literal word.
    pub(crate) fn literal(&self, literal: &str, words: &[&str]) -> Option<usize> {
        self.literals.get(literal)?.iter().filter_map(|phrase| starts(phrase, words)).max()
    }

    /// True if an aside begins here.
    pub(crate) fn is_aside(&self, words: &[&str]) -> bool {
        self.asides.iter().any(|(phrase, _)| starts(phrase, words).is_some())
    }

    /// If an aside begins here that says what is to be left alone, how many words it takes.
    pub(crate) fn protects(&self, words: &[&str]) -> Option<usize> {
        self.asides.iter().filter(|(_, protect)| *protect).filter_map(|(phrase, _)| starts(phrase, words)).max()
    }

    /// Every word that means something, for the correction of typing errors.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        self.concepts.keys().map(String::as_str)
    }
}

/// A phrase as folded words, `*` kept.
fn pattern(phrase: &str) -> Vec<String> {
    phrase.split_whitespace().flat_map(|part| if part == "*" { vec![part.to_owned()] } else { split(part) }).collect()
}

/// How many of `words` the pattern takes from their start.
fn starts(pattern: &[String], words: &[&str]) -> Option<usize> {
    match pattern {
        [] => Some(0),
        [star, rest @ ..] if star == "*" => {
            (0..=GAP.min(words.len())).find_map(|gap| Some(gap + starts(rest, &words[gap..])?))
        }
        [first, rest @ ..] => {
            let (word, after) = words.split_first()?;
            if word == first { Some(1 + starts(rest, after)?) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_leap_over_a_few_words() {
        let words = ["raume", "bitte", "den", "ordner", "auf"];
        assert_eq!(LEXICON.phrase(&words), Some(("organize", 5)));
        assert!(LEXICON.is_aside(&["before", "moving", "anything"]));
        assert_eq!(LEXICON.concept("tidy"), Some("organize"));
    }
}
