//! A guest as the host speaks with it. Everything that it says is checked; one that breaks a rule is ended.

mod files;
mod job;
mod net;
mod watch;

pub use files::Collector;
pub use job::{Event, Job, Stdin};
pub use watch::Patience;

use crate::{Lost, Machine, Ports, VmError, Warmth};
use deskhand_vm_protocol::{
    Command, JobId, Limits, Receiver, Report, Request, Sender, SessionId, VERSION, Wake,
    files::{Folder, Step},
};
use files::Files;
use job::Jobs;
use std::{
    io,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Instant, SystemTime},
};
use watch::Tail;

/// A guest that has said hello and runs nothing yet. It could be saved now.
pub(crate) struct Fresh {
    machine: Box<dyn Machine>,
    control: UnixStream,
    requests: Sender<UnixStream>,
    reports: Receiver<UnixStream>,
    files: Files,
    /// The port of connections, and where they go.
    net: (UnixStream, Option<PathBuf>),
    console: Tail,
    log: Tail,
}

impl Fresh {
    /// Wait for a machine that was started from its kernel.
    pub(crate) fn greet(
        mut machine: Box<dyn Machine>,
        (folders, proxy): (Vec<Folder>, Option<&PathBuf>),
        patience: Patience,
    ) -> Result<Self, VmError> {
        let Ports { control, files, net, log, console } = machine.ports().ok_or(Lost::Gone)?;
        let (console, log) = (Tail::follow(console), Tail::follow(log));
        control.set_read_timeout(Some(patience.boot))?;
        let mut requests = Sender::new(control.try_clone()?);
        let mut reports = Receiver::new(control.try_clone()?);
        let hello = requests.send(&Request::Hello { version: VERSION }).and_then(|()| reports.receive());
        match hello {
            Ok(Some(Report::Hello { version: VERSION })) => {}
            Ok(Some(other)) => return Err(Lost::Hostile(format!("it greets with {other:?}")).into()),
            Ok(None) => return Err(console.verdict(Lost::Gone).into()),
            Err(error) => return Err(watch::lost(&error, &console).into()),
        }
        let files = Files::new(files, folders)?;
        let net = (net, proxy.cloned());
        Ok(Self { machine, control, requests, reports, files, net, console, log })
    }

    /// Have it keep at hand what jobs need. An interpreter of Python takes as long as its libraries do.
    pub(crate) fn warm(&mut self, warmth: Warmth) -> Result<(), VmError> {
        let python = warmth == Warmth::Python;
        match self.requests.send(&Request::Warm { python }).and_then(|()| self.reports.receive()) {
            Ok(Some(Report::Warm)) => Ok(()),
            Ok(Some(other)) => Err(Lost::Hostile(format!("it is warm with {other:?}")).into()),
            Ok(None) => Err(self.console.verdict(Lost::Gone).into()),
            Err(error) => Err(watch::lost(&error, &self.console).into()),
        }
    }

    /// A machine that was saved after [`Self::warm`]: each side has sent two messages.
    pub(crate) fn restored(
        mut machine: Box<dyn Machine>,
        (folders, proxy): (Vec<Folder>, Option<&PathBuf>),
    ) -> Result<Self, VmError> {
        let Ports { control, files, net, log, console } = machine.ports().ok_or(Lost::Gone)?;
        let (console, log) = (Tail::follow(console), Tail::follow(log));
        let (requests, reports) = (Sender::after(control.try_clone()?, 2), Receiver::after(control.try_clone()?, 2));
        let files = Files::new(files, folders)?;
        let net = (net, proxy.cloned());
        Ok(Self { machine, control, requests, reports, files, net, console, log })
    }

    /// The machine, to be saved.
    pub(crate) fn machine(&mut self) -> &mut dyn Machine {
        &mut *self.machine
    }

    /// Make it a guest of its own, with its own entropy and the time of now.
    pub(crate) fn wake(mut self, patience: Patience) -> Result<Guest, VmError> {
        let mut entropy = [0; 32];
        let mut session: SessionId = [0; 16];
        getrandom::fill(&mut entropy)
            .and_then(|()| getrandom::fill(&mut session))
            .map_err(|error| io::Error::other(error.to_string()))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
        let wake = Wake { entropy, seconds: now.as_secs(), nanoseconds: now.subsec_nanos(), session };
        self.control.set_read_timeout(Some(patience.boot))?;
        let awake = self.requests.send(&Request::Wake(wake)).and_then(|()| self.reports.receive());
        match awake {
            Ok(Some(Report::Awake { session: said })) if said == session => {}
            Ok(Some(other)) => return Err(Lost::Hostile(format!("it wakes with {other:?}")).into()),
            Ok(None) => return Err(self.console.verdict(Lost::Gone).into()),
            Err(error) => return Err(watch::lost(&error, &self.console).into()),
        }
        // from here on it is asked whether it is there
        self.control.set_read_timeout(None)?;
        let guest = Guest::run(self, patience);
        guest.shared.lay()?;
        Ok(guest)
    }
}

/// A guest that runs jobs. It is ended when it is dropped.
pub struct Guest {
    shared: Arc<Shared>,
    next: AtomicU32,
}

