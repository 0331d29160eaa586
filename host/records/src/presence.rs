//! Whether the log still is the file that was opened. What is written to a file that bears its name no more, or to a
//! write-ahead log that was taken away, is lost with this process, though SQLite reports it as durable.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Device and inode.
type Identity = (u64, u64);

/// The files of an open log, by what they are.
#[derive(Clone, Debug)]
pub(crate) struct Presence {
    log: PathBuf,
    ahead: PathBuf,
    log_is: Identity,
    /// None until SQLite has made it.
    ahead_is: Option<Identity>,
}

impl Presence {
    /// Of the log at `path`, which was just opened.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        // SQLite follows a link, and puts the write-ahead log beside what it leads to
        let log = path.canonicalize()?;
        let mut ahead = log.clone().into_os_string();
        ahead.push("-wal");
        let ahead = PathBuf::from(ahead);
        let log_is = identity(&log)?;
        let ahead_is = identity(&ahead).ok();
        Ok(Self { log, ahead, log_is, ahead_is })
    }

    /// True if what was opened is what is there. To be asked after a write: what was written then can be found again.
    pub(crate) fn holds(&mut self) -> bool {
        let ahead = identity(&self.ahead).ok();
        let same = match (self.ahead_is, ahead) {
            (Some(was), now) => now == Some(was),
            (None, now) => {
                self.ahead_is = now;
                true
            }
        };
        same && identity(&self.log).is_ok_and(|now| now == self.log_is)
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    path.metadata().map(|facts| (facts.dev(), facts.ino()))
}
