//! How much room the layers of a sandbox take on the disk.

use deskhand_workspace::disk;
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{AtFlags, CWD, FileType, Mode, OFlags},
    io::Errno,
};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::PathBuf};

/// What each file or folder counts for on top of its content, in bytes: names and inodes take room too.
const EACH: u64 = 1024;
/// The deepest folder that is looked into. What lies deeper is refused later, and is more than there may be.
const DEEPEST: usize = 128;

/// Looks at the disk often, since that is quick, and at the layers where the disk has become fuller.
pub(crate) struct Watcher {
    layers: Vec<OwnedFd>,
    most: u64,
    reserve: u64,
    /// Bytes and inodes that were free at the last look at the layers.
    free: (u64, u64),
}

impl Watcher {
    pub(crate) fn new(layers: &[PathBuf], most: u64, reserve: u64) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |path: &PathBuf| rustix::fs::openat(CWD, path, flags, Mode::empty()).ok();
        let mut watcher = Self { layers: layers.iter().filter_map(open).collect(), most, reserve, free: (0, 0) };
        watcher.free = watcher.now_free();
        // a disk that is nearly full already is not held against what starts on it
        watcher.reserve = reserve.min(watcher.free.0 / 2);
        watcher
    }

    fn now_free(&self) -> (u64, u64) {
        let stats = self.layers.iter().filter_map(|layer| rustix::fs::fstatvfs(layer).ok());
        stats
            .map(|stat| (stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_favail))
            .min()
            .unwrap_or((u64::MAX, u64::MAX))
    }

    /// True where they take more than they may, or leave others nothing.
    pub(crate) fn is_over(&mut self) -> bool {
        let (bytes, inodes) = self.now_free();
        if bytes < self.reserve {
            return true;
        }
        let step = (self.most / 16).max(1 << 20);
        if bytes.saturating_add(step) > self.free.0 && inodes.saturating_add(10_000) > self.free.1 {
            return false;
        }
        self.free = (bytes, inodes);
        let mut taken = 0;
        for layer in &self.layers {
            let _ = add(layer.as_fd(), DEEPEST, self.most, &mut taken); // what cannot be looked at is not counted
        }
        taken > self.most
    }
}

fn add(folder: BorrowedFd<'_>, depth: usize, most: u64, taken: &mut u64) -> Result<(), Errno> {
    for name in disk::names(folder)? {
        if *taken > most {
            return Ok(());
        }
        let Ok(stat) = rustix::fs::statat(folder, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        *taken = taken.saturating_add(stat.st_blocks.cast_unsigned().saturating_mul(512)).saturating_add(EACH);
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && let Ok(inner) = disk::open_folder(folder, &name)
        {
            let Some(depth) = depth.checked_sub(1) else {
                *taken = u64::MAX;
                return Ok(());
            };
            let _ = add(inner.as_fd(), depth, most, taken);
        }
    }
    Ok(())
}
