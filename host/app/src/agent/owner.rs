//! One process works on a task at a time.

use crate::{
    exit::Exit,
    failure::{Failure, Result},
};
use deskhand_vocabulary::{Home, TaskId};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, open, stat};
use std::{
    fs::DirBuilder,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long whoever holds a task is waited for: one that is over is let go of a moment after that is on record, and who looks
/// whether it is held holds it off for as long as that takes.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether it is free.
const LOOK: Duration = Duration::from_millis(10);

/// Where the locks and sockets of running tasks are.
pub(super) fn folder(home: &Home) -> PathBuf {
    home.data.join("tasks")
}

/// Holds a task as long as it lives; the system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct Owner {
    task: TaskId,
    _lock: OwnedFd,
    path: PathBuf,
}

impl Owner {
    /// Hold this task.
    pub(crate) fn of(home: &Home, task: TaskId) -> Result<Self> {
        let held = Self::hold(home, task)?;
        held.ok_or_else(|| {
            let reason =
                format!("task {task} is at work in another process. Speak to it with: deskhand steer {task} WORDS");
            Failure::new(Exit::Usage, reason)
        })
    }

    /// The same; none where another process holds it and goes on to do so.
    pub(crate) fn hold(home: &Home, task: TaskId) -> Result<Option<Self>> {
        let folder = folder(home);
        let failed = |error: std::io::Error| {
            Failure::failed(format!("the folder {} could not be used: {error}. Make it writable", folder.display()))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let path = folder.join(format!("{task}.lock"));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let end = Instant::now() + PATIENCE;
        loop {
            let lock = open(&path, flags, Mode::from(0o600)).map_err(|error| failed(error.into()))?;
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_at(&lock, &path) => return Ok(Some(Self { task, _lock: lock, path })),
                // who held it has removed it since it was opened: this one holds nobody off
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < end => thread::sleep(LOOK),
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(failed(error.into())),
            }
        }
    }

    /// The task.
    pub(crate) const fn task(&self) -> TaskId {
        self.task
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // still held here, so nobody else's is removed; one that stays behind does no harm
        let _ = std::fs::remove_file(&self.path);
    }
}

/// True if this is the file that is there now.
fn is_at(file: &OwnedFd, path: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fstat(file), stat(path)) else { return false };
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// True while a process works on this task.
pub(crate) fn is_at_work(home: &Home, task: TaskId) -> bool {
    let path = folder(home).join(format!("{task}.lock"));
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let Ok(lock) = open(&path, flags, Mode::empty()) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}
