//! A granted folder: an open handle, and everything below it reached from there. No link is followed, no mount is
//! crossed, and Deskhand's own folders are not there.

use crate::{
    disk,
    entry::{Kind, Stamp},
};
use deskhand_vocabulary::{FolderName, Home, RelativePath, path::encode};
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    collections::HashSet,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{OnceLock, PoisonError, RwLock},
};

/// A folder of the task, as it is told to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// What it is called in this task.
    pub name: FolderName,
    /// Where it is: canonical and absolute.
    pub path: PathBuf,
    /// Whether changes to it may be proposed.
    pub writable: bool,
}

/// Folders that are in no view: Deskhand's home and its stores, by device and inode, so that no other name for them
/// helps; and by path, so that what they lie in is not moved away with them.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    folders: RwLock<Vec<Mask>>,
    /// The home whose files are in no view either, under whatever other name they have.
    own: OnceLock<Home>,
    /// Device and inode of each of those that has several names.
    linked: OnceLock<HashSet<(u64, u64)>>,
}

#[derive(Clone, Debug)]
struct Mask {
    id: (u64, u64),
    path: PathBuf,
}

impl Masks {
    pub(crate) fn add(&self, path: &Path) {
        let Ok(path) = path.canonicalize() else { return };
        let Ok(stamp) = Stamp::at(rustix::fs::CWD, path.as_os_str().as_bytes()) else { return };
        let mask = Mask { id: stamp.id(), path };
        let mut masks = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        if !masks.iter().any(|known| known.id == mask.id) {
            masks.push(mask);
        }
    }

    /// Let the files of this home be in no view, whatever other names they have.
    pub(crate) fn add_own(&self, home: &Home) {
        let _ = self.own.set(home.clone()); // a second one is the same
    }

    /// True for another name of a file of Deskhand's own. What is kept for undo does not count: it was a person's, and
    /// may have had other names all along. Only what has several names is looked into.
    pub(crate) fn hide_file(&self, file: &Stamp) -> bool {
        if file.links < 2 || file.kind == Kind::Folder || !self.concern(file.dev) {
            return false;
        }
        let linked = self.linked.get_or_init(|| {
            let mut found = HashSet::new();
            if let Some(home) = self.own.get() {
                for folder in home.top().into_iter().chain(home.folders()) {
                    several_names(folder, &home.store(), &mut found);
                }
            }
            found
        });
        linked.contains(&file.id())
    }

    pub(crate) fn hide(&self, id: (u64, u64)) -> bool {
        self.read(|masks| masks.iter().any(|mask| mask.id == id))
    }

    fn concern(&self, dev: u64) -> bool {
        self.read(|masks| masks.iter().any(|mask| mask.id.0 == dev))
    }

    /// True if `path` holds one of them.
    pub(crate) fn lie_in(&self, path: &Path) -> bool {
        self.read(|masks| masks.iter().any(|mask| mask.path.starts_with(path)))
    }

    /// Those that lie in a folder, from there.
    pub(crate) fn below(&self, folder: &Path) -> Vec<RelativePath> {
        let within = |mask: &Mask| mask.path.strip_prefix(folder).ok().map(|path| path.as_os_str().as_bytes().to_vec());
        let found: Vec<_> = self.read(|masks| masks.iter().filter_map(within).collect());
        found.into_iter().filter_map(|path| RelativePath::from_bytes(path).ok()).collect()
    }

