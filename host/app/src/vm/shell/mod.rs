//! `deskhand vm shell`: where commands of the agent run, by hand: in a guest where an image is built, else in the sandbox. What is written to the folders is shown, asked about and undone like
//! any change.

mod in_guest;
mod in_sandbox;
mod terminal;

use super::{built::built as image, command::Shell, shelter::TOLD};
use crate::{
    commands::change::{Change, said},
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::{Outgoing, grant_hosts},
    output,
    person::Silent,
    show::{counted, line},
};
use deskhand_confine::{Ended, Excess, Taken};
use deskhand_permissions::{
    Context, Standing,
    effect::{OpenFolder, RunInGuest, RunInSandbox},
};
use deskhand_vocabulary::{Access, text::in_a_line};
use deskhand_workspace::propose;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;
use std::{
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use terminal::{ESCAPE, Terminal};

/// How often it is looked whether the person has pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);
/// How much is passed on at a time, in bytes.
const PIECE: usize = 64 << 10;
/// The most of what was not taken that is told.
const REFUSED: usize = 20;

pub(super) fn run(options: &Shell) -> Result {
    let desk = Desk::open(false)?;
    desk.stop_on_interrupt();
    desk.recover()?;
    // named before anything is begun, so that a slip begins nothing
    for folder in &options.folder {
        OpenFolder::at(folder, Access::Write, &desk.home).map_err(Failure::failed)?;
    }
    let standing = options.answers.standing();
    let request = options.program.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let request = if request.is_empty() { "vm shell".to_owned() } else { in_a_line(&request) };
    Change::begin(&desk, &request, &options.folder, standing)?.end(|change| work(&desk, change, options, &request))
}

fn work(desk: &Desk, change: &Change<'_>, options: &Shell, request: &str) -> Result {
    let image = image(&desk.home, &desk.settings.vm)?;
    if image.as_ref().is_some_and(|image| image.is_behind) {
        output::aside(TOLD);
    }
    match image {
        Some(_) => drop(desk.gate()?.permit(&change.context, RunInGuest::by(&change.context.principal))?),
        None => drop(desk.gate()?.permit(&change.context, RunInSandbox::by(&change.context.principal))?),
    }
    let outlet = match change.context.task {
        Some(task) => {
            grant_hosts(desk, task, &options.host)?;
            // hosts are named in advance: whoever is asked meanwhile would answer to what runs
            let asking_nobody = desk.beside(desk.settings.clone(), desk.stop.clone(), |_| Arc::new(Silent))?;
            Outgoing::of(&asking_nobody, Context::agent(task, Standing::default()))?.pages()
        }
        None => return Err(Failure::failed("what is done in the sandbox belongs to no task")),
    };
    let (ended, taken) = match image {
        Some(image) => in_guest::run(desk, &change.workspace, (outlet, image.digest), options, request)?,
        None => in_sandbox::run(desk, &change.workspace, outlet, options, request)?,
    };
    tell(&ended, &taken);
    if desk.stop.is_stopped() {
        return Err(Failure::new(Exit::Stopped, "Stopped. Nothing of it was changed."));
    }
    let clean = ended == Ended::Exited(0);
    let exit = if change.workspace.is_unchanged() {
        Exit::Done
    } else {
        let person = desk.person.as_ref();
        let decided = propose(&change.workspace, desk.gate()?, &change.context, person, request, json!({}), &desk.stop);
        said(desk, decided, &[], options.answers.standing())?
    };
    Ok(if exit == Exit::Done && !clean { Exit::Failed } else { exit })
}

/// Whether a shell is to be typed into at a terminal.
fn is_interactive(options: &Shell) -> bool {
    options.program.is_empty() && terminal::is_there()
}

/// Give on what is typed, in pieces, until it is over or nobody takes it. It is looked whether there is something before it is
/// read: a read is not broken off. Says whether the person ended it.
fn typed(over: &AtomicBool, interactive: bool, mut give: impl FnMut(&[u8]) -> bool) -> bool {
    let _terminal = interactive.then(Terminal::take).flatten();
    let mut piece = vec![0; PIECE];
    while !over.load(Ordering::SeqCst) {
        if !is_typed() {
            continue;
        }
        match std::io::stdin().lock().read(&mut piece) {
            Ok(count @ 1..) if interactive && piece[..count].contains(&ESCAPE) => return true,
            Ok(count @ 1..) if give(&piece[..count]) => {}
            _ => return false,
        }
    }
    false
}

/// Whether there is something in standard input, or its end; waits a moment for that.
fn is_typed() -> bool {
    let stdin = std::io::stdin();
    let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
    let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    poll(&mut wanted, Some(&moment)).is_ok_and(|count| count > 0)
}

fn tell(ended: &Ended, taken: &Taken) {
    match ended {
        Ended::Exited(0) | Ended::Stopped => {}
        Ended::Exited(code) => output::aside(&format!("It ended with code {code}.")),
        Ended::Beyond(excess) => {
            let what = match excess {
                Excess::Memory => "memory",
                Excess::Processes => "processes",
                Excess::Processor => "time of the processor",
                Excess::Disk => "room on the disk",
            };
            output::aside(&format!("It used more {what} than it may, and was ended."));
        }
    }
    for refused in taken.refused.iter().take(REFUSED) {
        output::aside(&format!("Not taken: {} ({})", line(&refused.path.to_string()), line(&refused.reason)));
    }
    let more = taken.more + taken.refused.len().saturating_sub(REFUSED) as u64;
    if more > 0 {
        output::aside(&format!("{} more were not taken.", counted(more, "file")));
    }
    if let Some(bits) = taken.bits() {
        output::aside(&format!("Not taken: {}.", line(&bits)));
    }
}
