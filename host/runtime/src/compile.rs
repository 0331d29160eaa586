//! Compiling a component in a process of its own. The compiler reads what strangers wrote; if it can be made to go wrong,
//! it does so without the person's files at hand, within limits on memory, time and output, and can be killed.

use crate::{config::Compiler, engine};
use rustix::process::{Resource, Rlimit, Signal};
use serde::Serialize;
use std::{
    fmt,
    fs::File,
    io::{Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitCode, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Why there is no compiled code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum CompileFailure {
    /// The compiler says that it is not a valid component.
    Refused {
        /// In its words.
        reason: String,
    },
    /// It took too long.
    Time {
        /// How long it was given, in seconds.
        seconds: u64,
    },
    /// It took too much memory, or the machine had too little.
    Memory,
    /// Its result is larger than is taken.
    Output {
        /// The most, in bytes.
        limit: u64,
    },
    /// It was killed, or ended itself.
    Killed {
        /// The signal or status.
        status: String,
    },
    /// It could not be run.
    NotRun {
        /// Why.
        reason: String,
    },
}

impl CompileFailure {
    /// True if the same component may compile at another time.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Output { .. } => false,
            Self::Time { .. } | Self::Memory | Self::Killed { .. } | Self::NotRun { .. } => true,
        }
    }
}

impl fmt::Display for CompileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { reason } => write!(f, "it is not valid ({reason}). Get it again, or tell its publisher"),
            Self::Time { seconds } => write!(
                f,
                "that took more than {seconds} s. Try again when the computer has less to do; a plugin that needs longer is too large to install"
            ),
            Self::Memory => f.write_str("there was not enough memory. Close what you do not need and try again"),
            Self::Output { limit } => write!(f, "the result has more than {limit} bytes. It is too large to install"),
            Self::Killed { status } => {
                write!(f, "the compiler was stopped ({status}). Try again; if it happens again, tell its publisher")
            }
            Self::NotRun { reason } => {
                write!(f, "the compiler could not be run ({reason}). `deskhand doctor` may say more")
            }
        }
    }
}

/// The most of the compiler's complaint that is kept, in bytes.
const COMPLAINT: u64 = 4096;

/// How many threads the compiler uses at most.
const THREADS: &str = "8";

/// The child's status when it says that the component is not valid.
const REFUSED: u8 = 2;

/// Compile what `component` holds into `output`.
pub(crate) fn compile(component: File, output: File, settings: &Compiler) -> Result<(), CompileFailure> {
    let not_run = |error: std::io::Error| CompileFailure::NotRun { reason: error.to_string() };
    let program = match &settings.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(not_run)?,
    };
    let mut child = Command::new(program)
        .args(&settings.arguments)
        .args([
            settings.memory_bytes.to_string(),
            settings.processor.as_secs().max(1).to_string(),
            settings.output_bytes.to_string(),
        ])
        .env_clear()
        // as many threads, and as much address space, on a large machine as on a small one
        .env("RAYON_NUM_THREADS", THREADS)
        .env("MALLOC_ARENA_MAX", THREADS)
        .current_dir("/")
        .stdin(component)
        .stdout(output)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let complaint = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = complaint {
            // what comes after the limit is read and dropped, so that the child does not wait for a reader
            let _ = pipe.by_ref().take(COMPLAINT).read_to_end(&mut text);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait().map_err(not_run)? {
            Some(status) => break status,
            None if started.elapsed() >= settings.wall => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(CompileFailure::Time { seconds: settings.wall.as_secs() });
            }
            None => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        }
    };
    let complaint = reader.join().unwrap_or_default();
    outcome(status, complaint, settings)
}

fn outcome(status: ExitStatus, complaint: String, settings: &Compiler) -> Result<(), CompileFailure> {
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(i32::from(REFUSED)) {
        return Err(CompileFailure::Refused { reason: complaint });
    }
    Err(match status.signal().and_then(Signal::from_named_raw) {
        Some(Signal::XCPU) => CompileFailure::Time { seconds: settings.processor.as_secs() },
        Some(Signal::XFSZ) => CompileFailure::Output { limit: settings.output_bytes },
        // how a Rust program ends when an allocation fails
        Some(Signal::ABORT) => CompileFailure::Memory,
        _ => CompileFailure::Killed { status: status.to_string() },
    })
}

/// The compiler's child process. `deskhand` calls this, with the arguments after the subcommand
/// [`crate::COMPILE_SUBCOMMAND`], before it does anything else. It reads a component from its standard input and writes
/// compiled code to its standard output.
pub fn compile_child_main(arguments: impl Iterator<Item = String>) -> ExitCode {
    match child(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ChildError::Refused(reason)) => {
            let _ = writeln!(std::io::stderr(), "{reason}");
            ExitCode::from(REFUSED)
        }
        Err(ChildError::Failed(reason)) => {
            let _ = writeln!(std::io::stderr(), "{reason}");
            ExitCode::FAILURE
        }
    }
}

enum ChildError {
    Refused(String),
    Failed(String),
}

impl From<std::io::Error> for ChildError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<rustix::io::Errno> for ChildError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Failed(error.to_string())
    }
}

fn child(arguments: impl Iterator<Item = String>) -> Result<(), ChildError> {
    let numbers: Vec<u64> = arguments
        .map(|argument| argument.parse().map_err(|_| ChildError::Failed(format!("`{argument}` is not a number"))))
        .collect::<Result<_, _>>()?;
    let [memory, processor, output] = numbers[..] else {
        return Err(ChildError::Failed("this command is for Deskhand's own use".to_owned()));
    };
    confine(memory, processor, output)?;
    let mut component = Vec::new();
    std::io::stdin().lock().take(crate::inspect::MAX_COMPONENT as u64 + 1).read_to_end(&mut component)?;
    let engine = engine::compiler().map_err(|error| ChildError::Failed(format!("{error:#}")))?;
    let code = engine.precompile_component(&component).map_err(|error| ChildError::Refused(format!("{error:#}")))?;
    let mut out = std::io::stdout().lock();
    out.write_all(&code)?;
    out.flush()?;
    Ok(())
}

fn confine(memory: u64, processor: u64, output: u64) -> Result<(), ChildError> {
    close_inherited()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    let limit = |resource, most: u64, hard: u64| {
        let present = rustix::process::getrlimit(resource);
        let within = |wanted: u64, present: Option<u64>| Some(present.map_or(wanted, |present| wanted.min(present)));
        let limit = Rlimit { current: within(most, present.maximum), maximum: within(hard, present.maximum) };
        rustix::process::setrlimit(resource, limit)
    };
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Nofile, 64, 64)?;
    limit(Resource::As, memory, memory)?;
    limit(Resource::Fsize, output, output)?;
    // the soft limit names its reason by a signal of its own; the hard one kills
    limit(Resource::Cpu, processor, processor.saturating_add(2))?;
    Ok(())
}

/// Close whatever another part of the parent left open for children.
fn close_inherited() -> Result<(), ChildError> {
    let mut open = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) {
            open.push(number);
        }
    }
    for number in open.into_iter().filter(|number| *number > 2) {
        // the handle of the listing itself is in the list and closed by now
        if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok() {
            #[expect(unsafe_code, reason = "closes handles that this process was started with and nothing in it owns")]
            // SAFETY: this runs first in a process with one thread; the number was just seen to be open, and no value of
            // this program owns a handle above standard error yet.
            drop(unsafe { <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(number) });
        }
    }
    Ok(())
}
