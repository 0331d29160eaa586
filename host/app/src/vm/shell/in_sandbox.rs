//! By hand in the sandbox of this computer.

use super::{LOOK, PIECE, is_interactive, terminal, typed};
use crate::{desk::Desk, vm::command::Shell, vm::sandboxes};
use deskhand_confine::{Confined, Ended, Extent, HOME, MOUNTS, Running, Taken, start};
use deskhand_egress::Outlet;
use deskhand_tools::sandbox::NoSandbox;
use deskhand_vocabulary::Stop;
use deskhand_workspace::Workspace;
use std::{
    ffi::OsString,
    io::{IsTerminal as _, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::ChildStdin,
};

/// Run it, and let what it wrote be pending.
pub(super) fn run(
    desk: &Desk,
    workspace: &Workspace,
    outlet: Outlet,
    options: &Shell,
    request: &str,
) -> crate::failure::Result<(Ended, Taken)> {
    let sandboxes = sandboxes(&desk.home, (workspace.clone(), Extent::Remove), outlet)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(crate::failure::Failure::no_thread)?;
    let attempt = async {
        let (mut confined, mut layers, _way) = sandboxes.make("/bin/sh")?;
        let interactive = within(&mut confined, options);
        let ended = attend(start(&sandboxes.helper, confined).await?, interactive, &desk.stop).await;
        Ok::<_, NoSandbox>((ended, layers.take(workspace, request)?))
    };
    let attempted = runtime.block_on(attempt);
    runtime.shutdown_background();
    attempted.map_err(crate::failure::Failure::failed)
}

/// What gives it a terminal, where it is there.
const PYTHON: &str = "/usr/bin/python3";

/// What runs, and where. Says whether it has a terminal.
fn within(confined: &mut Confined, options: &Shell) -> bool {
    let interactive = is_interactive(options) && Path::new(PYTHON).exists();
    let mut program = options.program.iter().cloned();
    match program.next() {
        Some(name) => (confined.program, confined.arguments) = (name, program.collect()),
        None if interactive => {
            confined.program = PYTHON.into();
            confined.arguments = vec!["-c".into(), terminal::source("sandbox")];
        }
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
    interactive
}

/// Pass on what is typed and what is said, until it ends or the person stops it.
async fn attend(mut running: Running, interactive: bool, stop: &Stop) -> Ended {
    let (over, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let ends = [Arc::clone(&over), Arc::clone(&left)];
    let typing = running.stdin.take().map(|stdin| type_into(stdin, interactive, ends));
    let said = running.stdout.take().map(|from| tokio::spawn(pass_on(from, std::io::stdout())));
    let beside = running.stderr.take().map(|from| tokio::spawn(pass_on(from, std::io::stderr())));
    let stopped = async {
        while !stop.is_stopped() && !left.load(Ordering::SeqCst) {
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

/// Pass on what is typed until it is over.
fn type_into(
    mut stdin: ChildStdin,
    interactive: bool,
    [over, left]: [Arc<AtomicBool>; 2],
) -> std::thread::JoinHandle<()> {
    let (typed_pieces, mut types) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    tokio::spawn(async move {
        while let Some(piece) = types.recv().await {
            if stdin.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        let give = |piece: &[u8]| typed_pieces.blocking_send(piece.to_vec()).is_ok();
        left.store(typed(&over, interactive, give), Ordering::SeqCst);
    })
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
