//! The first process of the sandbox. It starts jobs, gathers how they end, and has no more rights than they: what a job
//! could make of it, it could do itself. As first process of its namespace no job can signal it, and none can look into
//! it.

use crate::{
    gate,
    warm::{self, Warm},
};
use deskhand_vm_protocol::{Command, JobId, PROXY_PORT};
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        recvmsg, send, sendmsg,
    },
    process::{DumpableBehavior, WaitOptions, set_dumpable_behavior, wait},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    env,
    ffi::OsString,
    fs, io,
    mem::MaybeUninit,
    net::TcpListener,
    os::{
        unix::ffi::OsStringExt as _,
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{self, ExitCode, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, Thread},
};

/// The most bytes of one packet between the agent and the runner.
pub(crate) const PACKET: usize = 128 << 10;

/// What the agent asks.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// A job. With it come its input, output, error and gate.
    Start(Start),
    /// An interpreter that waits. Answered by [`Word::Warm`].
    Warm,
}

/// A job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) job: JobId,
    pub(crate) command: Command,
}

/// What the runner says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Word {
    /// Jobs may come. Its first word; with it comes the listener for what is to be carried to the proxy.
    Ready,
    /// The first process of a job is over, with its status as of `wait(2)`.
    Ended { job: JobId, status: i32 },
    /// There is no process, with the code of the error.
    NotStarted { job: JobId, code: i32 },
    /// The interpreter waits.
    Warm,
}

/// Send a job to the runner.
pub(crate) fn send_start(runner: &OwnedFd, start: Start, descriptors: [OwnedFd; 4]) -> io::Result<()> {
    send_with(runner, &Order::Start(start), &descriptors.each_ref().map(|descriptor| descriptor.as_fd()))
}

/// Have the runner keep an interpreter warm.
pub(crate) fn warm(runner: &OwnedFd) -> io::Result<()> {
    send_with(runner, &Order::Warm, &[])
}

