//! A disk with something between us and it.

use deskhand_workspace::disk::{Disk, System};
use rustix::{
    fd::{AsRawFd as _, BorrowedFd, OwnedFd},
    io::Errno,
};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::PathBuf};

/// One call, as a hook sees it before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub name: &'static str,
    /// What it is about: one path, or two.
    pub paths: Vec<PathBuf>,
}

/// Whatever it says instead of `Ok`, the call fails with, unmade.
pub type Hook = dyn Fn(&Call) -> Result<(), Errno> + Send + Sync;

/// The system, with a hook before each call.
pub struct Hooked {
    hook: Box<Hook>,
    /// Whether the hook wants to know paths.
    paths: bool,
}

impl Hooked {
    pub fn new(hook: impl Fn(&Call) -> Result<(), Errno> + Send + Sync + 'static) -> Self {
        Self { hook: Box::new(hook), paths: true }
    }

    /// With a hook that is not told paths, which is faster.
    pub fn without_paths(hook: impl Fn(&Call) -> Result<(), Errno> + Send + Sync + 'static) -> Self {
        Self { hook: Box::new(hook), paths: false }
    }

    fn at(&self, name: &'static str, places: &[(BorrowedFd<'_>, &[u8])]) -> Result<(), Errno> {
        let path = |(folder, name): &(BorrowedFd<'_>, &[u8])| {
            let link = format!("/proc/self/fd/{}", folder.as_raw_fd());
            let folder = std::fs::read_link(link).unwrap();
            if name.is_empty() { folder } else { folder.join(OsStr::from_bytes(name)) }
        };
        let paths = if self.paths { places.iter().map(path).collect() } else { Vec::new() };
        (self.hook)(&Call { name, paths })
    }
}

type Done = Result<(), Errno>;

impl Disk for Hooked {
    fn rename(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Done {
        self.at("rename", &[(from, name), (to, new)])?;
        System.rename(from, name, to, new)
    }
    fn exchange(&self, a: BorrowedFd<'_>, name: &[u8], b: BorrowedFd<'_>, other: &[u8]) -> Done {
        self.at("exchange", &[(a, name), (b, other)])?;
        System.exchange(a, name, b, other)
    }
    fn link(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Done {
        self.at("link", &[(from, name), (to, new)])?;
        System.link(from, name, to, new)
    }
    fn unlink(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Done {
        self.at("unlink", &[(folder, name)])?;
        System.unlink(folder, name)
    }
    fn remove_folder(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Done {
        self.at("remove-folder", &[(folder, name)])?;
        System.remove_folder(folder, name)
    }
    fn make_folder(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Done {
        self.at("make-folder", &[(folder, name)])?;
        System.make_folder(folder, name, mode)
    }
    fn make_link(&self, text: &[u8], folder: BorrowedFd<'_>, name: &[u8]) -> Done {
        self.at("make-link", &[(folder, name)])?;
        System.make_link(text, folder, name)
    }
    fn create(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd, Errno> {
        self.at("create", &[(folder, name)])?;
        System.create(folder, name, mode)
    }
    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Done {
        self.at("write", &[(file, b"")])?;
        System.write(file, bytes)
    }
    fn copy(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> Done {
        self.at("copy", &[(from, b""), (to, b"")])?;
        System.copy(from, to, size)
    }
    fn set_size(&self, file: BorrowedFd<'_>, size: u64) -> Done {
        self.at("set-size", &[(file, b"")])?;
        System.set_size(file, size)
    }
    fn sync(&self, file: BorrowedFd<'_>) -> Done {
        self.at("sync", &[(file, b"")])?;
        System.sync(file)
    }
    fn sync_all(&self, file: BorrowedFd<'_>) -> Done {
        self.at("sync-all", &[(file, b"")])?;
        System.sync_all(file)
    }
    fn set_times(&self, folder: BorrowedFd<'_>, name: &[u8], accessed: (i64, u32), modified: (i64, u32)) -> Done {
        self.at("set-times", &[(folder, name)])?;
        System.set_times(folder, name, accessed, modified)
    }
    fn set_times_of(&self, file: BorrowedFd<'_>, accessed: (i64, u32), modified: (i64, u32)) -> Done {
        self.at("set-times-of", &[(file, b"")])?;
        System.set_times_of(file, accessed, modified)
    }
    fn set_mode(&self, file: BorrowedFd<'_>, mode: u32) -> Done {
        self.at("set-mode", &[(file, b"")])?;
        System.set_mode(file, mode)
    }
    fn set_owner(&self, file: BorrowedFd<'_>, uid: u32, gid: u32) -> Done {
        self.at("set-owner", &[(file, b"")])?;
        System.set_owner(file, uid, gid)
    }
    fn set_xattr(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Done {
        self.at("set-xattr", &[(file, b"")])?;
        System.set_xattr(file, name, value)
    }
}
