//! The granted folders as they would be with the pending set applied.

use crate::{
    disk,
    entry::{Entry, Kind, Moment, Stamp, timestamp},
    error::{Code, FileError},
    folder::{Masks, Root},
    layer::{Content, Key, Made, Slot, Spot, State},
};
use deskhand_vocabulary::{FilePath, RelativePath};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    io::Errno,
};
use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

/// Folders that were looked into, open: most calls name many files of few folders. Lives as long as one piece of work.
#[derive(Debug, Default)]
pub(crate) struct Ways(RefCell<HashMap<(u16, RelativePath), Rc<OwnedFd>>>);

impl Ways {
    /// Open handles are a burden.
    const MOST: usize = 128;

    fn to(&self, root: &Root, index: u16, path: &RelativePath, masks: &Masks) -> Result<Rc<OwnedFd>, Errno> {
        let key = (index, path.clone());
        let mut open = self.0.borrow_mut();
        if let Some(known) = open.get(&key) {
            return Ok(Rc::clone(known));
        }
        let way = Rc::new(root.way(path, masks)?);
        if open.len() >= Self::MOST {
            open.clear();
        }
        open.insert(key, Rc::clone(&way));
        Ok(way)
    }
}

/// One moment's view.
pub(crate) struct View<'a> {
    pub(crate) roots: &'a [Arc<Root>],
    pub(crate) masks: &'a Masks,
    pub(crate) state: &'a State,
    ways: Rc<Ways>,
}

/// What is seen under a path.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) key: Key,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) modified: Moment,
    pub(crate) created: Option<Moment>,
    pub(crate) links: u32,
    pub(crate) mode: u32,
    pub(crate) blocks: u64,
    /// As it is on the disk; none for what is yet to come.
    pub(crate) stamp: Option<Stamp>,
    /// The change that its content is of, if that is yet to come, and what tells that from other content.
    pending: Option<(u64, Option<String>)>,
}

impl Seen {
    /// The same for two names of one file.
    pub(crate) fn file_id(&self) -> String {
        match (&self.stamp, &self.pending) {
            (Some(stamp), _) => stamp.file_id(),
            (None, pending) => format!("new-{}", pending.as_ref().map_or(0, |(id, _)| *id)),
        }
    }

    /// The opaque text that changes with the content.
    pub(crate) fn version(&self) -> String {
        match (&self.pending, &self.stamp) {
            (Some((id, Some(content))), _) => format!("new-{id}-{content}"),
            (Some((id, None)), _) => format!("new-{id}"),
            (None, Some(stamp)) => stamp.version(),
            (None, None) => String::new(),
        }
    }

    pub(crate) fn entry(self, path: FilePath) -> Entry {
        Entry {
            kind: self.kind,
            size: self.size,
            modified: timestamp(self.modified),
            created: self.created.map(timestamp),
            file_id: self.file_id(),
            links: self.links,
            version: self.version(),
            path,
            mode: self.mode,
            blocks: self.blocks,
        }
    }
}

/// Where something is to be.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) spot: Spot,
    pub(crate) root: u16,
    /// All folders that it is to lie in.
    pub(crate) trail: Vec<Key>,
    /// What has the name now.
    pub(crate) taken: Option<Seen>,
}

impl<'a> View<'a> {
    pub(crate) fn new(roots: &'a [Arc<Root>], masks: &'a Masks, state: &'a State) -> Self {
        Self::with(roots, masks, state, &Rc::default())
    }

    /// As [`View::new`], with folders that are open already.
    pub(crate) fn with(roots: &'a [Arc<Root>], masks: &'a Masks, state: &'a State, ways: &Rc<Ways>) -> Self {
        Self { roots, masks, state, ways: Rc::clone(ways) }
    }

    pub(crate) fn root(&self, path: &FilePath) -> Result<u16, FileError> {
        self.roots
            .iter()
            .position(|root| root.name == path.folder)
            .and_then(|index| u16::try_from(index).ok())
            .ok_or_else(|| {
                FileError::new(
                    Code::Denied,
                    format!("the folder `{}` is not granted to this task. Grant it with --folder", path.folder),
                )
            })
    }

    pub(crate) fn root_of(&self, index: u16) -> Result<&Arc<Root>, Errno> {
        self.roots.get(usize::from(index)).ok_or(Errno::NOENT)
    }

    /// As a path of the task.
    pub(crate) fn path(&self, root: u16, path: RelativePath) -> Option<FilePath> {
        Some(FilePath { folder: self.roots.get(usize::from(root))?.name.clone(), path })
    }

