//! The processes of a sandbox, as the host sees them in `/proc` (proc_pid_stat(5), proc_pid_status(5)).

use rustix::process::Pid;
use std::{
    collections::HashMap,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
    time::Duration,
};

/// Ticks a second in which the kernel tells programs of time, whatever its own are (`USER_HZ`, time(7)).
const TICKS: u64 = 100;

/// What the processes of a sandbox use together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processes and threads.
    pub(crate) processes: u64,
    /// Bytes of memory that are not of files.
    pub(crate) memory: u64,
    /// Time of processors, of processes that have ended as well where somebody waited for them.
    pub(crate) processor: Duration,
}

struct Process {
    parent: i32,
    /// Whether it was stopped, or has ended and is still listed.
    still: bool,
    threads: u64,
    ticks: u64,
}

/// The first process of a sandbox: the one child of bubblewrap.
pub(crate) fn first(bubblewrap: Pid) -> Option<Pid> {
    let parent = bubblewrap.as_raw_nonzero().get();
    let (child, _) = all().into_iter().find(|(_, process)| process.parent == parent)?;
    Pid::from_raw(child)
}

/// What the process and all below it use.
pub(crate) fn usage(top: Pid) -> Usage {
    let mut usage = Usage::default();
    let mut ticks = 0_u64;
    for (pid, process) in tree(top) {
        usage.processes += process.threads;
        usage.memory += memory(pid);
        ticks = ticks.saturating_add(process.ticks);
    }
    usage.processor = Duration::from_millis(ticks.saturating_mul(1000 / TICKS));
    usage
}

/// The process and all below it, each with whether it stands still.
pub(crate) fn below(top: Pid) -> HashMap<i32, bool> {
    tree(top).into_iter().map(|(pid, process)| (pid, process.still)).collect()
}

/// The process of a handle, as long as it runs (proc_pid_fdinfo(5)).
pub(crate) fn number(handle: &OwnedFd) -> Option<Pid> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_fd().as_raw_fd())).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    Pid::from_raw(pid.trim().parse().ok()?)
}

/// The process and all below it.
fn tree(top: Pid) -> Vec<(i32, Process)> {
    let mut all = all();
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, process) in &all {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut tree = Vec::new();
    let mut open = vec![top.as_raw_nonzero().get()];
    while let Some(pid) = open.pop() {
        tree.extend(all.remove_entry(&pid));
        open.extend(children.remove(&pid).unwrap_or_default());
    }
    tree
}

fn all() -> HashMap<i32, Process> {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn process(pid: i32) -> Option<Process> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    // the name before it is the program's own, and may hold anything
    let after = text.iter().rposition(|byte| *byte == b')')? + 1;
    let fields: Vec<&str> = std::str::from_utf8(&text[after..]).ok()?.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // user and system time, its own and of the children that it waited for
    let ticks = [11, 12, 13, 14].iter().map(|at| number(*at).unwrap_or(0)).sum();
    let still = matches!(*fields.first()?, "T" | "Z" | "X");
    Some(Process { parent: fields.get(1)?.parse().ok()?, still, threads: number(17)?, ticks })
}

fn memory(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}
