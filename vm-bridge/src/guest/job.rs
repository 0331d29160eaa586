//! One job on the host's side, and the rules for what a guest may say of it.

use super::Shared;
use crate::{Lost, VmError};
use deskhand_vm_protocol::{Ending, JobId, Limits, Refusal, Request, Stream, Usage};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

/// The most bytes of input in one message.
const CHUNK: usize = 64 << 10;

/// What becomes of a job, in this order: output, and one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It wrote.
    Output {
        /// Where.
        stream: Stream,
        /// What.
        bytes: Vec<u8>,
    },
    /// It is over.
    Ended {
        /// How.
        ending: Ending,
        /// What it used, as the guest says.
        usage: Usage,
    },
    /// It never ran.
    Refused(Refusal),
    /// The guest is gone, and the job with it.
    Lost(Lost),
}

/// A job that was asked for. One that is dropped is stopped.
pub struct Job {
    id: JobId,
    events: Receiver<Event>,
    guest: Arc<Shared>,
}

impl Job {
    pub(super) const fn new(id: JobId, events: Receiver<Event>, guest: Arc<Shared>) -> Self {
        Self { id, events, guest }
    }

    /// Wait for what comes next. After an end there is nothing more, and this says that the guest was ended.
    pub fn next(&self) -> Event {
        self.events.recv().unwrap_or(Event::Lost(Lost::Ended))
    }

    /// As [`Self::next`], for so long at the most.
    pub fn next_within(&self, time: Duration) -> Option<Event> {
        match self.events.recv_timeout(time) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Lost(Lost::Ended)),
        }
    }

    /// Where in the guest all can be read that it says, if it was to be logged.
    pub fn log(&self) -> String {
        deskhand_vm_protocol::log(self.id)
    }

    /// Interrupt it, as Ctrl-C does.
    pub fn interrupt(&self) -> Result<(), VmError> {
        self.guest.send(&Request::Interrupt { job: self.id })
    }

    /// Its standard input, for whoever writes to it.
    pub fn stdin(&self) -> Stdin {
        Stdin { id: self.id, guest: Arc::clone(&self.guest) }
    }

    /// Write to its standard input.
    pub fn input(&self, bytes: &[u8]) -> Result<(), VmError> {
        self.stdin().write(bytes)
    }

    /// End its standard input.
    pub fn end_input(&self) -> Result<(), VmError> {
        self.stdin().end()
    }

    /// Have it end: it is asked to, and two seconds later it is killed.
    pub fn stop(&self) -> Result<(), VmError> {
        self.guest.send(&Request::Stop { job: self.id })
    }
}

/// The standard input of a job.
#[derive(Clone)]
pub struct Stdin {
    id: JobId,
    guest: Arc<Shared>,
}

impl Stdin {
    /// Write to it.
    ///
    /// # Errors
    /// The guest is gone. What a job does not take that is over is nobody's.
    pub fn write(&self, bytes: &[u8]) -> Result<(), VmError> {
        bytes
            .chunks(CHUNK)
            .try_for_each(|chunk| self.guest.send(&Request::Input { job: self.id, bytes: chunk.to_vec() }))
    }

    /// End it.
    ///
    /// # Errors
    /// The guest is gone.
    pub fn end(&self) -> Result<(), VmError> {
        self.guest.send(&Request::InputEnd { job: self.id })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.guest.jobs().running.contains_key(&self.id) {
            // without a guest there is nothing to stop
            let _ = self.stop();
        }
    }
}

/// The jobs of a guest.
#[derive(Default)]
pub(super) struct Jobs {
    running: HashMap<JobId, Running>,
    /// The highest number that was given out.
    last: JobId,
}

struct Running {
    events: Sender<Event>,
    /// Bytes of each stream that may still come.
    left: [u64; 2],
    /// When the guest must have ended it at the latest.
    deadline: Option<Instant>,
}

impl Jobs {
    pub(super) fn add(&mut self, id: JobId, limits: Limits, deadline: Option<Instant>) -> Receiver<Event> {
        let (events, receiver) = mpsc::channel();
        self.running.insert(id, Running { events, left: [limits.output; 2], deadline });
        self.last = self.last.max(id);
        receiver
    }

    pub(super) fn output(&mut self, id: JobId, stream: Stream, bytes: Vec<u8>) -> Result<(), String> {
        let Some(job) = self.running.get_mut(&id) else { return self.late(id) };
        let left = &mut job.left[usize::from(stream == Stream::Error)];
        *left = left.checked_sub(bytes.len() as u64).ok_or("it sends more output than it was let")?;
        // nobody may be interested any more
        let _ = job.events.send(Event::Output { stream, bytes });
        Ok(())
    }

    pub(super) fn ended(&mut self, id: JobId, event: Event) -> Result<(), String> {
        let Some(job) = self.running.remove(&id) else { return self.late(id) };
        let _ = job.events.send(event);
        Ok(())
    }

    /// What is said of a job that is over is of no interest; what is said of one that never was is a lie.
    fn late(&self, id: JobId) -> Result<(), String> {
        if (1..=self.last).contains(&id) {
            Ok(())
        } else {
            Err(format!("it speaks of a job {id} that was never asked for"))
        }
    }

    pub(super) fn overdue(&self, now: Instant) -> bool {
        self.running.values().any(|job| job.deadline.is_some_and(|deadline| deadline < now))
    }

    pub(super) fn end_all(&mut self, why: &Lost) {
        for (_, job) in self.running.drain() {
            let _ = job.events.send(Event::Lost(why.clone()));
        }
    }
}