    pub(crate) fn find(&self, path: &FilePath) -> Result<Seen, FileError> {
        let root = self.root(path)?;
        let trail = self.state.trail(root, &path.path).ok_or_else(|| FileError::missing(path))?;
        let key = trail.last().ok_or_else(|| FileError::missing(path))?;
        self.look(key).map_err(|error| FileError::system(error, path))
    }

    /// Where `path` is to come to be, in a folder that is there or pending.
    pub(crate) fn target(&self, path: &FilePath) -> Result<Target, FileError> {
        let root = self.root(path)?;
        if !self.roots.get(usize::from(root)).is_some_and(|root| root.writable) {
            return Err(FileError::new(
                Code::Denied,
                format!("the folder `{}` was granted for reading only. Grant it for writing to change it", path.folder),
            ));
        }
        let whole = || FileError::invalid(format!("`{path}` is the granted folder itself; name something in it"));
        let name = path.path.name().ok_or_else(whole)?.into();
        let parent = path.path.parent().ok_or_else(whole)?;
        let no_folder = || {
            FileError::new(Code::NotFound, format!("the folder that `{path}` is to be in is not there. Make it first"))
        };
        let trail = self.state.trail(root, &parent).ok_or_else(no_folder)?;
        let parent_key = trail.last().cloned().ok_or_else(no_folder)?;
        match self.look(&parent_key) {
            Ok(seen) if seen.kind == Kind::Folder => {}
            Ok(_) => return Err(FileError::system(Errno::NOTDIR, path)),
            Err(Errno::NOENT) => return Err(no_folder()),
            Err(error) => return Err(FileError::system(error, path)),
        }
        let spot = Spot { parent: parent_key, name };
        let taken = self.taken(&spot).map_err(|error| FileError::system(error, path))?;
        Ok(Target { spot, root, trail, taken })
    }

