//! What can go wrong with the records, in words for the person.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the records could not be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// Made by a later version.
    #[error(
        "{path} was made by a newer Deskhand (format {found}; this one knows formats up to {known}). Nothing was touched. Update Deskhand, or point DESKHAND_HOME to another folder",
        path = path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that this program knows.
        known: i64,
    },
    /// Another program's database.
    #[error(
        "{path} is a database of another program. Nothing was touched. Move it away, or point DESKHAND_HOME to another folder",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Not a database, or a damaged one.
    #[error(
        "{path} is damaged: {reason}. Keep a copy of it, then restore it from a backup, or move it away and Deskhand starts a new log",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// No right to write.
    #[error(
        "{path} cannot be written: {reason}. Give yourself the right to write to it and to its folder, or point DESKHAND_HOME to another folder",
        path = path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// No space.
    #[error(
        "the disk that holds {path} is full{free}. Delete or move something on that disk, then try again",
        path = path.display(),
        free = free_words(path)
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the records for too long.
    #[error(
        "another Deskhand has been writing to {path} for too long. Wait until it is done, or end it, then try again",
        path = path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure of the database or of the file system.
    #[error(
        "{path} could not be used: {reason}. See that its folder exists and is yours (`deskhand doctor`), then try again",
        path = path.display()
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file was taken away under a running program.
    #[error(
        "{path} was deleted, moved or replaced while Deskhand had it open, so nothing can be put on record. Put it back if you have it, with its -wal file; else start again, and a new log begins",
        path = path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// An earlier write failed, and what was queued with it is lost; the log is closed until the next start.
    #[error("the log stopped after an earlier failure: {reason}")]
    Stopped {
        /// The earlier failure.
        reason: String,
    },
    /// Something was asked for that is not there.
    #[error("there is no {what} {id}. `deskhand {list}` lists what there is")]
    Unknown {
        /// What was looked for, such as `task`.
        what: &'static str,
        /// Its number.
        id: u64,
        /// The command that lists them.
        list: &'static str,
    },
    /// An event of a kind that this version does not know.
    #[error("event {event} of the log was written by a newer Deskhand and cannot be read by this one. Update Deskhand")]
    UnknownEvent {
        /// Its number.
        event: u64,
    },
    /// The randomness of the system is not there.
    #[error(
        "the system gives no random numbers ({reason}), so no key can be made. Restart the computer, then try again"
    )]
    Random {
        /// What the system says.
        reason: String,
    },
    /// The key of a task is gone, but a copy of the page that held it may still lie in the write-ahead log.
    #[error(
        "task {task} is forgotten, but another running Deskhand keeps an old page of the log open. End it, then run `deskhand log --forget {task}` again to wipe that page"
    )]
    StillOpen {
        /// The task.
        task: u64,
    },
}

impl RecordsError {
    /// What an error of SQLite means for the person.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            // SQLite tells a write-ahead log that finds no room as a failure of the disk
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(&path) => Self::Full { path },
            Some(ErrorCode::SystemIoFailure) => {
                let reason = "the disk reports an error. Check the disk before anything else".to_owned();
                Self::Failed { path, reason }
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged { path, reason },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                let reason = match is_mounted_read_only(&path) {
                    true => "its disk is mounted for reading only",
                    false => "it or its folder is not yours to write",
                };
                Self::ReadOnly { path, reason: reason.to_owned() }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            _ => Self::Failed { path, reason },
        }
    }

    /// The same for an error of the file system.
    pub(crate) fn of_file(path: &Path, error: &std::io::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path, reason }
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Failed { path, reason },
        }
    }
}

/// Below this a disk counts as full: what one change puts on record must fit, in bytes.
const FULL: u64 = 256 << 10;

/// What is known of the disk that a file is on, or is to be on.
fn disk(path: &Path) -> Option<rustix::fs::StatVfs> {
    path.ancestors()
        .find_map(|at| rustix::fs::statvfs(if at.as_os_str().is_empty() { Path::new(".") } else { at }).ok())
}

/// How many bytes are free for the person on the disk that a file is on, or is to be on.
pub fn free_space(path: &Path) -> Option<u64> {
    disk(path).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// True if the disk that a file is on, or is to be on, has no room to work with.
pub fn is_full(path: &Path) -> bool {
    free_space(path).is_some_and(|free| free < FULL)
}

fn is_mounted_read_only(path: &Path) -> bool {
    disk(path).is_some_and(|disk| disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

fn free_words(path: &Path) -> String {
    match free_space(path) {
        Some(free) if free < FULL => format!(": {} kB are free", free / 1000),
        _ => String::new(),
    }
}
