//! `deskhand doctor`: what works here, and what to do about what does not. It tries things; it does not guess.

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{bytes, counted, line},
};
use deskhand_records::{free_space, is_full};
use deskhand_workspace::{History, Standing, interrupted};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, ResolveFlags, ioctl_ficlone, openat2, renameat_with};
use serde::Serialize;
use std::{fs::File, io::Write as _, path::Path, process::Command};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Health {
    /// It works.
    Works,
    /// It works less well, or something wants attention.
    Note,
    /// It does not work.
    Broken,
}

/// One thing that was tried.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    what: &'static str,
    health: Health,
    found: String,
    /// What to do about it; empty where nothing needs doing.
    remedy: String,
}

impl Check {
    pub(crate) fn works(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, health: Health::Works, found: found.into(), remedy: String::new() }
    }

    pub(crate) fn note(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Note, found: found.into(), remedy: remedy.into() }
    }

    pub(crate) fn broken(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Broken, found: found.into(), remedy: remedy.into() }
    }
}

pub(crate) fn run(options: &cli::Json) -> Result {
    let desk = Desk::open_anyway(options.json)?;
    let checks = [
        settings(&desk),
        room(&desk),
        beneath(&desk.home.data),
        reflink(&desk.home.data),
        record(&desk),
        unfinished(&desk),
        undoable(&desk),
        plugins(&desk),
        crate::market::doctor(&desk),
        crate::model::doctor(&desk),
        crate::mcp::doctor(&desk),
        sandbox(&desk),
        crate::vm::doctor(&desk),
        toolchain(),
        zone(&desk),
        editor(),
    ];
    for check in &checks {
        if desk.json {
            output::text(&format!("{}\n", serde_json::to_string(check).unwrap_or_default()));
            continue;
        }
        let mark = match check.health {
            Health::Works => "ok  ",
            Health::Note => "note",
            Health::Broken => "FAIL",
        };
        output::text(&format!("{mark}  {:<18} {}\n", check.what, line(&check.found)));
        if !check.remedy.is_empty() {
            output::text(&format!("      {:<18} {}\n", "", line(&check.remedy)));
        }
    }
    Ok(if checks.iter().any(|check| check.health == Health::Broken) { Exit::Failed } else { Exit::Done })
}

fn settings(desk: &Desk) -> Check {
    let path = desk.home.config_file();
    if let Some(slip) = &desk.slip {
        let found = slip.to_string().replace('\n', " ");
        return Check::broken(
            "settings",
            found,
            "Until then the defaults hold for looking and undoing; nothing else is done.",
        );
    }
    let found = if path.exists() { format!("{}", path.display()) } else { "the defaults hold".to_owned() };
    Check::works("settings", found)
}

/// Below this a disk has no room to work with, in bytes.
const SCARCE: u64 = 100_000_000;

/// How much room there is where Deskhand keeps its own things.
fn room(desk: &Desk) -> Check {
    let what = "disk space";
    let folders = [&desk.home.data, &desk.home.cache];
    let free = folders.iter().filter_map(|folder| Some((free_space(folder)?, folder.display())));
    match free.min_by_key(|(free, _)| *free) {
        None => Check::note(what, "could not be found out", ""),
        Some((free, folder)) => {
            let found = format!("{} free on the disk of {folder}", bytes(free));
            if is_full(&desk.home.data) || is_full(&desk.home.cache) {
                Check::broken(
                    what,
                    found,
                    "The disk is full. Delete or move something on it, or set DESKHAND_HOME to a folder on another.",
                )
            } else if free < SCARCE {
                Check::note(what, found, "Free some: `deskhand purge --preview` says how much old versions take.")
            } else {
                Check::works(what, found)
            }
        }
    }
}