/// Send a packet with at most four descriptors.
fn send_with(to: &OwnedFd, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let packet = postcard::to_allocvec(message).map_err(io::Error::other)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(to, &[io::IoSlice::new(&packet)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receive a packet with what came along: how many bytes it has.
fn receive(from: &OwnedFd, packet: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(from, &mut [io::IoSliceMut::new(packet)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    Ok((received.bytes, descriptors))
}

/// Wait for the runner's next word; `None` once it is gone or makes no sense, which comes to the same.
pub(crate) fn hear(runner: &OwnedFd) -> Option<Word> {
    let mut packet = [0; 64];
    let (read, _) = rustix::net::recv(runner, &mut packet, RecvFlags::empty()).ok()?;
    postcard::from_bytes(packet.get(..read)?).ok()
}

/// Wait for the runner's first word, and what comes with it.
pub(crate) fn hear_ready(runner: &OwnedFd) -> Option<TcpListener> {
    let mut packet = [0; 64];
    let (read, mut descriptors) = receive(runner, &mut packet).ok()?;
    let word: Word = postcard::from_bytes(packet.get(..read)?).ok()?;
    (word == Word::Ready).then(|| descriptors.pop()).flatten().map(TcpListener::from)
}

/// The jobs by their first process, and the thread that waits for them.
type Running = Arc<Mutex<HashMap<i32, JobId>>>;

/// `runner DESCRIPTOR`
pub(crate) fn main() -> ExitCode {
    let number = env::args().nth(2).and_then(|text| text.parse().ok());
    let Some(agent) = number.and_then(gate::adopt) else { return ExitCode::from(2) };
    match run(agent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run(agent: OwnedFd) -> io::Result<()> {
    // the agent cannot be killed for want of memory; whoever stands here can
    fs::write("/proc/self/oom_score_adj", "0")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::io::fcntl_setfd(&agent, rustix::io::FdFlags::CLOEXEC)?;
    let agent = Arc::new(agent);
    let running = Running::default();
    let waiting = {
        let (agent, running) = (Arc::clone(&agent), Arc::clone(&running));
        thread::spawn(move || gather(&agent, &running)).thread().clone()
    };
    let listener = TcpListener::bind(("127.0.0.1", PROXY_PORT))?;
    send_with(&agent, &Word::Ready, &[listener.as_fd()])?;
    drop(listener);
    let mut runner = Runner { agent, running, waiting, warm: None };
    let mut packet = vec![0; PACKET];
    loop {
        let (read, descriptors) = receive(&runner.agent, &mut packet)?;
        if read == 0 {
            return Ok(());
        }
        match postcard::from_bytes(&packet[..read]).map_err(io::Error::other)? {
            Order::Start(start) => runner.start(start, descriptors)?,
            Order::Warm => {
                runner.warm = Some(Warm::start()?);
                say(&runner.agent, &Word::Warm)?;
            }
        }
    }
}

struct Runner {
    agent: Arc<OwnedFd>,
    running: Running,
    /// The thread that waits for processes.
    waiting: Thread,
    warm: Option<Warm>,
}

impl Runner {
    /// Start a job, whose process waits at its gate.
    fn start(&mut self, Start { job, command }: Start, descriptors: Vec<OwnedFd>) -> io::Result<()> {
        let Ok([input, output, mut error, gate]) = <[OwnedFd; 4]>::try_from(descriptors) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if command.merged {
            error = output.try_clone()?;
        }
        let running = Arc::clone(&self.running);
        // held over both, so that no process ends before it is known
        let mut jobs = running.lock().unwrap_or_else(PoisonError::into_inner);
        let started = match self.fork(&command, [input.as_fd(), output.as_fd(), error.as_fd(), gate.as_fd()]) {
            Some(started) => started,
            None => spawn(command, input, output, error, gate),
        };
        match started {
            Ok(process) => {
                jobs.insert(process, job);
                self.waiting.unpark();
                Ok(())
            }
            Err(error) => {
                say(&self.agent, &Word::NotStarted { job, code: error.raw_os_error().unwrap_or(libc::EINVAL) })
            }
        }
    }

    /// Start it in the interpreter that is warm; none where it is not for that, or that does not answer.
    fn fork(&mut self, command: &Command, descriptors: [BorrowedFd<'_>; 4]) -> Option<io::Result<i32>> {
        let warm = self.warm.as_ref()?;
        let source = warm::source(command)?;
        let forked = warm.fork(source, command, descriptors).transpose();
        if forked.is_none() {
            // a job has ended or stopped it, and the others get a fresh one each
            self.warm = None;
        }
        forked
    }
}

/// Start a program: the number of its process.
fn spawn(command: Command, input: OwnedFd, output: OwnedFd, error: OwnedFd, gate: OwnedFd) -> io::Result<i32> {
    let mut words = command.words.into_iter().map(OsString::from_vec);
    let mut process = process::Command::new(words.next().unwrap_or_default());
    process
        .args(words)
        .envs(
            command.environment.into_iter().map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value))),
        )
        .current_dir(OsString::from_vec(command.folder))
        .process_group(0)
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output))
        .stderr(Stdio::from(error));
    gate::hold(&mut process, gate);
    // a process's number is positive and fits
    process.spawn().map(|child| child.id().cast_signed())
}

/// Wait for all children, those of jobs and those that jobs left behind.
fn gather(agent: &OwnedFd, running: &Running) {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((process, status))) => {
                let process = process.as_raw_nonzero().get();
                let job = running.lock().unwrap_or_else(PoisonError::into_inner).remove(&process);
                let Some(job) = job else { continue };
                if say(agent, &Word::Ended { job, status: status.as_raw() }).is_err() {
                    return;
                }
            }
            // no child: the next one wakes this thread
            Err(Errno::CHILD) => thread::park(),
            Ok(None) | Err(_) => {}
        }
    }
}

fn say(agent: &OwnedFd, word: &Word) -> io::Result<()> {
    let packet = postcard::to_allocvec(word).map_err(io::Error::other)?;
    send(agent, &packet, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What a status of `wait(2)` says: an exit status or a signal.
pub(crate) fn read_status(status: i32) -> (Option<i32>, Option<i32>) {
    let status = ExitStatus::from_raw(status);
    (status.code(), status.signal())
}
