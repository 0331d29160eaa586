//! One process works on a task at a time.

use crate::{
    exit::Exit,
    failure::{Failure, Result},
};
use deskhand_vocabulary::{Home, TaskId};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use std::{
    fs::DirBuilder,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt as _},
    path::PathBuf,
};

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
        let folder = folder(home);
        let failed = |error: std::io::Error| {
            Failure::failed(format!("the folder {} could not be used: {error}. Make it writable", folder.display()))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let path = folder.join(format!("{task}.lock"));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let lock = open(&path, flags, Mode::from(0o600)).map_err(|error| failed(error.into()))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { task, _lock: lock, path }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::new(
                Exit::Usage,
                format!("task {task} is at work in another process. Speak to it with: deskhand steer {task} WORDS"),
            )),
            Err(error) => Err(failed(error.into())),
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

/// True while a process works on this task.
pub(crate) fn is_at_work(home: &Home, task: TaskId) -> bool {
    let path = folder(home).join(format!("{task}.lock"));
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let Ok(lock) = open(&path, flags, Mode::empty()) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}
