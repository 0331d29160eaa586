//! Parts of the work given to others.

use crate::kit::{Desk, calls, said};
use deskhand_model_server::Step;
use deskhand_tests::said::masked;
use serde_json::{Value, json};

#[test]
fn twenty_files_are_read_side_by_side() {
    let desk = Desk::new();
    let names: Vec<String> = (1..=20).map(|number| format!("f{number:02}.txt")).collect();
    for name in &names {
        desk.file(name, &format!("{} euro\n", &name[1..3]));
    }
    let tasks: Vec<String> = names.iter().map(|name| format!("How many euro does {name} say?")).collect();
    let answer = json!({"type": "object", "properties": {"euro": {"type": "integer"}}, "required": ["euro"]});
    desk.says([calls(&[("delegate", json!({"tasks": tasks, "answer": answer}))])]);
    for (name, task) in names.iter().zip(&tasks) {
        let euro: u32 = name[1..3].parse().unwrap();
        desk.server.then(Step::from(calls(&[("read", json!({"path": name}))])).only_for(task));
        desk.server.then(Step::from(said(&json!({"euro": euro}).to_string())).only_for(task));
    }
    desk.server.then(Step::from(said("210 euro in all.")).only_for("add them up"));
    let ran = desk.run(&["add them up"]);
    assert_eq!((ran.code, ran.stdout.trim()), (0, "210 euro in all."), "{}", ran.stderr);
    desk.server.finish();
    let heard = desk.last_heard();
    let answers: Vec<Value> =
        heard[2].trim_start_matches("result: ").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<Value> =
        (1..=20).map(|number| json!({"task": number, "outcome": "done", "answer": {"euro": number}})).collect();
    assert_eq!(answers, expected);
    // what they used is out of the budget of the whole: 2 replies of the task and 2 of each of them
    let events = desk.events(1);
    assert_eq!(events.iter().filter(|event| event["event"] == "model-replied").count(), 2);
    let over = desk.deskhand(&["run", "--continue", "1", "--budget", "steps=42", "more"]);
    assert_eq!(over.code, 8, "{}", over.stderr);
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_again() {
    let desk = Desk::new();
    let answer = json!({"type": "object", "required": ["sum"]});
    desk.says([
        calls(&[("delegate", json!({"tasks": ["add"], "answer": answer}))]),
        said("It is 3."),
        said("```json\n{\"sum\": 3}\n```"),
        said("3"),
    ]);
    let ran = desk.run(&["go"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(desk.last_heard()[2], r#"result: {"task":1,"outcome":"done","answer":{"sum":3}}"#);
}

#[test]
fn those_that_read_can_change_nothing_and_the_others_add_to_what_is_shown() {
    let desk = Desk::new();
    let write = |path| calls(&[("write", json!({"path": path, "text": "x\n"}))]);
    desk.says([
        calls(&[("delegate", json!({"tasks": ["write a"]}))]),
        write("a.txt"),
        said("I cannot write."),
        calls(&[("delegate", json!({"tasks": ["write b"], "may_change": true}))]),
        write("b.txt"),
        said("Proposed."),
        said("Done."),
    ]);
    let ran = desk.run(&["--yes", "go"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!((desk.text("a.txt"), desk.text("b.txt").as_deref()), (None, Some("x\n")));
}

#[test]
fn tasks_are_listed_without_their_parts_and_parts_need_a_budget() {
    let desk = Desk::new();
    let tasks: Vec<String> = (1..=25).map(|number| format!("part {number}")).collect();
    desk.says([calls(&[("delegate", json!({"tasks": tasks}))])]);
    desk.says((0..25).map(|_| said("Done.")));
    desk.says([said("All done.")]);
    assert_eq!(desk.run(&["go"]).code, 0);
    assert_eq!(
        masked(&desk.place, &desk.deskhand(&["tasks"]).ok()),
        "TASK  STATE  SINCE             FOLDER   REQUEST\n1     done   TIME  ~/Files  go\n"
    );

    desk.says([calls(&[("delegate", json!({"tasks": ["a", "b", "c"]}))]), said("Too little."), said("Too little.")]);
    let ran = desk.run(&["--budget", "steps=5", "more"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("leaves 1 steps for each of 3 parts"), "{}", ran.stderr);
    desk.server.finish();
}
