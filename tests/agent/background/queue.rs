//! What is queued is worked on when its turn comes, without a terminal.

use super::{Background, wait_until};
use crate::kit::{calls, said};
use deskhand_model_server::{Step, Stream, Wire};
use serde_json::json;
use std::fs;

#[test]
fn a_task_is_done_where_no_terminal_is() {
    let desk = Background::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), said("Written.")]);
    let ran = desk.queue(&["--yes", "write it"]);
    assert_eq!(ran.ok(), "Task 1 is queued. Follow it with: deskhand tasks follow 1\n");
    desk.wait_for(1, "task-ended");
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    assert_eq!(desk.states(), [(1, "done".to_owned())]);
    let kinds = desk.kinds(1);
    let begun: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| kind.starts_with("task-")).collect();
    assert_eq!(begun, ["task-started", "task-queued", "task-begun", "task-ended"]);
    desk.server.finish();
}

#[test]
fn what_nobody_can_be_asked_about_waits_in_the_inbox() {
    let desk = Background::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), said("Proposed.")]);
    desk.queued(&["write it"]);
    desk.wait_for(1, "task-parked");
    assert_eq!(desk.text("a.txt"), None);
    assert_eq!(
        desk.deskhand(&["inbox"]).ok(),
        "Task 1: write it\n  The changes wait for you: none is made yet.\n  Answer with: deskhand resume 1\n"
    );
    assert_eq!(desk.deskhand(&["resume", "1", "--yes"]).code, 0);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    // what a person went on with is not in the queue any more
    assert_eq!(desk.states(), [(1, "done".to_owned())]);
    desk.server.finish();
}

#[test]
fn no_more_are_at_work_than_the_settings_say_and_the_others_wait_in_order() {
    let desk = Background::with_settings("[tasks]\nat_once = 1\n");
    fs::create_dir(desk.place.path("home/Other")).unwrap();
    let (first, mut opener) = Stream::of(Wire::Anthropic, &said("first")).gated(2);
    desk.server.then(Step::from(first).only_for("the first"));
    for words in ["second", "third", "urgent", "elsewhere", "idle"] {
        desk.server.then(Step::from(said(words)).only_for(&format!("the {words}")));
    }
    desk.queued(&["the first"]);
    opener.wait_reached();
    desk.queued(&["the second"]);
    desk.queued(&["--priority", "low", "the idle"]);
    desk.queued(&["the third"]);
    desk.queued(&["--priority", "high", "the urgent"]);
    desk.deskhand(&["run", "--background", "--folder", "Other", "the elsewhere"]).ok();
    let listed = desk.deskhand(&["tasks"]).ok();
    let rows: Vec<String> = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let today = rows[1].split(' ').find(|word| word.len() == 10 && word.starts_with("20")).unwrap();
    let masked: Vec<String> = rows
        .iter()
        .map(|row| {
            let words = row.split(' ');
            let is_time = |word: &str| word == today || (word.len() == 5 && word.as_bytes()[2] == b':');
            words.filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        masked,
        [
            "TASK STATE SINCE FOLDER REQUEST",
            "6 queued, place 2 ~/Other the elsewhere",
            "5 queued, place 1 ~/Files the urgent",
            "4 queued, place 4 ~/Files the third",
            "3 queued, place 5 ~/Files the idle",
            "2 queued, place 3 ~/Files the second",
            "1 at work ~/Files the first",
        ]
    );
    opener.open();
    wait_until("all are done", || desk.states().iter().all(|(_, state)| state == "done"));
    let begun: Vec<u64> = desk
        .deskhand(&["log", "--json", "--limit", "0"])
        .ok()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|event| event["event"] == "task-begun")
        .map(|event| event["task"].as_u64().unwrap())
        .collect();
    assert_eq!(begun, [1, 5, 6, 2, 4, 3]);
    desk.server.finish();
}

