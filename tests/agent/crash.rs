//! A process that is killed at work: the next goes on, with nothing lost and nothing done twice.

use crate::kit::{Desk, calls, said};
use deskhand_model_server::{Stream, Wire};
use deskhand_tests::deskhand;
use serde_json::json;
use std::os::unix::process::ExitStatusExt as _;

#[test]
fn what_was_pending_is_pending_again() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n").file("b.txt", "two\n");
    desk.says([
        calls(&[("read", json!({"path": "a.txt"}))]),
        calls(&[
            ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
            ("move", json!({"moves": [{"from": "b.txt", "to": "Old/b.txt"}]})),
        ]),
    ]);
    // the third reply hangs in the middle, and there the process is killed
    let (stream, opener) = Stream::of(Wire::Anthropic, &said("Nearly done")).gated(2);
    desk.server.then(stream);
    let mut child = desk.begin(&["tidy up"]);
    let mut opener = opener;
    opener.wait_reached();
    desk.wait_answered(3);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(opener);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    let tasks = desk.deskhand(&["tasks"]).ok();
    assert!(tasks.contains("broken off"), "{tasks}");

    // a file that somebody changed meanwhile is not overwritten with what stands on its old version
    desk.says([calls(&[("read", json!({"path": "Old/b.txt"}))]), said("Done.")]);
    let ran = desk.deskhand(&["resume", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!((desk.text("a.txt").as_deref(), desk.text("b.txt")), (Some("1\n"), None));
    assert_eq!(desk.text("Old/b.txt").as_deref(), Some("two\n"));
    assert!(desk.last_heard().contains(&"result: two\n".to_owned()), "{:?}", desk.last_heard());
    desk.server.finish();
}

#[test]
fn what_changed_meanwhile_is_told_and_left() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk.says([
        calls(&[("read", json!({"path": "a.txt"}))]),
        calls(&[("edit", json!({"path": "a.txt", "old": "one", "new": "1"}))]),
    ]);
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Nearly done")).gated(2);
    desk.server.then(stream);
    let mut child = desk.begin(&["edit it"]);
    opener.wait_reached();
    desk.wait_answered(2);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(opener);
    desk.file("a.txt", "another one\n");
    desk.says([said("It has changed."), said("It has changed.")]);
    let ran = desk.deskhand(&["resume", "1", "--yes"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("on record:\n  Not pending any more since Deskhand had ended: edit "),
        "{}",
        ran.stderr
    );
    assert_eq!(desk.text("a.txt").as_deref(), Some("another one\n"));
    let heard = desk.last_heard();
    let told = heard.iter().find(|line| line.contains("These could")).unwrap();
    assert!(told.contains("These could not be taken up again"), "{told}");
    assert!(told.contains("edit"), "{told}");
}

#[test]
fn one_process_works_on_a_task() {
    let desk = Desk::new();
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Hello")).gated(2);
    desk.server.then(stream);
    let child = desk.begin(&["say hello"]);
    opener.wait_reached();
    let again = desk.deskhand(&["run", "--continue", "1", "more"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert_eq!(again.stderr, "Task 1 is at work in another process. Speak to it with: deskhand steer 1 WORDS\n");
    opener.open();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn a_task_that_was_killed_in_a_call_hears_what_is_said_to_it() {
    let desk = Desk::new();
    desk.says([calls(&[("delegate", json!({"tasks": ["count"]}))])]);
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Nearly done")).gated(2);
    desk.server.then(stream);
    let mut child = desk.begin(&["add up"]);
    opener.wait_reached();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(opener);
    desk.says([said("Done.")]);
    let ran = desk.deskhand(&["resume", "1", "go on"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let heard = desk.last_heard();
    assert_eq!((&heard[0][..], &heard[1][..], &heard[3][..]), ("user: add up", "call: delegate", "user: go on"));
    assert!(heard[2].starts_with("result: Deskhand ended "), "{heard:?}");
}

/// Killed at each renaming of its commit: the next has all of it done, once, and an undo takes all of it back.
#[test]
fn a_task_that_is_killed_in_its_commit_goes_on() {
    let mut killed = 0;
    for (call, most) in [("renameat2", 40), ("syncfs", 10)] {
        for at in 1..most {
            let desk = Desk::new();
            desk.file("a.txt", "one\n").file("b.txt", "two\n").file("c.txt", "three\n");
            desk.says([
                calls(&[("read", json!({"path": "a.txt"}))]),
                calls(&[
                    ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
                    (
                        "move",
                        json!({"moves": [{"from": "b.txt", "to": "Old/b.txt"}, {"from": "c.txt", "to": "Old/c.txt"}]}),
                    ),
                    ("write", json!({"path": "Old/list.txt", "text": "b, c\n"})),
                ]),
            ]);
            // one that was killed after its last word is asked once more
            desk.says((0..4).map(|_| said("Done.")));
            let mut command = desk.place.command(std::path::Path::new("strace"));
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
            command.arg(format!("inject={call}:signal=KILL:when={at}"));
            command.arg(deskhand()).args(["run", "--folder", "Files", "--yes", "tidy up"]);
            let ran = command.output().unwrap();
            if ran.status.success() {
                break;
            }
            assert_eq!(ran.status.signal(), Some(9), "{}", String::from_utf8_lossy(&ran.stderr));
            killed += 1;
            let old = |name: &str| desk.text(name).is_some();
            assert!(old("b.txt") != old("Old/b.txt") && old("c.txt") != old("Old/c.txt"), "{call} {at}");

            let ran = desk.deskhand(&["resume", "1", "--yes"]);
            assert_eq!(ran.code, 0, "{call} {at}: {}{}", ran.stdout, ran.stderr);
            let tree = |desk: &Desk| {
                ["a.txt", "b.txt", "c.txt", "Old/b.txt", "Old/c.txt", "Old/list.txt"].map(|name| desk.text(name))
            };
            let texts = |texts: [Option<&str>; 6]| texts.map(|text| text.map(str::to_owned));
            let new = [Some("1\n"), None, None, Some("two\n"), Some("three\n"), Some("b, c\n")];
            assert_eq!(tree(&desk), texts(new), "{call} {at}");
            let undone = desk.deskhand(&["undo", "--yes", "--allow-removals", "1"]);
            assert_eq!(undone.code, 0, "{call} {at}: {}{}", undone.stdout, undone.stderr);
            let before = [Some("one\n"), Some("two\n"), Some("three\n"), None, None, None];
            assert_eq!(tree(&desk), texts(before), "{call} {at}");
        }
    }
    assert!(killed > 5, "{killed}");
}

/// What the person saved in a file that a commit had just replaced when its process was killed stays.
#[test]
fn what_is_saved_after_a_crash_is_not_taken_back() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n").file("b.txt", "two\n");
    desk.says([
        calls(&[("read", json!({"path": "a.txt"})), ("read", json!({"path": "b.txt"}))]),
        calls(&[
            ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
            ("edit", json!({"path": "b.txt", "old": "two", "new": "2"})),
        ]),
        said("Done."),
        said("Done."),
        said("Done."),
    ]);
    let mut command = desk.place.command(std::path::Path::new("strace"));
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=renameat2",
        "-e",
        "inject=renameat2:signal=KILL:when=2",
    ]);
    command.arg(deskhand()).args(["run", "--folder", "Files", "--yes", "edit them"]);
    assert_eq!(command.output().unwrap().status.signal(), Some(9));
    let replaced: Vec<&str> = ["a.txt", "b.txt"]
        .into_iter()
        .filter(|name| desk.text(name).is_some_and(|text| text == "1\n" || text == "2\n"))
        .collect();
    let [replaced, ..] = replaced[..] else { panic!("nothing was replaced yet") };
    desk.file(replaced, "mine\n");
    let ran = desk.deskhand(&["resume", "1", "--yes"]);
    assert_eq!(desk.text(replaced).as_deref(), Some("mine\n"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let told = format!("`Files/{replaced}` may be at {}", desk.place.path("home/Files").join(replaced).display());
    assert!(ran.stderr.contains("it was changed after it had come there, so it stays"), "{told}: {}", ran.stderr);
}
