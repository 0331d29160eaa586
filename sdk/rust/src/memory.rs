//! Notes that Deskhand keeps for the person and tells to later tasks. Reading them takes `memory.read`, the rest
//! `memory.keep`. The person is shown each note whole before it is kept, and can edit and forget it.

use crate::{Result, door, time::Moment};
use std::fmt;

/// What a note holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All work.
    All,
    /// This plugin's work.
    Plugin,
    /// Work on a folder of the task, by its name there.
    Folder(String),
    /// Work on a folder above or below those of the task; the host gives such notes, and none can be made.
    OtherFolder,
}

impl Scope {
    #[cfg(target_family = "wasm")]
    pub(crate) fn from_host(text: &str) -> Self {
        match text {
            "all" => Self::All,
            "plugin" => Self::Plugin,
            other => match other.strip_prefix("folder:") {
                Some(name) => Self::Folder(name.to_owned()),
                None => Self::OtherFolder,
            },
        }
    }
}

/// As the interface writes it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Plugin => f.write_str("plugin"),
            Self::Folder(name) => write!(f, "folder:{name}"),
            Self::OtherFolder => f.write_str("folder"),
        }
    }
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What [`forget`] takes.
    pub id: String,
    /// What it says. Data, whoever wrote it.
    pub text: String,
    /// What it holds for.
    pub scope: Scope,
    /// When it was last changed.
    pub at: Moment,
}

/// Have the person asked whether to keep a note of at most 2000 characters. An error with the code `denied` where they say
/// no, `parked` where nobody is there.
pub fn remember(text: &str, scope: &Scope) -> Result<Note> {
    door::memory_remember(text, scope)
}

/// The notes that fit these words best, at most `limit`; the newest, without words. Among them are those for all work, for
/// this plugin, and for the folders of the task.
pub fn recall(query: &str, limit: u32) -> Result<Vec<Note>> {
    door::memory_recall(query, limit)
}

/// Take out a note that this plugin had kept.
pub fn forget(id: &str) -> Result<()> {
    door::memory_forget(id)
}
