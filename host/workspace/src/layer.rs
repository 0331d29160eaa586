//! The pending set: what the granted folders would look like, as a difference from what they are.
//!
//! A thing is known by its *key*: where it lies on the disk now, or a number if it is yet to come. Every folder that looks
//! different has a map of names: a name leads to another key, or to nothing. A thing that is changed has a node, which
//! says where it now is. So a move of a folder is one entry, whatever lies in it, and what lies in it is found through it.
//! All of this is a set and not a history: moving a file twice is one move, moving it home again is none.

use crate::{
    entry::{Kind, Stamp},
    error::FileError,
    reliance::Relies,
    store::Staged,
};
use deskhand_vocabulary::{ChangeKind, RelativePath};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The most of a reason that is kept, in characters.
const REASON: usize = 500;

/// What a thing is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// On the disk, in a folder of the task, under this path.
    Base(u16, RelativePath),
    /// Yet to come.
    New(u64),
}

impl Key {
    /// What lies under `name` in the folder of this key on the disk.
    pub(crate) fn below(&self, name: &[u8]) -> Option<Self> {
        match self {
            Self::Base(root, path) => path.join(name).ok().map(|path| Self::Base(*root, path)),
            Self::New(_) => None,
        }
    }
}

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Nothing,
    Here(Key),
}

/// Content that is not on the disk where it is going to be.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Given by whoever wrote it.
    Staged(Arc<Staged>),
    /// A copy of a file or link on the disk, as it was then.
    Copy { root: u16, path: RelativePath, seen: Box<Stamp> },
    /// What lies in a store.
    Stored(Arc<Kept>),
}

/// Something kept in a store for undo.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) store: PathBuf,
    /// The folder in the store, a commit's number.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) stamp: Stamp,
    /// True if it is restored beside the original, as a copy, and stays kept.
    pub(crate) copy: bool,
}

/// What a new thing is.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Folder,
    File(Content),
}

/// Where a thing of the disk has gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    /// Nowhere.
    No,
    /// To another name or place.
    Moved(u64),
    /// Into the recoverable store.
    Removed(u64),
    /// Into the recoverable store, because another thing takes its place.
    Replaced(Key),
}

/// A thing that is changed. What few of them have is apart: there are as many nodes as changes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The folder that it is in now, and its name there.
    pub(crate) parent: Key,
    pub(crate) name: Arc<[u8]>,
    /// As it was when it was first changed; for new things, none.
    pub(crate) seen: Option<Arc<Stamp>>,
    pub(crate) away: Away,
    pub(crate) made: Option<Box<(u64, Made)>>,
    /// New content for a file that is on the disk.
    pub(crate) content: Option<Box<(u64, Content)>>,
    /// What it takes the place of.
    pub(crate) replaces: Option<Key>,
    /// True for the removal of an empty folder that a commit had made, as part of its undo.
    pub(crate) tidy: bool,
    /// For a folder that comes back within another one from a store: that one, and where in it.
    pub(crate) inside: Option<Box<(Arc<Kept>, RelativePath)>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) key: Key,
    pub(crate) kind: ChangeKind,
    pub(crate) reason: String,
    /// The change of an earlier commit that this takes back.
    pub(crate) undoes: Option<u64>,
}

/// The whole difference.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    folders: HashMap<Key, BTreeMap<Arc<[u8]>, Slot>>,
    pub(crate) nodes: HashMap<Key, Box<Node>>,
    pub(crate) notes: BTreeMap<u64, Note>,
    /// What changes stand on, by their numbers. Numbers of changes that are not pending any more do not count.
    pub(crate) relies: Relies,
    /// Rises with every change, so that a plan or a nested set can tell whether something happened since.
    pub(crate) revision: u64,
    /// True if the person has edited it. What its proposer says of it may not be so any more.
    pub(crate) edited: bool,
    /// Numbers of changes, for all sets of a task.
    ids: Arc<AtomicU64>,
}

/// What a change is to take the place of.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub(crate) key: Key,
    pub(crate) seen: Option<Stamp>,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) parent: Key,
    pub(crate) name: Arc<[u8]>,
}

