//! What was written in a sandbox, added to the pending set of its task.

mod moves;

use super::{
    Extent, Made, Taken,
    base::Base,
    mount::Place,
    scan::{Marks, Scan, What},
};
use deskhand_vocabulary::{FilePath, FolderName, RelativePath, path::encode};
use deskhand_workspace::{ChangeId, Code, Entry, FileError, Kind, WalkOptions, Workspace, disk};
use moves::Moves;
use rustix::{
    fd::{AsFd as _, OwnedFd},
    io::Errno,
};
use std::{
    collections::{BTreeSet, HashMap},
    os::fd::BorrowedFd,
};
use unicode_normalization::UnicodeNormalization as _;

/// How much of a file is compared at a time, in bytes.
const PIECE: u32 = 1 << 18;

/// When somebody else changed what a sandbox wrote to.
const MEANWHILE: &str =
    "it has changed in your folder meanwhile, and stays as it is there. Look at both, and write it again";

/// When a sandbox made a link.
const LINK: &str = "it is a link, and links are not made in your folders. Copy the file that it leads to";

/// When a sandbox that sees a folder wrote to it all the same.
const ONLY_READ: &str = "the folder may only be read here";

/// When a sandbox removed what it may only change.
const NO_REMOVALS: &str = "nothing may be removed from the folder here, so it stays";

/// Where what was written lies, and what it joins.
pub(super) struct At<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) folder: &'a FolderName,
    /// How far what was written is taken.
    pub(super) extent: Extent,
    pub(super) place: &'a Place,
    /// For the person.
    pub(super) reason: &'a str,
}

/// See the module.
pub(super) fn take(at: &At<'_>, scan: &Scan, settled: &Marks, base: &mut Base) -> Taken {
    let gone: Vec<_> = settled.keys().filter(|path| !scan.found.contains_key(path)).collect();
    let changed: Vec<_> = scan.found.iter().filter(|(path, mark)| settled.get(path) != Some(mark)).collect();
    let changed: Vec<_> = changed.into_iter().map(|(path, mark)| (path, &mark.what)).collect();
    let refused = BTreeSet::new();
    let taken = scan.taken.clone();
    let names = HashMap::new();
    let mut taking = Taking { at, base, found: &scan.found, moves: Moves::default(), refused, names, taken };
    taking.all(&gone, &changed);
    taking.taken
}

struct Taking<'a> {
    at: &'a At<'a>,
    base: &'a mut Base,
    /// All that is in the layer.
    found: &'a Marks,
    /// What may have moved.
    moves: Moves,
    /// What was not taken, so that what is in it is not told one by one.
    refused: BTreeSet<RelativePath>,
    /// The names in folders that something new came to.
    names: HashMap<RelativePath, HashMap<Vec<u8>, Vec<u8>>>,
    taken: Taken,
}

