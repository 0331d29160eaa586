//! Watching a guest: whether it answers, and what it leaves behind when it does not.

use super::Shared;
use crate::Lost;
use deskhand_vm_protocol::{FrameError, Limits, Request};
use std::{
    collections::VecDeque,
    io::{self, Read as _},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// The most bytes that are kept of a stream of text.
const KEPT: usize = 16 << 10;
/// How long the last words of a machine may take that has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The most characters of a reason that a person sees.
const REASON: usize = 200;

/// How long to wait for a guest before it is given up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the first word of a guest that boots, or wakes.
    pub boot: Duration,
    /// Between two questions whether it is there.
    pub interval: Duration,
    /// For the answer.
    pub answer: Duration,
    /// For the end of a job, beyond the time that the job was given.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { boot: seconds(180), interval: seconds(1), answer: seconds(30), end: seconds(60) }
    }
}

impl Patience {
    /// When a job must be over; `None` where that is beyond what the clock can say.
    pub(super) fn end_of(self, limits: Limits) -> Option<Instant> {
        Instant::now().checked_add(Duration::from_millis(limits.milliseconds))?.checked_add(self.end)
    }
}

/// Ask again and again whether the guest is there, and end it when it is not.
pub(super) fn heartbeats(guest: &Weak<Shared>) {
    let (mut number, mut answered) = (0, Instant::now());
    loop {
        let Some(shared) = guest.upgrade() else { return };
        if shared.lost.get().is_some() {
            return;
        }
        let now = Instant::now();
        if shared.pong.load(Ordering::Relaxed) == number {
            answered = now;
            number += 1;
            // where this does not go through, no answer will come
            let _ = shared.requests.try_lock().map(|mut requests| requests.send(&Request::Ping { number }));
        }
        if now.duration_since(answered) > shared.patience.answer || shared.overdue(now) {
            return shared.end(shared.console.verdict(Lost::Silent));
        }
        let interval = shared.patience.interval;
        drop(shared);
        thread::sleep(interval);
    }
}

/// What an error on the control port says of the guest.
pub(super) fn lost(error: &FrameError, console: &Tail) -> Lost {
    match error {
        FrameError::Port(error) if error.kind() == io::ErrorKind::WouldBlock => console.verdict(Lost::Silent),
        // a guest that dies may be in the middle of a word
        FrameError::Port(_) | FrameError::CutShort(_) => console.verdict(Lost::Gone),
        FrameError::Length(_) | FrameError::Order { .. } | FrameError::Malformed | FrameError::TooLong(_) => {
            Lost::Hostile(error.to_string())
        }
    }
}

/// The last of a stream of text, which is read on so that nobody is held up by it.
#[derive(Clone)]
pub(crate) struct Tail(Arc<(Mutex<Kept>, Condvar)>);

#[derive(Default)]
struct Kept {
    bytes: VecDeque<u8>,
    ended: bool,
}

impl Tail {
    pub(super) fn follow(mut stream: UnixStream) -> Self {
        let tail = Self(Arc::default());
        let keep = tail.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                let bytes = &mut keep.kept().bytes;
                let over = (bytes.len() + read).saturating_sub(KEPT);
                bytes.drain(..over);
                bytes.extend(&buffer[..read]);
            }
            keep.kept().ended = true;
            keep.0.1.notify_all();
        });
        tail
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was kept, without anything that could move a cursor.
    pub(super) fn text(&self) -> String {
        let bytes: Vec<u8> = self.kept().bytes.iter().copied().collect();
        String::from_utf8_lossy(&bytes).chars().filter(|c| *c == '\n' || !c.is_control()).collect()
    }

    /// Why the guest is gone, as far as its kernel's last words say.
    pub(super) fn verdict(&self, otherwise: Lost) -> Lost {
        // a machine that ends closes all of its streams, in no order
        drop(self.0.1.wait_timeout_while(self.kept(), LAST_WORDS, |kept| !kept.ended));
        let text = self.text();
        let line = text.lines().rev().find_map(|line| {
            let at = line.find("Kernel panic").or_else(|| line.find("deskhand: the guest did not start"))?;
            line.get(at..)
        });
        match line {
            Some(line) => Lost::Panic(line.chars().take(REASON).collect()),
            None => otherwise,
        }
    }
}
