//! A change set as a person sees it, before anything is touched.

use crate::{action::Principal, digest::Sha256, path::FilePath};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Make a folder.
    MakeFolder,
    /// Write a whole file, new or over one.
    Write,
    /// Give a file or folder another name or place.
    Move,
    /// Copy a file.
    Copy,
    /// Put a file or folder into the recoverable store.
    Remove,
}

impl ChangeKind {
    /// The name in events and in `deskhand:plugin`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MakeFolder => "make-folder",
            Self::Write => "write",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Remove => "remove",
        }
    }
}

/// What comes back from the recoverable store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returned {
    /// A file or link.
    File,
    /// A folder, with all that was kept in it.
    Folder,
}

/// One change of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Unique within the task.
    pub id: u64,
    /// What.
    pub kind: ChangeKind,
    /// What is moved, copied or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<FilePath>,
    /// What comes to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<FilePath>,
    /// The size of the file that is moved, copied, removed or written, in bytes; of a folder, of all in it.
    pub bytes: u64,
    /// Files that the change takes along: 1 for a file, all below for a folder.
    pub files: u64,
    /// True if the target is a file that is there already (its old content goes to the recoverable store).
    #[serde(default)]
    pub replaces: bool,
    /// Set where the target comes back from the recoverable store: an undo, or a restored file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
    /// Why, in the words of whoever proposed it. Not trusted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why this change can make something run, if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<String>,
    /// The files that it stands on and does not touch: it is made only while each is there as it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relies_on: Vec<FilePath>,
    /// Why it cannot be made as things are, if it cannot: what it is about has changed since it was proposed. It is shown as
    /// that and not made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
}

/// More to keep than is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// What a plan removes and replaces, in bytes on the disk.
    pub bytes: u64,
    /// How much is kept at most, in bytes on the disk.
    pub limit: u64,
}

/// A whole change set, shown and decided as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is for, in the words of whoever proposed it. Not trusted.
    pub title: String,
    /// Who proposed it.
    pub origin: Principal,
    /// In the order in which they are made. Shared, for a plan can be large.
    pub changes: Vec<Arc<Change>>,
    /// How to arrange it: `{"arrange": "tree" | "table" | "groups", ...}`. What is not known is shown as a tree.
    pub view: serde_json::Value,
    /// If it would put more aside than is kept for undo at most, so that what it removes and replaces could not be brought
    /// back. Takes a yes of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Beyond>,
    /// The digest of the changes with all their preconditions. An approval holds for this and nothing else.
    pub digest: Sha256,
}

impl Plan {
    /// The changes that are decided as removals: those that are, and with them what is replaced and could not be kept.
    pub fn losses(&self) -> impl Iterator<Item = &Change> {
        let lost = self.beyond.is_some();
        self.feasible().filter(move |change| change.kind == ChangeKind::Remove || (lost && change.replaces))
    }

    /// All changes, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(AsRef::as_ref)
    }

    /// The changes that can be made as things are, in their order: what is decided.
    pub fn feasible(&self) -> impl Iterator<Item = &Change> {
        self.changes().filter(|change| change.conflict.is_none())
    }

    /// The changes that cannot, each with the reason.
    pub fn conflicts(&self) -> impl Iterator<Item = (&Change, &str)> {
        self.changes().filter_map(|change| Some((change, change.conflict.as_deref()?)))
    }

    /// The changes that are removals.
    pub fn removals(&self) -> impl Iterator<Item = &Change> {
        self.feasible().filter(|change| change.kind == ChangeKind::Remove)
    }

    /// The changes that can make something run.
    pub fn sensitive(&self) -> impl Iterator<Item = &Change> {
        self.feasible().filter(|change| change.sensitive.is_some())
    }
}

impl Change {
    /// What it is about, where the person finds it if the change is not made: what is moved, copied or removed; else what
    /// would come to be.
    pub fn subject(&self) -> Option<&FilePath> {
        self.source.as_ref().or(self.target.as_ref())
    }
}

/// How much changes do, of each kind; of planned changes, or of those that were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tally {
    /// Files that go to another folder.
    pub moved: u64,
    /// The size of those, in bytes.
    pub moved_bytes: u64,
    /// Files that get another name where they lie; of a folder that does, all below.
    pub renamed: u64,
    /// Folders that are made.
    pub folders: u64,
    /// Files that are written, new or over one.
    pub written: u64,
    /// Files that are copied.
    pub copied: u64,
    /// Files that come back from the recoverable store.
    pub returned: u64,
    /// Folders that come back from it.
    pub returned_folders: u64,
    /// Files that are removed.
    pub removed: u64,
    /// The size of those, in bytes.
    pub removed_bytes: u64,
    /// Folders that are removed and have no file in them.
    pub removed_folders: u64,
}

impl Tally {
    /// Of these changes.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut tally = Self::default();
        for change in changes {
            tally.add(change);
        }
        tally
    }

    fn add(&mut self, change: &Change) {
        let stays = match (&change.source, &change.target) {
            (Some(source), Some(target)) => {
                source.folder == target.folder && source.path.parent() == target.path.parent()
            }
            _ => false,
        };
        match (change.returned, change.kind) {
            (Some(Returned::File), _) => self.returned += change.files,
            (Some(Returned::Folder), _) => self.returned_folders += 1,
            (None, ChangeKind::Move) if stays => self.renamed += change.files,
            (None, ChangeKind::Move) => {
                self.moved += change.files;
                self.moved_bytes += change.bytes;
            }
            (None, ChangeKind::MakeFolder) => self.folders += 1,
            (None, ChangeKind::Write) => self.written += change.files,
            (None, ChangeKind::Copy) => self.copied += change.files,
            (None, ChangeKind::Remove) => {
                self.removed += change.files;
                self.removed_bytes += change.bytes;
                self.removed_folders += u64::from(change.files == 0);
            }
        }
    }
}
