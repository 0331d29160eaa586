//! A program at the other end: JSON lines.

use crate::said::masked;
use deskhand_tests::{Place, Ran};
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;

/// A place with a folder of one file.
fn place() -> Place {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    place
}

/// The lines of a run; each is an object with a version and a kind.
fn events(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let lines: Vec<Value> = lines.collect();
    for line in &lines {
        assert_eq!(line["v"], 1, "{line}");
        assert!(line["event"].is_string(), "{line}");
    }
    lines
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds.retain(|kind| *kind != "progress" && *kind != "decided");
    kinds
}

#[test]
fn a_run_that_is_applied() {
    let place = place();
    let ran = place.deskhand(["run", "--json", "--yes", "--folder", "Inbox", "/organize by type"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let events = events(&ran);
    let lines = ran.stdout.lines().zip(&events).filter(|(_, event)| event["event"] != "progress");
    assert_snapshot!(masked(&place, &lines.map(|(line, _)| steady(line)).collect::<String>()));
    assert!(events.iter().any(|event| event["event"] == "progress" && event["text"].is_string()));
    let started = events.iter().find(|event| event["event"] == "commit-started").unwrap();
    assert_eq!((&started["commit"], &started["changes"]), (&Value::from(1), &Value::from(2)));
}

/// A line without what a clock or a compiler decides.
fn steady(line: &str) -> String {
    let mut event: Value = serde_json::from_str(line).unwrap();
    for key in ["micros", "at"] {
        if event.get(key).is_some() {
            event[key] = "…".into();
        }
    }
    format!("{event}\n")
}

#[test]
fn a_run_that_waits_for_a_person() {
    let place = place();
    let ran = place.deskhand(["run", "--json", "--folder", "Inbox", "/organize by type"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""), "{}", ran.stdout);
    let events = events(&ran);
    assert_eq!(
        kinds(&events),
        ["command-chosen", "granted", "call-started", "proposed", "unanswered", "reply", "call-ended", "task-ended"]
    );
    let asked = events.iter().find(|event| event["event"] == "unanswered").unwrap();
    assert_eq!(asked["question"], "apply");
    assert_eq!(asked["plan"]["changes"][0]["target"], "Inbox/Documents");
    assert!(place.path("home/Inbox/note.txt").is_file());
}

#[test]
fn every_list() {
    let place = place();
    assert_eq!(place.deskhand(["run", "--yes", "--always", "--folder", "Inbox", "/organize by type"]).code, 0);
    for arguments in [
        vec!["history", "--json"],
        vec!["history", "1", "--json"],
        vec!["log", "--json"],
        vec!["grants", "--json"],
        vec!["why", "--json", "read", "Inbox"],
        vec!["commands", "--json"],
        vec!["commands", "--json", "sort these files by type"],
        vec!["doctor", "--json"],
        vec!["plugin", "list", "--json"],
        vec!["plugin", "search", "rename", "--json"],
        vec!["market", "list", "--json"],
        vec!["purge", "--preview", "--json"],
        vec!["undo", "--preview", "--json"],
    ] {
        let ran = place.deskhand(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?} {}", ran.stdout);
        assert!(!ran.stdout.is_empty(), "{arguments:?}");
        for line in ran.stdout.lines() {
            let value = serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{arguments:?} {line}"));
            assert!(value.is_object() || value.is_array(), "{arguments:?} {line}");
        }
    }
}

#[test]
fn an_undo() {
    let place = place();
    assert_eq!(place.deskhand(["run", "--yes", "--folder", "Inbox", "/organize by type"]).code, 0);
    let ran = place.deskhand(["undo", "--json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(kinds(&events(&ran)), ["unanswered", "decision"]);
    let ran = place.deskhand(["undo", "--json", "--yes"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let events = events(&ran);
    assert_eq!(events.last().unwrap()["state"], "applied");
    assert_eq!(events.last().unwrap()["commit"], 2);
    assert!(place.path("home/Inbox/note.txt").is_file());
}

#[test]
fn the_log_is_whole_until_someone_edits_it() {
    let place = place();
    assert_eq!(place.deskhand(["run", "--yes", "--folder", "Inbox", "/organize by type"]).code, 0);
    let whole = place.deskhand(["log", "--verify"]).ok();
    assert!(whole.starts_with("The log is whole: "), "{whole}");
    let asked = |place: &Place| {
        let log = place.deskhand(["log", "--json", "--task", "1", "--limit", "0"]).ok();
        let started = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        started
            .filter(|event| event["event"] == "task-started")
            .map(|event| event["content"]["request"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(asked(&place), ["/organize by type"]);
    // what was kept of a task can be destroyed; that it happened stays, and the chain holds
    // after a question, since it is for good
    assert_eq!(place.deskhand(["log", "--forget", "1"]).code, 3);
    assert_eq!(asked(&place), ["/organize by type"]);
    assert_eq!(place.deskhand(["log", "--forget", "1", "--yes"]).code, 0);
    assert_eq!(asked(&place), [Value::Null]);
    assert!(place.deskhand(["log", "--verify"]).ok().starts_with("The log is whole: "));
}