/// What the threads of one guest share.
struct Shared {
    machine: Box<dyn Machine>,
    requests: Mutex<Sender<UnixStream>>,
    files: Mutex<Files>,
    jobs: Mutex<Jobs>,
    /// Woken where a job has read, or is over.
    reads: Condvar,
    /// The last ping that came back.
    pong: AtomicU32,
    goodbye: AtomicBool,
    lost: OnceLock<Lost>,
    console: Tail,
    log: Tail,
    patience: Patience,
}

impl Guest {
    fn run(fresh: Fresh, patience: Patience) -> Self {
        let Fresh { machine, requests, reports, files, net: (net, proxy), console, log, .. } = fresh;
        let shared = Arc::new(Shared {
            machine,
            requests: Mutex::new(requests),
            files: Mutex::new(files),
            jobs: Mutex::default(),
            reads: Condvar::new(),
            pong: AtomicU32::new(0),
            goodbye: AtomicBool::new(false),
            lost: OnceLock::new(),
            console,
            log,
            patience,
        });
        let (hearing, watching) = (Arc::clone(&shared), Arc::downgrade(&shared));
        let carrying = Arc::clone(&shared);
        thread::spawn(move || net::serve(&carrying, net, proxy.as_ref()));
        thread::spawn(move || hearing.hear(reports));
        thread::spawn(move || watch::heartbeats(&watching));
        Self { shared, next: AtomicU32::new(1) }
    }

    /// Run a command in the guest's sandbox.
    pub fn start(&self, command: Command, limits: Limits) -> Result<Job, VmError> {
        let id: JobId = self.next.fetch_add(1, Ordering::Relaxed);
        let deadline = self.shared.patience.end_of(limits);
        let events = self.shared.jobs().add(id, limits, deadline);
        let job = Job::new(id, events, Arc::clone(&self.shared));
        self.shared.send(&Request::Run { job: id, command, limits })?;
        Ok(job)
    }

    /// Hear what was written to its folders that was not heard before. Nothing in it runs meanwhile.
    ///
    /// # Errors
    /// Where the guest is gone, or was ended for what it told.
    pub fn collect(&self, to: &mut dyn Collector) -> Result<(), VmError> {
        self.shared.collect(to)
    }

    /// Let it see a change that was made in the task, at a path in one of its folders.
    ///
    /// # Errors
    /// Where the guest is gone, or cannot make it.
    pub fn make(&self, folder: u16, path: &[u8], step: Step) -> Result<(), VmError> {
        self.shared.make(folder, path, step)
    }

    /// Why the guest is gone, once it is.
    pub fn lost(&self) -> Option<Lost> {
        self.shared.lost.get().cloned()
    }

    /// Bytes that the guest's monitor has resident.
    pub fn resident(&self) -> Option<u64> {
        self.shared.machine.resident()
    }

    /// The last lines that the guest's agent logged.
    pub fn log(&self) -> String {
        self.shared.log.text()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shared.end(Lost::Ended);
    }
}

impl Shared {
    fn jobs(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, request: &Request) -> Result<(), VmError> {
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone().into());
        }
        let sent = self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request);
        sent.map_err(|error| match error {
            error @ deskhand_vm_protocol::FrameError::TooLong(_) => VmError::Host(io::Error::other(error.to_string())),
            _ => self.lost.get().cloned().unwrap_or(Lost::Gone).into(),
        })
    }

    /// End the guest for a reason; the first one counts.
    fn end(&self, why: Lost) {
        let _ = self.lost.set(why);
        self.machine.kill();
        if let Some(why) = self.lost.get() {
            self.jobs().end_all(why);
            self.reads.notify_all();
        }
    }

    /// Hear the guest until it is gone.
    fn hear(&self, mut reports: Receiver<UnixStream>) {
        let why = loop {
            match reports.receive() {
                Ok(Some(report)) => {
                    if let Err(broken) = self.heard(report) {
                        break Lost::Hostile(broken);
                    }
                }
                Ok(None) if self.goodbye.load(Ordering::Relaxed) => break Lost::Ended,
                Ok(None) => break self.console.verdict(Lost::Gone),
                Err(error) => break watch::lost(&error, &self.console),
            }
        };
        self.end(why);
    }

    /// Take in one report, or say which rule it breaks.
    fn heard(&self, report: Report) -> Result<(), String> {
        match report {
            Report::Hello { .. } | Report::Awake { .. } | Report::Warm => Err("it greets again".to_owned()),
            Report::Pong { number } => {
                self.pong.fetch_max(number, Ordering::Relaxed);
                Ok(())
            }
            Report::Goodbye => {
                self.goodbye.store(true, Ordering::Relaxed);
                Ok(())
            }
            Report::Output { job, stream, bytes } => self.jobs().output(job, stream, bytes),
            Report::Read { job, bytes } => {
                let heard = self.jobs().has_read(job, bytes);
                self.reads.notify_all();
                heard
            }
            Report::Ended { job, ending, usage } => self.over(job, Event::Ended { ending, usage }),
            Report::Refused { job, why } => self.over(job, Event::Refused(why)),
        }
    }

    fn over(&self, job: JobId, event: Event) -> Result<(), String> {
        let heard = self.jobs().ended(job, event);
        self.reads.notify_all();
        heard
    }

    /// Wait until a job has room for so much input, or is over.
    fn wait_for_reader(&self, job: JobId, bytes: u64) {
        let jobs = self.reads.wait_while(self.jobs(), |jobs| !jobs.sends(job, bytes));
        drop(jobs);
    }

    fn overdue(&self, now: Instant) -> bool {
        self.jobs().overdue(now)
    }
}
