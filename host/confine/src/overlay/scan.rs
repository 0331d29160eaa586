//! Reading a layer, trusting nothing in it.

use super::{Taken, mount::Place};
use deskhand_vocabulary::{FilePath, FolderName, RelativePath};
use deskhand_workspace::disk;
use rustix::{
    fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
    fs::{AtFlags, FileType, Mode, OFlags, Stat},
    io::Errno,
};
use std::{collections::BTreeMap, ffi::OsStr, os::unix::ffi::OsStrExt as _};

/// The most files and folders of a layer that are looked at.
pub(super) const ENTRIES: usize = 200_000;
/// The deepest of them: each level above is an open handle.
pub(super) const DEEPEST: usize = 64;
/// The most bytes of a file, holes included.
const FILE: u64 = 4 << 30;
/// The most bytes of all files together, holes included.
pub(super) const BYTES: u64 = 16 << 30;
/// Why something is not taken.
pub(super) const TOO_MANY: &str = "too many files were written. Write fewer at a time";
pub(super) const TOO_MUCH: &str = "too much was written. Write less at a time";
pub(super) const TOO_DEEP: &str = "it lies too deep. Use fewer folders in each other";
pub(super) const SPECIAL: &str = "it is a pipe, a socket or a device. Only files and folders are taken";
pub(super) const SETUID: &str =
    "it is to run with the rights of its owner (setuid or setgid). Take that away with chmod";

/// The attribute by which an overlay hides what lies below a folder (Linux, Documentation/filesystems/overlayfs.rst).
const OPAQUE: &str = "user.overlay.opaque";
/// Those by which a thing stands for the content of another, or for none. Ours are made without them.
const FOREIGN: [&str; 3] = ["user.overlay.metacopy", "user.overlay.redirect", "user.overlay.whiteout"];

/// What lies in the layer under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A file, with its size and when its content changed: seconds and nanoseconds.
    File { size: u64, modified: (i64, u32) },
    /// A folder; opaque, what lies below it in the person's folder is not seen.
    Folder { opaque: bool },
    /// A link. Never followed.
    Link,
    /// Nothing: it hides what lies below.
    Gone,
    /// Something that is not taken, and why.
    Refused(String),
}

/// What tells a thing in the layer from what it is later. The time of its last change cannot be set by anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) what: What,
    inode: u64,
    changed: (i64, u64),
}

impl Mark {
    /// Of something that a machine tells of. A file is another one each time that it is told.
    pub(super) fn told(what: What, number: u64) -> Self {
        let inode = if matches!(what, What::File { .. }) { number } else { 0 };
        Self { what, inode, changed: (0, 0) }
    }
}

pub(super) type Marks = BTreeMap<RelativePath, Mark>;

/// A layer.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// A folder before what is in it.
    pub(super) found: Marks,
    /// What has no place among them.
    pub(super) taken: Taken,
}

struct Scanner<'a> {
    folder: &'a FolderName,
    scan: Scan,
    bytes: u64,
}

/// Read a layer.
pub(super) fn scan(place: &Place, folder: &FolderName) -> Result<Scan, Errno> {
    let mut scanner = Scanner { folder, scan: Scan::default(), bytes: 0 };
    scanner.read(place.upper(), &RelativePath::root(), 0)?;
    Ok(scanner.scan)
}