/// Whether the kernel keeps a path below its folder (openat2, Linux 5.6) and exchanges two files at once (renameat2).
fn beneath(folder: &Path) -> Check {
    let what = "safe file access";
    let opened = openat2(
        CWD,
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_MAGICLINKS,
    );
    if let Err(error) = opened {
        return Check::broken(what, format!("the kernel has no openat2 ({error})"), "Use Linux 5.6 or newer.");
    }
    let exchanged = tempfile::NamedTempFile::new_in(folder)
        .and_then(|one| Ok((one, tempfile::NamedTempFile::new_in(folder)?)))
        .map(|(one, two)| renameat_with(CWD, one.path(), CWD, two.path(), RenameFlags::EXCHANGE));
    match exchanged {
        Ok(Ok(())) => Check::works(what, "paths cannot leave a folder; files are exchanged in one step"),
        Ok(Err(_)) => Check::note(
            what,
            "this disk cannot exchange two files in one step",
            "Two steps are used; the journal covers both.",
        ),
        Err(error) => Check::broken(
            what,
            format!("{} cannot be written: {error}", folder.display()),
            "Make it writable, or set DESKHAND_HOME.",
        ),
    }
}

/// Whether old versions are kept without taking room.
fn reflink(folder: &Path) -> Check {
    let what = "old versions";
    let cloned = tempfile::tempfile_in(folder).and_then(|mut one| {
        one.write_all(&[0; 4096])?;
        let two: File = tempfile::tempfile_in(folder)?;
        Ok(ioctl_ficlone(&two, &one))
    });
    match cloned {
        Ok(Ok(())) => Check::works(what, "copies share their room with the original (reflink)"),
        Ok(Err(_)) => Check::works(what, "kept by moving files aside; only files with several names are copied"),
        Err(error) => Check::broken(
            what,
            format!("nothing can be written in {}: {error}", folder.display()),
            "See “disk space”; if there is some, make the folder yours.",
        ),
    }
}

fn record(desk: &Desk) -> Check {
    let what = "log";
    let lacks = History::new(&desk.home).unrecorded().unwrap_or_default();
    match desk.records().and_then(|records| Ok(records.tasks(1)?)) {
        Ok(_) if !lacks.is_empty() => {
            Check::note(what, format!("it lacks {}", super::log::lacked(&lacks)), super::log::LACKS)
        }
        Ok(tasks) => match tasks.first() {
            Some(task) => Check::works(
                what,
                format!("written up to task {}; check all of it with: deskhand log --verify", task.id),
            ),
            None => Check::works(what, "empty and ready"),
        },
        Err(failure) => Check::broken(what, failure.message, "Nothing is changed without a record."),
    }
}

fn unfinished(desk: &Desk) -> Check {
    let what = "unfinished work";
    let history = History::new(&desk.home);
    // in this order: what ends in between is neither
    let found = interrupted(&desk.home).and_then(|gone| Ok((history.list()?, gone)));
    match found {
        Err(error) => Check::broken(what, error.to_string(), "Look at the folder that it names."),
        Ok((_, gone)) if !gone.is_empty() => Check::broken(
            what,
            format!("{} interrupted and not made whole yet", counted(gone.len() as u64, "commit")),
            "Make it whole with: deskhand history. It says so if a folder or a disk is missing that it needs.",
        ),
        Ok((list, _)) => {
            let open = list.iter().filter(|commit| commit.standing == Standing::Unfinished).count() as u64;
            if open == 0 {
                Check::works(what, format!("none; {} on record", counted(list.len() as u64, "commit")))
            } else {
                Check::note(what, format!("{} being applied just now", counted(open, "commit")), "")
            }
        }
    }
}

