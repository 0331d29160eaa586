//! A request as words: folded, quoted parts kept, cut into clauses.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A word of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As it was typed, without quotes.
    pub(crate) text: String,
    /// Folded; see [`fold`].
    pub(crate) folded: String,
    /// True if it stood in quotes: then it is an argument and nothing else.
    pub(crate) quoted: bool,
    /// True if a clause ends behind it.
    pub(crate) ends: bool,
}

/// Lower case, without accents (`ß` is `ss`), so that `Ordner`, `ORDNER` and `Größe`, `groesse` meet.
pub(crate) fn fold(word: &str) -> String {
    let lower = word.to_lowercase().replace('ß', "ss");
    let bare: String = lower.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    bare.replace("oe", "o").replace("ue", "u").replace("ae", "a")
}

/// The folded words of a text.
pub(crate) fn split(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(fold).collect()
}

/// What is left of a folded word when its English or German ending is cut (the Snowball stemmers).
pub(crate) fn stem(folded: &str) -> String {
    let english = Stemmer::create(Algorithm::English).stem(folded).into_owned();
    if english.len() < folded.len() { english } else { Stemmer::create(Algorithm::German).stem(folded).into_owned() }
}

/// The words of a request, in order. `"…"`, `“…”`, `„…“` and `'…'` keep what they hold as one word.
pub(crate) fn read(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current = String::new();
    let mut chars = text.chars().peekable();
    let flush = |current: &mut String, words: &mut Vec<Word>| {
        if !current.is_empty() {
            let text = std::mem::take(current);
            words.push(Word { folded: fold(&text), text, quoted: false, ends: false });
        }
    };
    while let Some(c) = chars.next() {
        let closing: &[char] = match c {
            '"' => &['"'],
            '“' => &['”', '“', '"'],
            '„' => &['“', '”', '"'],
            '«' => &['»'],
            '\'' if current.is_empty() => &['\''],
            _ => &[],
        };
        if !closing.is_empty() && chars.clone().any(|c| closing.contains(&c)) {
            flush(&mut current, &mut words);
            let text: String = chars.by_ref().take_while(|c| !closing.contains(c)).collect();
            words.push(Word { folded: fold(&text), text, quoted: true, ends: false });
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            current.push(c);
        } else if matches!(c, '\'' | '’') && chars.peek().is_some_and(|next| next.is_alphanumeric()) {
            // don't, it's: the two halves are words of their own in the lexicon
            flush(&mut current, &mut words);
        } else {
            flush(&mut current, &mut words);
            let ends = matches!(c, '.' | '!' | '?' | ';' | ',' | ':' | '\n' | '(' | ')' | '–' | '—')
                && !(c == '.' && chars.peek().is_some_and(|next| next.is_alphanumeric()));
            if ends && let Some(last) = words.last_mut() {
                last.ends = true;
            }
        }
    }
    flush(&mut current, &mut words);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_an_argument_together() {
        let words = read("Replace \"IMG_ 1\" with 'x', don't stop.");
        let texts: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.quoted, word.ends)).collect();
        assert_eq!(
            texts,
            [
                ("Replace", false, false),
                ("IMG_ 1", true, false),
                ("with", false, false),
                ("x", true, true),
                ("don", false, false),
                ("t", false, false),
                ("stop", false, true)
            ]
        );
    }

    #[test]
    fn umlauts_meet_however_they_are_typed() {
        assert_eq!(fold("Größe"), fold("groesse"));
        assert_eq!(fold("aufräumen"), fold("aufraeumen"));
    }
}
