//! Writing so that a crash leaves the old file or the new one: a new file beside it, synced, then renamed, then the
//! folder synced. Every primitive is a step that a test can make the last one.

use crate::MarketError;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The mode of what only the owner may read.
pub(crate) const PRIVATE: u32 = 0o600;
/// The mode of what is published.
pub(crate) const PUBLIC: u32 = 0o644;
/// How the names of files that are being written begin. Whatever carries it is left over from a crash.
pub(crate) const UNFINISHED: &str = ".deskhand-writing-";

/// The file system, as what is published is written to it.
#[derive(Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) fault: Option<std::cell::Cell<usize>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

impl Disk {
    /// The file system itself.
    pub(crate) fn real() -> Self {
        Self::default()
    }

    /// One that does `steps` steps and then nothing more, as if the machine had lost its power.
    #[cfg(test)]
    pub(crate) fn dying_after(steps: usize) -> Self {
        Self { fault: Some(std::cell::Cell::new(steps)) }
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "faults are for tests"))]
    fn step(&self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(left) = &self.fault {
            match left.get() {
                0 => return Err(io::Error::other("the power is gone")),
                n => left.set(n - 1),
            }
        }
        Ok(())
    }

    /// Make a folder and those above it.
    pub(crate) fn make_folders(&self, path: &Path) -> Result<(), MarketError> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_folders(parent)?;
        }
        let made = self.step().and_then(|()| match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        });
        made.map_err(|source| MarketError::write(path, source))?;
        path.parent().map_or(Ok(()), |parent| self.sync_folder(parent))
    }

    /// Write a file, in place of the one that is there or not.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), MarketError> {
        let beside = beside(path);
        self.write_beside(&beside, bytes, mode)
            .and_then(|()| self.step())
            .and_then(|()| std::fs::rename(&beside, path))
            .inspect_err(|_| self.give_up(&beside))
            .map_err(|source| MarketError::write(path, source))?;
        path.parent().map_or(Ok(()), |parent| self.sync_folder(parent))
    }

    /// Write a file that must not be there yet.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), MarketError> {
        if path.symlink_metadata().is_ok() {
            return Err(MarketError::write(path, io::ErrorKind::AlreadyExists.into()));
        }
        let beside = beside(path);
        self.write_beside(&beside, bytes, mode)
            .inspect_err(|_| self.give_up(&beside))
            .map_err(|source| MarketError::write(path, source))?;
        // A link to an existing name fails, which a rename would not.
        let linked = self.step().and_then(|()| std::fs::hard_link(&beside, path)).or_else(|error| match error.kind() {
            io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied if !path.exists() => {
                std::fs::rename(&beside, path)
            }
            _ => Err(error),
        });
        self.give_up(&beside);
        linked.map_err(|source| MarketError::write(path, source))?;
        // It is ours: nothing was there before.
        let synced = path.parent().map_or(Ok(()), |parent| self.sync_folder(parent));
        synced.inspect_err(|_| drop(std::fs::remove_file(path)))
    }

    fn write_beside(&self, beside: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.step()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::open(beside, flags, Mode::from_raw_mode(mode))?);
        self.step()?;
        file.write_all(bytes)?;
        self.step()?;
        file.sync_all()
    }

    /// Remove what was being written.
    fn give_up(&self, beside: &Path) {
        if self.step().is_ok() {
            let _ = std::fs::remove_file(beside);
        }
    }

    fn sync_folder(&self, path: &Path) -> Result<(), MarketError> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        self.step()
            .and_then(|()| File::open(path)?.sync_all())
            .or_else(|error| match error.kind() {
                // Some network file systems cannot sync a folder; the file itself is synced.
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Ok(()),
                _ => Err(error),
            })
            .map_err(|source| MarketError::write(path, source))
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(UNFINISHED);
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Sole use of a folder among processes, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Take it, or say at once that somebody else has it (`Ok(None)`).
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = deskhand_files::open_lock(path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Take it as soon as nobody else has it.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        let file = deskhand_files::open_lock(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(Self(file))
    }
}
