//! The open folders that the effects of one commit reach into.

use crate::{
    disk::Disk,
    entry::{Kind, Stamp},
    folder::{Masks, Root},
    journal::At,
    store::Store,
};
use deskhand_vocabulary::RelativePath;
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    io::Errno,
};
use std::{collections::HashMap, sync::Arc};

pub(crate) struct Places<'a> {
    pub(crate) roots: &'a [Arc<Root>],
    pub(crate) stores: Vec<Arc<Store>>,
    pub(crate) masks: &'a Masks,
    pub(crate) disk: &'a dyn Disk,
    open: HashMap<(u16, RelativePath), OwnedFd>,
    kept: HashMap<(u16, u64), OwnedFd>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(roots: &'a [Arc<Root>], stores: Vec<Arc<Store>>, masks: &'a Masks, disk: &'a dyn Disk) -> Self {
        Self { roots, stores, masks, disk, open: HashMap::new(), kept: HashMap::new() }
    }

    pub(crate) fn root(&self, index: u16) -> Result<&'a Arc<Root>, Errno> {
        self.roots.get(usize::from(index)).ok_or(Errno::NOENT)
    }

    /// Open what a place lies in, so that [`Places::reach`] finds it.
    fn prepare(&mut self, at: &At) -> Result<(), Errno> {
        match at {
            At::Tree(root, path) => {
                let parent = path.0.parent().ok_or(Errno::INVAL)?;
                let key = (*root, parent);
                if !self.open.contains_key(&key) {
                    let way = self.root(*root)?.way(&key.1, self.masks)?;
                    // many open handles are a burden, and most plans touch few folders
                    if self.open.len() >= 256 {
                        self.open.clear();
                    }
                    self.open.insert(key, way);
                }
            }
            At::Store(store, folder, _) => {
                let key = (*store, *folder);
                if !self.kept.contains_key(&key) {
                    let store = self.stores.get(usize::from(*store)).ok_or(Errno::NOENT)?;
                    let handle = store.folder(self.disk, &folder.to_string())?;
                    self.kept.insert(key, handle);
                }
            }
        }
        Ok(())
    }

    fn reach<'s>(&'s self, at: &'s At) -> Result<(BorrowedFd<'s>, &'s [u8]), Errno> {
        match at {
            At::Tree(root, path) => {
                let parent = path.0.parent().ok_or(Errno::INVAL)?;
                let name = path.0.name().ok_or(Errno::INVAL)?;
                Ok((self.open.get(&(*root, parent)).ok_or(Errno::NOENT)?.as_fd(), name))
            }
            At::Store(store, folder, name) => {
                Ok((self.kept.get(&(*store, *folder)).ok_or(Errno::NOENT)?.as_fd(), name.as_bytes()))
            }
        }
    }

    /// What is there, or nothing.
    pub(crate) fn stat(&mut self, at: &At) -> Result<Option<Stamp>, Errno> {
        match self.prepare(at) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        }
        let (folder, name) = self.reach(at)?;
        match Stamp::at(folder, name) {
            Ok(stamp) => Ok(Some(stamp)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn rename(&mut self, from: &At, to: &At, what: &Stamp) -> Result<(), Errno> {
        self.prepare(from)?;
        self.prepare(to)?;
        // the second may have made room by closing the first
        self.prepare(from)?;
        let (a, name) = self.reach(from)?;
        let (b, new) = self.reach(to)?;
        self.disk.rename(a, name, b, new)?;
        if let (Kind::Folder, At::Tree(root, moved)) = (what.kind, from) {
            // what lies in it has another path now
            self.open.retain(|(index, path), _| index != root || !path.is_within(&moved.0));
        }
        Ok(())
    }

    pub(crate) fn exchange(&mut self, one: &At, other: &At) -> Result<(), Errno> {
        self.prepare(one)?;
        self.prepare(other)?;
        self.prepare(one)?;
        let (a, name) = self.reach(one)?;
        let (b, new) = self.reach(other)?;
        match self.disk.exchange(a, name, b, new) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.exchange_by_link(one, other),
            result => result,
        }
    }

    /// Where names cannot be exchanged, the old file leaves for a moment: three renames through a third name.
    fn exchange_by_link(&mut self, one: &At, other: &At) -> Result<(), Errno> {
        let (a, name) = self.reach(one)?;
        let (b, new) = self.reach(other)?;
        let mut third = name.to_vec();
        third.extend_from_slice(b".old");
        self.disk.rename(b, new, a, &third)?;
        match self.disk.rename(a, name, b, new) {
            Ok(()) => self.disk.rename(a, &third, a, name),
            Err(error) => {
                self.disk.rename(a, &third, b, new)?;
                Err(error)
            }
        }
    }

    pub(crate) fn unlink(&mut self, at: &At) -> Result<(), Errno> {
        self.prepare(at)?;
        let (folder, name) = self.reach(at)?;
        self.disk.unlink(folder, name)
    }

    /// The folder of a commit in a store.
    pub(crate) fn kept(&mut self, store: u16, folder: u64) -> Result<BorrowedFd<'_>, Errno> {
        self.prepare(&At::Store(store, folder, String::new()))?;
        self.kept.get(&(store, folder)).map(|handle| handle.as_fd()).ok_or(Errno::NOENT)
    }
}
