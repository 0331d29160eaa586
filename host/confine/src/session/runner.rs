//! The runner of a session: the first program in its sandbox.

use super::{
    following,
    message::{Ask, Job, Outcome, Stream, Told},
    processes::end_all_but,
};
use crate::order;
use rustix::{
    event::{PollFd, PollFlags, poll},
    fd::OwnedFd,
    fs::{CWD, Mode, OFlags},
    io::Errno,
    process::{
        DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group,
        pidfd_open, set_dumpable_behavior, waitpid,
    },
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, PipeReader, PipeWriter, Read as _, Stdout, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::mpsc,
};

/// How much is passed on at a time, in bytes.
const PIECE: usize = 64 << 10;
/// How much of what a job says can be read afterwards, in bytes: it lies in memory.
const LOGGED: usize = 32 << 20;

/// Do what is asked until nobody asks any more.
pub(crate) fn run() -> ExitCode {
    // what it starts is the same user, and is kept from its pipes and its memory by this
    let served = set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Into::into).and_then(|()| serve());
    match served {
        Ok(()) => ExitCode::SUCCESS,
        // all else ends with it
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<()> {
    let mut runner = Runner { asks: order::input()?, out: io::stdout(), interpreter: None, works: 0 };
    loop {
        let ask = match order::receive(&mut runner.asks) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            ask => ask?,
        };
        if let Ask::Follow(step) = &ask {
            let made = following::make(step).is_ok();
            runner.tell(&Told::Followed(made))?;
        }
        if let Ask::Do { job, log, old } = ask {
            let _ = std::fs::remove_file(old); // there may be none yet
            let (outcome, fresh) = runner.work(job, &log)?;
            runner.tell(&Told::Ended { outcome, fresh })?;
        }
    }
}

struct Runner {
    asks: File,
    out: Stdout,
    interpreter: Option<Interpreter>,
    /// Pieces of work until now.
    works: u64,
}

/// What keeps something from one piece of work to the next. Between them it is held.
struct Interpreter {
    process: Process,
    input: PipeWriter,
}

/// A process, and what it says: in the order in which it says it, whichever of its two outputs it takes, but for one whose
/// complaints are heard apart.
struct Process {
    pid: Pid,
    handle: OwnedFd,
    says: PipeReader,
    complains: Option<PipeReader>,
}

/// Who gives a program what it is to read, beside whoever hears it.
struct Feeder(Option<mpsc::Sender<Vec<u8>>>);

impl Feeder {
    fn new(mut input: PipeWriter) -> Self {
        let (pieces, given) = mpsc::channel::<Vec<u8>>();
        // it ends with the input, or where nobody reads any more
        std::thread::spawn(move || given.into_iter().try_for_each(|piece| input.write_all(&piece)));
        Self(Some(pieces))
    }

    fn give(&self, piece: Vec<u8>) {
        // a program that reads no more misses nothing
        let _ = self.0.as_ref().map(|pieces| pieces.send(piece));
    }

    fn end(&mut self) {
        self.0 = None;
    }
}

/// How much of a job is over.
enum Over {
    /// It has ended.
    Ended(u8),
    /// It has said the mark.
    Marked,
}

impl Runner {
    fn work(&mut self, job: Job, log: &Path) -> io::Result<(Outcome, bool)> {
        let log = Log::new(log);
        match job {
            Job::Command { words, folder } => {
                let process = match spawn(&words, &folder, Stdio::null(), false) {
                    Ok(process) => process,
                    Err(error) => return Ok((Outcome::NotStarted(error.to_string()), false)),
                };
                Ok((self.see_out(&process, Feeder(None), log)?, false))
            }
            Job::Program { words, folder } => {
                let (reads, input) = io::pipe()?;
                let process = match spawn(&words, &folder, reads.into(), true) {
                    Ok(process) => process,
                    Err(error) => return Ok((Outcome::NotStarted(error.to_string()), false)),
                };
                Ok((self.see_out(&process, Feeder::new(input), log)?, false))
            }
            Job::Work { interpreter, folder, work } => {
                let fresh = self.interpreter.is_none();
                let one = match self.interpreter.take().map_or_else(|| start(&interpreter, &folder), Ok) {
                    Ok(one) => one,
                    Err(error) => return Ok((Outcome::NotStarted(error.to_string()), true)),
                };
                self.works += 1;
                Ok((self.interpret(one, &work, log)?, fresh))
            }
        }
    }

    fn see_out(&mut self, process: &Process, feeder: Feeder, log: Log) -> io::Result<Outcome> {
        let mut watch = Watch::new((&mut self.asks, &mut self.out), feeder, log, None);
        let over = watch.until_over(process, Signal::TERM)?;
        end_all_but(self.interpreter.as_ref().map(|one| one.process.pid))?;
        watch.rest(process)?;
        Ok(exited(over))
    }

