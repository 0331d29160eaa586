//! What has moved. Layers say what is there and what is not; a folder of the one below that is renamed is even copied, and
//! removed. What is new where as much, changed at the same time, is gone with the same content, has come from there.

use super::{Made, Taking, What};
use deskhand_vocabulary::RelativePath;
use deskhand_workspace::{ChangeId, Entry, FileError, Kind};
use rustix::fd::{AsFd as _, OwnedFd};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most files of one identity that are looked at for the folders that they may have moved with.
const ALIKE: usize = 16;

/// What a file keeps where it is moved: its size, and when its content changed.
type Identity = (u64, i64, u32);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// Files that are gone from their places.
    files: BTreeMap<Identity, Vec<Entry>>,
    /// Folders that are gone from their places.
    folders: BTreeSet<RelativePath>,
    /// By new folders, those that are gone, and how many files lie in one as they lay in the other.
    pairs: HashMap<RelativePath, BTreeMap<RelativePath, usize>>,
    /// Folders that were found to have moved, where they are now.
    moved: Vec<RelativePath>,
}

impl Taking<'_> {
    /// Take note of all that leaves its place. Gives what of `gone` may be elsewhere: files, and the folders that they lay in.
    pub(super) fn leaving(
        &mut self,
        gone: &[&RelativePath],
        changed: &[(&RelativePath, &What)],
    ) -> BTreeSet<RelativePath> {
        let arrivals: Vec<_> =
            changed.iter().filter_map(|(path, what)| Some((*path, identity_of_new(what)?))).collect();
        // without anything new nothing has come from anywhere
        if arrivals.is_empty() {
            return BTreeSet::new();
        }
        let identities: BTreeSet<_> = arrivals.iter().map(|(_, identity)| *identity).collect();
        let mut held = BTreeSet::new();
        for (path, _) in changed.iter().filter(|(_, what)| **what == What::Gone) {
            self.note_leaving(path);
        }
        for path in gone.iter().rev() {
            let Ok(Some(entry)) = self.find(path) else { continue };
            if !self.base.holds(&entry) {
                continue;
            }
            let moves = match entry.kind {
                Kind::Folder => held.contains(*path),
                _ => identities.contains(&identity(&entry)),
            };
            if moves {
                held.extend(path.parent());
                held.insert((*path).clone());
                self.moves.leave(entry);
            }
        }
        self.pair(&arrivals);
        gone.iter().filter(|path| held.contains(**path)).map(|path| (*path).clone()).collect()
    }

    /// What the sandbox saw at a path and hid, with all in it.
    fn note_leaving(&mut self, path: &RelativePath) {
        let Ok(Some(entry)) = self.find(path) else { return };
        if entry.kind == Kind::Folder {
            for entry in self.walk(path, true).unwrap_or_default() {
                if entry.kind == Kind::File && self.base.holds(&entry) {
                    self.moves.leave(entry);
                }
            }
        }
        if self.base.holds(&entry) {
            self.moves.leave(entry);
        }
    }

    /// Find the folders that may have moved: what is new lies in them under the same names.
    fn pair(&mut self, arrivals: &[(&RelativePath, Identity)]) {
        let Moves { files, folders, pairs, .. } = &mut self.moves;
        if folders.is_empty() {
            return;
        }
        let leaves = |path: &RelativePath| {
            std::iter::successors(Some(path.clone()), RelativePath::parent).any(|above| folders.contains(&above))
        };
        for (path, identity) in arrivals {
            for entry in files.get(identity).into_iter().flatten().take(ALIKE) {
                let (mut new, mut old) = ((*path).clone(), entry.path.path.clone());
                while new.name() == old.name()
                    && let (Some(above), Some(old_above)) = (new.parent(), old.parent())
                    && !above.is_root()
                    && !old_above.is_root()
                {
                    (new, old) = (above, old_above);
                    if new != old && leaves(&old) {
                        *pairs.entry(new.clone()).or_default().entry(old.clone()).or_default() += 1;
                    }
                }
            }
        }
    }

    /// If a new folder is one that has gone elsewhere: move it, with all in it. What is in it is compared afterwards, as in any
    /// folder.
    pub(super) fn moved_folder(&mut self, path: &RelativePath) -> Result<bool, FileError> {
        let pairs = self.moves.pairs.get(path);
        let Some((from, alike)) = pairs.and_then(|pairs| pairs.iter().max_by_key(|(_, alike)| **alike)) else {
            return Ok(false);
        };
        let (from, alike) = (from.clone(), *alike);
        let Some(entry) = self.find(&from)?.filter(|entry| entry.kind == Kind::Folder) else { return Ok(false) };
        let files = self.walk(&from, true)?.iter().filter(|entry| entry.kind == Kind::File).count();
        if alike * 2 < files || self.untouched(&entry).is_err() {
            return Ok(false);
        }
        let to = self.path(path);
        let Ok(change) = self.at.workspace.move_(&entry.path, &entry.version, &to, None) else { return Ok(false) };
        self.base.forget(&from);
        self.moves.forget(&from);
        self.names.clear();
        self.added(change, Made::Moved { path: entry.path, version: entry.version, to }, path);
        for entry in self.walk(path, true)? {
            self.base.set(&entry);
            if entry.kind == Kind::File && !self.found.contains_key(&entry.path.path) {
                self.moves.leave(entry);
            }
        }
        self.moves.moved.push(path.clone());
        Ok(true)
    }

    /// Remove what came along with a folder that has moved and does not lie in it any more.
    pub(super) fn remove_left(&mut self) {
        for folder in std::mem::take(&mut self.moves.moved) {
            for entry in self.walk(&folder, true).unwrap_or_default() {
                let path = entry.path.path;
                if !self.found.contains_key(&path) && self.base.get(&path).is_some() {
                    self.each(&path, Self::remove);
                }
            }
        }
    }

    /// If a new file is one that has gone elsewhere: its move.
    pub(super) fn moved(
        &mut self,
        path: &RelativePath,
        content: &OwnedFd,
        size: u64,
        (seconds, nanoseconds): (i64, u32),
    ) -> Result<Option<(ChangeId, Made)>, FileError> {
        let Some(leaving) = self.moves.files.get(&(size, seconds, nanoseconds)) else { return Ok(None) };
        for (at, entry) in leaving.iter().enumerate() {
            if !self.same(entry, content.as_fd())? {
                continue;
            }
            let entry = entry.clone();
            let to = self.path(path);
            let change = self.at.workspace.move_(&entry.path, &entry.version, &to, None)?;
            self.base.forget(&entry.path.path);
            self.moves.files.get_mut(&(size, seconds, nanoseconds)).map(|leaving| leaving.remove(at));
            return Ok(Some((change, Made::Moved { path: entry.path, version: entry.version, to })));
        }
        Ok(None)
    }
}

impl Moves {
    fn leave(&mut self, entry: Entry) {
        match entry.kind {
            Kind::File => self.files.entry(identity(&entry)).or_default().push(entry),
            Kind::Folder => drop(self.folders.insert(entry.path.path)),
            _ => {}
        }
    }

    /// What lay in a folder has moved with it.
    fn forget(&mut self, folder: &RelativePath) {
        for files in self.files.values_mut() {
            files.retain(|entry| !entry.path.path.is_within(folder));
        }
    }
}

fn identity(entry: &Entry) -> Identity {
    let nanoseconds = u32::try_from(entry.modified.subsec_nanosecond()).unwrap_or(0);
    (entry.size, entry.modified.as_second(), nanoseconds)
}

const fn identity_of_new(what: &What) -> Option<Identity> {
    match what {
        What::File { size, modified: (seconds, nanoseconds) } => Some((*size, *seconds, *nanoseconds)),
        _ => None,
    }
}
