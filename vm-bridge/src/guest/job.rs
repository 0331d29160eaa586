//! One job on the host's side, and the rules for what a guest may say of it.

use super::Shared;
use crate::{Lost, VmError};
use deskhand_vm_protocol::{Ending, INPUT_WINDOW, JobId, Limits, OUTPUT_WINDOW, Refusal, Request, Stream, Usage};
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

/// Bytes that are read before the guest hears that there is room for as many.
const ROOM: u64 = OUTPUT_WINDOW / 4;

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

    /// Wait for what comes next. After an end there is nothing more, and this says that the guest was ended. A job that says
    /// much waits until it is heard.
    pub fn next(&self) -> Event {
        self.read(self.events.recv().unwrap_or(Event::Lost(Lost::Ended)))
    }

    /// As [`Self::next`], for so long at the most.
    pub fn next_within(&self, time: Duration) -> Option<Event> {
        match self.events.recv_timeout(time) {
            Ok(event) => Some(self.read(event)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Lost(Lost::Ended)),
        }
    }

    /// Make room for as much as was read with this.
    fn read(&self, event: Event) -> Event {
        if let Event::Output { stream, bytes } = &event {
            let end = self.guest.patience.end;
            let room = self.guest.jobs().read(self.id, *stream, bytes.len() as u64, end);
            if let Some(bytes) = room {
                // without a guest its end comes next
                let _ = self.guest.send(&Request::Room { job: self.id, stream: *stream, bytes });
            }
        }
        event
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
    /// Write to it. Waits while the job does not read what it was given.
    ///
    /// # Errors
    /// The guest is gone. What a job does not take that is over is nobody's.
    pub fn write(&self, bytes: &[u8]) -> Result<(), VmError> {
        bytes.chunks(CHUNK).try_for_each(|chunk| {
            self.guest.wait_for_reader(self.id, chunk.len() as u64);
            self.guest.send(&Request::Input { job: self.id, bytes: chunk.to_vec() })
        })
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
            // without a guest there is nothing to stop; and what is not read any more holds up nobody
            let _ = self.stop();
            self.guest.jobs().is_left(self.id);
            for stream in [Stream::Output, Stream::Error] {
                let _ = self.guest.send(&Request::Room { job: self.id, stream, bytes: u64::MAX });
            }
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
    /// Bytes of each that the guest does not know to be read, and those of them that are.
    unread: [(u64, u64); 2],
    /// Bytes of input that there is room for.
    input: u64,
    /// When the guest must have ended it at the latest.
    deadline: Option<Instant>,
}

const fn place(stream: Stream) -> usize {
    match stream {
        Stream::Output => 0,
        Stream::Error => 1,
    }
}

impl Jobs {
    pub(super) fn add(&mut self, id: JobId, limits: Limits, deadline: Option<Instant>) -> Receiver<Event> {
        let (events, receiver) = mpsc::channel();
        self.running.insert(
            id,
            Running { events, left: [limits.output; 2], unread: [(0, 0); 2], input: INPUT_WINDOW, deadline },
        );
        self.last = self.last.max(id);
        receiver
    }

    pub(super) fn output(&mut self, id: JobId, stream: Stream, bytes: Vec<u8>) -> Result<(), String> {
        let Some(job) = self.running.get_mut(&id) else { return self.late(id) };
        let (at, count) = (place(stream), bytes.len() as u64);
        job.left[at] = job.left[at].checked_sub(count).ok_or("it sends more output than it was let")?;
        let (unread, _) = &mut job.unread[at];
        *unread = unread.saturating_add(count);
        // nobody may be interested any more: what is not kept needs no room
        if job.events.send(Event::Output { stream, bytes }).is_err() {
            *unread = 0;
        }
        if *unread > OUTPUT_WINDOW { Err("it sends more output than there is room for".to_owned()) } else { Ok(()) }
    }

    /// So much was read. Says how much room the guest is to hear of, now and then. A job that had no room left could not end
    /// in its time, and has as long again as `end`.
    fn read(&mut self, id: JobId, stream: Stream, bytes: u64, end: Duration) -> Option<u64> {
        let job = self.running.get_mut(&id)?;
        let (unread, read) = &mut job.unread[place(stream)];
        if *unread == OUTPUT_WINDOW {
            job.deadline = job.deadline.and_then(|deadline| Some(deadline.max(Instant::now().checked_add(end)?)));
        }
        *read += bytes;
        if *read < ROOM {
            return None;
        }
        *unread = unread.saturating_sub(*read);
        Some(std::mem::take(read))
    }

    /// The job has read so much of its input.
    pub(super) fn has_read(&mut self, id: JobId, bytes: u64) -> Result<(), String> {
        let Some(job) = self.running.get_mut(&id) else { return self.late(id) };
        job.input = job.input.saturating_add(bytes);
        Ok(())
    }

    /// Whether so much input can be sent, which is taken note of. What is over takes all, and wants none.
    pub(super) fn sends(&mut self, id: JobId, bytes: u64) -> bool {
        let Some(job) = self.running.get_mut(&id) else { return true };
        let rest = job.input.checked_sub(bytes);
        job.input = rest.unwrap_or(job.input);
        rest.is_some()
    }

    /// Nobody hears what a job says any more.
    fn is_left(&mut self, id: JobId) {
        if let Some(job) = self.running.get_mut(&id) {
            job.events = mpsc::channel().0;
        }
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
        let waits = |job: &Running| job.unread.iter().any(|(unread, _)| *unread == OUTPUT_WINDOW);
        self.running.values().any(|job| !waits(job) && job.deadline.is_some_and(|deadline| deadline < now))
    }

    pub(super) fn end_all(&mut self, why: &Lost) {
        for (_, job) in self.running.drain() {
            let _ = job.events.send(Event::Lost(why.clone()));
        }
    }
}
