//! Labels of data: what is known of where it came from. They stay with what is made of it and is kept.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// What is known of where data came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// It came from the person's files or accounts, and should not leave without their knowledge.
    Private,
    /// Others may have written it: web pages, documents, mail, plugins. It can hold words that are meant to mislead.
    Untrusted,
}

impl Label {
    /// The name in lists and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Untrusted => "untrusted",
        }
    }
}

/// All that is known of where data came from; none for the person's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeSet<Label>);

impl Labels {
    /// These.
    pub fn of(labels: impl IntoIterator<Item = Label>) -> Self {
        Self(labels.into_iter().collect())
    }

    /// Of data from the person's files or accounts that others may have written.
    pub fn of_what_was_read() -> Self {
        Self::of([Label::Private, Label::Untrusted])
    }

    /// And these.
    pub fn add(&mut self, more: &Self) {
        self.0.extend(&more.0);
    }

    /// Whether this one is among them.
    pub fn contains(&self, label: Label) -> bool {
        self.0.contains(&label)
    }

    /// Whether others may have written it.
    pub fn are_untrusted(&self) -> bool {
        self.contains(Label::Untrusted)
    }

    /// True for the person's own words.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Their names, with commas between them.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|label| label.name()).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_label_that_is_not_known_is_refused() {
        let known: Labels = serde_json::from_str(r#"["untrusted","private"]"#).unwrap();
        assert_eq!(known, Labels::of_what_was_read());
        assert_eq!((known.to_string().as_str(), known.are_untrusted()), ("private, untrusted", true));
        assert!(serde_json::from_str::<Labels>(r#"["harmless"]"#).is_err());
    }
}
