//! Which of several files with the same content is kept.
//!
//! A file that has several names (hard links) is never proposed for removal, and so it is the one that is kept. Of the others, by
//! default, the oldest; of equally old ones that whose name does not say that it is a copy; of those the one with the shortest
//! path.

use deskhand_filing::{
    name::{byte_len, last, split, without_number},
    natural::Natural,
};
use deskhand_sdk::time::Moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("x-synonyms" = {
    "oldest": ["older", "first", "original", "originals", "earliest", "älteste", "ältesten", "das älteste", "original behalten"],
    "newest": ["newer", "latest", "most recent", "last", "neueste", "neuesten", "neuste", "neusten", "das neueste"],
    "shortest": ["shorter", "shortest path", "shortest name", "kürzeste", "kürzesten"]
}))]
pub enum Keep {
    /// The one that was changed longest ago.
    #[default]
    Oldest,
    /// The one that was changed last.
    Newest,
    /// The one with the shortest path.
    Shortest,
}

/// A file, as the rule sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Where it is.
    pub path: &'a str,
    /// When it was changed last.
    pub modified: Moment,
    /// True if it has several names.
    pub linked: bool,
}

type Rank = (bool, Moment, Reverse<Moment>, usize, bool, usize, Natural);

impl Keep {
    /// The index of the file that is kept; none of an empty list.
    pub fn choose(self, candidates: &[Candidate<'_>]) -> Option<usize> {
        (0..candidates.len()).min_by_key(|index| self.rank(&candidates[*index]))
    }

    fn rank(self, file: &Candidate<'_>) -> Rank {
        let none = Moment::at(0);
        let length = byte_len(file.path);
        let (oldest, newest, shortest) = match self {
            Self::Oldest => (file.modified, none, 0),
            Self::Newest => (none, file.modified, 0),
            Self::Shortest => (none, none, length),
        };
        (!file.linked, oldest, Reverse(newest), shortest, is_copy(last(file.path)), length, Natural::of(file.path))
    }

    /// Completes `Keeping … of each`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Oldest => "the oldest",
            Self::Newest => "the newest",
            Self::Shortest => "the one with the shortest path",
        }
    }
}

/// True if a name says that the file is a copy: `a (2).jpg`, `a - Copy.jpg`, `Copy of a.jpg`, `a Kopie 3.jpg`.
pub fn is_copy(name: &str) -> bool {
    const WORDS: [&str; 8] = ["copy", "copie", "copia", "cópia", "kopie", "kopia", "kopi", "kopio"];
    let stem = split(name).0;
    let words = stem.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    without_number(stem).len() < stem.len() || words.into_iter().any(|word| WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(keep: Keep, files: &[(&str, i64, bool)]) -> String {
        let candidates: Vec<Candidate<'_>> = files
            .iter()
            .map(|(path, modified, linked)| Candidate { path, modified: Moment::at(*modified), linked: *linked })
            .collect();
        candidates[keep.choose(&candidates).unwrap()].path.to_owned()
    }

    #[test]
    fn the_rule() {
        let files = [("D/long name.jpg", 5, false), ("D/a.jpg", 9, false), ("D/b (2).jpg", 5, false)];
        assert_eq!(chosen(Keep::Oldest, &files), "D/long name.jpg");
        assert_eq!(chosen(Keep::Newest, &files), "D/a.jpg");
        assert_eq!(chosen(Keep::Shortest, &files), "D/a.jpg");
        let linked = [("D/a.jpg", 1, false), ("D/copy.jpg", 9, true)];
        assert_eq!(chosen(Keep::Oldest, &linked), "D/copy.jpg");
        let alike = [("D/b.jpg", 1, false), ("D/a.jpg", 1, false), ("D/x/a.jpg", 1, false)];
        assert_eq!(chosen(Keep::Oldest, &alike), "D/a.jpg");
        assert_eq!(Keep::Oldest.choose(&[]), None);
    }

    #[test]
    fn names_of_copies() {
        for name in ["a (2).jpg", "a - Copy.jpg", "Copy of a.jpg", "a Kopie 3.jpg", "a_copy.tar.gz", "Kopie von a"] {
            assert!(is_copy(name), "{name}");
        }
        for name in ["a.jpg", "photocopy.jpg", "Report (2023).pdf", "2.jpg"] {
            assert!(!is_copy(name), "{name}");
        }
    }
}
