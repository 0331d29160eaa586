//! `deskhand-bench`: what Deskhand costs, each figure beside a reference that is measured in the same run.
//!
//!     deskhand-bench [--check] [--only SECTION]...
//!
//! Prints a table and writes `bench.json` in the folder of the build. `docs/bench.md` says what each line means.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]

mod agent;
mod calls;
mod components;
mod figure;
mod guest;
mod house;
mod memory;
mod organize;
mod place;
mod program;
mod serve;
mod session;
mod start;
mod tasks;

use anyhow::{Result, bail};
use figure::Figure;
use place::Place;
use serde_json::json;
use std::process::ExitCode;

type Section = fn(&Place) -> Result<Vec<Figure>>;

/// What is measured only where it is asked for, since it needs an image of the guest.
const GUEST: &str = "guest";

const SECTIONS: [(&str, Section); 10] = [
    ("program", program::measure),
    ("start", start::measure),
    ("calls", calls::measure),
    ("agent", agent::measure),
    ("memory", memory::measure),
    ("tasks", tasks::measure),
    ("serve", serve::measure),
    ("organize", organize::measure),
    ("large", organize::measure_large),
    (GUEST, guest::measure),
];

fn main() -> ExitCode {
    match bench() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("deskhand-bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn bench() -> Result<ExitCode> {
    let mut check = false;
    let mut only = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), SECTIONS) {
            ("--check", _) => check = true,
            ("--only", sections) => match arguments.next() {
                Some(name) if sections.iter().any(|(section, _)| *section == name) => only.push(name),
                _ => bail!("--only takes one of: {}", sections.map(|(section, _)| section).join(", ")),
            },
            _ => bail!("usage: deskhand-bench [--check] [--only SECTION]..."),
        }
    }
    let place = Place::find()?;
    let mut figures = Vec::new();
    for (name, section) in SECTIONS {
        if (only.is_empty() && name != GUEST) || only.iter().any(|wanted| wanted == name) {
            eprintln!("measuring: {name} …");
            figures.extend(section(&place)?);
        }
    }
    let machine = machine();
    println!("{}", figure::table(&figures));
    println!("{machine}");
    let report = json!({"machine": machine, "figures": figures.iter().map(Figure::json).collect::<Vec<_>>()});
    std::fs::write(&place.report, format!("{report:#}\n"))?;
    println!("Written to {}", place.report.display());
    let failed = check && figures.iter().any(Figure::fails);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// On what it was measured, and how busy that was.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let information = read("/proc/cpuinfo");
    let model = information.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let load: Vec<String> = read("/proc/loadavg").split(' ').take(3).map(str::to_owned).collect();
    format!(
        "{processors} processors ({}), Linux {}, load {}",
        model.trim_start_matches(['\t', ' ', ':']),
        read("/proc/sys/kernel/osrelease").trim(),
        load.join(" ")
    )
}
