//! The watcher of a program: a process of ours between us and it. It ends the program, and all that the program started in
//! its group, when we end or are killed, or when it is told to; and with the program it ends itself. It passes nothing on:
//! the streams of the program are the ends of our own pipes.

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, getppid, kill_process_group, pidfd_open},
};
use std::{
    io,
    os::{fd::AsFd, unix::process::CommandExt as _},
    process::{Child, Command, ExitCode},
    sync::{Arc, Mutex, PoisonError},
};

/// What `deskhand` is called with to be a watcher.
pub const WATCH_SUBCOMMAND: &str = "watch-program";

/// Where the program could not be started, the watcher ends with this code, as a shell would.
const NOT_STARTED: u8 = 127;

/// Be a watcher. `deskhand` calls this with the arguments after the subcommand, before it does anything else: the process that
/// is watched for, the program, and what the program is given.
pub fn watch_main(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let parent = arguments.next().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
    let (Some(parent), Some(program)) = (parent, arguments.next()) else { return ExitCode::from(2) };
    match watch(parent, Command::new(&program).args(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = io::Write::write_all(&mut io::stderr(), format!("{program}: {error}\n").as_bytes());
            ExitCode::from(NOT_STARTED)
        }
    }
}

fn watch(parent: Pid, command: &mut Command) -> io::Result<u8> {
    let parent_at_work = pidfd_open(parent, PidfdFlags::empty())?;
    if getppid() != Some(parent) {
        return Err(io::Error::other("whoever started it is gone"));
    }
    let program = Arc::new(Mutex::new(None));
    end_on_signal(Arc::clone(&program))?;
    let (mut child, group) = {
        // a signal that comes just now waits until there is something to end
        let mut program = program.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.process_group(0).spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        *program = Some(group);
        (child, group)
    };
    let watched = until_either_ends(&parent_at_work, group);
    // until it is waited for, its number is nobody else's
    let _ = kill_process_group(group, Signal::KILL);
    watched.and_then(|()| code(&mut child))
}

/// End the program, and with it ourselves, when we are told to.
fn end_on_signal(program: Arc<Mutex<Option<Pid>>>) -> io::Result<()> {
    let end = move || match *program.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(group) => drop(kill_process_group(group, Signal::KILL)),
        None => std::process::exit(NOT_STARTED.into()),
    };
    ctrlc::set_handler(end).map_err(io::Error::other)
}

/// Wait for the end of the parent or of the program.
fn until_either_ends(parent: &impl AsFd, program: Pid) -> io::Result<()> {
    let child = pidfd_open(program, PidfdFlags::empty())?;
    let mut ends = [PollFd::new(parent, PollFlags::IN), PollFd::new(&child, PollFlags::IN)];
    loop {
        match poll(&mut ends, None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn code(child: &mut Child) -> io::Result<u8> {
    let code = child.wait()?.code().unwrap_or(128 + Signal::KILL.as_raw());
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}
