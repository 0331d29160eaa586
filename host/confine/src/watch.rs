//! Watching a sandbox to its end: what all of it uses, and whether it is wanted any more.

use crate::{
    confined::Limits,
    overlay::room,
    running::{Ended, Excess},
    tree::{self, Usage},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fd::{BorrowedFd, OwnedFd},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{path::PathBuf, process::Child, sync::Arc, time::Duration};

/// How often a sandbox is looked at that has just been at work.
const OFTEN: Duration = Duration::from_millis(100);
/// How seldom one that does nothing.
const SELDOM: Duration = Duration::from_secs(1);
/// Free room that a disk must keep: without any, nobody else can work.
const RESERVE: u64 = 256 << 20;

/// A sandbox to be watched.
pub(crate) struct Watch {
    pub(crate) limits: Limits,
    /// Where what it writes on the disk lies.
    pub(crate) written: Vec<PathBuf>,
    /// Its first process: when that has ended, all of them have (pid_namespaces(7)).
    pub(crate) first: Arc<OwnedFd>,
}

impl Watch {
    /// Until nothing of it runs any more. `child` is the process that became bubblewrap; it is waited for. When `bell` can be
    /// read, nobody wants it any more.
    pub(crate) fn until_the_end(&self, child: &mut Child, bell: BorrowedFd<'_>) -> Ended {
        let mut seen = Usage::default();
        let mut room = room::Watcher::new(&self.written, self.limits.disk, RESERVE);
        let mut pause = OFTEN;
        let cause = loop {
            match self.rest(child, bell, pause) {
                Rest::Ended => break None,
                Rest::Rung => break Some(Ended::Stopped),
                Rest::Over => {}
            }
            let usage = tree::number(&self.first).map(tree::usage).unwrap_or_default();
            if let Some(excess) = self.excess(&usage).or_else(|| room.is_over().then_some(Excess::Disk)) {
                break Some(Ended::Beyond(excess));
            }
            pause = if usage == seen { (pause * 2).min(SELDOM) } else { OFTEN };
            seen = usage;
        };
        self.end(child, cause)
    }

    fn excess(&self, usage: &Usage) -> Option<Excess> {
        let limits = &self.limits;
        if usage.memory > limits.memory {
            Some(Excess::Memory)
        } else if usage.processes > limits.processes {
            Some(Excess::Processes)
        } else if limits.processor.is_some_and(|most| usage.processor > most) {
            Some(Excess::Processor)
        } else {
            None
        }
    }

    fn rest(&self, child: &Child, bell: BorrowedFd<'_>, pause: Duration) -> Rest {
        let Ok(handle) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) else { return Rest::Ended };
        let Ok(pause) = Timespec::try_from(pause) else { return Rest::Over };
        let mut wanted = [PollFd::new(&handle, PollFlags::IN), PollFd::from_borrowed_fd(bell, PollFlags::IN)];
        match rustix::event::poll(&mut wanted, Some(&pause)) {
            Ok(0) | Err(Errno::INTR) => Rest::Over,
            _ if !wanted[0].revents().is_empty() => Rest::Ended,
            _ => Rest::Rung,
        }
    }

    /// End what still runs, and wait until nothing does.
    fn end(&self, child: &mut Child, cause: Option<Ended>) -> Ended {
        if cause.is_some() {
            // the first process takes all others with it
            let _ = pidfd_send_signal(&self.first, Signal::KILL); // it has ended if it cannot be told
        }
        let status = child.wait();
        let _ = pidfd_send_signal(&self.first, Signal::KILL);
        let mut wanted = [PollFd::new(&self.first, PollFlags::IN)];
        while matches!(rustix::event::poll(&mut wanted, None), Err(Errno::INTR)) {}
        let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
        cause.unwrap_or(code.map_or(Ended::Stopped, Ended::Exited))
    }
}

enum Rest {
    Over,
    Ended,
    Rung,
}
