//! What a job writes, on its way to the host: no more than it has room for, the rest waits in the pipe.

use crate::{agent::Host, log::Log};
use deskhand_vm_protocol::{JobId, OUTPUT_WINDOW, Report, Stream};
use std::{
    io::{PipeReader, Read as _},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// How long output may still come once the last process is gone: another job may hold the pipe.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
/// The most bytes of output in one report.
const CHUNK: usize = 64 << 10;

/// Where output goes.
pub(crate) struct To {
    pub(crate) host: Arc<Host>,
    pub(crate) job: JobId,
    pub(crate) stream: Stream,
    pub(crate) log: Option<Arc<Log>>,
}

/// Output on its way.
pub(crate) struct Forwarded {
    counted: Receiver<u64>,
    room: Arc<Room>,
}

impl Forwarded {
    /// Send what comes, up to a limit, and count the rest.
    pub(crate) fn begin(mut pipe: PipeReader, to: To, room: Arc<Room>, limit: u64) -> Self {
        let (said, counted) = mpsc::channel();
        let waiting = Arc::clone(&room);
        thread::spawn(move || {
            let To { host, job, stream, log } = to;
            let mut buffer = vec![0; CHUNK];
            let mut total = 0;
            // the count is taken for each piece, so that it is known where the pipe never ends
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let left = usize::try_from(limit.saturating_sub(total)).unwrap_or(usize::MAX);
                total += read as u64;
                // nobody counts once the job has ended, and then nothing more of it may be sent
                if said.send(total).is_err() {
                    return;
                }
                if let Some(log) = &log {
                    log.keep(&buffer[..read]);
                }
                let mut rest = &buffer[..read.min(left)];
                while !rest.is_empty() {
                    let (bytes, after) = rest.split_at(waiting.take(rest.len()));
                    host.report(&Report::Output { job, stream, bytes: bytes.to_vec() });
                    rest = after;
                }
            }
        });
        Self { counted, room }
    }

    /// Wait until all of it was sent, and say how many bytes it was.
    pub(crate) fn end(self) -> u64 {
        let mut total = 0;
        loop {
            match self.counted.recv_timeout(LINGER) {
                Ok(count) => total = count,
                // whoever reads it takes their time
                Err(RecvTimeoutError::Timeout) if self.room.is_waited_for() => {}
                Err(_) => return total,
            }
        }
    }
}

/// Bytes of a stream that the host has room for.
#[derive(Debug)]
pub(crate) struct Room {
    /// How many, and whether somebody waits for more.
    left: Mutex<(u64, bool)>,
    more: Condvar,
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { left: Mutex::new((OUTPUT_WINDOW, false)), more: Condvar::new() }
    }

    pub(crate) fn make(&self, bytes: u64) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.0 = left.0.saturating_add(bytes);
        self.more.notify_all();
    }

    /// Wait until there is some, and take it, up to so many bytes.
    fn take(&self, most: usize) -> usize {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while left.0 == 0 {
            left.1 = true;
            left = self.more.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = left.0.min(most as u64);
        *left = (left.0 - taken, false);
        usize::try_from(taken).unwrap_or(most)
    }

    fn is_waited_for(&self) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
