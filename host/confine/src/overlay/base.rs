//! What the task saw of a folder when a sandbox began to see it.

use super::OverlayError;
use deskhand_vocabulary::{FilePath, FolderName, RelativePath, Sha256};
use deskhand_workspace::{Entry, Kind, WalkOptions, Workspace};
use std::collections::BTreeMap;

/// The most files and folders of a granted folder. Each takes about 100 bytes of memory and some microseconds.
const MOST: usize = 500_000;

/// A thing, as far as it has to be told from what comes after it: a file or link by its version, a folder by what it is,
/// whatever lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Was([u8; 16]);

impl Was {
    pub(super) fn of(entry: &Entry) -> Self {
        let text = if entry.kind == Kind::Folder { &entry.file_id } else { &entry.version };
        let Sha256(digest) = Sha256::of(text);
        Self(std::array::from_fn(|at| digest[at]))
    }
}

/// All of it, by path.
#[derive(Debug, Default)]
pub(super) struct Base(BTreeMap<Box<[u8]>, Was>);

impl Base {
    pub(super) fn of(workspace: &Workspace, folder: &FolderName) -> Result<Self, OverlayError> {
        let top = FilePath { folder: folder.clone(), path: RelativePath::root() };
        let options = WalkOptions { deep: true, hidden: true, glob: None };
        let mut base = Self::default();
        let mut cursor = None;
        loop {
            let page = workspace.walk(&top, &options, cursor.as_deref(), 10_000)?;
            for entry in &page.entries {
                base.set(entry);
            }
            if base.0.len() > MOST {
                return Err(OverlayError::TooMuch { folder: folder.clone(), most: MOST });
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(base);
            }
        }
    }

    pub(super) fn get(&self, path: &RelativePath) -> Option<Was> {
        self.0.get(path.as_bytes()).copied()
    }

    /// True if it is as it was.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        self.get(&entry.path.path) == Some(Was::of(entry))
    }

    pub(super) fn set(&mut self, entry: &Entry) {
        self.0.insert(entry.path.path.as_bytes().into(), Was::of(entry));
    }

    /// The paths, a folder before what is in it.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// It is gone, and all in it.
    pub(super) fn forget(&mut self, path: &RelativePath) {
        self.0.remove(path.as_bytes());
        // what lies in it has its name and a slash before its own; the sign after the slash is a zero
        let (from, to) = ([path.as_bytes(), b"/"].concat(), [path.as_bytes(), b"0"].concat());
        let within: Vec<_> =
            self.0.range(from.into_boxed_slice()..to.into_boxed_slice()).map(|(path, _)| path.clone()).collect();
        for path in within {
            self.0.remove(&path);
        }
    }
}
