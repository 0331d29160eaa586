//! What words mean: weighted concepts, and what they speak of besides the files of a folder.

use super::{
    lexicon::LEXICON,
    words::{Word, stem},
};
use std::collections::BTreeMap;

/// What a word says that no language file knows: a little, for it may be a name or a circumstance.
const UNKNOWN: f64 = 0.3;
/// The concept of words that speak of something else than the files of a folder.
const ELSEWHERE: &str = "elsewhere";

/// A text as weighted concepts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meaning {
    pub(crate) concepts: BTreeMap<String, f64>,
    /// Words that speak of something else than files, folded.
    pub(crate) elsewhere: Vec<String>,
    /// The first thing that is to be done.
    pub(crate) act: Option<String>,
}

impl Meaning {
    pub(crate) fn of(words: &[Word]) -> Self {
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
}

/// What a folded word means, and how much that says. None for a stop word.
pub(crate) fn concept(word: &str) -> Option<(String, f64)> {
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
