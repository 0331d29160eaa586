//! Notices on the desktop, on a bus of the test's own.

use super::Background;
use crate::kit::{calls, said};
use deskhand_tests::{Ran, deskhand};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A session bus, and somebody who hears what is said on it to the desktop.
struct Session {
    bus: Child,
    address: String,
    listener: Child,
    heard: Lines<BufReader<ChildStdout>>,
}

fn begun(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

impl Session {
    fn new() -> Self {
        let (bus, mut said) = begun(Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address=1"]));
        let address = said.next().unwrap().unwrap();
        let calls = "type='method_call',interface='org.freedesktop.Notifications',member='Notify'";
        let (listener, mut heard) = begun(Command::new("dbus-monitor").args(["--address", &address, calls]));
        // it listens once it has got a name
        let named = heard.by_ref().find(|line| line.as_ref().unwrap().contains("member=NameAcquired"));
        named.unwrap().unwrap();
        Self { bus, address, listener, heard }
    }

    /// The texts of the next notice: who gives it, its icon, its summary and its body.
    fn shown(&mut self) -> Vec<String> {
        let lines = self.heard.by_ref().map(Result::unwrap);
        let texts = lines.skip_while(|line| !line.contains("member=Notify")).filter_map(|line| {
            let text = line.trim().strip_prefix("string \"")?.strip_suffix('"')?;
            Some(text.to_owned())
        });
        texts.take(4).collect()
    }

    fn queue(&self, desk: &Background, request: &str) {
        let mut command = desk.place.command(deskhand());
        command.args(["run", "--background", "--folder", "Files", request]);
        let ran = command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).output().unwrap();
        Ran::of(ran).ok();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // only what this test started
        for child in [&mut self.listener, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn the_desktop_says_what_became_of_a_task_and_nothing_of_what_it_is_about() {
    let mut session = Session::new();
    let desk = Background::new();
    desk.says([
        said("The secret is 42."),
        calls(&[("write", json!({"path": "a.txt", "text": "x"}))]),
        said("Proposed."),
    ]);
    session.queue(&desk, "the secret");
    assert_eq!(session.shown(), ["Deskhand", "", "Task 1 is over: done", "See it with: deskhand tasks follow 1"]);
    session.queue(&desk, "write it");
    assert_eq!(session.shown(), ["Deskhand", "", "Task 2 waits for you", "See it with: deskhand tasks follow 2"]);
}

#[test]
fn who_wants_no_notices_gets_none() {
    let mut session = Session::new();
    let desk = Background::with_settings("[tasks]\nnotify = false\n");
    desk.says([said("one"), said("two")]);
    session.queue(&desk, "count");
    desk.wait_for(1, "task-ended");
    // the settings are read anew for each task
    let path = desk.place.path("deskhand/config/config.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, settings.replace("notify = false", "notify = true")).unwrap();
    session.queue(&desk, "count");
    assert_eq!(session.shown()[2], "Task 2 is over: done");
}