    /// What a name in the view leads to.
    pub(crate) fn taken(&self, spot: &Spot) -> Result<Option<Seen>, Errno> {
        let Some(key) = self.state.child(&spot.parent, &spot.name) else { return Ok(None) };
        match self.look(&key) {
            Ok(seen) => {
                // a file system that takes two spellings for one name shows a file that is pending to leave
                if seen.links == 1 && self.is_leaving(spot, &key, &seen) { Ok(None) } else { Ok(Some(seen)) }
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_leaving(&self, spot: &Spot, key: &Key, seen: &Seen) -> bool {
        let Some(stamp) = &seen.stamp else { return false };
        let Some(names) = self.state.names(&spot.parent) else { return false };
        if names.contains_key(&spot.name) || names.len() > 4096 && !names.keys().any(|name| alike(name, &spot.name)) {
            return false;
        }
        names.iter().any(|(name, slot)| {
            *slot == Slot::Nothing
                && alike(name, &spot.name)
                && spot.parent.below(name).is_some_and(|other| other != *key && self.is_at(&other, stamp))
        })
    }

    /// True if what lies there on the disk is the thing of this stamp. Where inode numbers are made up, another spelling
    /// of one name may have another.
    fn is_at(&self, key: &Key, stamp: &Stamp) -> bool {
        let Key::Base(root, path) = key else { return false };
        let known = self.state.nodes.get(key).and_then(|node| node.seen.as_deref().copied());
        let Some(seen) = known.or_else(|| self.stamp(*root, path).ok()) else { return false };
        let lasting = self.root_of(*root).is_ok_and(|root| root.inodes_last);
        if lasting { seen.id() == stamp.id() } else { seen.without_inode().same_thing(stamp) }
    }

    pub(crate) fn look(&self, key: &Key) -> Result<Seen, Errno> {
        let node = self.state.nodes.get(key);
        match key {
            Key::Base(root, path) => {
                let stamp = self.stamp(*root, path)?;
                let mut seen = Seen {
                    key: key.clone(),
                    kind: stamp.kind,
                    size: stamp.size,
                    modified: stamp.modified,
                    created: stamp.born,
                    links: stamp.links,
                    mode: stamp.mode,
                    blocks: stamp.blocks,
                    stamp: Some(stamp),
                    pending: None,
                };
                if let Some((id, content)) = node.and_then(|node| node.content.as_deref()) {
                    describe(&mut seen, *id, content);
                }
                Ok(seen)
            }
            Key::New(_) => {
                let folder = (0, Made::Folder);
                let within = node.and_then(|node| node.inside.as_ref()).map(|_| &folder);
                let (id, made) = node.and_then(|node| node.made.as_deref()).or(within).ok_or(Errno::NOENT)?;
                let mut seen = Seen {
                    key: key.clone(),
                    kind: Kind::Folder,
                    size: 0,
                    modified: (0, 0),
                    created: None,
                    links: 1,
                    mode: 0o755,
                    blocks: 0,
                    stamp: None,
                    pending: Some((*id, None)),
                };
                if let Made::File(content) = made {
                    seen.kind = match content {
                        Content::Staged(_) => Kind::File,
                        Content::Copy { seen, .. } => seen.kind,
                        Content::Stored(kept) => kept.stamp.kind,
                    };
                    seen.mode = 0o644;
                    describe(&mut seen, *id, content);
                }
                Ok(seen)
            }
        }
    }

    /// As it lies on the disk.
    pub(crate) fn stamp(&self, root: u16, path: &RelativePath) -> Result<Stamp, Errno> {
        let folder = self.root_of(root)?;
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return folder.stat(path, self.masks);
        };
        if parent.is_root() {
            return folder.stat_in(folder.handle(), name, self.masks);
        }
        folder.stat_in(self.ways.to(folder, root, &parent, self.masks)?.as_fd(), name, self.masks)
    }

    /// The names in a folder, in the order of their bytes.
    pub(crate) fn list(&self, folder: &Key) -> Result<Vec<Vec<u8>>, Errno> {
        let mut names = Vec::new();
        if let Key::Base(root, path) = folder {
            let way = self.root_of(*root)?.way(path, self.masks)?;
            names = disk::names(way.as_fd())?;
        }
        if let Some(changed) = self.state.names(folder) {
            names.retain(|name| !changed.contains_key(name.as_slice()));
            let here = changed.iter().filter(|(_, slot)| matches!(slot, Slot::Here(_)));
            names.extend(here.map(|(name, _)| name.to_vec()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The content of a file, open.
    pub(crate) fn open(&self, seen: &Seen) -> Result<OwnedFd, Errno> {
        let node = self.state.nodes.get(&seen.key);
        let content = node.and_then(|node| match (node.content.as_deref(), node.made.as_deref()) {
            (Some((_, content)), _) | (None, Some((_, Made::File(content)))) => Some(content),
            _ => None,
        });
        match (content, &seen.key) {
            (Some(content), _) => self.open_content(content),
            // it was looked at just now, so it is opened without another look
            (None, Key::Base(root, path)) if seen.kind == Kind::File => {
                let folder = self.root_of(*root)?;
                let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Err(Errno::ISDIR) };
                if parent.is_root() {
                    return disk::open_seen(folder.handle(), name);
                }
                disk::open_seen(self.ways.to(folder, *root, &parent, self.masks)?.as_fd(), name)
            }
            (None, Key::Base(root, path)) => self.root_of(*root)?.open(path, self.masks),
            (None, Key::New(_)) => Err(Errno::ISDIR),
        }
    }

    fn open_content(&self, content: &Content) -> Result<OwnedFd, Errno> {
        match content {
            Content::Staged(staged) => disk::open_file(staged.scratch.handle(), staged.name.as_bytes()),
            Content::Copy { root, path, .. } => self.root_of(*root)?.open(path, self.masks),
            Content::Stored(kept) => {
                let store = crate::store::Store::open(&kept.store)?;
                disk::open_file(store.existing(&kept.folder)?.as_fd(), kept.name.as_bytes())
            }
        }
    }

    /// True if a thing may be taken from where it is.
    pub(crate) fn may_leave(&self, key: &Key) -> bool {
        match key {
            Key::Base(root, path) => self
                .root_of(*root)
                .is_ok_and(|root| root.writable && !path.is_root() && !self.masks.lie_in(&root.absolute(path))),
            Key::New(_) => true,
        }
    }
}

fn describe(seen: &mut Seen, id: u64, content: &Content) {
    let (size, modified, told) = match content {
        Content::Staged(staged) => (staged.size, staged.modified, staged.name.clone()),
        Content::Copy { seen: copied, .. } => (copied.size, copied.modified, copied.version()),
        Content::Stored(kept) => (kept.stamp.size, kept.stamp.modified, kept.stamp.version()),
    };
    (seen.size, seen.modified, seen.pending) = (size, modified, Some((id, Some(told))));
}

/// True if some file system may take the two for one name: they differ in case or in Unicode form only.
pub(crate) fn alike(a: &[u8], b: &[u8]) -> bool {
    fn folded(name: &[u8]) -> String {
        String::from_utf8_lossy(name).to_lowercase().chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect()
    }
    a == b
        || (a.is_ascii() && b.is_ascii() && a.eq_ignore_ascii_case(b))
        || (!(a.is_ascii() && b.is_ascii()) && folded(a) == folded(b))
}
