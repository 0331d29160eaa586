//! Adding to the pending set of a task, looking at it, and taking from it. Nothing is touched here.

use crate::{
    disk,
    entry::{Kind, Stamp},
    error::{Code, FileError, WorkspaceError},
    layer::{Content, Key, Made, Over, State},
    planning,
    reading::check_version,
    reliance,
    store::{Scratch, Staged},
    view::{Seen, View},
    workspace::{ChangeId, Pending, Workspace, locked},
};
use deskhand_vocabulary::{ChangeKind, FilePath, Sha256};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    io::Errno,
};
use std::{rc::Rc, sync::Arc};

/// One of many moves; see [`Workspace::move_all`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// What is moved.
    pub source: FilePath,
    /// The version of it that was seen.
    pub source_version: String,
    /// Where to.
    pub target: FilePath,
    /// The version of the file that it takes the place of, if it may.
    pub target_version: Option<String>,
    /// Why, in a few words, for the person who decides; empty for nothing.
    pub reason: String,
}

impl Workspace {
    /// The folder that is to be, and with it a free name in one that is there or pending.
    pub fn make_folder(&self, path: &FilePath) -> Result<ChangeId, FileError> {
        let path = path.clone();
        self.change(|view| {
            let target = view.target(&path)?;
            if target.taken.is_some() {
                return Err(taken(&path));
            }
            let spot = target.spot;
            Ok(Box::new(move |state: &mut State| {
                ChangeId(state.make(&spot, ChangeKind::MakeFolder, Made::Folder, None, None))
            }))
        })
    }

    /// A whole file: with `if_version` over the version that was seen, else only where nothing is.
    pub fn write(&self, path: &FilePath, bytes: &[u8], if_version: Option<&str>) -> Result<ChangeId, FileError> {
        self.write_staged(path, if_version, |root| self.stage(root, path, bytes))
    }

    /// [`Workspace::write`] with what an open file holds, from its beginning. Its blocks are shared where the file system can.
    pub fn write_file(
        &self,
        path: &FilePath,
        content: impl AsFd,
        if_version: Option<&str>,
    ) -> Result<ChangeId, FileError> {
        self.write_staged(path, if_version, |root| self.stage_file(root, path, content.as_fd()))
    }

    fn write_staged(
        &self,
        path: &FilePath,
        if_version: Option<&str>,
        stage: impl FnOnce(u16) -> Result<Staged, FileError>,
    ) -> Result<ChangeId, FileError> {
        // looked at first, so that nothing is staged for what is refused
        let root = self.look(|view| {
            view.target(path).and_then(|target| may_write(path, &target.taken, if_version).map(|()| target.root))
        })?;
        let content = Content::Staged(Arc::new(stage(root)?));
        let path = path.clone();
        self.change(|view| {
            let target = view.target(&path)?;
            may_write(&path, &target.taken, if_version)?;
            if let Some(old) = &target.taken {
                free_of_reliance(view, &path, old)?;
            }
            Ok(Box::new(move |state: &mut State| match target.taken {
                Some(old) => ChangeId(state.rewrite(&old.key, old.stamp, content, None)),
                None => ChangeId(state.make(&target.spot, ChangeKind::Write, Made::File(content), None, None)),
            }) as Box<dyn FnOnce(&mut State) -> ChangeId>)
        })
    }

    fn stage(&self, root: u16, path: &FilePath, bytes: &[u8]) -> Result<Staged, FileError> {
        let (file, mut staged) = self.fresh(root, path)?;
        let failed = |error: Errno| FileError::system(error, path);
        self.shared.disk.write(file.as_fd(), bytes).map_err(failed)?;
        staged.modified = Stamp::of(&file).map_err(failed)?.modified;
        (staged.size, staged.digest) = (bytes.len() as u64, Sha256::of(bytes));
        Ok(staged)
    }

