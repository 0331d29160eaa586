//! Tasks that work on one folder: none overwrites what another has made.

use super::{Background, wait_until};
use crate::kit::{calls, said};
use deskhand_model_server::{Step, Stream, Wire};
use serde_json::json;

#[test]
fn ten_tasks_write_to_one_folder_and_every_file_is_whole() {
    let desk = Background::with_settings("[tasks]\nat_once = 10\n");
    let text = |task: usize, file: usize| format!("{task}/{file} ").repeat(5000);
    for task in 0..10 {
        let writes: Vec<_> = (0..5)
            .map(|file| ("write", json!({"path": format!("all/{task}-{file}.txt"), "text": text(task, file)})))
            .collect();
        let request = format!("number {task}.");
        desk.server.then(Step::from(calls(&writes)).only_for(&request));
        desk.server.then(Step::from(said("Done.")).only_for(&request));
        desk.queued(&["--yes", &request]);
    }
    wait_until("all are done", || desk.states().iter().filter(|(_, state)| state == "done").count() == 10);
    for task in 0..10 {
        for file in 0..5 {
            assert_eq!(desk.text(&format!("all/{task}-{file}.txt")), Some(text(task, file)));
        }
    }
    desk.server.finish();
}

/// The later one is told, sees what the earlier one has made of the file, and goes on on that.
#[test]
fn the_later_of_two_tasks_goes_on_on_what_the_earlier_has_made() {
    let desk = Background::new();
    desk.file("a.txt", "one\ntwo\n");
    let edit = |old: &str, new: &str| calls(&[("edit", json!({"path": "a.txt", "old": old, "new": new}))]);
    let read = || calls(&[("read", json!({"path": "a.txt"}))]);
    let (last, mut opener) = Stream::of(Wire::Anthropic, &said("Changed.")).gated(2);
    for step in [Step::from(read()), edit("two", "2").into(), last.into()] {
        desk.server.then(step.only_for("the later"));
    }
    desk.queued(&["--yes", "the later"]);
    opener.wait_reached();
    for step in [read(), edit("one", "1"), said("Changed.")] {
        desk.server.then(Step::from(step).only_for("the earlier"));
    }
    desk.queued(&["--yes", "the earlier"]);
    desk.wait_for(2, "task-ended");
    assert_eq!(desk.text("a.txt").as_deref(), Some("1\ntwo\n"));
    for step in [read(), edit("two", "2"), said("Changed on the new one.")] {
        desk.server.then(Step::from(step).only_for("the later"));
    }
    opener.open();
    desk.wait_for(1, "task-ended");
    assert_eq!(desk.text("a.txt").as_deref(), Some("1\n2\n"));
    assert_eq!(desk.states(), [(1, "done".to_owned()), (2, "done".to_owned())]);
    let heard = desk.last_heard();
    let told = heard.iter().find(|line| line.contains("[deskhand: what was done]")).unwrap();
    let both = "As it is now (-) and as this task would have it (+):\n@@ -1,2 +1,2 @@\n-1\n-two\n+one\n+2)";
    assert!(told.contains(both), "{told}");
    desk.server.finish();
}

/// The same of a file that was to get another name as well: what it is now lies under the old one.
#[test]
fn the_later_one_is_told_of_a_file_that_it_would_have_moved() {
    let desk = Background::new();
    desk.file("a.txt", "one\ntwo\n");
    let read = |path: &str| calls(&[("read", json!({ "path": path }))]);
    let moved = calls(&[("move", json!({"moves": [{"from": "a.txt", "to": "b.txt"}]}))]);
    let edit = |path: &str, old: &str, new: &str| calls(&[("edit", json!({"path": path, "old": old, "new": new}))]);
    let (last, mut opener) = Stream::of(Wire::Anthropic, &said("Changed.")).gated(2);
    for step in [Step::from(moved), read("b.txt").into(), edit("b.txt", "two", "2").into(), last.into()] {
        desk.server.then(step.only_for("the later"));
    }
    desk.queued(&["--yes", "the later"]);
    opener.wait_reached();
    for step in [read("a.txt"), edit("a.txt", "one", "1"), said("Changed.")] {
        desk.server.then(Step::from(step).only_for("the earlier"));
    }
    desk.queued(&["--yes", "the earlier"]);
    desk.wait_for(2, "task-ended");
    desk.server.then(Step::from(said("It stays as it is.")).only_for("the later"));
    opener.open();
    desk.wait_for(1, "task-ended");
    assert_eq!((desk.text("a.txt").as_deref(), desk.text("b.txt")), (Some("1\ntwo\n"), None));
    let heard = desk.last_heard();
    let told = heard.iter().find(|line| line.contains("[deskhand: what was done]")).unwrap();
    let both = "As it is now (-) and as this task would have it (+):\n@@ -1,2 +1,2 @@\n-1\n-two\n+one\n+2)";
    assert!(told.contains(both), "{told}");
    desk.server.finish();
}
