//! Holding a sandbox still while what it wrote is read.

use crate::tree;
use rustix::{
    fd::OwnedFd,
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// How long it may take until all of it stands still. A process that waits for a disk stops when it has been served.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);

/// A sandbox of which nothing runs. It goes on when this is dropped.
#[derive(Debug, Default)]
pub struct Held(HashMap<i32, OwnedFd>);

impl Held {
    /// Stop the process and all below it, those that it starts meanwhile as well. Blocks.
    pub(crate) fn all(top: &OwnedFd) -> std::io::Result<Self> {
        let until = Instant::now() + PATIENCE;
        let mut held = Self::default();
        // whoever stands still starts no more, so that there comes a look that finds nobody else
        while let Some(top) = tree::number(top) {
            let below = tree::below(top);
            let moving = below.iter().filter(|(_, still)| !**still).count();
            let fresh: Vec<i32> = below.keys().copied().filter(|pid| !held.0.contains_key(pid)).collect();
            if moving == 0 && fresh.is_empty() {
                return Ok(held);
            }
            held.stop(top, &fresh)?;
            if Instant::now() > until {
                return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not stand still"));
            }
            std::thread::sleep(LOOK);
        }
        // nothing of it runs any more
        Ok(held)
    }

    fn stop(&mut self, top: Pid, fresh: &[i32]) -> Result<(), Errno> {
        let mut handles = Vec::new();
        for pid in fresh {
            match Pid::from_raw(*pid).map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
                Some(Ok(handle)) => handles.push((*pid, handle)),
                Some(Err(Errno::SRCH)) | None => {}
                Some(Err(error)) => return Err(error),
            }
        }
        // a number might have become another's before its handle was opened, and not after
        let below: HashSet<i32> = tree::below(top).into_keys().collect();
        for (pid, handle) in handles.into_iter().filter(|(pid, _)| below.contains(pid)) {
            match pidfd_send_signal(&handle, Signal::STOP) {
                Ok(()) => drop(self.0.insert(pid, handle)),
                Err(Errno::SRCH) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for handle in self.0.values() {
            let _ = pidfd_send_signal(handle, Signal::CONT); // it may have been ended meanwhile
        }
    }
}
