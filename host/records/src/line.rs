//! The line in front of the writing thread. A write that nobody waits for wakes nobody while others stand in line
//! already: the thread comes for all of them a moment later, so that a plugin's call pays for no change of threads.

use crate::{error::RecordsError, writer::Job};
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    time::{Duration, Instant},
};

/// So many wait in line before the next caller has to.
const LENGTH: usize = 1024;
/// From so many on the thread comes at once.
const CROWD: usize = 256;

/// What the writing thread is asked to do.
pub(crate) enum Message {
    Write(Box<dyn Job>),
    /// Bring the write-ahead log into the file and empty it. Answers whether that was possible.
    Checkpoint(SyncSender<Result<bool, RecordsError>>),
}

impl Message {
    fn is_waited_for(&self) -> bool {
        match self {
            Self::Write(job) => job.is_waited_for(),
            Self::Checkpoint(_) => true,
        }
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Line {
    standing: Mutex<Standing>,
    /// The writing thread waits here.
    work: Condvar,
    /// Callers wait here while the line is full.
    room: Condvar,
}

#[derive(Default)]
struct Standing {
    messages: VecDeque<Message>,
    /// How many of them somebody waits for.
    waited_for: usize,
    closed: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stand in line; waits while it is full. False if it is closed.
    pub(crate) fn join(&self, message: Message) -> bool {
        let mut standing = self.lock();
        while standing.messages.len() >= LENGTH && !standing.closed {
            standing = self.room.wait(standing).unwrap_or_else(PoisonError::into_inner);
        }
        if standing.closed {
            return false;
        }
        let waited_for = message.is_waited_for();
        standing.waited_for += usize::from(waited_for);
        standing.messages.push_back(message);
        let length = standing.messages.len();
        drop(standing);
        if waited_for || length == 1 || length == CROWD {
            self.work.notify_one();
        }
        true
    }

    /// Let nobody else in. Who stands in line is served.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Close the line when this is dropped, and send away who stands in it.
    pub(crate) fn closing(&self) -> Closing<'_> {
        Closing(self)
    }

    /// The next who are served together, in order: at most `most`, none behind a checkpoint, and as many as come within
    /// `linger` unless somebody waits for one of them. None once the line is closed and empty.
    pub(crate) fn next(&self, most: usize, linger: Duration) -> Option<Vec<Message>> {
        let mut standing = self.lock();
        while standing.messages.is_empty() {
            if standing.closed {
                return None;
            }
            standing = self.work.wait(standing).unwrap_or_else(PoisonError::into_inner);
        }
        let until = Instant::now() + linger;
        while standing.waited_for == 0 && standing.messages.len() < CROWD && !standing.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            standing = self.work.wait_timeout(standing, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let checkpoint = standing.messages.iter().position(|message| matches!(message, Message::Checkpoint(_)));
        let count = standing.messages.len().min(most).min(checkpoint.map_or(usize::MAX, |at| at + 1));
        let full = standing.messages.len() >= LENGTH;
        let next: Vec<Message> = standing.messages.drain(..count).collect();
        standing.waited_for -= next.iter().filter(|message| message.is_waited_for()).count();
        drop(standing);
        if full {
            self.room.notify_all();
        }
        Some(next)
    }
}

/// See [`Line::closing`].
pub(crate) struct Closing<'a>(&'a Line);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
        let left = std::mem::take(&mut self.0.lock().messages);
        drop(left); // who waits for an answer sees that none will come
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::writer::{LINGER, Writing};
    use std::sync::mpsc::sync_channel;

    struct Numbered {
        number: u32,
        waited_for: bool,
    }

    impl Job for Numbered {
        fn run(&mut self, _: &mut Writing<'_>) -> rusqlite::Result<()> {
            Ok(())
        }

        fn finish(self: Box<Self>, _: Result<(), RecordsError>) {
            let _ = self.number;
        }

        fn is_waited_for(&self) -> bool {
            self.waited_for
        }
    }

    fn write(number: u32, waited_for: bool) -> Message {
        Message::Write(Box::new(Numbered { number, waited_for }))
    }

    /// Long enough that a test which waits for it does not end.
    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn who_is_waited_for_takes_along_who_stands_before() {
        let line = Line::default();
        assert!(line.join(write(1, false)) && line.join(write(2, false)) && line.join(write(3, true)));
        assert_eq!(line.next(10, LONG).unwrap().len(), 3);
        // nobody is left who is waited for, so the next lingers until the line is closed
        assert!(line.join(write(4, false)));
        assert_eq!(line.next(10, Duration::ZERO).unwrap().len(), 1);
    }

    #[test]
    fn a_checkpoint_comes_after_all_before_it_and_before_all_behind_it() {
        let line = Line::default();
        let (reply, _answer) = sync_channel(1);
        assert!(line.join(write(1, false)) && line.join(Message::Checkpoint(reply)) && line.join(write(2, true)));
        let first = line.next(10, LONG).unwrap();
        assert!(matches!(first.as_slice(), [Message::Write(_), Message::Checkpoint(_)]));
        assert_eq!(line.next(10, LONG).unwrap().len(), 1);
    }

    #[test]
    fn a_full_line_makes_the_next_wait_and_loses_nobody() {
        let line = Line::default();
        let count = 3 * LENGTH;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..count {
                    assert!(line.join(write(u32::try_from(number).unwrap(), false)));
                }
                line.close();
            });
            let mut served = 0;
            while let Some(next) = line.next(100, LINGER) {
                served += next.len();
            }
            assert_eq!(served, count);
        });
    }

    #[test]
    fn a_closed_line_serves_who_stands_in_it_and_lets_nobody_in() {
        let line = Line::default();
        assert!(line.join(write(1, false)));
        line.close();
        assert!(!line.join(write(2, false)));
        assert_eq!(line.next(10, LONG).unwrap().len(), 1);
        assert!(line.next(10, LONG).is_none());
    }
}