    fn interpret(&mut self, mut one: Interpreter, work: &str, log: Log) -> io::Result<Outcome> {
        let mark = format!("deskhand-done-{}", self.works);
        let _ = kill_process(one.process.pid, Signal::CONT); // if it has ended, that is found next
        // one that reads no more has ended, or is ended by whoever waits for it
        let _ = write!(one.input, "{} {mark}\n{work}", work.len()).and_then(|()| one.input.flush());
        let mark = Some([b"\0", mark.as_bytes(), b"\0"].concat());
        let mut watch = Watch::new((&mut self.asks, &mut self.out), Feeder(None), log, mark);
        let over = watch.until_over(&one.process, Signal::INT)?;
        match over {
            Over::Marked => {
                end_all_but(Some(one.process.pid))?;
                if let Some(status) = hold(one.process.pid)? {
                    return Ok(Outcome::Exited(status));
                }
                self.interpreter = Some(one);
                Ok(Outcome::Done)
            }
            Over::Ended(_) => {
                end_all_but(None)?;
                watch.rest(&one.process)?;
                Ok(exited(over))
            }
        }
    }

    fn tell(&mut self, told: &Told) -> io::Result<()> {
        order::send(&mut self.out, told)?;
        self.out.flush()
    }
}

fn exited(over: Over) -> Outcome {
    match over {
        Over::Ended(status) => Outcome::Exited(status),
        Over::Marked => Outcome::Done,
    }
}

/// Start a process; `apart`, its complaints are heard apart from what else it says.
fn spawn(words: &[OsString], folder: &Path, input: Stdio, apart: bool) -> io::Result<Process> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (says, said) = io::pipe()?;
    let mut command = Command::new(program);
    // a group of its own, which is told to end as a whole
    command.args(arguments).current_dir(folder).process_group(0).stdin(input);
    let complains = match apart {
        true => {
            let (complains, complained) = io::pipe()?;
            command.stdout(said).stderr(complained);
            Some(complains)
        }
        false => {
            command.stdout(said.try_clone()?).stderr(said);
            None
        }
    };
    let child = command.spawn()?;
    let pid = Pid::from_child(&child);
    Ok(Process { pid, handle: pidfd_open(pid, PidfdFlags::empty())?, says, complains })
}

fn start(words: &[OsString], folder: &Path) -> io::Result<Interpreter> {
    let (reads, input) = io::pipe()?;
    Ok(Interpreter { process: spawn(words, folder, reads.into(), false)?, input })
}

/// Hold a process, and wait until it is held. Its status where it has ended instead.
fn hold(pid: Pid) -> io::Result<Option<u8>> {
    let _ = kill_process(pid, Signal::STOP); // it may have ended
    let held = waited(pid, WaitOptions::UNTRACED)?;
    Ok((!held.stopped()).then(|| code(held)))
}

struct Watch<'a> {
    asks: &'a mut File,
    out: &'a mut Stdout,
    feeder: Feeder,
    log: Log,
    /// What is said when a piece of work is done.
    mark: Option<Vec<u8>>,
    /// What was said last, and may be the beginning of the mark.
    held: Vec<u8>,
}

impl<'a> Watch<'a> {
    fn new((asks, out): (&'a mut File, &'a mut Stdout), feeder: Feeder, log: Log, mark: Option<Vec<u8>>) -> Self {
        Self { asks, out, feeder, log, mark, held: Vec::new() }
    }

    /// Pass on what a process says until it is over. `interrupt` is what has it end by itself.
    fn until_over(&mut self, process: &Process, interrupt: Signal) -> io::Result<Over> {
        let mut silent = [false, process.complains.is_none()];
        loop {
            let Ready { asks, ends, says, complains } = ready(self.asks, process, silent)?;
            if asks {
                // it may have ended just now
                match order::receive(self.asks)? {
                    Ask::Interrupt => drop(kill_process_group(process.pid, interrupt)),
                    Ask::Kill => drop(kill_process(process.pid, Signal::KILL)),
                    Ask::Input(piece) => self.feeder.give(piece),
                    Ask::InputEnd => self.feeder.end(),
                    Ask::Do { .. } | Ask::Follow(_) => return Err(io::ErrorKind::InvalidData.into()),
                }
            } else if ends {
                // whatever it has left behind may go on to say something until it is ended as well
                return status(process.pid).map(Over::Ended);
            } else if says {
                silent[0] = !self.pass_on(process)?;
                if self.is_marked() {
                    return Ok(Over::Marked);
                }
            } else if complains {
                silent[1] = !self.pass_on_complaint(process)?;
            }
        }
    }

