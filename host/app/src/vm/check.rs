//! `deskhand vm check`: tries from inside what must not be possible there. The probes are those of the guest's program, in
//! the sandbox of this computer and, where its image is built, in a guest.

use super::{
    guest::HOME,
    shelter::{bridge, image},
};
use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::line,
};
use deskhand_confine::{Confined, Ended, Helper, start};
use deskhand_vm_bridge::{Command, Event, Limits, Reach, Stream, Warmth};
use deskhand_vm_image::guest_program;
use serde_json::json;
use std::{io::Write as _, os::unix::fs::PermissionsExt as _};
use tokio::io::AsyncReadExt as _;

/// What the sandbox is called for programs.
const SANDBOX: &str = "sandbox";
/// The most bytes that the probes say.
const MOST: u64 = 64 << 10;
/// What a probe says that found a hole.
const OPEN: &str = "OPEN";
/// What is no hole in the sandbox of this computer: these sockets speak of its own network, in which nothing is, and all of its
/// processes are held by the same filter and have the same rights and limits.
const HARMLESS: [&str; 3] =
    ["netlink socket", "open the memory of the first process", "write to the memory of another process"];
/// What a job of the guest may use.
const LIMITS: Limits = Limits { memory: 64 << 20, processes: 16, milliseconds: 300_000, output: MOST };

pub(super) fn run(options: &Json) -> Result {
    let desk = Desk::open_whatever(options.json)?;
    let mut holes = 0;
    let mut tell = |name: &str, place: &str, said: std::result::Result<String, String>| {
        let said = match said {
            Ok(said) => said,
            Err(reason) => {
                if options.json {
                    output::text(&format!("{}\n", json!({"boundary": place, "not-tried": reason})));
                } else {
                    output::text(&format!("{name}: not tried: {}\n", line(&reason)));
                }
                return;
            }
        };
        if !options.json {
            output::text(&format!("{name}:\n"));
        }
        for (outcome, probe) in said.lines().filter_map(|line| line.split_once('\t')) {
            let outcome =
                if outcome == OPEN && place == SANDBOX && HARMLESS.contains(&probe) { "harmless" } else { outcome };
            holes += u64::from(outcome == OPEN);
            output::text(&match options.json {
                true => format!("{}\n", json!({"boundary": place, "probe": probe, "outcome": outcome})),
                false => format!("  {:<12} {}\n", line(outcome), line(probe)),
            });
        }
    };
    tell("The sandbox of this computer", SANDBOX, in_sandbox(&desk));
    tell("The guest", "guest", in_guest(&desk));
    if holes == 0 {
        if !options.json {
            output::text("None of what was tried is possible.\n");
        }
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!(
        "{holes} of what must not be possible is possible. Run nothing there that you do not trust, and report it: SECURITY.md"
    )))
}

fn in_sandbox(desk: &Desk) -> std::result::Result<String, String> {
    if guest_program().is_empty() {
        return Err("there are no probes for this kind of machine".to_owned());
    }
    let said = |error: std::io::Error| error.to_string();
    // outside of Deskhand's own folders, which no sandbox sees
    let folder = tempfile::tempdir().map_err(said)?;
    let program = folder.path().canonicalize().map_err(said)?.join("probe");
    let mut file = std::fs::File::create_new(&program).map_err(said)?;
    file.write_all(guest_program()).map_err(said)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o700)).map_err(said)?;
    drop(file);
    let helper = Helper::own(&desk.home).map_err(said)?;
    let mut confined = Confined::new(&program);
    confined.arguments = vec!["probe".into()];
    confined.readable.push(program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said)?;
    runtime.block_on(async {
        let mut running = start(&helper, confined).await.map_err(|error| error.to_string())?;
        let mut said = String::new();
        if let Some(stdout) = running.stdout.take() {
            stdout.take(MOST).read_to_string(&mut said).await.map_err(|error| error.to_string())?;
        }
        match running.wait().await {
            // it says so where it found a hole
            Ended::Exited(0 | 1) => Ok(said),
            ended => Err(format!("the probes ended early ({ended:?})")),
        }
    })
}

fn in_guest(desk: &Desk) -> std::result::Result<String, String> {
    let no_image = || "no image is built (deskhand vm build)".to_owned();
    let image = image(&desk.home, &desk.settings.vm).map_err(|failure| failure.message)?.ok_or_else(no_image)?;
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let bridge = bridge(&desk.home, &desk.settings.vm, image).map_err(|error| said(&error))?;
    let guest = bridge.guest(&Reach::default(), Warmth::Booted).map_err(|error| said(&error))?;
    let command = Command::new(&["/run/deskhand/guest", "probe"], HOME);
    let job = guest.start(command, LIMITS).map_err(|error| said(&error))?;
    job.end_input().map_err(|error| said(&error))?;
    let mut heard = Vec::new();
    loop {
        match job.next() {
            Event::Output { stream: Stream::Output, bytes } => heard.extend(bytes),
            Event::Output { .. } => {}
            Event::Ended { .. } => return Ok(String::from_utf8_lossy(&heard).into_owned()),
            last => return Err(format!("the probes ended early ({last:?})")),
        }
    }
}
