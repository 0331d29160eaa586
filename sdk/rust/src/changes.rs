//! Proposing changes to the folders of the task. Nothing is touched at the call: each adds to the task's pending set,
//! which [`propose`] shows to the person and applies as one if they agree.

use crate::{Error, Result, door, files::Entry, path::FilePath};
use serde_json::Value;

/// A change of the pending set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change(pub(crate) u64);

impl Change {
    /// Say why, in a few words, for the person who decides.
    pub fn explain(self, reason: &str) -> Result<Self> {
        door::explain(self.0, reason)?;
        Ok(self)
    }

    /// Let it stand on a file that it does not touch, such as the one that is kept when its duplicate is removed. It is
    /// made only while `file` is there as it was seen, and is left out and reported otherwise. A plan that also changes
    /// or removes that file is refused; moving it is not.
    pub fn while_unchanged(self, file: &Entry) -> Result<Self> {
        door::expect(self.0, &file.path, &file.version.0)?;
        Ok(self)
    }

    /// Take it out of the pending set.
    pub fn withdraw(self) -> Result<()> {
        door::withdraw(self.0)
    }

    /// Its number in the task.
    pub const fn id(self) -> u64 {
        self.0
    }
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Make a folder.
    MakeFolder,
    /// Write a whole file, new or over one.
    Write,
    /// Give a file or folder another name or place.
    Move,
    /// Copy a file.
    Copy,
    /// Put a file or folder into the person's recoverable store.
    Remove,
}

impl ChangeKind {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MakeFolder => "make-folder",
            Self::Write => "write",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Remove => "remove",
        }
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::MakeFolder, Self::Write, Self::Move, Self::Copy, Self::Remove].into_iter().find(|k| k.name() == name)
    }
}

/// A change that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Which.
    pub change: Change,
    /// What it does.
    pub kind: ChangeKind,
    /// What is moved, copied or removed.
    pub source: Option<FilePath>,
    /// What comes to be.
    pub target: Option<FilePath>,
    /// Why.
    pub reason: String,
}

/// Make a folder, in a folder that is there or pending.
pub fn make_folder(path: &FilePath) -> Result<Change> {
    door::make_folder(path).map(Change)
}

/// Make a folder and those above it that are missing. Returns the changes made, none if all are there.
pub fn make_folders(path: &FilePath) -> Result<Vec<Change>> {
    let mut missing = Vec::new();
    let mut at = Some(path.clone());
    while let Some(path) = at {
        match crate::files::stat(&path) {
            Ok(entry) if entry.is_folder() => break,
            Ok(_) => return Err(Error::conflict(format!("`{}` is in the way: it is not a folder", path.display()))),
            Err(error) if error.code == crate::Code::NotFound => {
                at = path.parent();
                missing.push(path);
            }
            Err(error) => return Err(error),
        }
    }
    missing.iter().rev().map(make_folder).collect()
}

/// Write a new file. A conflict if something lies there.
pub fn write(path: &FilePath, bytes: &[u8]) -> Result<Change> {
    door::write(path, bytes, None).map(Change)
}

/// Write over a file as it was seen. A conflict if it has changed since.
pub fn overwrite(file: &Entry, bytes: &[u8]) -> Result<Change> {
    door::write(&file.path, bytes, Some(&file.version.0)).map(Change)
}

/// Move a file or folder as it was seen to where nothing lies.
pub fn move_file(file: &Entry, target: &FilePath) -> Result<Change> {
    door::move_file(&file.path, &file.version.0, target, None).map(Change)
}

/// One of many moves; see [`move_all`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move<'a> {
    /// What is moved, as it was seen.
    pub file: &'a Entry,
    /// Where to. Nothing lies there.
    pub target: FilePath,
    /// Why, in a few words, for the person who decides; empty for nothing.
    pub reason: &'a str,
}

/// [`move_file`] and [`Change::explain`] for each, in their order and in one call: for thousands. One that is refused
/// keeps back no other.
pub fn move_all(moves: &[Move<'_>]) -> Vec<Result<Change>> {
    door::move_all(moves).into_iter().map(|id| id.map(Change)).collect()
}

/// Move a file over another, both as they were seen. The old content of the target stays recoverable.
pub fn move_over(file: &Entry, target: &Entry) -> Result<Change> {
    door::move_file(&file.path, &file.version.0, &target.path, Some(&target.version.0)).map(Change)
}

/// Copy a file as it was seen to where nothing lies.
pub fn copy(file: &Entry, target: &FilePath) -> Result<Change> {
    door::copy(&file.path, &file.version.0, target, None).map(Change)
}

/// Copy a file over another, both as they were seen.
pub fn copy_over(file: &Entry, target: &Entry) -> Result<Change> {
    door::copy(&file.path, &file.version.0, &target.path, Some(&target.version.0)).map(Change)
}

/// Remove a file or folder as it was seen. It goes to the person's recoverable store, after a question of its own,
/// whatever else is granted. Takes the permission `files.remove`.
pub fn remove(file: &Entry) -> Result<Change> {
    door::remove(&file.path, &file.version.0).map(Change)
}

/// All that is pending, in order.
pub fn pending() -> Result<Vec<Pending>> {
    const PAGE: u32 = 1000;
    let mut all: Vec<Pending> = Vec::new();
    loop {
        let page = door::pending(all.last().map(|last| last.change.0), PAGE)?;
        let last = page.len() < PAGE as usize;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

/// What the person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The set was applied.
    Applied,
    /// The person changed the plan: [`pending`] says what it is now.
    Edited,
    /// The person declined, and nothing was changed.
    Cancelled,
    /// Nobody was there; the question waits.
    Parked,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What the person decided.
    pub state: State,
    /// The commit that `deskhand undo` takes, if something was applied.
    pub commit: Option<String>,
    /// What was applied and what was refused, with reasons, as the host says it.
    pub outcome: Value,
}

impl Decision {
    /// True if the set was applied.
    pub fn is_applied(&self) -> bool {
        self.state == State::Applied
    }
}

/// How the person is shown the pending set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The folders as they will be, with counts and sizes.
    #[default]
    Tree,
    /// A line for each change: what it was, what it will be.
    Table,
    /// Changes that have the same reason together.
    Groups,
}

impl View {
    /// The interface's document.
    pub(crate) fn to_json(self) -> String {
        let arrange = match self {
            Self::Tree => "tree",
            Self::Table => "table",
            Self::Groups => "groups",
        };
        serde_json::json!({ "arrange": arrange }).to_string()
    }
}

/// Show the pending set to the person under a title, and apply it if they agree.
pub fn propose(title: &str, view: View) -> Result<Decision> {
    propose_json(title, &view.to_json())
}

/// [`propose`], with a view that this SDK has no word for.
pub fn propose_json(title: &str, view: &str) -> Result<Decision> {
    let raw = door::propose(title, view)?;
    let state = match raw.state.as_str() {
        "applied" => State::Applied,
        "edited" => State::Edited,
        "cancelled" => State::Cancelled,
        "parked" => State::Parked,
        other => {
            return Err(Error::unsupported(format!("the host answered `{other}`, which this plugin does not know")));
        }
    };
    let outcome = if raw.outcome.is_empty() { Value::Null } else { serde_json::from_str(&raw.outcome)? };
    Ok(Decision { state, commit: raw.commit, outcome })
}

/// A decision as it comes through the door.
pub(crate) struct RawDecision {
    pub(crate) state: String,
    pub(crate) commit: Option<String>,
    pub(crate) outcome: String,
}