impl State {
    /// A set without changes for the same task.
    pub(crate) fn cleared(&self) -> Self {
        Self { ids: Arc::clone(&self.ids), revision: self.revision + 1, ..Self::default() }
    }

    fn fresh(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.nodes.is_empty()
    }

    pub(crate) fn names(&self, folder: &Key) -> Option<&BTreeMap<Arc<[u8]>, Slot>> {
        self.folders.get(folder)
    }

    /// What `name` in `folder` leads to; on the disk it may still not exist.
    pub(crate) fn child(&self, folder: &Key, name: &[u8]) -> Option<Key> {
        match self.folders.get(folder).and_then(|names| names.get(name)) {
            Some(Slot::Nothing) => None,
            Some(Slot::Here(key)) => Some(key.clone()),
            None => folder.below(name),
        }
    }

    /// What a path of the view leads to, with all that it passes through, from the top.
    pub(crate) fn trail(&self, root: u16, path: &RelativePath) -> Option<Vec<Key>> {
        let mut trail = vec![Key::Base(root, RelativePath::root())];
        for name in path.names() {
            let next = self.child(trail.last()?, name)?;
            trail.push(next);
        }
        Some(trail)
    }

    /// Where a thing is in the view: its root and path. None for what is away and for what lies in it.
    pub(crate) fn place(&self, key: &Key) -> Option<(u16, RelativePath)> {
        let spot = match (self.nodes.get(key), key) {
            (Some(node), _) => match node.away {
                Away::Removed(_) | Away::Replaced(_) => return None,
                Away::No | Away::Moved(_) => Spot { parent: node.parent.clone(), name: node.name.clone() },
            },
            (None, Key::Base(root, path)) if path.is_root() => return Some((*root, RelativePath::root())),
            (None, key) => home(key)?,
        };
        let (root, parent) = self.place(&spot.parent)?;
        Some((root, parent.join(&spot.name).ok()?))
    }

    /// As [`State::place`], for many things in few folders.
    pub(crate) fn place_through(
        &self,
        key: &Key,
        folders: &mut HashMap<Key, Option<(u16, RelativePath)>>,
    ) -> Option<(u16, RelativePath)> {
        let spot = self.spot(key)?;
        let parent = match folders.get(&spot.parent) {
            Some(known) => known.clone(),
            None => {
                let place = self.place(&spot.parent);
                folders.insert(spot.parent.clone(), place.clone());
                place
            }
        };
        let (root, parent) = parent?;
        Some((root, parent.join(&spot.name).ok()?))
    }

    /// Where a thing is now. None for the top of a granted folder and for what is away.
    pub(crate) fn spot(&self, key: &Key) -> Option<Spot> {
        match self.nodes.get(key) {
            Some(node) => match node.away {
                Away::Removed(_) | Away::Replaced(_) => None,
                Away::No | Away::Moved(_) => Some(Spot { parent: node.parent.clone(), name: node.name.clone() }),
            },
            None => home(key),
        }
    }

    /// True if anything in the folder is there only by a pending change.
    pub(crate) fn has_arrivals(&self, folder: &Key) -> bool {
        if self.folders.get(folder).is_some_and(|names| names.values().any(|slot| matches!(slot, Slot::Here(_)))) {
            return true;
        }
        self.folders.iter().any(|(key, names)| {
            names.values().any(|slot| matches!(slot, Slot::Here(_))) && self.lies_within(key, folder)
        })
    }

    /// True if a thing of the view lies in a folder, at any depth. What has moved out of it does not, wherever it lies on the
    /// disk.
    fn lies_within(&self, key: &Key, folder: &Key) -> bool {
        std::iter::successors(self.spot(key), |spot| self.spot(&spot.parent)).any(|spot| spot.parent == *folder)
    }

    /// The node of a thing on the disk, made when it is first changed.
    fn node(&mut self, key: &Key, seen: Option<Stamp>) -> Option<&mut Node> {
        if !self.nodes.contains_key(key) {
            let Spot { parent, name } = home(key)?;
            let node = Node {
                parent,
                name,
                seen: seen.map(Arc::new),
                away: Away::No,
                made: None,
                content: None,
                replaces: None,
                tidy: false,
                inside: None,
            };
            self.nodes.insert(key.clone(), Box::new(node));
        }
        self.nodes.get_mut(key).map(Box::as_mut)
    }

