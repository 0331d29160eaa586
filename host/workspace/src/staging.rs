//! Bringing content into the stores before anything is touched: new folders and files, copies, before-images, with all that
//! belongs to them.

use crate::{
    commit::{Site, staged},
    disk::{self, Disk},
    entry::{Kind, Stamp},
    error::{CommitError, FileError},
    journal::At,
    layer::Content,
    meta,
    places::Places,
    planning::Place,
    store::Store,
};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    io::Errno,
};
use std::collections::BTreeMap;

/// Brings content into the stores, before the journal.
pub(crate) struct Stage<'a> {
    pub(crate) site: &'a Site<'a>,
    /// The commit.
    pub(crate) id: u64,
    pub(crate) places: Places<'a>,
}

impl Stage<'_> {
    fn fail(place: Option<&str>, error: Errno) -> CommitError {
        FileError::system(error, place.unwrap_or("what is to be written")).into()
    }

    pub(crate) fn folder(&mut self, store: u16, name: &str, to: &Place) -> Result<Stamp, CommitError> {
        let path = to.1.to_string();
        let above = self.existing_above(to);
        let disk = self.site.disk;
        let folder = self.places.kept(store, self.id).map_err(|error| Self::fail(Some(&path), error))?;
        let make = || {
            disk.make_folder(folder, name.as_bytes(), 0o777)?;
            let made = disk::open_folder(folder, name.as_bytes())?;
            if let Some(above) = &above {
                meta::inherit(disk, above.as_fd(), made.as_fd(), true)?;
            }
            Stamp::at(folder, name.as_bytes())
        };
        make().map_err(|error| Self::fail(Some(&path), error))
    }

    /// The nearest folder above a place that is on the disk.
    fn existing_above(&self, to: &Place) -> Option<OwnedFd> {
        let root = self.places.root(to.0).ok()?;
        let mut path = to.1.parent()?;
        loop {
            match root.way(&path, self.site.masks) {
                Ok(way) => return Some(way),
                Err(_) => path = path.parent()?,
            }
        }
    }

    pub(crate) fn content(
        &mut self,
        store: u16,
        index: usize,
        content: &Content,
        to: Option<&Place>,
        over: Option<(&Place, &Stamp)>,
        kept_in: &BTreeMap<std::path::PathBuf, u16>,
    ) -> Result<(At, Stamp), CommitError> {
        let name = staged(index);
        let path = to.or(over.map(|(place, _)| place)).map(|place| place.1.to_string());
        let fail = |error| Self::fail(path.as_deref(), error);
        if let Content::Stored(kept) = content
            && !kept.copy
        {
            let folder = kept.folder.parse().map_err(|_| CommitError::Stale)?;
            let at = At::Store(kept_in.get(&kept.store).copied().ok_or(CommitError::Stale)?, folder, kept.name.clone());
            let found = self.places.stat(&at).map_err(fail)?.ok_or_else(|| fail(Errno::NOENT))?;
            if !found.same_thing(&kept.stamp) {
                return Err(CommitError::Stale);
            }
            return Ok((at, found));
        }
        let above = to.and_then(|to| self.existing_above(to));
        let disk = self.site.disk;
        match content {
            Content::Staged(staged) => {
                let folder = self.places.kept(store, self.id).map_err(fail)?;
                let from = staged.scratch.handle();
                match disk.link(from, staged.name.as_bytes(), folder, name.as_bytes()) {
                    Ok(()) => {}
                    Err(Errno::PERM | Errno::XDEV | Errno::NOTSUP | Errno::MLINK) => {
                        let source = disk::open_file(from, staged.name.as_bytes()).map_err(fail)?;
                        let file = disk.create(folder, name.as_bytes(), 0o666).map_err(fail)?;
                        disk.copy(source.as_fd(), file.as_fd(), staged.size).map_err(fail)?;
                    }
                    Err(error) => return Err(fail(error)),
                }
                if let Some(above) = above {
                    let made = disk::open_file(folder, name.as_bytes()).map_err(fail)?;
                    meta::inherit(disk, above.as_fd(), made.as_fd(), false).map_err(fail)?;
                }
            }
            Content::Copy { root, path, seen } => {
                let (from, source) =
                    self.places.root(*root).and_then(|root| root.parent(path, self.site.masks)).map_err(fail)?;
                let folder = self.places.kept(store, self.id).map_err(fail)?;
                let now = Stamp::at(from.as_fd(), source).map_err(fail)?;
                if !seen.unchanged(&now) {
                    return Err(CommitError::File(changed(path)));
                }
                copy_one(disk, from.as_fd(), source, &now, folder, name.as_bytes()).map_err(fail)?;
            }
            Content::Stored(kept) => {
                let source = Store::open(&kept.store).and_then(|store| store.existing(&kept.folder)).map_err(fail)?;
                let folder = self.places.kept(store, self.id).map_err(fail)?;
                copy_tree(disk, source.as_fd(), kept.name.as_bytes(), folder, name.as_bytes()).map_err(fail)?;
            }
        }
        if let Some((place, seen)) = over {
            let (from, source) =
                self.places.root(place.0).and_then(|root| root.parent(&place.1, self.site.masks)).map_err(fail)?;
            let folder = self.places.kept(store, self.id).map_err(fail)?;
            let carry = || {
                // another file there, or none, is no reason to give up the whole: this change alone is refused when its turn comes
                let old = match meta::handle(from.as_fd(), source) {
                    Err(Errno::NOENT) => return Ok(()),
                    old => old?,
                };
                let now = Stamp::of(&old)?;
                if !now.same_thing(seen) {
                    return Ok(());
                }
                let new = disk::open_file(folder, name.as_bytes())?;
                meta::carry(disk, old.as_fd(), &now, new.as_fd(), false)
            };
            carry().map_err(fail)?;
        }
        let folder = self.places.kept(store, self.id).map_err(fail)?;
        let stamp = Stamp::at(folder, name.as_bytes()).map_err(fail)?;
        Ok((At::Store(store, self.id, name), stamp))
    }

    /// A before-image of a file that has other names through which it could be changed.
    pub(crate) fn copy(
        &mut self,
        store: u16,
        index: usize,
        place: &Place,
        seen: &Stamp,
    ) -> Result<String, CommitError> {
        let name = format!("c{index}");
        let path = place.1.to_string();
        let fail = |error| Self::fail(Some(&path), error);
        let (from, source) =
            self.places.root(place.0).and_then(|root| root.parent(&place.1, self.site.masks)).map_err(fail)?;
        let disk = self.site.disk;
        let folder = self.places.kept(store, self.id).map_err(fail)?;
        copy_one(disk, from.as_fd(), source, seen, folder, name.as_bytes()).map_err(fail)?;
        Ok(name)
    }

    /// A copy on the target's file system of what is moved there.
    pub(crate) fn across(&mut self, store: u16, name: &str, place: &Place, seen: &Stamp) -> Result<Stamp, CommitError> {
        let path = place.1.to_string();
        let fail = |error| Self::fail(Some(&path), error);
        let (from, source) =
            self.places.root(place.0).and_then(|root| root.parent(&place.1, self.site.masks)).map_err(fail)?;
        if !seen.unchanged(&Stamp::at(from.as_fd(), source).map_err(fail)?) {
            return Err(CommitError::File(changed(&place.1)));
        }
        let disk = self.site.disk;
        let folder = self.places.kept(store, self.id).map_err(fail)?;
        copy_tree(disk, from.as_fd(), source, folder, name.as_bytes()).map_err(fail)?;
        Stamp::at(folder, name.as_bytes()).map_err(fail)
    }
}

