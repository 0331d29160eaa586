//! The program inside of the guest. It is the guest's first process, and needs no shell and no other program to boot;
//! it runs a task's jobs in one sandbox, and tells the host what comes of them.
//!
//! One file serves three parts, so that the sandbox needs no second one: process 1 with all privileges; the runner,
//! which is process 1 of the sandbox, without any; and the probes of the boundary check. Imports the protocol alone.

mod agent;
mod boot;
mod cgroup;
mod files;
mod gate;
mod job;
mod kernel;
mod log;
mod net;
mod output;
mod port;
mod probe;
mod runner;
mod sandbox;
mod seccomp;
mod wake;
mod warm;

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let part = env::args_os().nth(1);
    match part.as_ref().and_then(|part| part.to_str()) {
        Some("runner") => runner::main(),
        Some("probe") => probe::main(),
        _ if std::process::id() == 1 => boot::main(),
        _ => ExitCode::from(2),
    }
}