    /// Let the name that a thing has lead to nothing, or to what is on the disk there.
    pub(crate) fn lift(&mut self, key: &Key) {
        let Some(Spot { parent, name }) = self.spot(key) else { return };
        let under = parent.below(&name);
        let at_home = under.as_ref() == Some(key);
        match self.folders.get(&parent).and_then(|names| names.get(&name)) {
            None if at_home => {}
            Some(Slot::Here(here)) if here == key => {}
            // lifted already, and perhaps another has its name by now
            _ => return,
        }
        let hide =
            at_home || under.is_some_and(|under| self.nodes.get(&under).is_some_and(|node| node.away != Away::No));
        let names = self.folders.entry(parent).or_default();
        if hide {
            names.insert(name, Slot::Nothing);
        } else {
            names.remove(&name);
        }
    }

    /// Let a name lead to a thing.
    pub(crate) fn put(&mut self, key: &Key, spot: &Spot) {
        let home = spot.parent.below(&spot.name).as_ref() == Some(key);
        let names = self.folders.entry(spot.parent.clone()).or_default();
        if home {
            names.remove(&spot.name);
        } else {
            names.insert(spot.name.clone(), Slot::Here(key.clone()));
        }
        if let Some(node) = self.nodes.get_mut(key) {
            node.parent = spot.parent.clone();
            node.name.clone_from(&spot.name);
        }
    }

    fn note(&mut self, id: u64, key: &Key, kind: ChangeKind, undoes: Option<u64>) {
        self.notes.insert(id, Note { key: key.clone(), kind, reason: String::new(), undoes });
    }

    /// Say why a change is to be.
    pub(crate) fn explain(&mut self, id: u64, reason: &str) -> Result<(), FileError> {
        let note = self.notes.get_mut(&id).ok_or_else(|| FileError::missing(format!("change {id}")))?;
        note.reason = deskhand_vocabulary::text::shortened(reason, REASON);
        self.revision += 1;
        Ok(())
    }

    /// Something new under a free name.
    pub(crate) fn make(
        &mut self,
        spot: &Spot,
        kind: ChangeKind,
        made: Made,
        over: Option<&Over>,
        undoes: Option<u64>,
    ) -> u64 {
        self.revision += 1;
        let id = self.fresh();
        let key = Key::New(id);
        let replaces = over.and_then(|old| self.displace(old, &key));
        let node = Node {
            parent: spot.parent.clone(),
            name: spot.name.clone(),
            seen: None,
            away: Away::No,
            made: Some(Box::new((id, made))),
            content: None,
            replaces,
            tidy: false,
            inside: None,
        };
        self.nodes.insert(key.clone(), Box::new(node));
        self.put(&key, spot);
        self.note(id, &key, kind, undoes);
        id
    }

    /// The folder of a store that a folder of the view comes back from, and where in it.
    pub(crate) fn comes_from(&self, key: &Key) -> Option<(Arc<Kept>, RelativePath)> {
        let node = self.nodes.get(key)?;
        match node.made.as_deref() {
            Some((_, Made::File(Content::Stored(kept)))) if kept.stamp.kind == Kind::Folder => {
                Some((Arc::clone(kept), RelativePath::root()))
            }
            _ => node.inside.as_deref().cloned(),
        }
    }

    /// A folder that comes back within another one: no change of its own, but other changes can go into it.
    pub(crate) fn come_within(&mut self, spot: &Spot, kept: Arc<Kept>, path: RelativePath) -> Key {
        let key = Key::New(self.fresh());
        let node = Node {
            parent: spot.parent.clone(),
            name: spot.name.clone(),
            seen: None,
            away: Away::No,
            made: None,
            content: None,
            replaces: None,
            tidy: false,
            inside: Some(Box::new((kept, path))),
        };
        self.nodes.insert(key.clone(), Box::new(node));
        self.put(&key, spot);
        key
    }

