//! Tasks that are worked on where no terminal is: the queue, and the supervisor that works on it.

mod crash;
mod folder;
mod follow;
mod notice;
mod queue;
mod socket;

use crate::kit::Desk;
use deskhand_tests::Ran;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs,
    io::Read as _,
    os::unix::net::UnixStream,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// How long something may take to come to be before it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desk whose supervisor ends with the test.
pub(crate) struct Background(pub(crate) Desk);

impl std::ops::Deref for Background {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.0
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.supervisors().into_iter().for_each(end);
    }
}

/// Kill a process that this test started.
pub(crate) fn end(process: i32) {
    // one that has ended needs nothing
    let _ = kill_process(Pid::from_raw(process).unwrap(), Signal::KILL);
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "it never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The greeting of whoever answers there.
pub(crate) fn greeting(stream: &mut UnixStream) -> Option<Value> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

impl Background {
    pub(crate) fn new() -> Self {
        Self(Desk::new())
    }

    pub(crate) fn with_settings(settings: &str) -> Self {
        Self(Desk::with_settings(settings))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.place.path("deskhand/data/tasks/supervisor.sock")
    }

    /// The process of the supervisor that answers now.
    pub(crate) fn supervisor(&self) -> Option<i32> {
        let mut stream = UnixStream::connect(self.socket()).ok()?;
        let process = greeting(&mut stream)?["process"].as_i64()?;
        i32::try_from(process).ok()
    }

    /// The processes of supervisors of this place, whether they answer or not.
    pub(crate) fn supervisors(&self) -> Vec<i32> {
        let home = format!("DESKHAND_HOME={}\0", self.place.path("deskhand").display());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap() {
            let path = entry.unwrap().path();
            let Some(process) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
            let holds = |file: &str, text: &str| {
                let bytes = fs::read(path.join(file)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).contains(text)
            };
            if holds("cmdline", "\0supervise\0") && holds("environ", &home) {
                found.push(process);
            }
        }
        found
    }

    /// Kill the supervisor, and wait until nothing is left of it.
    pub(crate) fn kill_supervisor(&self) {
        end(self.supervisor().unwrap());
        wait_until("the supervisor is gone", || self.supervisors().is_empty());
    }

    /// What the supervisor itself had to say.
    pub(crate) fn notes(&self) -> String {
        fs::read_to_string(self.place.path("deskhand/data/tasks/supervisor.log")).unwrap_or_default()
    }

    /// `deskhand run --background --folder Files ...`
    pub(crate) fn queue(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["--background"], arguments].concat())
    }

    /// The same, which goes well.
    pub(crate) fn queued(&self, arguments: &[&str]) {
        let ran = self.queue(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}\n{}", ran.stdout, self.notes());
    }

    /// Wait until this event is the last of a task.
    pub(crate) fn wait_for(&self, task: u64, kind: &str) {
        wait_until(&format!("{kind} of task {task}"), || self.kinds(task).last().is_some_and(|last| last == kind));
    }

    /// How a task stands, as `deskhand tasks` says.
    pub(crate) fn states(&self) -> Vec<(u64, String)> {
        let listed = self.deskhand(&["tasks", "--limit", "1000", "--json"]).ok();
        let of = |line: &str| {
            let task: Value = serde_json::from_str(line).unwrap();
            (task["task"].as_u64().unwrap(), task["state"].as_str().unwrap().to_owned())
        };
        let mut states: Vec<_> = listed.lines().map(of).collect();
        states.reverse();
        states
    }
}