impl Taking<'_> {
    fn all(&mut self, gone: &[&RelativePath], changed: &[(&RelativePath, &What)]) {
        // what was new and is not there any more: first what is in a folder, then the folder. What may have moved goes once
        // that is known
        let may_have_moved = self.leaving(gone, changed);
        for path in gone.iter().rev().filter(|path| !may_have_moved.contains(path)) {
            self.each(path, Self::remove_own);
        }
        for (path, what) in changed {
            match what {
                What::Folder { .. } => self.each(path, Self::take_folder),
                What::File { size, modified } => {
                    self.each(path, |taking, path| taking.take_file(path, *size, *modified));
                }
                What::Link => self.each(path, |_, _| Err(refuse(LINK.to_owned()))),
                What::Refused(reason) => self.each(path, |_, _| Err(refuse(reason.clone()))),
                What::Gone => {}
            }
        }
        for path in gone.iter().rev().filter(|path| may_have_moved.contains(path)) {
            self.each(path, Self::remove_own);
        }
        self.remove_left();
        for (path, what) in changed {
            match what {
                What::Gone => self.each(path, Self::remove),
                What::Folder { opaque: true } => self.each(path, Self::remove_hidden),
                What::Folder { opaque: false } | What::File { .. } | What::Link | What::Refused(_) => {}
            }
        }
    }

    fn each(&mut self, path: &RelativePath, act: impl FnOnce(&mut Self, &RelativePath) -> Result<(), FileError>) {
        if self.refused.iter().any(|folder| path.is_within(folder) && path != folder) {
            self.taken.more += 1;
        } else if self.at.extent < Extent::Change {
            self.refused.insert(path.clone());
            self.taken.refuse(self.path(path), ONLY_READ);
        } else if let Err(error) = act(self, path) {
            self.refused.insert(path.clone());
            self.taken.refuse(self.path(path), error.message);
        }
    }

    fn path(&self, path: &RelativePath) -> FilePath {
        FilePath { folder: self.at.folder.clone(), path: path.clone() }
    }

    fn find(&self, path: &RelativePath) -> Result<Option<Entry>, FileError> {
        match self.at.workspace.stat(&[self.path(path)]).pop() {
            Some(Ok(entry)) => Ok(Some(entry)),
            Some(Err(error)) if error.code != Code::NotFound => Err(error),
            _ => Ok(None),
        }
    }

    /// A change was added; what is there now is what the sandbox sees.
    fn added(&mut self, change: ChangeId, made: Made, path: &RelativePath) {
        self.taken.made.push(made);
        let _ = self.at.workspace.explain(change, self.at.reason); // what took another change back is none itself
        match self.find(path) {
            Ok(Some(entry)) => self.base.set(&entry),
            _ => self.base.forget(path),
        }
    }

    /// A place where the sandbox saw nothing either.
    fn unknown(&self, path: &RelativePath) -> Result<(), FileError> {
        if self.base.get(path).is_some() { Err(conflict()) } else { Ok(()) }
    }

    /// Something new, in a place where nothing was, under a name that is no other spelling of one that is there.
    fn free(&mut self, path: &RelativePath) -> Result<(), FileError> {
        self.unknown(path)?;
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(()) };
        let spelled = folded(name);
        match self.names(&parent)?.get(&spelled) {
            Some(other) if other != name => Err(refuse(format!(
                "some disks take its name and `{}` for one. Give it a name that differs in more than its case",
                encode(other)
            ))),
            Some(_) => Ok(()),
            None => {
                let name = name.to_vec();
                self.names(&parent)?.insert(spelled, name);
                Ok(())
            }
        }
    }

    /// The names in a folder of the view, by how they are spelled where case and form do not count.
    fn names(&mut self, folder: &RelativePath) -> Result<&mut HashMap<Vec<u8>, Vec<u8>>, FileError> {
        if !self.names.contains_key(folder) {
            let mut names = HashMap::new();
            for entry in self.list(folder)? {
                let name = entry.path.path.name().unwrap_or_default();
                names.insert(folded(name), name.to_vec());
            }
            self.names.insert(folder.clone(), names);
        }
        Ok(self.names.entry(folder.clone()).or_default())
    }

    /// What lies in a folder of the view.
    fn list(&self, folder: &RelativePath) -> Result<Vec<Entry>, FileError> {
        self.walk(folder, false)
    }

    fn walk(&self, folder: &RelativePath, deep: bool) -> Result<Vec<Entry>, FileError> {
        let options = WalkOptions { deep, hidden: true, glob: None };
        let (mut entries, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.at.workspace.walk(&self.path(folder), &options, cursor.as_deref(), 10_000)?;
            entries.extend(page.entries);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(entries);
            }
        }
    }

    fn take_folder(&mut self, path: &RelativePath) -> Result<(), FileError> {
        match self.find(path)? {
            Some(entry) if entry.kind == Kind::Folder => return Ok(()),
            Some(entry) => self.replace(path, &entry)?,
            None => {
                self.unknown(path)?;
                if self.moved_folder(path)? {
                    return Ok(());
                }
                self.free(path)?;
            }
        }
        let change = self.at.workspace.make_folder(&self.path(path))?;
        self.added(change, Made::Folder { path: self.path(path) }, path);
        Ok(())
    }

    fn take_file(&mut self, path: &RelativePath, size: u64, modified: (i64, u32)) -> Result<(), FileError> {
        let content = self.open(path).map_err(unread)?;
        self.take_content(path, &content, size, modified)?;
        let mode = rustix::fs::fstat(&content).map_err(unread)?.st_mode;
        if is_executable(mode) && self.find(path)?.is_some_and(|entry| !is_executable(entry.mode)) {
            self.taken.executable.push(self.path(path));
        }
        Ok(())
    }

    fn take_content(
        &mut self,
        path: &RelativePath,
        content: &OwnedFd,
        size: u64,
        modified: (i64, u32),
    ) -> Result<(), FileError> {
        let version = match self.find(path)? {
            None => {
                self.unknown(path)?;
                if let Some((change, made)) = self.moved(path, content, size, modified)? {
                    self.added(change, made, path);
                    return Ok(());
                }
                self.free(path)?;
                None
            }
            Some(entry) if entry.kind == Kind::File => {
                if self.same(&entry, content.as_fd())? {
                    return Ok(());
                }
                if !self.base.holds(&entry) {
                    return Err(conflict());
                }
                Some(entry.version)
            }
            Some(entry) => {
                self.replace(path, &entry)?;
                None
            }
        };
        let change = self.at.workspace.write_file(&self.path(path), content, version.as_deref())?;
        self.added(change, Made::File { path: self.path(path), version }, path);
        Ok(())
    }

    /// A file of the layer, open.
    fn open(&self, path: &RelativePath) -> Result<OwnedFd, Errno> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Err(Errno::INVAL) };
        let folder = disk::open_folder(self.at.place.upper(), parent.as_bytes())?;
        disk::open_file(folder.as_fd(), name)
    }

    /// Whether a file of the view holds the same as one of the layer.
    fn same(&self, entry: &Entry, content: BorrowedFd<'_>) -> Result<bool, FileError> {
        let size = rustix::fs::fstat(content).map_err(unread)?.st_size;
        if u64::try_from(size) != Ok(entry.size) {
            return Ok(false);
        }
        let mut at = 0;
        let mut own = Vec::new();
        loop {
            let piece = self.at.workspace.read(&entry.path, Some(&entry.version), at, PIECE)?;
            own.resize(piece.len(), 0);
            let mut filled = 0;
            while filled < own.len() {
                match rustix::io::pread(content, &mut own[filled..], at + filled as u64).map_err(unread)? {
                    0 => return Ok(false),
                    count => filled += count,
                }
            }
            if own != piece {
                return Ok(false);
            }
            if piece.is_empty() {
                return Ok(true);
            }
            at += piece.len() as u64;
        }
    }

    /// Remove what something of another kind takes the place of.
    fn replace(&mut self, path: &RelativePath, entry: &Entry) -> Result<(), FileError> {
        if self.at.extent < Extent::Remove {
            return Err(refuse(NO_REMOVALS.to_owned()));
        }
        self.untouched(entry)?;
        let change = self.at.workspace.remove(&entry.path, &entry.version)?;
        self.added(change, Made::Removed { path: entry.path.clone(), version: entry.version.clone() }, path);
        Ok(())
    }

    /// What the sandbox saw under a name and hid.
    fn remove(&mut self, path: &RelativePath) -> Result<(), FileError> {
        match self.find(path)? {
            Some(entry) => self.replace(path, &entry),
            // gone already: by somebody else, or as a file that has moved
            None => {
                self.base.forget(path);
                Ok(())
            }
        }
    }

    /// What was in the layer alone and is not any more.
    fn remove_own(&mut self, path: &RelativePath) -> Result<(), FileError> {
        match self.find(path)? {
            Some(entry) if self.base.get(path).is_some() => self.replace(path, &entry),
            _ => Ok(()),
        }
    }

    /// What a folder hides of the one below it.
    fn remove_hidden(&mut self, path: &RelativePath) -> Result<(), FileError> {
        let unseen = self.list(path)?.into_iter().map(|entry| entry.path.path);
        let hidden: Vec<_> =
            unseen.filter(|path| !self.found.contains_key(path) && self.base.get(path).is_some()).collect();
        for path in &hidden {
            self.each(path, Self::remove);
        }
        Ok(())
    }

    /// Whether a thing, and all that is in it, is what the sandbox saw.
    fn untouched(&self, entry: &Entry) -> Result<(), FileError> {
        if !self.base.holds(entry) {
            return Err(conflict());
        }
        if entry.kind != Kind::Folder {
            return Ok(());
        }
        match self.walk(&entry.path.path, true)?.iter().find(|entry| !self.base.holds(entry)) {
            Some(other) => {
                Err(refuse(format!("`{}` in it has changed in your folder meanwhile. Look at it first", other.path)))
            }
            None => Ok(()),
        }
    }
}

/// A name as it is where case and Unicode form do not count (NFC after folding). Bytes that are no text count as they are.
fn folded(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(name) if name.is_ascii() => name.to_ascii_lowercase().into_bytes(),
        Ok(name) => name.nfc().flat_map(char::to_lowercase).nfc().collect::<String>().into_bytes(),
        Err(_) => name.to_vec(),
    }
}

const fn is_executable(mode: u32) -> bool {
    mode & 0o111 != 0
}

fn conflict() -> FileError {
    FileError { code: Code::Conflict, message: MEANWHILE.to_owned() }
}

fn unread(error: Errno) -> FileError {
    refuse(format!("it cannot be read: {error}"))
}

fn refuse(message: String) -> FileError {
    FileError { code: Code::Unsupported, message }
}