#[test]
fn what_waits_for_its_turn_can_be_ended_or_taken_up() {
    let desk = Background::with_settings("[tasks]\nat_once = 1\n");
    let (first, mut opener) = Stream::of(Wire::Anthropic, &said("first")).gated(2);
    desk.server.then(Step::from(first).only_for("the first"));
    desk.server.then(Step::from(said("third")).only_for("the third"));
    desk.queued(&["the first"]);
    opener.wait_reached();
    desk.queued(&["the second"]);
    desk.queued(&["the third"]);
    let steered = desk.deskhand(&["steer", "2", "more"]);
    assert_eq!(
        (steered.code, steered.stderr.as_str()),
        (
            1,
            "Task 2 waits for its turn, so there is nothing yet that could be steered. Go on with it here: deskhand resume 2 WORDS\n"
        )
    );
    assert_eq!(desk.deskhand(&["cancel", "2"]).ok(), "Task 2 is ended. What was pending is not applied.\n");
    // the person does it here and now, though its turn has not come
    let resumed = desk.deskhand(&["resume", "3"]);
    assert_eq!((resumed.code, resumed.stdout.as_str()), (0, "third\n"), "{}", resumed.stderr);
    opener.open();
    desk.wait_for(1, "task-ended");
    let states = [(1, "done"), (2, "cancelled"), (3, "done")].map(|(task, state)| (task, state.to_owned()));
    assert_eq!(desk.states(), states);
    desk.server.finish();
}

#[test]
fn a_task_that_is_over_is_followed_up_in_the_background() {
    let desk = Background::new();
    desk.says([said("one"), said("two")]);
    desk.queued(&["count"]);
    desk.wait_for(1, "task-ended");
    let ran = desk.deskhand(&["run", "--background", "--continue", "1", "go on"]);
    assert_eq!(ran.ok(), "Task 1 is queued. Follow it with: deskhand tasks follow 1\n");
    desk.wait_for(1, "task-ended");
    assert_eq!(desk.last_heard(), ["user: count", "assistant: one", "user: go on"]);
    desk.server.finish();
}

#[test]
fn a_command_is_not_queued() {
    let desk = Background::new();
    let ran = desk.queue(&["/organize by type"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            2,
            "Only what a model works on can go on in the background: a command shows you its plan and is done soon. Leave out --background.\n"
        )
    );
    assert_eq!(desk.states(), []);
}

#[test]
fn two_hundred_tasks_are_queued_and_none_is_lost() {
    let desk = Background::with_settings("[tasks]\nat_once = 8\n");
    let path = desk.place.path("home/Files");
    for number in 1..=200 {
        desk.server.then(Step::from(said("done")).only_for(&format!("number {number}.")));
    }
    for number in 1..=200 {
        desk.queued(&[&format!("number {number}.")]);
    }
    wait_until("all are done", || desk.states().iter().filter(|(_, state)| state == "done").count() == 200);
    assert_eq!(desk.states().len(), 200);
    assert!(path.is_dir());
    desk.server.finish();
    assert_eq!(desk.server.exchanges().len(), 200);
}

/// Nothing of them is lost; `make bench` has what they cost.
#[test]
fn fifty_tasks_are_at_work_at_once() {
    let desk = Background::with_settings("[tasks]\nat_once = 50\n");
    desk.file("paper.txt", "one\n");
    let mut openers = Vec::new();
    for number in 1..=50 {
        let request = format!("number {number}.");
        desk.server.then(Step::from(calls(&[("read", json!({"path": "paper.txt"}))])).only_for(&request));
        let (stream, opener) = Stream::of(Wire::Anthropic, &said("Read.")).gated(2);
        desk.server.then(Step::from(stream).only_for(&request));
        openers.push(opener);
        desk.queued(&[&request]);
    }
    openers.iter_mut().for_each(|opener| opener.wait_reached());
    assert_eq!(desk.states().iter().filter(|(_, state)| state == "at work").count(), 50);
    openers.into_iter().for_each(|opener| opener.open());
    wait_until("all are done", || desk.states().iter().all(|(_, state)| state == "done"));
    let log = desk.deskhand(&["log", "--json", "--limit", "0"]).ok();
    let count = |kind: &str| log.matches(&format!(r#""event":"{kind}""#)).count();
    let counts = ["task-begun", "tool-called", "tool-answered", "model-replied", "task-ended"].map(count);
    assert_eq!(counts, [50, 50, 50, 100, 50]);
    desk.server.finish();
}