fn changed(path: &impl std::fmt::Display) -> FileError {
    FileError::conflict(format!("`{path}` has changed since it was read. Ask for it again"))
}

/// Copy a file or link with all that belongs to it.
fn copy_one(
    disk: &dyn Disk,
    from: rustix::fd::BorrowedFd<'_>,
    source: &[u8],
    seen: &Stamp,
    to: rustix::fd::BorrowedFd<'_>,
    name: &[u8],
) -> Result<(), Errno> {
    match seen.kind {
        Kind::File => {
            let file = disk::open_file(from, source)?;
            let new = disk.create(to, name, 0o600)?;
            disk.copy(file.as_fd(), new.as_fd(), seen.size)?;
            meta::carry(disk, file.as_fd(), seen, new.as_fd(), true)
        }
        Kind::Link => {
            disk.make_link(&crate::folder::read_link(from, source)?, to, name)?;
            disk.set_times(to, name, seen.accessed, seen.modified)
        }
        Kind::Folder | Kind::Fifo | Kind::Socket | Kind::Device => Err(Errno::NOTSUP),
    }
}

/// Copy a tree with all that belongs to it.
fn copy_tree(
    disk: &dyn Disk,
    from: rustix::fd::BorrowedFd<'_>,
    source: &[u8],
    to: rustix::fd::BorrowedFd<'_>,
    name: &[u8],
) -> Result<(), Errno> {
    let stamp = Stamp::at(from, source)?;
    if stamp.kind != Kind::Folder {
        return copy_one(disk, from, source, &stamp, to, name);
    }
    if stamp.mount_root {
        return Err(Errno::XDEV);
    }
    let inner = disk::open_folder(from, source)?;
    disk.make_folder(to, name, 0o700)?;
    let new = disk::open_folder(to, name)?;
    for inside in disk::names(inner.as_fd())? {
        copy_tree(disk, inner.as_fd(), &inside, new.as_fd(), &inside)?;
    }
    meta::carry(disk, inner.as_fd(), &stamp, new.as_fd(), true)
}