/// Whether what was done can be told and taken back: the log and the journals agree, and the store holds what they say.
fn undoable(desk: &Desk) -> Check {
    let what = "undo";
    let history = History::new(&desk.home);
    let list = |numbers: Vec<String>| numbers.join(", ");
    let damaged = match history.damaged() {
        Ok(damaged) => damaged,
        Err(error) => return Check::broken(what, error.to_string(), "Look at the folder that it names."),
    };
    let open: Vec<_> = damaged.iter().filter(|damaged| !damaged.given_up).collect();
    if let Some(first) = open.first() {
        let number = first.commit;
        return Check::broken(
            what,
            format!(
                "the log knows of {} that cannot be undone any more: {}. The journal of {number} {}",
                counted(open.len() as u64, "commit"),
                list(open.iter().map(|damaged| damaged.commit.to_string()).collect()),
                first.why
            ),
            format!(
                "Check the disk. See what is known of it with `deskhand history {number}`; have back what is kept with `deskhand restore {number}`. Nothing is given up meanwhile; when you need it no more: `deskhand purge --commit {number}`."
            ),
        );
    }
    match history.missing() {
        Err(error) => Check::broken(what, error.to_string(), "Look at the folder that it names."),
        Ok(missing) => match missing.first() {
            None => Check::works(what, "the log, the journals and the stores agree"),
            Some(first) => Check::broken(
                what,
                format!(
                    "old versions are gone that nothing gave up: {} of commit {}, such as {}",
                    counted(first.files.len() as u64, "file"),
                    first.commit,
                    first.files.first().map(ToString::to_string).unwrap_or_default()
                ),
                "Mount the disk that they are on, if it is not; else check that nothing else cleans up in Deskhand's folders.",
            ),
        },
    }
}

fn plugins(desk: &Desk) -> Check {
    let what = "plugins";
    match desk.plugins() {
        Err(failure) => Check::broken(what, failure.message, ""),
        Ok(plugins) if plugins.is_empty() => {
            Check::note(what, "none is installed", "Find some with: deskhand plugin search")
        }
        Ok(plugins) => {
            let waiting = plugins.iter().filter(|plugin| plugin.staged.is_some()).count() as u64;
            let found = format!("{} installed", counted(plugins.len() as u64, "plugin"));
            if waiting == 0 {
                Check::works(what, found)
            } else {
                Check::note(
                    what,
                    format!("{found}, {} waiting for your agreement", counted(waiting, "update")),
                    "Decide with: deskhand plugin update",
                )
            }
        }
    }
}

/// Whether programs that are not trusted can be confined.
fn sandbox(desk: &Desk) -> Check {
    let what = "sandbox";
    match crate::sandbox::available(desk) {
        Ok(()) => Check::works(what, "programs of others can be confined, with bubblewrap"),
        Err(unavailable) => Check::note(
            what,
            unavailable.to_string(),
            "Without it, programs of others stay off until you allow each by name.",
        ),
    }
}

fn toolchain() -> Check {
    let what = "building plugins";
    let has = |name: &str| {
        let output = Command::new("rustc")
            .arg(format!("+{name}"))
            .args(["--print", "target-libdir", "--target", "wasm32-wasip2"])
            // asked for a toolchain that is not there, rustup would download it
            .env("RUSTUP_AUTO_INSTALL", "0")
            .output();
        output.is_ok_and(|output| {
            output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
        })
    };
    match ["stable", "deskhand-guest"].into_iter().find(|name| has(name)) {
        Some(name) => Check::works(what, format!("with the Rust toolchain {name}")),
        None => Check::works(what, "only authors need this: `deskhand plugin build` sets it up when it is first used"),
    }
}

fn zone(desk: &Desk) -> Check {
    let zone = desk.clock.zone();
    match zone.iana_name() {
        Some(name) => Check::works("time zone", name),
        None => {
            Check::note("time zone", "not known; dates are read as UTC", "Set TZ, such as: export TZ=Europe/Berlin")
        }
    }
}

fn editor() -> Check {
    let set = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    match set {
        Some(editor) => Check::works("editor", editor),
        None => {
            Check::note("editor", "none is set; one of the system's is used", "Choose one, such as: export EDITOR=nano")
        }
    }
}