    fn read<T>(&self, look: impl FnOnce(&[Mask]) -> T) -> T {
        look(&self.folders.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The files below `folder` that have several names, but for those in `without`. What cannot be read has no name there
/// that could be read.
fn several_names(folder: &Path, without: &Path, found: &mut HashSet<(u64, u64)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(stamp) = Stamp::at(rustix::fs::CWD, path.as_os_str().as_bytes()) else { continue };
        if stamp.kind == Kind::Folder {
            if path != without {
                several_names(&path, without, found);
            }
        } else if stamp.links > 1 {
            found.insert(stamp.id());
        }
    }
}

/// A granted folder, open.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) name: FolderName,
    pub(crate) path: PathBuf,
    pub(crate) writable: bool,
    pub(crate) stamp: Stamp,
    /// False where the next mount of the disk may give other inode numbers.
    pub(crate) inodes_last: bool,
    handle: OwnedFd,
}

/// File systems whose inode numbers are made up at each mount, by the numbers of statfs(2): msdos and vfat, exfat, and
/// those outside the kernel (FUSE), of which it is not known.
const PASSING: [u64; 3] = [0x4d44, 0x2011_bab0, 0x6573_5546];

impl Root {
    pub(crate) fn new(name: FolderName, path: PathBuf, writable: bool, handle: OwnedFd) -> Result<Self, Errno> {
        let stamp = Stamp::of(&handle)?;
        let inodes_last = !PASSING.contains(&disk::magic(handle.as_fd()));
        Ok(Self { name, path, writable, stamp, inodes_last, handle })
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// The absolute path, as the gate knows it.
    pub(crate) fn shown(&self) -> String {
        encode(self.path.as_os_str().as_bytes())
    }

    /// True if its path still leads to it, so that what is done here is done where the person was told.
    pub(crate) fn is_in_place(&self) -> bool {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let there = rustix::fs::open(&self.path, flags, Mode::empty()).and_then(Stamp::of);
        there.is_ok_and(|there| there.id() == self.stamp.id())
    }

    pub(crate) fn absolute(&self, path: &RelativePath) -> PathBuf {
        if path.is_root() { self.path.clone() } else { self.path.join(path.as_path()) }
    }

    /// A folder below this one, without the right to list it. Where Deskhand's own folders are on the same file system,
    /// each step is looked at on its own.
    pub(crate) fn way(&self, path: &RelativePath, masks: &Masks) -> Result<OwnedFd, Errno> {
        if path.is_root() {
            return disk::open_way(self.handle(), b".");
        }
        if !masks.concern(self.stamp.dev) {
            let found = disk::open_way(self.handle(), path.as_bytes())?;
            return self.same_disk(found);
        }
        let mut at: Option<OwnedFd> = None;
        for name in path.names() {
            let next = disk::open_way(at.as_ref().map_or(self.handle(), |at| at.as_fd()), name)?;
            if masks.hide(Stamp::of(&next)?.id()) {
                return Err(Errno::NOENT);
            }
            at = Some(next);
        }
        at.ok_or(Errno::NOENT).and_then(|found| self.same_disk(found))
    }

    /// A subvolume is no mount, but renames do not reach into it.
    fn same_disk(&self, found: OwnedFd) -> Result<OwnedFd, Errno> {
        if Stamp::of(&found)?.dev == self.stamp.dev { Ok(found) } else { Err(Errno::XDEV) }
    }

    /// The open folder that `path` lies in, and its name there.
    pub(crate) fn parent<'a>(&self, path: &'a RelativePath, masks: &Masks) -> Result<(OwnedFd, &'a [u8]), Errno> {
        let name = path.name().ok_or(Errno::INVAL)?;
        let parent = path.parent().ok_or(Errno::INVAL)?;
        Ok((self.way(&parent, masks)?, name))
    }

    pub(crate) fn stat(&self, path: &RelativePath, masks: &Masks) -> Result<Stamp, Errno> {
        if path.is_root() {
            return Stamp::of(self.handle());
        }
        let (folder, name) = self.parent(path, masks)?;
        self.stat_in(folder.as_fd(), name, masks)
    }

    /// A name in a folder that [`Root::way`] opened.
    pub(crate) fn stat_in(&self, folder: BorrowedFd<'_>, name: &[u8], masks: &Masks) -> Result<Stamp, Errno> {
        let stamp = Stamp::at(folder, name)?;
        if stamp.kind == Kind::Folder {
            if masks.hide(stamp.id()) {
                return Err(Errno::NOENT);
            }
            if stamp.mount_root || stamp.dev != self.stamp.dev {
                return Err(Errno::XDEV);
            }
        } else if stamp.mount_root {
            return Err(Errno::XDEV);
        } else if masks.hide_file(&stamp) {
            return Err(Errno::NOENT);
        }
        Ok(stamp)
    }

    pub(crate) fn open(&self, path: &RelativePath, masks: &Masks) -> Result<OwnedFd, Errno> {
        let (folder, name) = self.parent(path, masks)?;
        let file = disk::open_file(folder.as_fd(), name)?;
        if masks.hide_file(&Stamp::of(&file)?) {
            return Err(Errno::NOENT);
        }
        Ok(file)
    }

    /// Where a link points, unfollowed.
    pub(crate) fn link_text(&self, path: &RelativePath, masks: &Masks) -> Result<Vec<u8>, Errno> {
        let (folder, name) = self.parent(path, masks)?;
        read_link(folder.as_fd(), name)
    }
}

pub(crate) fn read_link(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Vec<u8>, Errno> {
    rustix::fs::readlinkat(folder, std::ffi::OsStr::from_bytes(name), Vec::new()).map(std::ffi::CString::into_bytes)
}