impl Scanner<'_> {
    fn read(&mut self, at: BorrowedFd<'_>, path: &RelativePath, depth: usize) -> Result<(), Errno> {
        let mut names = disk::names(at)?;
        names.sort_unstable();
        for name in names {
            let Ok(inner) = path.join(&name) else {
                self.refuse(path, "something in it has too long a path. Use shorter names");
                continue;
            };
            if self.scan.found.len() >= ENTRIES {
                self.refuse(&inner, TOO_MANY);
                continue;
            }
            let mark = look(at, &name);
            self.add(at, &name, inner, mark, depth);
        }
        Ok(())
    }

    fn add(&mut self, at: BorrowedFd<'_>, name: &[u8], path: RelativePath, mut mark: Mark, depth: usize) {
        if let What::File { size, .. } = mark.what {
            self.bytes = self.bytes.saturating_add(size);
            if self.bytes > BYTES {
                mark.what = What::Refused(TOO_MUCH.to_owned());
            }
        }
        if depth + 1 >= DEEPEST && matches!(mark.what, What::Folder { .. }) {
            mark.what = What::Refused(TOO_DEEP.to_owned());
        }
        let folder = matches!(mark.what, What::Folder { .. });
        self.scan.found.insert(path.clone(), mark);
        if !folder {
            return;
        }
        let read = disk::open_folder(at, name).and_then(|inner| self.read(inner.as_fd(), &path, depth + 1));
        if let Err(error) = read {
            self.refuse(&path, format!("what is in it cannot be read: {error}. Make it readable"));
        }
    }

    fn refuse(&mut self, path: &RelativePath, reason: impl Into<String>) {
        self.scan.taken.refuse(FilePath { folder: self.folder.clone(), path: path.clone() }, reason);
    }
}

/// What lies under a name. It is held by a handle while it is looked at, so that it is one thing.
fn look(at: BorrowedFd<'_>, name: &[u8]) -> Mark {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(at, OsStr::from_bytes(name), flags, Mode::empty())
        .and_then(|handle| Ok((rustix::fs::statat(&handle, "", AtFlags::EMPTY_PATH)?, handle)));
    let (stat, handle) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Mark { what: What::Refused(format!("it cannot be read: {error}")), inode: 0, changed: (0, 0) };
        }
    };
    let what = what(&handle, &stat).unwrap_or_else(What::Refused);
    let inode = if what == What::Gone { 0 } else { stat.st_ino };
    let changed = if matches!(what, What::File { .. }) { (stat.st_ctime, stat.st_ctime_nsec) } else { (0, 0) };
    Mark { what, inode, changed }
}

fn what(handle: &OwnedFd, stat: &Stat) -> Result<What, String> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice if stat.st_rdev == 0 => Ok(What::Gone),
        FileType::RegularFile => file(handle, stat),
        FileType::Directory => is_opaque(handle).map(|opaque| What::Folder { opaque }),
        FileType::Symlink => Ok(What::Link),
        _ => Err(SPECIAL.to_owned()),
    }
}

/// Why a file of this size is not taken.
pub(super) fn too_long(size: u64) -> Option<String> {
    let gigabytes = |bytes: u64| bytes / 1_000_000_000;
    let (long, most) = (gigabytes(size), gigabytes(FILE));
    (size > FILE).then(|| format!("it is {long} GB long, and at most {most} are taken. Write a shorter file"))
}

fn file(handle: &OwnedFd, stat: &Stat) -> Result<What, String> {
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if let Some(reason) = too_long(size) {
        return Err(reason);
    }
    if stat.st_mode & 0o6000 != 0 {
        return Err(SETUID.to_owned());
    }
    attributes(handle)?;
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Ok(What::File { size, modified: (stat.st_mtime, nanoseconds) })
}

fn is_opaque(handle: &OwnedFd) -> Result<bool, String> {
    Ok(attributes(handle)?.iter().any(|name| name == OPAQUE.as_bytes()))
}

/// The names of its attributes, if it stands for itself. Those of the program are not looked at: they are not taken.
fn attributes(handle: &OwnedFd) -> Result<Vec<Vec<u8>>, String> {
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let mut list = vec![0; 1 << 16];
    let length = match rustix::fs::listxattr(&path, &mut list[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(error) => return Err(format!("its attributes cannot be read: {error}")),
    };
    let names: Vec<_> = list[..length].split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    if names.iter().any(|name| FOREIGN.iter().any(|foreign| name == foreign.as_bytes())) {
        return Err("it stands for something else. Copy that, and remove the original".to_owned());
    }
    Ok(names)
}