    fn stage_file(&self, root: u16, path: &FilePath, content: BorrowedFd<'_>) -> Result<Staged, FileError> {
        let (file, mut staged) = self.fresh(root, path)?;
        let copied = || {
            self.shared.disk.copy(content, file.as_fd(), Stamp::of(content)?.size)?;
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0))?;
            let digest = disk::digest(file.as_fd())?;
            Ok((Stamp::of(&file)?, digest))
        };
        let (stamp, digest) = copied().map_err(|error| FileError::system(error, path))?;
        (staged.size, staged.modified, staged.digest) = (stamp.size, stamp.modified, digest);
        Ok(staged)
    }

    /// An empty file to stage content in. It goes with what is given along, whatever happens.
    fn fresh(&self, root: u16, path: &FilePath) -> Result<(OwnedFd, Staged), FileError> {
        let scratch = self.scratch(root, path)?;
        let name = scratch.fresh();
        let created = self.shared.disk.create(scratch.handle(), name.as_bytes(), 0o666);
        let file = created.map_err(|error| FileError::system(error, path))?;
        Ok((file, Staged { scratch, name, size: 0, modified: (0, 0), digest: Sha256::of([]) }))
    }

    fn scratch(&self, root: u16, path: &FilePath) -> Result<Arc<Scratch>, FileError> {
        let roots = self.roots();
        let root = roots.get(usize::from(root)).ok_or_else(|| FileError::missing(path))?;
        let said = |error: WorkspaceError| FileError::new(Code::Failed, error.to_string());
        let store = self.shared.stores.of(root).map_err(said)?;
        let mut scratches = locked(&self.shared.scratches);
        if let Some(scratch) = scratches.iter().find(|scratch| scratch.store.path == store.path) {
            return Ok(Arc::clone(scratch));
        }
        // recovery takes what nobody has locked
        let _home = crate::journal::lock_home(&self.shared.home).map_err(said)?;
        let scratch =
            Scratch::new(store, Arc::clone(&self.shared.disk)).map_err(|error| FileError::system(error, path))?;
        let scratch = Arc::new(scratch);
        scratches.push(Arc::clone(&scratch));
        Ok(scratch)
    }

    /// A file or folder under another name or in another folder. With `target_version` it takes the place of a file that
    /// is there, whose content goes to the recoverable store; else the target must be free.
    ///
    /// The set holds what is to be, not how: a thing that is moved twice is moved once, to where it is now. Names can be
    /// swapped through a third one; nothing of that is seen on the disk.
    pub fn move_(
        &self,
        source: &FilePath,
        source_version: &str,
        target: &FilePath,
        target_version: Option<&str>,
    ) -> Result<ChangeId, FileError> {
        self.change(|view| {
            let act = relocation(view, source, source_version, target, target_version)?;
            Ok(Box::new(move |state: &mut State| ChangeId(act(state))))
        })
    }

    /// [`Workspace::move_`] for each of many, in their order, with what [`Workspace::explain`] would be told. One that is
    /// refused keeps back no other, and what was refused before stays so.
    pub fn move_all<E>(
        &self,
        moves: impl IntoIterator<Item = Result<Moving, E>>,
        refused: impl Fn(FileError) -> E,
    ) -> Vec<Result<ChangeId, E>> {
        let roots = self.roots();
        let ways = Rc::default();
        let mut state = locked(&self.layer.state);
        let mut one = |moving: Moving| {
            let Moving { source, source_version, target, target_version, reason } = moving;
            let view = View::with(&roots, &self.shared.masks, &state, &ways);
            let act = relocation(&view, &source, &source_version, &target, target_version.as_deref())?;
            let state = Arc::make_mut(&mut state);
            let id = act(state);
            if !reason.is_empty() {
                let _ = state.explain(id, &reason); // what moves home again is no change any more
            }
            Ok(ChangeId(id))
        };
        moves.into_iter().map(|moving| one(moving?).map_err(&refused)).collect()
    }

    /// A copy of a file or link. With `target_version` as for [`Workspace::move_`].
    pub fn copy(
        &self,
        source: &FilePath,
        source_version: &str,
        target: &FilePath,
        target_version: Option<&str>,
    ) -> Result<ChangeId, FileError> {
        let (source, target) = (source.clone(), target.clone());
        self.change(|view| {
            let seen = view.find(&source)?;
            check_version(&source, &seen, Some(source_version))?;
            if !matches!(seen.kind, Kind::File | Kind::Link) {
                return Err(unsupported(&source, seen.kind, "copied"));
            }
            let goal = view.target(&target)?;
            let content = content_of(view, &seen).ok_or_else(|| FileError::missing(&source))?;
            let over = over(view, &target, &seen, goal.taken, target_version)?;
            Ok(Box::new(move |state: &mut State| {
                ChangeId(state.make(&goal.spot, ChangeKind::Copy, Made::File(content), over.as_ref(), None))
            }))
        })
    }

    /// A file, link or folder with all in it into the recoverable store. What is only pending just does not come.
    pub fn remove(&self, path: &FilePath, version: &str) -> Result<ChangeId, FileError> {
        let path = path.clone();
        self.change(|view| {
            let seen = view.find(&path)?;
            check_version(&path, &seen, Some(version))?;
            may_go(view, &path, &seen)?;
            free_of_reliance(view, &path, &seen)?;
            if seen.kind == Kind::Folder && view.state.has_arrivals(&seen.key) {
                return Err(FileError::conflict(format!(
                    "`{path}` holds pending changes. Remove or move what is to come into it first"
                )));
            }
            if let (Kind::Folder, Key::Base(root, at)) = (seen.kind, &seen.key) {
                // what cannot be looked into cannot be shown to whoever decides
                planning::survey_place(view, &(*root, at.clone()))?;
            }
            Ok(Box::new(move |state: &mut State| ChangeId(state.remove(&seen.key, seen.stamp, false, None))))
        })
    }

    /// Let a pending change stand on a file that it does not touch: it is made only while `path` is there as it was read,
    /// and is left out and told otherwise. A plan that changes or removes that file as well is refused; one that only
    /// moves it is not.
    pub fn expect(&self, change: ChangeId, path: &FilePath, version: &str) -> Result<(), FileError> {
        self.change(|view| {
            let seen = view.find(path)?;
            check_version(path, &seen, Some(version))?;
            let relied = reliance::on(view, change.0, path, &seen)?;
            Ok(Box::new(move |state: &mut State| {
                state.revision += 1;
                state.relies.add(change.0, relied);
            }))
        })
    }

    /// Say why, in a few words, for the person who decides.
    pub fn explain(&self, change: ChangeId, reason: &str) -> Result<(), FileError> {
        let mut state = locked(&self.layer.state);
        Arc::make_mut(&mut state).explain(change.0, reason)
    }

    /// Take back a pending change. Fails where another stands on it.
    pub fn withdraw(&self, change: ChangeId) -> Result<(), FileError> {
        let mut state = locked(&self.layer.state);
        Arc::make_mut(&mut state).withdraw(change.0)
    }

    /// The pending changes with a number over `after`, at most `limit`.
    pub fn pending(&self, after: Option<u64>, limit: u32) -> Vec<Pending> {
        self.look(|view| {
            let from = after.map_or(0, |after| after.saturating_add(1));
            let notes = view.state.notes.range(from..).take(usize::try_from(limit).unwrap_or(usize::MAX));
            notes.map(|(id, note)| pending(view, *id, note)).collect()
        })
    }
}

