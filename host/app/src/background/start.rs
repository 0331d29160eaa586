//! Starting the supervisor, and having it look into the queue.

use super::{environment, supervise::SUPERVISE};
use crate::{desk::Desk, failure::Result, output, show};
use deskhand_tasks::{Line, LineError, Place, queue};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Stdio},
};

/// So often another is started where one ends just now.
const TRIES: usize = 3;
/// The most bytes that the supervisor's own log has when one more starts.
const LONGEST: u64 = 1 << 20;

/// Have the supervisor look into the queue, starting it where there is none.
pub(super) fn look(desk: &Desk) -> std::result::Result<(), LineError> {
    let mut tried = Ok(());
    for _ in 0..TRIES {
        tried = open(desk).and_then(|line| line.look());
        if !matches!(tried, Err(LineError::Nobody)) {
            break;
        }
    }
    tried
}

/// The same, if something is in the queue; what stands in the way is said, and is no failure.
pub(crate) fn look_if_queued(desk: &Desk) -> Result<()> {
    // one that is at work may be so in a process that ends just now: whether anybody goes on with it, the socket tells
    let waiting = queue::read(desk.records()?, |_| false)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let rests = |one: &queue::Waiting| !crate::agent::is_at_work(&desk.home, one.task);
    if let Err(error) = look(desk)
        && waiting.iter().any(rests)
    {
        output::aside(&show::sentence(&format!("tasks wait for their turn, but nobody works on them: {error}")));
    }
    Ok(())
}

/// A line to the supervisor, starting it where there is none.
pub(super) fn open(desk: &Desk) -> std::result::Result<Line, LineError> {
    let place = Place::of(&desk.home);
    Line::open_or_start(&place, || start(desk, &place))
}

/// Start it. It frees itself from the terminal, and if another is there it ends.
fn start(desk: &Desk, place: &Place) -> io::Result<()> {
    place.make()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(SUPERVISE).env_clear().envs(environment::kept(desk));
    // no folder is held busy by it: each task has the whole paths of its own
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log(place)?).current_dir("/");
    // it outlives this process
    command.spawn().map(drop)
}

/// What the supervisor itself has to say goes there: numbers and reasons, no contents.
fn log(place: &Place) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.create(true).append(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    let log = options.open(place.log())?;
    if log.metadata()?.len() > LONGEST {
        log.set_len(0)?;
    }
    Ok(log)
}
