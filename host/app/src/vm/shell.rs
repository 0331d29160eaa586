//! `deskhand vm shell`: the sandbox of the agent, by hand. What is written to the folders is shown, asked about and undone like
//! any change.

use super::{command::Shell, sandboxes};
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
use deskhand_confine::{Confined, Ended, Excess, HOME, MOUNTS, Running, Taken, start};
use deskhand_permissions::{
    Context, Standing,
    effect::{OpenFolder, RunInSandbox},
};
use deskhand_tools::sandbox::NoSandbox;
use deskhand_vocabulary::{Access, Stop};
use deskhand_workspace::propose;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;
use std::{
    ffi::OsString,
    io::{IsTerminal as _, Read as _, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::ChildStdin,
};

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
    let request = if request.is_empty() { "vm shell".to_owned() } else { request };
    Change::begin(&desk, &request, &options.folder, standing)?.end(|change| work(&desk, change, options, &request))
}

fn work(desk: &Desk, change: &Change<'_>, options: &Shell, request: &str) -> Result {
    desk.gate()?.permit(&change.context, RunInSandbox)?.redeem();
    let outlet = match change.context.task {
        Some(task) => {
            grant_hosts(desk, task, &options.host)?;
            // hosts are named in advance: whoever is asked meanwhile would answer to what runs
            let asking_nobody = desk.beside(desk.settings.clone(), desk.stop.clone(), |_| Arc::new(Silent))?;
            Outgoing::of(&asking_nobody, Context::agent(task, Standing::default()))?.pages()
        }
        None => return Err(Failure::failed("what is done in the sandbox belongs to no task")),
    };
    let sandboxes = sandboxes(desk, &change.workspace, outlet)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(Failure::no_thread)?;
    let attempt = async {
        let (mut confined, mut layers, _way) = sandboxes.make("/bin/sh")?;
        within(&mut confined, options);
        let ended = attend(start(&sandboxes.helper, confined).await?, &desk.stop).await;
        Ok::<_, NoSandbox>((ended, layers.take(&change.workspace, request)?))
    };
    let attempted = runtime.block_on(attempt);
    runtime.shutdown_background();
    let (ended, taken) = attempted.map_err(Failure::failed)?;
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

/// What runs, and where.
fn within(confined: &mut Confined, options: &Shell) {
    let mut program = options.program.iter().cloned();
    match program.next() {
        Some(name) => (confined.program, confined.arguments) = (name, program.collect()),
        None if std::io::stdin().is_terminal() => {
            confined.arguments = vec!["-i".into()];
            confined.environment.push(("PS1".into(), "sandbox$ ".into()));
        }
        None => {}
    }
    let only =
        confined.folders.first().filter(|_| confined.folders.len() == 1).map(|folder| folder.inside().to_owned());
    let many = if confined.folders.is_empty() { HOME } else { MOUNTS };
    confined.working_folder = Some(only.unwrap_or_else(|| PathBuf::from(many)));
    confined.environment.push((OsString::from("TERM"), OsString::from("dumb")));
}

/// Pass on what is typed and what is said, until it ends or the person stops it.
async fn attend(mut running: Running, stop: &Stop) -> Ended {
    let over = Arc::new(AtomicBool::new(false));
    let typing = running.stdin.take().map(|stdin| type_into(stdin, Arc::clone(&over)));
    let said = running.stdout.take().map(|from| tokio::spawn(pass_on(from, std::io::stdout())));
    let beside = running.stderr.take().map(|from| tokio::spawn(pass_on(from, std::io::stderr())));
    let stopped = async {
        while !stop.is_stopped() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        _ = running.wait() => {}
        () = stopped => running.stop(),
    }
    let ended = running.wait().await;
    over.store(true, Ordering::SeqCst);
    // what is typed from here on is an answer to us
    let _ = typing.map(std::thread::JoinHandle::join);
    // all that it said is in the pipes, and they have an end now
    for passing in [said, beside].into_iter().flatten() {
        let _ = passing.await;
    }
    ended
}

/// Pass on what is typed until it is over. It is looked whether there is something before it is read: a read is not broken off.
fn type_into(mut stdin: ChildStdin, over: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    let (typed, mut types) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    tokio::spawn(async move {
        while let Some(piece) = types.recv().await {
            if stdin.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        while !over.load(Ordering::SeqCst) {
            if !is_typed() {
                continue;
            }
            match std::io::stdin().lock().read(&mut piece) {
                Ok(count @ 1..) if typed.blocking_send(piece[..count].to_vec()).is_ok() => {}
                _ => return,
            }
        }
    })
}

/// Whether there is something in standard input, or its end; waits a moment for that.
fn is_typed() -> bool {
    let stdin = std::io::stdin();
    let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
    let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    poll(&mut wanted, Some(&moment)).is_ok_and(|count| count > 0)
}

/// As it comes: what a program says at a terminal is for that.
async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl Write) {
    let mut piece = vec![0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..count]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
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
