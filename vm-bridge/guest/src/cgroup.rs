//! Control groups (cgroup v2): where the limits of a job hold, and where its use is read.
//!
//! ```text
//! /task            memory for all of the sandbox, with a reserve for the agent
//! /task/runner     the sandbox itself
//! /task/job-N      one job with all of its processes
//! ```

use deskhand_vm_protocol::{JobId, Limits, Usage};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

const ROOT: &str = "/sys/fs/cgroup";
/// Bytes of memory that the sandbox can never take from the agent and the kernel.
const RESERVE: u64 = 64 << 20;
/// The most processes and threads of the sandbox itself: its own few, and one for each job that is about to begin.
const RUNNERS: u32 = 128;
/// How long killed processes may take to be gone. Longer means that the guest is no longer in order.
const GONE: Duration = Duration::from_secs(10);

/// One control group. It is removed with [`Group::remove`], once it is empty.
#[derive(Debug)]
pub(crate) struct Group(PathBuf);

/// All of the sandbox, held: nothing in it runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Group);

impl Held {
    pub(crate) fn all() -> io::Result<Self> {
        let held = Self(Group(Path::new(ROOT).join("task")));
        held.0.write("cgroup.freeze", "1")?;
        let end = Instant::now() + GONE;
        while held.0.figure("cgroup.events", Some("frozen ")) == 0 {
            if Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_micros(500));
        }
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // what cannot be let go on answers no more, and the guest is given up for that
        let _ = self.0.write("cgroup.freeze", "0");
    }
}

/// Make the groups of the sandbox.
pub(crate) fn prepare() -> io::Result<Group> {
    let task = Path::new(ROOT).join("task");
    fs::write(Path::new(ROOT).join("cgroup.subtree_control"), "+cpu +memory +pids")?;
    fs::create_dir(&task)?;
    fs::write(task.join("memory.max"), total_memory()?.saturating_sub(RESERVE).to_string())?;
    fs::write(task.join("cgroup.subtree_control"), "+cpu +memory +pids")?;
    let runner = Group(task.join("runner"));
    fs::create_dir(&runner.0)?;
    // whoever found a way to run on in it gets no more out of that than a job has
    runner.write("memory.max", &(total_memory()? / 2).to_string())?;
    runner.write("pids.max", &RUNNERS.to_string())?;
    Ok(runner)
}

/// Bytes of memory of the guest.
fn total_memory() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = text.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(kilobytes.ok_or(io::ErrorKind::InvalidData)? << 10)
}

impl Group {
    /// The group of a job, with its limits.
    pub(crate) fn of_job(job: JobId, limits: Limits) -> io::Result<Self> {
        let group = Self(Path::new(ROOT).join(format!("task/job-{job}")));
        fs::create_dir(&group.0)?;
        group.write("memory.max", &limits.memory.to_string())?;
        group.write("memory.oom.group", "1")?;
        group.write("pids.max", &limits.processes.max(1).to_string())?;
        Ok(group)
    }

    fn write(&self, name: &str, value: &str) -> io::Result<()> {
        fs::write(self.0.join(name), value)
    }

    /// A figure of a file of `name value` lines, or of one that is a single figure; 0 where it is not there.
    fn figure(&self, file: &str, name: Option<&str>) -> u64 {
        let text = fs::read_to_string(self.0.join(file)).unwrap_or_default();
        let figure = text.lines().find_map(|line| match name {
            None => line.trim().parse().ok(),
            Some(name) => line.strip_prefix(name)?.trim().parse().ok(),
        });
        figure.unwrap_or(0)
    }

    /// Take a process in.
    pub(crate) fn add(&self, process: Pid) -> io::Result<()> {
        self.write("cgroup.procs", &process.as_raw_nonzero().to_string())
    }

    /// Send a signal to all processes.
    pub(crate) fn signal(&self, signal: Signal) {
        let processes = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        let processes = processes.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw);
        for process in processes {
            // one that has ended meanwhile needs no signal
            let _ = kill_process(process, signal);
        }
    }

    /// Kill all processes and wait until they are gone.
    pub(crate) fn kill(&self) -> io::Result<()> {
        let end = Instant::now() + GONE;
        while self.populated() {
            self.write("cgroup.kill", "1")?;
            if Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Whether there is a process.
    pub(crate) fn populated(&self) -> bool {
        self.figure("cgroup.events", Some("populated ")) > 0
    }

    /// Whether the kernel has killed for want of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        self.figure("memory.events", Some("oom_kill ")) > 0
    }

    /// What was used; the bytes of output are not known here.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            processor: self.figure("cpu.stat", Some("usage_usec ")),
            memory: self.figure("memory.peak", None),
            out_of_processes: self.figure("pids.events", Some("max ")) > 0,
            ..Usage::default()
        }
    }

    /// Remove the group, which must be empty. One that stays costs a little memory and nothing else.
    pub(crate) fn remove(self) {
        let _ = fs::remove_dir(self.0);
    }
}
