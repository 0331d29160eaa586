//! One job: from its request until all of its processes are gone, all of its output is sent, and its use is known.

use crate::{
    agent::Host,
    cgroup::Group,
    gate::{self, Gate},
    log::Log,
    output::{Forwarded, LINGER, Room, To},
    runner::{self, Start},
};
use deskhand_vm_protocol::{Command, Ending, JobId, Limits, Refusal, Report, Stream, Usage};
use rustix::{fd::OwnedFd, process::Signal};
use std::{
    io::{self, PipeReader, PipeWriter, Write as _},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// What a job is told.
#[derive(Debug)]
pub(crate) enum Event {
    /// Bytes for its input.
    Input(Vec<u8>),
    /// Its input ends.
    InputEnd,
    /// The host wants it to end.
    Stop,
    /// The host wants it to end what it does.
    Interrupt,
    /// Its first process is over.
    Exited(i32),
    /// The runner could not start it.
    NotStarted(i32),
    /// The runner is gone, and the job with it.
    SandboxGone,
}

/// A job that runs, as the agent knows it.
#[derive(Debug)]
pub(crate) struct Job {
    input: Sender<Event>,
    events: Sender<Event>,
    rooms: [Arc<Room>; 2],
}

impl Job {
    /// So much of what it said was read.
    pub(crate) fn has_room(&self, stream: Stream, bytes: u64) {
        self.rooms[usize::from(stream == Stream::Error)].make(bytes);
    }

    /// Tell it; what comes too late is of no use.
    pub(crate) fn tell(&self, event: Event) {
        let to = if matches!(event, Event::Input(_) | Event::InputEnd) { &self.input } else { &self.events };
        let _ = to.send(event);
    }
}

/// Start a job. `over` is called once its last report was sent.
pub(crate) fn start(
    id: JobId,
    command: Command,
    limits: Limits,
    runner: Arc<OwnedFd>,
    host: Arc<Host>,
    over: impl FnOnce() + Send + 'static,
) -> Result<Job, Refusal> {
    let refused = |error: io::Error| Refusal::Start(error.raw_os_error().unwrap_or(libc::EIO));
    let group = Group::of_job(id, limits).map_err(refused)?;
    let (their_input, input) = io::pipe().map_err(refused)?;
    let (output, their_output) = io::pipe().map_err(refused)?;
    let (error, their_error) = io::pipe().map_err(refused)?;
    let (gate, their_gate) = gate::pair().map_err(refused)?;
    let (to_input, input_events) = mpsc::channel();
    let (to_job, events) = mpsc::channel();
    let rooms = [Arc::new(Room::new()), Arc::new(Room::new())];
    let made = rooms.clone();
    let feeding = Arc::clone(&host);
    thread::spawn(move || {
        feed(id, input, &input_events, &feeding);
        // what comes now is nobody's, and waits for nothing
        feeding.report(&Report::Read { job: id, bytes: u64::MAX });
    });
    thread::spawn(move || {
        let theirs = [their_input.into(), their_output.into(), their_error.into(), their_gate];
        let log = command.logged.then(|| Log::of(id).ok()).flatten().map(Arc::new);
        let running = Running { id, limits, group, events, host, log, rooms: made };
        running.run(&runner, Start { job: id, command }, theirs, gate, [output, error]);
        over();
    });
    Ok(Job { input: to_input, events: to_job, rooms })
}

/// Write to a job's input until it ends or nobody reads it.
fn feed(job: JobId, mut input: PipeWriter, events: &Receiver<Event>, host: &Host) {
    while let Ok(Event::Input(bytes)) = events.recv() {
        if input.write_all(&bytes).is_err() {
            return;
        }
        host.report(&Report::Read { job, bytes: bytes.len() as u64 });
    }
}

struct Running {
    id: JobId,
    limits: Limits,
    group: Group,
    events: Receiver<Event>,
    host: Arc<Host>,
    log: Option<Arc<Log>>,
    rooms: [Arc<Room>; 2],
}

impl Running {
    fn run(self, runner: &OwnedFd, start: Start, theirs: [OwnedFd; 4], gate: Gate, pipes: [PipeReader; 2]) {
        let job = self.id;
        let refuse = |why| self.host.report(&Report::Refused { job, why });
        if runner::send_start(runner, start, theirs).is_err() {
            refuse(Refusal::NoSandbox);
            return self.group.remove();
        }
        if let Err(error) = gate.pass(|process| self.group.add(process)) {
            let code = error.raw_os_error().or_else(|| self.told_code()).unwrap_or(libc::EIO);
            refuse(Refusal::Start(code));
            let _ = self.group.kill();
            return self.group.remove();
        }
        let [output, error] = pipes;
        let output = self.forward(Stream::Output, output);
        let error = self.forward(Stream::Error, error);
        let ending = self.watch();
        if let Err(code) = ending {
            refuse(Refusal::Start(code));
        }
        // what a job leaves behind ends with it
        if self.group.kill().is_err() {
            let _ = writeln!(io::stderr(), "deskhand: processes of job {job} cannot be killed");
        }
        let usage = Usage { output: output.end(), error: error.end(), ..self.group.usage() };
        if let Ok(ending) = ending {
            self.host.report(&Report::Ended { job, ending, usage });
        }
        self.group.remove();
    }

    /// What the runner says where nobody came to the gate.
    fn told_code(&self) -> Option<i32> {
        match self.events.recv_timeout(LINGER) {
            Ok(Event::NotStarted(code)) => Some(code),
            _ => None,
        }
    }

    /// Wait for the end, and bring it about where it is time. An error is the code of why the program did not begin.
    fn watch(&self) -> Result<Ending, i32> {
        // a deadline beyond what the clock can say is none
        let mut deadline = Instant::now().checked_add(Duration::from_millis(self.limits.milliseconds));
        let mut brought_about = None;
        loop {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            match self.events.recv_timeout(left) {
                Ok(Event::Exited(status)) => return Ok(brought_about.unwrap_or_else(|| self.ending(status))),
                Ok(Event::NotStarted(code)) => return Err(code),
                Ok(Event::Stop) if brought_about.is_none() => {
                    brought_about = Some(Ending::Stopped);
                    deadline = Instant::now().checked_add(GRACE);
                    self.group.signal(Signal::TERM);
                }
                Ok(Event::Interrupt) => self.group.signal(Signal::INT),
                Ok(Event::SandboxGone) | Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Ending::Signal(libc::SIGKILL));
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(ending) = brought_about {
                        return Ok(ending);
                    }
                    brought_about = Some(Ending::OutOfTime);
                    deadline = Instant::now().checked_add(GRACE);
                    self.group.signal(Signal::TERM);
                }
            }
        }
    }

    fn forward(&self, stream: Stream, pipe: PipeReader) -> Forwarded {
        let room = Arc::clone(&self.rooms[usize::from(stream == Stream::Error)]);
        let to = To { host: Arc::clone(&self.host), job: self.id, stream, log: self.log.clone() };
        Forwarded::begin(pipe, to, room, self.limits.output)
    }

    fn ending(&self, status: i32) -> Ending {
        match runner::read_status(status) {
            _ if self.group.out_of_memory() => Ending::OutOfMemory,
            (_, Some(signal)) => Ending::Signal(signal),
            (code, _) => Ending::Exited(code.unwrap_or_default()),
        }
    }
}
