//! A note, what it holds for, and where it came from.

use deskhand_vocabulary::{Labels, PluginId, Sha256, TaskId, text::plain};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest note, in characters.
pub const MAX_TEXT: usize = 2000;

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its number. Counted from 1 in one Deskhand home, never used again.
    pub id: u64,
    /// What it says.
    pub text: NoteText,
    /// What it holds for.
    pub scope: NoteScope,
    /// Whose words it is.
    pub origin: NoteOrigin,
    /// The task in which it was made, if it was made in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// What is known of where it came from; none for the person's own words.
    pub labels: Labels,
    /// When it was made.
    pub made: Timestamp,
    /// When it was last edited, or made.
    pub changed: Timestamp,
}

/// A note that is not kept yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it says.
    pub text: NoteText,
    /// What it holds for.
    pub scope: NoteScope,
    /// Whose words it is.
    pub origin: NoteOrigin,
    /// The task in which it is made.
    pub task: Option<TaskId>,
    /// What is known of where it came from.
    pub labels: Labels,
}

impl Draft {
    /// Of what it says and what it holds for: what a person is shown and agrees to.
    pub fn digest(&self) -> Sha256 {
        digest(&self.scope, &self.text)
    }
}

/// See [`Draft::digest`].
pub(super) fn digest(scope: &NoteScope, text: &NoteText) -> Sha256 {
    Sha256::of(format!("{}\n{}\n{text}", scope.kind(), scope.place()))
}

/// What a note says: text as a person sees it, with nothing hidden in it, neither empty nor longer than [`MAX_TEXT`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NoteText(String);

/// Text that is no note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANote {
    /// Nothing is left of it.
    #[error("a note says something, and nothing that can be seen is in this one")]
    Empty,
    /// It is too long.
    #[error("a note takes at most {MAX_TEXT} characters, and this has more. Make it shorter, or write several")]
    TooLong,
}

impl FromStr for NoteText {
    type Err = NotANote;

    /// What is hidden in `text` is left out, and white space around it.
    fn from_str(text: &str) -> Result<Self, NotANote> {
        // what is seen takes four bytes a character at most; there is no use in looking through all of a huge text
        if text.len() > MAX_TEXT * 64 {
            return Err(NotANote::TooLong);
        }
        let text = plain(text).trim().to_owned();
        match text.chars().count() {
            0 => Err(NotANote::Empty),
            1..=MAX_TEXT => Ok(Self(text)),
            _ => Err(NotANote::TooLong),
        }
    }
}

impl TryFrom<String> for NoteText {
    type Error = NotANote;

    fn try_from(text: String) -> Result<Self, NotANote> {
        text.parse()
    }
}

impl From<NoteText> for String {
    fn from(text: NoteText) -> Self {
        text.0
    }
}

impl AsRef<str> for NoteText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NoteText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a note holds for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NoteScope {
    /// All work.
    All,
    /// Work on a folder, and on what lies below it.
    Folder {
        /// Canonical and absolute, as [`deskhand_vocabulary::path::encode`] writes it.
        folder: String,
    },
    /// The work of a plugin, which alone is told it.
    Plugin {
        /// Which.
        plugin: PluginId,
    },
}

impl NoteScope {
    /// The kind, in events and in the table.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Folder { .. } => "folder",
            Self::Plugin { .. } => "plugin",
        }
    }

    /// The folder or the plugin; empty for all work.
    pub(super) fn place(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Folder { folder } => folder.clone(),
            Self::Plugin { plugin } => plugin.to_string(),
        }
    }
}

/// In words, after "for". A folder's name is not made safe to show here.
impl fmt::Display for NoteScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all work"),
            Self::Folder { folder } => f.write_str(folder),
            Self::Plugin { plugin } => write!(f, "the plugin {plugin}"),
        }
    }
}

/// Whose words a note is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NoteOrigin {
    /// The person's.
    Person,
    /// A model's, at work on a task.
    Model {
        /// What the person calls the model.
        model: String,
    },
    /// A plugin's.
    Plugin {
        /// Which.
        plugin: PluginId,
    },
    /// Somebody's whose notes the person has imported.
    Imported,
}

/// In words, after "by". A model's name is not made safe to show here.
impl fmt::Display for NoteOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("you"),
            Self::Model { model } => write!(f, "the model {model}"),
            Self::Plugin { plugin } => write!(f, "the plugin {plugin}"),
            Self::Imported => f.write_str("an import"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_note_is_what_is_seen() {
        assert_eq!(
            "  Bills go\r\nto\u{1b}[2J \u{202e}Ada\0 ".parse::<NoteText>().unwrap().as_ref(),
            "Bills go\nto[2J Ada"
        );
        assert_eq!(" \u{200b}\n".parse::<NoteText>(), Err(NotANote::Empty));
        assert_eq!("ä".repeat(MAX_TEXT).parse::<NoteText>().unwrap().as_ref().chars().count(), MAX_TEXT);
        assert_eq!("a".repeat(MAX_TEXT + 1).parse::<NoteText>(), Err(NotANote::TooLong));
        assert_eq!("\0".repeat(10_000_000).parse::<NoteText>(), Err(NotANote::TooLong));
    }
}