    /// New content for a file. Returns the number of the change: that of an earlier one to the same content, if there
    /// is one.
    pub(crate) fn rewrite(&mut self, key: &Key, seen: Option<Stamp>, content: Content, undoes: Option<u64>) -> u64 {
        self.revision += 1;
        if let Some(node) = self.nodes.get_mut(key)
            && let Some((id, made)) = node.made.as_deref_mut()
        {
            *made = Made::File(content);
            let id = *id;
            if let Some(note) = self.notes.get_mut(&id) {
                note.kind = ChangeKind::Write;
            }
            return id;
        }
        let id = self.fresh();
        let Some(node) = self.node(key, seen) else { return id };
        let id = node.content.as_deref().map_or(id, |(id, _)| *id);
        node.content = Some(Box::new((id, content)));
        self.note(id, key, ChangeKind::Write, undoes);
        id
    }

    /// A thing under another name, which must be free or be that of `replaced`.
    pub(crate) fn relocate(
        &mut self,
        key: &Key,
        seen: Option<Stamp>,
        spot: &Spot,
        over: Option<&Over>,
        undoes: Option<u64>,
    ) -> u64 {
        self.revision += 1;
        let id = self.fresh();
        self.give_back(key);
        self.lift(key);
        if self.node(key, seen).is_none() {
            return id;
        }
        let replaces = over.and_then(|old| self.displace(old, key));
        self.put(key, spot);
        if let Some(node) = self.nodes.get_mut(key) {
            node.replaces = replaces;
        }
        let at_home = spot.parent.below(&spot.name).as_ref() == Some(key);
        let Some(node) = self.nodes.get_mut(key) else { return id };
        if let Some((id, _)) = node.made.as_deref() {
            return *id;
        }
        let id = if let Away::Moved(id) = node.away { id } else { id };
        if at_home {
            node.away = Away::No;
            if node.content.is_none() {
                self.nodes.remove(key);
            }
            self.notes.remove(&id);
        } else {
            node.away = Away::Moved(id);
            self.note(id, key, ChangeKind::Move, undoes);
        }
        id
    }

    /// A thing into the recoverable store; a thing that was yet to come just does not come.
    pub(crate) fn remove(&mut self, key: &Key, seen: Option<Stamp>, tidy: bool, undoes: Option<u64>) -> u64 {
        self.revision += 1;
        let id = self.fresh();
        self.give_back(key);
        self.lift(key);
        if let Some(node) = self.nodes.get(key)
            && let Some(made) = node.made.as_deref().map(|(made, _)| *made)
        {
            self.nodes.remove(key);
            self.notes.remove(&made);
            return made;
        }
        let Some(node) = self.node(key, seen) else { return id };
        let moved = if let Away::Moved(moved) = node.away { Some(moved) } else { None };
        let written = node.content.take().map(|written| written.0);
        node.away = Away::Removed(id);
        node.tidy = tidy;
        let folder = node.seen.as_ref().is_some_and(|seen| seen.kind == Kind::Folder);
        for old in [moved, written].into_iter().flatten() {
            self.notes.remove(&old);
            self.relies.hand_over(old, id);
        }
        if folder {
            self.drop_writes_below(key);
        }
        self.note(id, key, ChangeKind::Remove, undoes);
        id
    }

    /// What was to be written to files that go with their folder is not written.
    fn drop_writes_below(&mut self, folder: &Key) {
        let written: Vec<(Key, u64)> = self
            .nodes
            .iter()
            .filter_map(|(key, node)| Some((key, node.content.as_ref()?.0)))
            .filter(|(key, _)| self.lies_within(key, folder))
            .map(|(key, id)| (key.clone(), id))
            .collect();
        for (key, id) in written {
            self.nodes.remove(&key);
            self.notes.remove(&id);
        }
    }

    /// Take `old` from its name, for `key` to have it; it goes to the recoverable store. A thing that had itself come from
    /// elsewhere is removed in its own right, and one that was yet to come does not come.
    fn displace(&mut self, old: &Over, key: &Key) -> Option<Key> {
        let at_home = self.spot(&old.key).is_some_and(|spot| spot.parent.below(&spot.name).as_ref() == Some(&old.key));
        if !at_home {
            self.remove(&old.key, old.seen, false, None);
            return None;
        }
        self.give_back(&old.key);
        self.lift(&old.key);
        let node = self.node(&old.key, old.seen)?;
        let written = node.content.take().map(|written| written.0);
        node.away = Away::Replaced(key.clone());
        if let Some(id) = written {
            self.notes.remove(&id);
        }
        Some(old.key.clone())
    }

