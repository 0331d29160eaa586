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
    /// How its first thread is: a letter.
    state: u8,
    threads: u64,
    ticks: u64,
}

impl Process {
    /// Whether each of its threads was stopped, or has ended and is still listed. The first may have ended before the others.
    fn stands_still(&self, pid: i32) -> bool {
        if self.threads <= 1 {
            return is_still(pid, self.state);
        }
        let Ok(listed) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return true };
        let threads = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        threads.into_iter().all(|thread| {
            let stat = std::fs::read(format!("/proc/{pid}/task/{thread}/stat")).unwrap_or_default();
            // one that is not listed any more has ended
            fields(&stat).and_then(|fields| fields.first()?.bytes().next()).is_none_or(|state| is_still(thread, state))
        })
    }
}

/// Whether a thread in this state does nothing until somebody lets it go on.
fn is_still(thread: i32, state: u8) -> bool {
    matches!(state, b'T' | b'Z' | b'X') || (state == b'D' && waits_for_a_child(thread))
}

/// Whether it waits for a child that has its memory to become another program (vfork(2)). That cannot be while the child is held.
fn waits_for_a_child(thread: i32) -> bool {
    let calls = [libc::SYS_clone, libc::SYS_clone3];
    #[cfg(target_arch = "x86_64")]
    let calls = [calls[0], calls[1], libc::SYS_vfork];
    let text = std::fs::read_to_string(format!("/proc/{thread}/syscall")).unwrap_or_default();
    let call = text.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
    call.is_some_and(|call| calls.contains(&call))
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
    tree(top).into_iter().map(|(pid, process)| (pid, process.stands_still(pid))).collect()
}

/// The process of a handle, as long as it runs (proc_pid_fdinfo(5)).
pub(crate) fn number(handle: &OwnedFd) -> Option<Pid> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_fd().as_raw_fd())).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    // where it has ended there is none, which reads -1
    pid.trim().parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)
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
    let fields = fields(&text)?;
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // user and system time, its own and of the children that it waited for
    let ticks = [11, 12, 13, 14].iter().map(|at| number(*at).unwrap_or(0)).sum();
    let state = fields.first()?.bytes().next()?;
    Some(Process { parent: fields.get(1)?.parse().ok()?, state, threads: number(17)?, ticks })
}

/// What follows the name, which is the program's own and may hold anything.
fn fields(stat: &[u8]) -> Option<Vec<&str>> {
    let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
    Some(std::str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace().collect())
}

fn memory(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{below, number};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::{
        process::{Child, Command},
        time::Duration,
    };

    /// A program in Python, once it and what it has started are in these states.
    fn python(text: &str, states: &[u8]) -> (Child, Pid) {
        let child = Command::new("python3").args(["-c", text]).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let are = || {
            let mut found: Vec<u8> = super::tree(pid).into_iter().map(|(_, process)| process.state).collect();
            found.sort_unstable();
            found == states
        };
        let mut looks = (0..2000).inspect(|_| std::thread::sleep(Duration::from_millis(5)));
        assert!(looks.any(|_| are()), "they are never {states:?}");
        (child, pid)
    }

    fn ended(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_goes_on_with_the_others() {
        let threads = "import ctypes, threading\nthreading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()\n\
                       ctypes.CDLL(None).pthread_exit(None)";
        let (child, pid) = python(threads, b"Z");
        assert!(!below(pid)[&pid.as_raw_nonzero().get()]);
        ended(child);
    }

    /// It would wait for ever, since the child is held as well.
    #[test]
    fn a_process_that_waits_for_a_held_child_to_become_another_stands_still() {
        let forks = "import ctypes, os, signal\nctypes.CDLL(None).vfork() or os.kill(os.getpid(), signal.SIGSTOP)";
        let (child, pid) = python(forks, b"DT");
        let below = below(pid);
        assert_eq!((below.len(), below.values().all(|still| *still)), (2, true));
        for pid in below.into_keys() {
            rustix::process::kill_process(Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
        }
        ended(child);
    }

    #[test]
    fn who_has_ended_has_no_number() {
        let mut child = Command::new("true").spawn().unwrap();
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        child.wait().unwrap();
        assert_eq!(number(&handle), None);
    }
}
