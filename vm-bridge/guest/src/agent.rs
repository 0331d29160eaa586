//! The agent: answers the host, and never waits for a job while it does.

use crate::{
    cgroup, job,
    job::{Event, Job},
    net,
    runner::{self, Word},
    sandbox, wake, warm,
};
use deskhand_vm_protocol::{Command, FrameError, JobId, Limits, Receiver, Refusal, Report, Request, Sender, VERSION};
use rustix::{fd::OwnedFd, process::WaitOptions};
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, Write as _},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// The most jobs at one time.
const JOBS: usize = 64;

/// The control port as everything that reports writes to it, whole message by whole message.
#[derive(Debug)]
pub(crate) struct Host<W = File>(Mutex<Sender<W>>);

impl<W: io::Write> Host<W> {
    pub(crate) const fn new(port: W) -> Self {
        Self(Mutex::new(Sender::new(port)))
    }

    /// Report. Without a host there is nobody to say so to: the reading side notices, and ends the guest.
    pub(crate) fn report(&self, report: &Report) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).send(report);
    }
}

/// The jobs that run.
type Running = Arc<Mutex<HashMap<JobId, Job>>>;

/// Set the sandbox up and serve the host until it says to end, or is gone.
pub(crate) fn run(control: File, net: File, mut log: File) -> io::Result<()> {
    let place = cgroup::prepare()?;
    let (runner, listener) = sandbox::start(&place)?;
    net::serve(listener, net, log.try_clone()?)?;
    thread::spawn(reap);
    writeln!(log, "the sandbox stands")?;
    converse(control.try_clone()?, control, runner, &mut log)
}

/// Speak with a host over a sandbox that stands, until the host says to end, or is gone.
pub(crate) fn converse(
    requests: impl io::Read,
    reports: File,
    runner: OwnedFd,
    log: &mut impl io::Write,
) -> io::Result<()> {
    let host = Arc::new(Host::new(reports));
    let (is_warm, warm) = mpsc::channel();
    let mut agent =
        Agent { host, runner: Arc::new(runner), running: Running::default(), used: HashSet::new(), awake: false, warm };
    agent.gather(is_warm);
    if let Err(error) = serve(&mut agent, Receiver::new(requests)) {
        writeln!(log, "the host is not understood: {error}")?;
    }
    agent.host.report(&Report::Goodbye);
    Ok(())
}

/// Process 1 is the parent of whoever lost theirs.
fn reap() {
    loop {
        if rustix::process::wait(WaitOptions::empty()).is_err() {
            thread::sleep(Duration::from_secs(1));
        }
    }
}

struct Agent {
    host: Arc<Host>,
    runner: Arc<OwnedFd>,
    running: Running,
    used: HashSet<JobId>,
    awake: bool,
    /// Hears from the runner that an interpreter is warm, or nothing where there is none to come.
    warm: mpsc::Receiver<()>,
}

/// Answer requests until the host says to end, or its port does.
fn serve(agent: &mut Agent, mut requests: Receiver<impl io::Read>) -> Result<(), FrameError> {
    match requests.receive()? {
        Some(Request::Hello { version }) => {
            agent.host.report(&Report::Hello { version: VERSION });
            if version != VERSION {
                return Ok(());
            }
        }
        _ => return Err(FrameError::Malformed),
    }
    while let Some(request) = requests.receive()? {
        match request {
            Request::Hello { .. } => return Err(FrameError::Malformed),
            Request::Wake(wake) => {
                wake::wake(&wake)?;
                agent.awake = true;
                agent.host.report(&Report::Awake { session: wake.session });
            }
            Request::Run { job, command, limits } => {
                if let Err(why) = agent.start(job, command, limits) {
                    agent.host.report(&Report::Refused { job, why });
                }
            }
            Request::Input { job, bytes } => agent.tell(job, Event::Input(bytes)),
            Request::InputEnd { job } => agent.tell(job, Event::InputEnd),
            Request::Stop { job } => agent.tell(job, Event::Stop),
            Request::Interrupt { job } => agent.tell(job, Event::Interrupt),
            Request::Room { job, stream, bytes } => {
                if let Some(job) = agent.running.lock().unwrap_or_else(PoisonError::into_inner).get(&job) {
                    job.has_room(stream, bytes);
                }
            }
            Request::Ping { number } => agent.host.report(&Report::Pong { number }),
            Request::Shutdown => return Ok(()),
            Request::Warm { .. } if agent.awake => return Err(FrameError::Malformed),
            Request::Warm { python } => {
                warm::programs();
                if python {
                    runner::warm(&agent.runner)?;
                    agent.warm.recv().map_err(io::Error::other)?;
                }
                agent.host.report(&Report::Warm);
            }
        }
    }
    Ok(())
}

impl Agent {
    fn start(&mut self, id: JobId, command: Command, limits: Limits) -> Result<(), Refusal> {
        if !self.awake {
            return Err(Refusal::NotAwake);
        }
        if !sensible(&command) || !self.used.insert(id) {
            return Err(Refusal::Senseless);
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.len() >= JOBS {
            return Err(Refusal::TooMany);
        }
        let over = {
            let running = Arc::clone(&self.running);
            move || drop(running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id))
        };
        let job = job::start(id, command, limits, Arc::clone(&self.runner), Arc::clone(&self.host), over)?;
        running.insert(id, job);
        Ok(())
    }

    /// A job that is over needs nothing any more.
    fn tell(&self, job: JobId, event: Event) {
        if let Some(job) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&job) {
            job.tell(event);
        }
    }

    /// Hand on what the runner says, and tell all jobs when it is gone.
    fn gather(&self, warm: mpsc::Sender<()>) {
        let (runner, running) = (Arc::clone(&self.runner), Arc::clone(&self.running));
        thread::spawn(move || {
            let tell = |id, event| {
                if let Some(job) = running.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
                    job.tell(event);
                }
            };
            while let Some(word) = runner::hear(&runner) {
                match word {
                    Word::Ended { job, status } => tell(job, Event::Exited(status)),
                    Word::NotStarted { job, code } => tell(job, Event::NotStarted(code)),
                    Word::Warm => drop(warm.send(())),
                    Word::Ready => {}
                }
            }
            let jobs: Vec<JobId> = running.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
            jobs.into_iter().for_each(|job| tell(job, Event::SandboxGone));
        });
    }
}

/// Whether a command could be one at all, and fits the runner's packet with room to spare.
fn sensible(command: &Command) -> bool {
    let variables = command.environment.iter().flat_map(|(name, value)| [name, value]);
    let texts = || command.words.iter().chain(variables.clone()).chain([&command.folder]);
    let size: usize = texts().map(|text| text.len() + 8).sum();
    command.words.first().is_some_and(|program| !program.is_empty())
        && command.folder.starts_with(b"/")
        && command.environment.iter().all(|(name, _)| !name.is_empty() && !name.contains(&b'='))
        && texts().all(|text| !text.contains(&0))
        && size < runner::PACKET / 2
}

#[cfg(test)]
#[path = "agent_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
