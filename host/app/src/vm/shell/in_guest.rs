//! By hand in a guest.

use super::{LOOK, is_interactive, terminal, typed};
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    output,
    show::line,
    vm::{
        command::Shell,
        guest::{HOME, TaskGuest},
        shelter::{bridge, memory_of_jobs},
    },
};
use deskhand_confine::{Ended, Excess, Extent, MOUNTS, Taken};
use deskhand_egress::Outlet;
use deskhand_vm_bridge::{Ending, Event, Job, Limits, PYTHON, Stream, Warmth};
use deskhand_vocabulary::{Sha256, path::decode};
use deskhand_workspace::Workspace;
use std::{
    ffi::OsString,
    io::Write as _,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Said before a wait that is not usual.
const FIRST: &str = "No saved guest fits these settings. One is started and saved, which takes a minute or two where guests are \
                     emulated; the next is there at once.";

/// The most processes at one time.
const PROCESSES: u32 = 512;

/// Run it, and let what it wrote be pending.
pub(super) fn run(
    desk: &Desk,
    workspace: &Workspace,
    (outlet, image): (Outlet, Sha256),
    options: &Shell,
    request: &str,
) -> Result<(Ended, Taken)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(Failure::no_thread)?;
    let bridge = bridge(&desk.home, &desk.settings.vm, image).map_err(Failure::failed)?;
    if !bridge.is_prepared(Warmth::Python) && (is_python(options) || !bridge.is_prepared(Warmth::Booted)) {
        output::aside(FIRST);
    }
    let opened = TaskGuest::open(
        &bridge,
        (workspace, Extent::Remove),
        &desk.home.sandboxes(),
        (&outlet, runtime.handle()),
        is_python(options),
    );
    let mut guest = opened.map_err(Failure::failed)?;
    let memory = memory_of_jobs(&desk.settings.vm);
    let limits = Limits { memory, processes: PROCESSES, milliseconds: u64::MAX, output: u64::MAX };
    let job = guest.start(&words(options), &folder(workspace), limits, false).map_err(Failure::failed)?;
    let ended = attend(desk, &job, options)?;
    let taken = guest.take(workspace, request, &desk.stop).map_err(Failure::failed)?;
    drop(guest);
    runtime.shutdown_background();
    Ok((ended, taken))
}

/// Whether it is of use that Python is warm.
fn is_python(options: &Shell) -> bool {
    is_interactive(options) || options.program.first().is_some_and(|program| program == PYTHON[0])
}

fn words(options: &Shell) -> Vec<OsString> {
    if !options.program.is_empty() {
        return options.program.clone();
    }
    if is_interactive(options) {
        let [python, unbuffered, given] = PYTHON.map(OsString::from);
        return vec![python, unbuffered, given, terminal::source("guest")];
    }
    ["/bin/bash", "--norc"].map(OsString::from).to_vec()
}

fn folder(workspace: &Workspace) -> PathBuf {
    let folders = workspace.folders();
    match &folders[..] {
        [] => PathBuf::from(HOME),
        [only] => Path::new(MOUNTS).join(OsString::from_vec(decode(only.name.as_str()))),
        _ => PathBuf::from(MOUNTS),
    }
}

/// Pass on what is typed and what is said, until it ends or the person stops it.
fn attend(desk: &Desk, job: &Job, options: &Shell) -> Result<Ended> {
    let interactive = is_interactive(options);
    let (over, left) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (stdin, typed_over, leaving) = (job.stdin(), Arc::clone(&over), Arc::clone(&left));
    let typing = std::thread::spawn(move || {
        leaving.store(typed(&typed_over, interactive, |piece| stdin.write(piece).is_ok()), Ordering::SeqCst);
        let _ = stdin.end(); // it may be over
    });
    let mut stopped = false;
    let ended = loop {
        match job.next_within(LOOK) {
            // nobody may read it any more
            Some(Event::Output { stream: Stream::Output, bytes }) => {
                let _ = std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush());
            }
            Some(Event::Output { stream: Stream::Error, bytes }) => {
                let _ = std::io::stderr().write_all(&bytes);
            }
            Some(Event::Ended { ending, .. }) => break Ok(how(ending, stopped)),
            Some(Event::Refused(why)) => {
                let program = options.program.first().map_or("bash".into(), |program| program.to_string_lossy());
                break Err(Failure::failed(format!("{}: {why}", line(&program))));
            }
            Some(Event::Lost(why)) => break Err(Failure::failed(why)),
            None => {}
        }
        if (desk.stop.is_stopped() || left.load(Ordering::SeqCst)) && !stopped {
            stopped = true;
            let _ = job.stop(); // without a guest its end comes next
        }
    };
    over.store(true, Ordering::SeqCst);
    // what is typed from here on is an answer to us
    let _ = typing.join();
    ended
}

fn how(ending: Ending, stopped: bool) -> Ended {
    match ending {
        _ if stopped => Ended::Stopped,
        Ending::Exited(code) => Ended::Exited(u8::try_from(code).unwrap_or(u8::MAX)),
        // as shells say it
        Ending::Signal(signal) => Ended::Exited(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
        Ending::OutOfMemory => Ended::Beyond(Excess::Memory),
        Ending::OutOfTime | Ending::Stopped => Ended::Stopped,
    }
}