    /// Pass on what is left when nobody says anything any more.
    fn rest(&mut self, process: &Process) -> io::Result<()> {
        while self.pass_on_complaint(process)? {}
        while self.pass_on(process)? {}
        let held = std::mem::take(&mut self.held);
        self.say(&held)
    }

    /// Pass on a piece of what is heard apart. False at the end.
    fn pass_on_complaint(&mut self, process: &Process) -> io::Result<bool> {
        let Some(mut complains) = process.complains.as_ref() else { return Ok(false) };
        let mut piece = vec![0; PIECE];
        let count = complains.read(&mut piece)?;
        piece.truncate(count);
        self.tell(Stream::Error, &piece)?;
        Ok(count > 0)
    }

    /// Pass on a piece. False at the end.
    fn pass_on(&mut self, process: &Process) -> io::Result<bool> {
        let mut piece = vec![0; PIECE];
        let count = (&process.says).read(&mut piece)?;
        piece.truncate(count);
        let Some(mark) = &self.mark else {
            self.say(&piece)?;
            return Ok(count > 0);
        };
        self.held.append(&mut piece);
        // all up to where the mark may begin
        let at = self.held.iter().position(|byte| *byte == 0);
        let begins = |at: usize| {
            let rest = &self.held[at..];
            rest.starts_with(mark) || mark.starts_with(rest)
        };
        let mut from = at;
        while let Some(at) = from.filter(|at| !begins(*at)) {
            from = self.held[at + 1..].iter().position(|byte| *byte == 0).map(|next| at + 1 + next);
        }
        let said: Vec<u8> = self.held.drain(..from.unwrap_or(self.held.len())).collect();
        self.say(&said)?;
        Ok(count > 0)
    }

    fn is_marked(&self) -> bool {
        self.mark.as_ref().is_some_and(|mark| self.held.starts_with(mark))
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tell(Stream::Output, bytes)
    }

    fn tell(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.log.write(bytes);
        order::send(self.out, &Told::Output(stream, bytes.to_vec()))?;
        self.out.flush()
    }
}

/// What there is to be done for a job.
struct Ready {
    /// Something is asked.
    asks: bool,
    /// The process has ended.
    ends: bool,
    /// It says something, or will say nothing more.
    says: bool,
    /// The same of what is heard apart.
    complains: bool,
}

/// What there is to be done. What is known to be silent is not looked at: of what it says, and of what is heard apart.
fn ready(asks: &File, process: &Process, silent: [bool; 2]) -> io::Result<Ready> {
    let mut wanted = vec![PollFd::new(asks, PollFlags::IN), PollFd::new(&process.handle, PollFlags::IN)];
    let streams = [Some(&process.says), process.complains.as_ref()];
    let heard = streams.into_iter().zip(silent).filter_map(|(stream, silent)| stream.filter(|_| !silent));
    wanted.extend(heard.map(|stream| PollFd::new(stream, PollFlags::IN)));
    loop {
        match poll(&mut wanted, None) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    let mut ready = wanted.iter().map(|one| !one.revents().is_empty());
    let mut next = |looked_at: bool| looked_at && ready.next().unwrap_or_default();
    Ok(Ready { asks: next(true), ends: next(true), says: next(!silent[0]), complains: next(!silent[1]) })
}

fn waited(pid: Pid, options: WaitOptions) -> io::Result<WaitStatus> {
    loop {
        match waitpid(Some(pid), options) {
            Err(Errno::INTR) | Ok(None) => {}
            Err(error) => return Err(error.into()),
            Ok(Some((_, status))) => return Ok(status),
        }
    }
}

/// The status of a process that has ended.
fn status(pid: Pid) -> io::Result<u8> {
    waited(pid, WaitOptions::empty()).map(code)
}

/// As shells say it where a signal ended it.
fn code(status: WaitStatus) -> u8 {
    let signal = || 128 + status.terminating_signal().unwrap_or(0);
    u8::try_from(status.exit_status().unwrap_or_else(signal)).unwrap_or(u8::MAX)
}

/// All that a job says, in a file in the sandbox. Where it cannot be written it is not: the job may have it otherwise.
struct Log {
    file: Option<File>,
    left: usize,
}

impl Log {
    fn new(path: &Path) -> Self {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(CWD, path, flags, Mode::RUSR | Mode::WUSR).ok().map(File::from);
        Self { file, left: LOGGED }
    }

    fn write(&mut self, bytes: &[u8]) {
        let piece = &bytes[..bytes.len().min(self.left)];
        self.left -= piece.len();
        if self.file.as_mut().is_some_and(|file| file.write_all(piece).is_err()) {
            self.file = None;
        }
    }
}
