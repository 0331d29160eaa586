//! `deskhand doctor`: what works here, and what to do about what does not. It tries things; it does not guess.

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{counted, line},
};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use serde::Serialize;
use std::{fs::File, path::Path};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    /// It works.
    Works,
    /// It works less well, or something wants attention.
    Note,
    /// It does not work.
    Broken,
}

#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    health: Health,
    found: String,
    /// What to do about it; empty where nothing needs doing.
    remedy: String,
}

impl Check {
    fn works(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, health: Health::Works, found: found.into(), remedy: String::new() }
    }

    fn note(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Note, found: found.into(), remedy: remedy.into() }
    }

    fn broken(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, health: Health::Broken, found: found.into(), remedy: remedy.into() }
    }
}

pub(crate) fn run(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let checks = [
        Check::works("settings", format!("{}", desk.home.config_file().display())),
        beneath(&desk.home.data),
        reflink(&desk.home.data),
        record(&desk),
        interrupted(&desk),
        plugins(&desk),
        engine(&desk),
        crate::market::doctor(&desk),
        crate::author::doctor(&desk),
        zone(&desk),
        editor(),
    ]
    .map(|check: Check| check);
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
