//! Speaking to a task that runs, from another terminal.

use crate::kit::{Desk, calls, said};
use deskhand_model_server::{Stream, Wire};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn words_are_taken_up_at_the_next_step() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    let first = calls(&[("read", json!({"path": "a.txt"}))]);
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &first).gated(2);
    desk.server.then(stream);
    desk.says([said("As you like.")]);
    let child = desk.begin(&["look"]);
    opener.wait_reached();
    let mode = std::fs::metadata(desk.place.path("deskhand/data/tasks/1.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(desk.deskhand(&["steer", "1", "only", "the", "first"]).ok(), "It is taken up at the next step.\n");
    opener.open();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(desk.last_heard()[2..], ["result: one\n", "user: only the first"]);
    let over = desk.deskhand(&["steer", "1", "more"]);
    assert_eq!(
        (over.code, over.stderr.as_str()),
        (1, "Task 1 is over. Follow up on it with: deskhand run --continue 1 REQUEST\n")
    );
}

#[test]
fn stop_breaks_off_what_the_model_says() {
    let desk = Desk::new();
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("A long story")).gated(2);
    desk.server.then(stream);
    desk.says([said("In short: no.")]);
    let child = desk.begin(&["tell me"]);
    opener.wait_reached();
    desk.deskhand(&["steer", "1", "stop,", "be brief"]).ok();
    let output = child.wait_with_output().unwrap();
    drop(opener);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let heard = desk.last_heard();
    assert_eq!(heard.last().unwrap(), "user: be brief");
    assert!(heard[1].contains("The person stopped your last reply"), "{heard:?}");
}

#[test]
fn a_task_is_held_let_go_on_and_ended() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    let read = || calls(&[("read", json!({"path": "a.txt"}))]);
    let (first, mut opener) = Stream::of(Wire::Anthropic, &read()).gated(2);
    let (second, mut last) = Stream::of(Wire::Anthropic, &said("Never heard")).gated(2);
    desk.server.then(first);
    desk.server.then(second);
    let child = desk.begin(&["look"]);
    opener.wait_reached();
    let state = || -> String {
        let listed: Value = serde_json::from_str(&desk.deskhand(&["tasks", "--json"]).ok()).unwrap();
        listed["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "at work");
    desk.deskhand(&["pause", "1"]).ok();
    assert_eq!(state(), "paused");
    opener.open();
    assert_eq!(desk.deskhand(&["resume", "1"]).ok(), "Task 1 goes on where it runs.\n");
    assert_eq!(state(), "at work");
    last.wait_reached();
    desk.deskhand(&["cancel", "1"]).ok();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(desk.kinds(1).ends_with(&["task-ended".to_owned()]));
}

#[test]
fn words_said_during_the_last_reply_are_heard_before_anything_is_changed() {
    let desk = Desk::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))])]);
    let (last, mut opener) = Stream::of(Wire::Anthropic, &said("Written.")).gated(2);
    desk.server.then(last);
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "two\n"}))]), said("As you like.")]);
    let child = desk.begin(&["--mode", "auto", "write it"]);
    opener.wait_reached();
    desk.deskhand(&["steer", "1", "write", "two"]).ok();
    opener.open();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("› write two (from another terminal)"), "{said}");
    assert_eq!(desk.text("a.txt").as_deref(), Some("two\n"));
    assert!(desk.last_heard().contains(&"user: write two".to_owned()), "{:?}", desk.last_heard());
    desk.server.finish();
}

#[test]
fn a_task_that_is_held_during_its_last_reply_changes_nothing() {
    let desk = Desk::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))])]);
    let (last, mut opener) = Stream::of(Wire::Anthropic, &said("Written.")).gated(2);
    desk.server.then(last);
    let child = desk.begin(&["--mode", "auto", "write it"]);
    opener.wait_reached();
    desk.deskhand(&["pause", "1"]).ok();
    opener.open();
    // the reply is on record, and what it leads to is not
    assert!((0..1000).any(|_| desk.kinds(1).iter().filter(|kind| *kind == "model-replied").count() == 2));
    desk.deskhand(&["cancel", "1"]).ok();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(desk.text("a.txt"), None);
}
