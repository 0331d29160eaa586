//! The processes that a runner sees: those of its sandbox.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    io,
    time::{Duration, Instant},
};

/// How long whatever runs may go on to make more of itself while it is ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// End all processes but these, the first of the sandbox, and this one with who started it.
///
/// # Errors
/// Where they could not all be ended.
pub(super) fn end_all_but(kept: Option<Pid>) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let others = others(kept)?;
        if others.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // first held, so that none of them makes another while the rest is ended
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in &others {
                let _ = kill_process(*pid, signal); // it may have ended
            }
        }
        std::thread::yield_now();
    }
}

fn others(kept: Option<Pid>) -> io::Result<Vec<Pid>> {
    let ours = [Some(rustix::process::getpid()), rustix::process::getppid(), Some(Pid::INIT), kept];
    let mut others = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|pid| !ours.contains(&Some(*pid)) && runs(*pid)) {
            others.push(pid);
        }
    }
    Ok(others)
}

/// Whether it has not ended, and only waits for somebody to hear of it (proc_pid_stat(5)).
fn runs(pid: Pid) -> bool {
    let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    // the name before it is the program's own, and may hold anything
    let state = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
    !matches!(state, None | Some(b'Z' | b'X'))
}