/// A move that was found to be possible, to be made in the same moment. Gives the number of the change.
fn relocation(
    view: &View<'_>,
    source: &FilePath,
    source_version: &str,
    target: &FilePath,
    target_version: Option<&str>,
) -> Result<impl FnOnce(&mut State) -> u64 + use<>, FileError> {
    let seen = view.find(source)?;
    check_version(source, &seen, Some(source_version))?;
    may_go(view, source, &seen)?;
    let goal = view.target(target)?;
    if goal.trail.contains(&seen.key) {
        return Err(FileError::invalid(format!("`{source}` cannot be moved into itself (`{target}`)")));
    }
    let over = over(view, target, &seen, goal.taken, target_version)?;
    Ok(move |state: &mut State| state.relocate(&seen.key, seen.stamp, &goal.spot, over.as_ref(), None))
}

fn taken(path: &FilePath) -> FileError {
    FileError::conflict(format!("`{path}` is there already. Choose another name"))
}

fn unsupported(path: &FilePath, kind: Kind, what: &str) -> FileError {
    FileError::new(Code::Unsupported, format!("`{path}` is a {}, which is never {what}. Leave it out", kind.name()))
}

fn may_write(path: &FilePath, old: &Option<Seen>, version: Option<&str>) -> Result<(), FileError> {
    match (old, version) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(FileError::missing(path)),
        (Some(_), None) => Err(taken(path)),
        (Some(seen), version) => {
            check_version(path, seen, version)?;
            if seen.kind == Kind::File { Ok(()) } else { Err(unsupported(path, seen.kind, "written over")) }
        }
    }
}