    /// Before a thing leaves the place where it replaced another: that other is then removed in its own right, which takes
    /// the person's own approval.
    fn give_back(&mut self, key: &Key) {
        let Some(old) = self.nodes.get_mut(key).and_then(|node| node.replaces.take()) else { return };
        let id = self.fresh();
        if let Some(node) = self.nodes.get_mut(&old) {
            node.away = Away::Removed(id);
            self.note(id, &old, ChangeKind::Remove, None);
        }
    }

    /// Before a thing is put elsewhere by an edit: what it would have replaced stays as it is.
    pub(crate) fn spare_replaced(&mut self, key: &Key) {
        if let Some(old) = self.nodes.get_mut(key).and_then(|node| node.replaces.take()) {
            self.come_home(&old);
        }
    }

    /// Take back a change. Fails where another change stands on it.
    pub(crate) fn withdraw(&mut self, id: u64) -> Result<(), FileError> {
        let note = self.notes.get(&id).cloned().ok_or_else(|| FileError::missing(format!("change {id}")))?;
        let taken = |what: &str| FileError::conflict(format!("change {id} cannot be withdrawn: {what}"));
        let node = self.nodes.get(&note.key).cloned().ok_or_else(|| FileError::missing(format!("change {id}")))?;
        if node.made.as_deref().is_some_and(|(made, _)| *made == id) {
            if self.has_arrivals(&note.key) {
                return Err(taken("other pending changes lie in the folder that it makes. Withdraw those first"));
            }
            self.revision += 1;
            let replaced = node.replaces.clone();
            self.lift(&note.key);
            self.nodes.remove(&note.key);
            self.notes.remove(&id);
            if let Some(old) = replaced {
                self.come_home(&old);
            }
            return Ok(());
        }
        if node.content.as_deref().is_some_and(|(written, _)| *written == id) {
            self.revision += 1;
            if let Some(node) = self.nodes.get_mut(&note.key) {
                node.content = None;
                if node.away == Away::No {
                    self.nodes.remove(&note.key);
                }
            }
            self.notes.remove(&id);
            return Ok(());
        }
        let home = home(&note.key).ok_or_else(|| taken("it has no place to go back to"))?;
        if self.is_occupied(&home, &note.key) {
            return Err(taken("another pending change has taken its old place. Withdraw that first"));
        }
        if self.place(&home.parent).is_none() {
            return Err(taken("the folder that it was in is to be removed. Withdraw that first"));
        }
        self.revision += 1;
        let replaced = node.replaces.clone();
        if matches!(node.away, Away::Moved(_)) {
            self.lift(&note.key);
        }
        self.come_home(&note.key);
        self.notes.remove(&id);
        if let Some(old) = replaced {
            self.come_home(&old);
        }
        Ok(())
    }

    /// True if a pending change has put something other than `key` under a name.
    pub(crate) fn is_occupied(&self, spot: &Spot, key: &Key) -> bool {
        let slot = self.folders.get(&spot.parent).and_then(|names| names.get(&spot.name));
        matches!(slot, Some(Slot::Here(other)) if other != key)
    }

    fn come_home(&mut self, key: &Key) {
        let Some(home) = home(key) else { return };
        if let Some(node) = self.nodes.get_mut(key) {
            node.away = Away::No;
            node.replaces = None;
            node.tidy = false;
        }
        self.put(key, &home);
        if self.nodes.get(key).is_some_and(|node| node.content.is_none()) {
            self.nodes.remove(key);
        }
    }
}

/// Where a thing lies on the disk. None for the top of a granted folder and for what is yet to come.
pub(crate) fn home(key: &Key) -> Option<Spot> {
    let Key::Base(root, path) = key else { return None };
    let name = path.name()?.into();
    Some(Spot { parent: Key::Base(*root, path.parent()?), name })
}
