//! The program inside of the guest. It is the guest's first process, and needs no shell and no other program to boot;
//! it runs a task's jobs in one sandbox, and tells the host what comes of them.
//!
//! One file serves four parts, so that the sandbox needs no second one: process 1 with all privileges; the runner,
//! which is process 1 of the sandbox, without any; the gate, which holds a new process until it is where its limits
//! hold; and the probes of the boundary check. Imports the protocol alone.

mod agent;
mod boot;
mod cgroup;
mod files;
mod gate;
mod job;
mod kernel;
mod log;
mod net;
mod port;
mod probe;
mod runner;
mod sandbox;
mod seccomp;
mod wake;

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let part = arguments.next();
    match part.as_ref().and_then(|part| part.to_str()) {
        Some("runner") => runner::main(),
        Some("gate") => gate::main(arguments),
        Some("probe") => probe::main(),
        _ if std::process::id() == 1 => boot::main(),
        _ => ExitCode::from(2),
    }
}