fn may_go(view: &View<'_>, path: &FilePath, seen: &Seen) -> Result<(), FileError> {
    if !seen.kind.is_ordinary() {
        return Err(unsupported(path, seen.kind, "changed"));
    }
    let root = view.root(path)?;
    if !view.root_of(root).is_ok_and(|root| root.writable) {
        return Err(FileError::new(
            Code::Denied,
            format!("the folder `{}` was granted for reading only. Grant it for writing to change it", path.folder),
        ));
    }
    if path.path.is_root() {
        return Err(FileError::invalid(format!("`{path}` is the granted folder itself, which stays")));
    }
    // a file holds nothing of Deskhand's
    if seen.kind == Kind::Folder && !view.may_leave(&seen.key) {
        return Err(FileError::new(
            Code::Denied,
            format!("Deskhand keeps its own things in `{path}`, so it stays. Leave it out"),
        ));
    }
    Ok(())
}

/// What another change stands on is neither removed nor written over.
fn free_of_reliance(view: &View<'_>, path: &FilePath, seen: &Seen) -> Result<(), FileError> {
    match reliance::standing_on(view.state, &seen.key, seen.kind) {
        None => Ok(()),
        Some(change) => Err(FileError::conflict(format!(
            "change {change} is pending only because `{path}` stays as it is. Withdraw that first, or leave this out"
        ))),
    }
}

/// True if what was found under another spelling is the very same file. Where inode numbers are made up, it is known by
/// the rest; if that is wrong, the rename finds the name taken.
fn is_other_spelling(view: &View<'_>, source: &Seen, old: &Seen) -> bool {
    let (Some(stamp), Some(seen)) = (old.stamp, source.stamp) else { return false };
    if old.links != 1 {
        return false;
    }
    if old.file_id() == source.file_id() {
        return true;
    }
    let (Key::Base(a, from), Key::Base(b, to)) = (&source.key, &old.key) else { return false };
    a == b
        && from.parent() == to.parent()
        && crate::view::alike(from.name().unwrap_or_default(), to.name().unwrap_or_default())
        && view.root_of(*a).is_ok_and(|root| !root.inodes_last)
        && stamp.without_inode().same_thing(&seen)
}

/// What a move or copy takes the place of, if it may.
fn over(
    view: &View<'_>,
    target: &FilePath,
    source: &Seen,
    old: Option<Seen>,
    version: Option<&str>,
) -> Result<Option<Over>, FileError> {
    match (old, version) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(FileError::missing(target)),
        // another spelling of its own name, on a disk that takes both for one
        (Some(old), None) if old.key != source.key && is_other_spelling(view, source, &old) => Ok(None),
        (Some(_), None) => Err(taken(target)),
        (Some(old), version) => {
            check_version(target, &old, version)?;
            free_of_reliance(view, target, &old)?;
            if old.file_id() == source.file_id() {
                return Err(FileError::invalid(format!("`{target}` is the same file; nothing is to be done")));
            }
            if old.kind != Kind::File || source.kind != Kind::File {
                return Err(FileError::new(
                    Code::Unsupported,
                    format!("only a file can take the place of a file; `{target}` stays. Choose another name"),
                ));
            }
            Ok(Some(Over { key: old.key, seen: old.stamp }))
        }
    }
}

/// What a copy of a thing is made of, now.
fn content_of(view: &View<'_>, seen: &Seen) -> Option<Content> {
    let node = view.state.nodes.get(&seen.key);
    if let Some(node) = node {
        match (node.content.as_deref(), node.made.as_deref()) {
            (Some((_, content)), _) | (None, Some((_, Made::File(content)))) => return Some(content.clone()),
            _ => {}
        }
    }
    match (&seen.key, seen.stamp) {
        (Key::Base(root, path), Some(stamp)) => {
            Some(Content::Copy { root: *root, path: path.clone(), seen: Box::new(stamp) })
        }
        _ => None,
    }
}

fn pending(view: &View<'_>, id: u64, note: &crate::layer::Note) -> Pending {
    let here = view.state.place(&note.key).and_then(|(root, path)| view.path(root, path));
    let home = match &note.key {
        Key::Base(root, path) => view.path(*root, path.clone()),
        Key::New(_) => None,
    };
    let (source, target) = match note.kind {
        ChangeKind::Move => (home, here),
        ChangeKind::Remove => (home, None),
        ChangeKind::Copy => {
            let source = match view.state.nodes.get(&note.key).and_then(|node| node.made.as_deref()) {
                Some((_, Made::File(Content::Copy { root, path, .. }))) => view.path(*root, path.clone()),
                _ => None,
            };
            (source, here)
        }
        ChangeKind::MakeFolder | ChangeKind::Write => (None, here),
    };
    Pending { id, kind: note.kind, source, target, reason: note.reason.clone() }
}
