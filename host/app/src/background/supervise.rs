//! The process of the supervisor.

use super::workshop::Shop;
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
};
use deskhand_tasks::{Holding, Line, LineError, Place, Supervisor, supervisor::IDLE};
use std::{
    fs, io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// The command that it is started with, by Deskhand itself.
pub(crate) const SUPERVISE: &str = "supervise";

/// How long another supervisor may take to end that lets nobody in any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Work on what is queued until there is nothing left to do.
pub(crate) fn run(idle: Option<u64>) -> Result {
    leave_the_terminal().map_err(Failure::failed)?;
    output::silence();
    let idle = idle.map_or(IDLE, Duration::from_secs);
    let worked = work(idle);
    if let Err(failure) = &worked {
        super::workshop::note(&format!("the supervisor ends: {}", failure.message));
    }
    worked
}

fn work(idle: Duration) -> Result {
    let desk = Desk::open(false)?;
    let Some(holding) = hold(&Place::of(&desk.home))? else { return Ok(Exit::Done) };
    desk.recover()?;
    let records = Arc::clone(desk.records()?);
    let home = desk.home.clone();
    // one thread for the socket: each task has threads of its own
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?;
    let supervisor = Supervisor::new(records, Arc::new(Shop::of(desk)), holding, idle);
    runtime.block_on(supervisor.run(&home, env!("CARGO_PKG_VERSION"))).map_err(Failure::failed)?;
    Ok(Exit::Done)
}

/// The place of the supervisor; none where another has it and answers.
fn hold(place: &Place) -> Result<Option<Holding>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let held = place.hold().map_err(|error| {
            let folder = place.folder().display();
            Failure::failed(format!("the folder {folder} could not be used: {error}. Make it writable"))
        })?;
        if held.is_some() {
            return Ok(held);
        }
        // one that ends just now answers nobody, and lets go in a moment
        if !matches!(Line::open(place), Err(LineError::Nobody)) || Instant::now() > end {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Be no part of the terminal that this was started from: a session of its own, nothing open that was inherited, files for
/// nobody else.
fn leave_the_terminal() -> io::Result<()> {
    // whoever leads a session already has left
    let _ = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::from(0o077));
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        inherited.extend(number.filter(|number| *number > 2));
    }
    for number in inherited {
        // the one of the listing itself is closed already
        let _ = nix::unistd::close(number);
    }
    Ok(())
}
