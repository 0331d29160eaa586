//! From the words of a search to what the index is asked. Whatever stands in them, they are words: nothing in them is taken
//! for the index's own language (SQLite, "FTS5", section 3).

/// The most words of a search; what follows is left out.
const WORDS: usize = 32;
/// The longest word that is looked for, in characters.
const LONGEST: usize = 64;

/// The words of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The runs of letters and digits in `text`, as the index takes them apart, each once.
    pub(super) fn of(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        for word in text.split(|c: char| !belongs_to_a_word(c)).filter(|word| !word.is_empty()) {
            if words.len() == WORDS {
                break;
            }
            let word: String = word.chars().take(LONGEST).collect();
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Self(words)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of them for which `holds`, given what finds one.
    pub(super) fn filtered<E>(&self, mut holds: impl FnMut(&str) -> Result<bool, E>) -> Result<Self, E> {
        let mut kept = Vec::new();
        for word in &self.0 {
            if holds(&format!("\"{word}\""))? {
                kept.push(word.clone());
            }
        }
        Ok(Self(kept))
    }

    /// What holds all of them; the last may be the beginning of a word.
    pub(super) fn all(&self) -> String {
        let last = self.0.len().saturating_sub(1);
        let word =
            |(at, word): (usize, &String)| if at == last { format!("\"{word}\"*") } else { format!("\"{word}\"") };
        self.0.iter().enumerate().map(word).collect::<Vec<_>>().join(" AND ")
    }

    /// What holds any of them; the more and the rarer, the sooner.
    pub(super) fn any(&self) -> String {
        self.0.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" OR ")
    }
}

/// Letters, digits, and the marks that stand over a letter as characters of their own.
fn belongs_to_a_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_search_is_an_operator() {
        let words = Words::of("in\"voice* AND (NEAR -number) ^text:x in");
        assert_eq!(words.all(), r#""in" AND "voice" AND "AND" AND "NEAR" AND "number" AND "text" AND "x"*"#);
        assert_eq!(words.any(), r#""in" OR "voice" OR "AND" OR "NEAR" OR "number" OR "text" OR "x""#);
        assert!(Words::of("\"*()'--;").is_empty());
        assert_eq!(Words::of(&"a1 ".repeat(9)).0, ["a1"]);
        assert_eq!(Words::of(&(0..99).map(|n| format!("w{n} ")).collect::<String>()).0.len(), WORDS);
        assert_eq!(Words::of(&"ä".repeat(999)).0[0].chars().count(), LONGEST);
    }
}
