//! A process that is killed while it makes what a command wrote: the next start finds all of it made or none, the task goes on to
//! make all of it, once, and an undo takes all of it back.

use crate::kit::{Desk, calls, said, shell};
use deskhand_model_server::{Stream, Wire};
use deskhand_tests::deskhand;
use serde_json::json;
use std::{os::unix::process::ExitStatusExt as _, path::Path, process::Stdio};

/// Moves, writes, writes over, removes, and makes folders.
const COMMAND: &str = "cd /mnt/Files; mkdir -p New/Deep; echo 1 > New/Deep/n.txt; echo more >> a.txt; mv b.txt New/; \
    rm c.txt; rm -r Old; mv Whole New/Whole";

const NAMES: [&str; 9] = [
    "a.txt",
    "b.txt",
    "c.txt",
    "Old/o.txt",
    "Whole/w.txt",
    "New/b.txt",
    "New/Deep/n.txt",
    "New/Whole/w.txt",
    "New/c.txt",
];
const BEFORE: [Option<&str>; 9] =
    [Some("one\n"), Some("two\n"), Some("three\n"), Some("old\n"), Some("whole\n"), None, None, None, None];
const AFTER: [Option<&str>; 9] =
    [Some("one\nmore\n"), None, None, None, None, Some("two\n"), Some("1\n"), Some("whole\n"), None];

/// A desk where what the command wrote waits for the person.
fn waiting() -> Desk {
    let desk = Desk::new();
    for (name, text) in NAMES.iter().zip(BEFORE) {
        text.map(|text| desk.file(name, text));
    }
    assert_eq!(desk.deskhand(&["vm", "allow"]).code, 0);
    desk.says([shell(COMMAND), said("Proposed.")]);
    let ran = desk.run(&["tidy up"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    desk
}

fn texts(desk: &Desk) -> [Option<String>; 9] {
    NAMES.map(|name| desk.text(name))
}

fn are(texts: [Option<&str>; 9]) -> [Option<String>; 9] {
    texts.map(|text| text.map(str::to_owned))
}

/// Kill it at each of these calls in turn; how often that was.
fn killed_at_each(call: &str) -> u32 {
    let resume = ["resume", "1", "--yes", "--allow-removals", "9"];
    for at in 1..200 {
        let desk = waiting();
        let mut command = desk.place.command(Path::new("strace"));
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
        command.arg(format!("inject={call}:signal=KILL:when={at}")).arg(deskhand()).args(resume);
        let ran = command.output().unwrap();
        let killed = ran.status.signal() == Some(9);
        assert!(killed || ran.status.success(), "{call} {at}: {}", String::from_utf8_lossy(&ran.stderr));
        if killed {
            // what was put aside for a moment comes back, or to its place, with the next start
            let begun = desk.deskhand(&["history"]);
            assert_eq!(begun.code, 0, "{call} {at}: {}{}", begun.stdout, begun.stderr);
            let found = texts(&desk);
            assert!(found == are(BEFORE) || found == are(AFTER), "{call} {at}: {found:?}");
            let ran = desk.deskhand(&resume);
            // it was over already where only the last words were left
            assert!(
                ran.code == 0 || ran.stderr.contains("Task 1 is over"),
                "{call} {at}: {}{}",
                ran.stdout,
                ran.stderr
            );
        }
        assert_eq!(texts(&desk), are(AFTER), "{call} {at}");
        let undone = desk.deskhand(&["undo", "--yes", "--allow-removals", "9"]);
        assert_eq!(undone.code, 0, "{call} {at}: {}{}", undone.stdout, undone.stderr);
        assert_eq!(texts(&desk), are(BEFORE), "{call} {at}");
        desk.server.finish();
        if !killed {
            return at - 1;
        }
    }
    panic!("{call} is made again and again");
}

#[test]
fn at_each_renaming() {
    let killed = killed_at_each("renameat2");
    assert!(killed >= 7, "{killed}");
}

#[test]
fn at_each_removal_of_a_name() {
    let killed = killed_at_each("unlinkat");
    assert!(killed >= 3, "{killed}");
}

#[test]
fn at_each_folder_and_each_link() {
    let killed = killed_at_each("mkdirat") + killed_at_each("linkat");
    assert!(killed >= 4, "{killed}");
}

#[test]
fn at_each_wait_for_the_disk() {
    let killed = ["syncfs", "fsync", "fdatasync"].map(killed_at_each);
    assert!(killed[0] >= 2 && killed[1] >= 1, "{killed:?}");
}

/// What was shown as a conflict is neither made nor undone, whoever ends the commit.
#[test]
fn what_conflicts_stays_whoever_ends_the_commit() {
    let names = ["a.txt", "b.txt", "c.txt", "Old/c.txt"];
    let are = |texts: [Option<&str>; 4]| texts.map(|text| text.map(str::to_owned));
    let mut killed = 0;
    for call in ["renameat2", "syncfs"] {
        for at in 1..40 {
            let desk = Desk::new();
            desk.file("a.txt", "one\n").file("b.txt", "two\n").file("c.txt", "three\n");
            desk.says([
                calls(&[("read", json!({"path": "a.txt"})), ("read", json!({"path": "b.txt"}))]),
                calls(&[
                    ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
                    ("edit", json!({"path": "b.txt", "old": "two", "new": "2"})),
                    ("move", json!({"moves": [{"from": "c.txt", "to": "Old/c.txt"}]})),
                ]),
            ]);
            let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Proposed.")).gated(2);
            desk.server.then(stream);
            let mut command = desk.place.command(Path::new("strace"));
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
            command.arg(format!("inject={call}:signal=KILL:when={at}")).arg(deskhand());
            let child = command.args(["run", "--folder", "Files", "--yes", "tidy up"]).stdin(Stdio::null());
            let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            opener.wait_reached();
            desk.wait_answered(5);
            desk.file("a.txt", "mine\n");
            // those that were said too much are not missed
            desk.says((0..3).map(|_| said("One had changed.")));
            opener.open();
            let ran = child.wait_with_output().unwrap();
            if ran.status.signal() != Some(9) {
                break;
            }
            killed += 1;
            let ran = desk.deskhand(&["resume", "1", "--yes"]);
            let over = ran.stderr.contains("Task 1 is over");
            assert!(over || [0, 6].contains(&ran.code), "{call} {at}: {}{}", ran.stdout, ran.stderr);
            let texts = || names.map(|name| desk.text(name));
            assert_eq!(texts(), are([Some("mine\n"), Some("2\n"), None, Some("three\n")]), "{call} {at}");
            let undone = desk.deskhand(&["undo", "--yes", "--allow-removals", "1"]);
            assert_eq!(undone.code, 0, "{call} {at}: {}{}", undone.stdout, undone.stderr);
            assert_eq!(texts(), are([Some("mine\n"), Some("two\n"), Some("three\n"), None]), "{call} {at}");
        }
    }
    assert!(killed >= 5, "{killed}");
}
