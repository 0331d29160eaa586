//! Whom a question reaches: whoever is at the client, where it can be undone; the person at the computer otherwise.

use crate::kit::{Client, names, place};
use deskhand_tests::{Place, terminal::Terminal};
use serde_json::{Value, json};

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

fn events(place: &Place, task: u64, kind: &str) -> Vec<Value> {
    let log = place.deskhand(["log", "--json", "--task", &task.to_string(), "--limit", "0"]).ok();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|event| event["event"] == kind).collect()
}

#[test]
fn a_plan_is_asked_about_at_the_client_and_can_be_undone() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    client.answers = vec![accept(json!({"apply": true}))];
    let (outcome, text) = client.run("organize", json!({}));
    assert_eq!(outcome, "done", "{text}");
    assert_eq!(client.asked.len(), 1);
    let asked = &client.asked[0];
    assert_eq!(asked["requestedSchema"]["properties"]["apply"]["type"], "boolean", "{asked}");
    assert!(asked["message"].as_str().unwrap().contains("a.txt"), "{asked}");
    assert!(!names(&folder).contains(&"a.txt".to_owned()));
    assert!(client.leave().success());
    let principal = json!({"client": "tester"});
    assert!(events(&place, 1, "decided").iter().any(|event| event["principal"] == principal));
    assert_eq!(events(&place, 1, "elicited").len(), 1);
    assert_eq!(events(&place, 1, "task-ended")[0]["outcome"], "done");
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(names(&folder), ["a.txt", "b.txt", "c.md"]);
}

#[test]
fn what_is_no_yes_is_a_no() {
    for answer in [
        json!({"action": "decline"}),
        accept(json!({"apply": false})),
        accept(json!({"apply": "true"})),
        accept(json!({"yes": true})),
        json!({"action": "accept"}),
    ] {
        let (place, folder) = place();
        let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
        client.answers = vec![answer.clone()];
        let (_, text) = client.run("organize", json!({}));
        assert_eq!(client.asked.len(), 1, "{answer}: {text}");
        client.leave();
        assert_eq!(names(&folder), ["a.txt", "b.txt", "c.md"], "{answer}");
        assert_eq!(place.deskhand(["inbox"]).ok(), "Nothing waits for you.\n", "{answer}");
    }
}

#[test]
fn a_removal_never_goes_to_the_client_and_is_answered_from_the_inbox() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    client.answers = vec![accept(json!({"apply": true})); 3];
    let (outcome, text) = client.run("duplicates", json!({}));
    assert_eq!((outcome.as_str(), client.asked.len()), ("parked", 0), "{text}");
    assert!(text.contains("deskhand resume 1"), "{text}");
    assert_eq!(names(&folder).len(), 3);
    // it waits while the client is still there, and the client goes on in another task
    let inbox = place.deskhand(["inbox"]).ok();
    assert!(inbox.starts_with("Task 1: what the client tester (a test 1) asks for\n  /duplicates: "), "{inbox}");
    assert!(inbox.ends_with("  Answer with: deskhand resume 1\n"), "{inbox}");
    let not_there = place.deskhand(["resume", "1"]);
    assert_eq!(not_there.code, 3, "{not_there:?}");
    let mut terminal = Terminal::run(&place, &["resume", "1"], &[]);
    terminal.answer("[C]ancel: ", "a").answer("Remove", "y");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(names(&folder).len(), 2);
    assert_eq!(place.deskhand(["inbox"]).ok(), "Nothing waits for you.\n");
    assert_eq!(client.run("organize", json!({})).0, "done");
    client.leave();
    assert_eq!(events(&place, 2, "task-ended").len(), 1);
    assert_eq!(place.deskhand(["undo", "--yes", "1"]).code, 0);
    assert_eq!(place.deskhand(["resume", "1"]).code, 2, "it is over");
}

#[test]
fn a_client_that_cannot_ask_leaves_all_to_the_inbox() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    let (outcome, text) = client.run("organize", json!({}));
    assert_eq!((outcome.as_str(), client.asked.len()), ("parked", 0), "{text}");
    client.leave();
    assert_eq!(names(&folder).len(), 3);
    let resumed = place.deskhand(["resume", "--yes", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(!names(&folder).contains(&"a.txt".to_owned()));
    assert_eq!(place.deskhand(["inbox"]).ok(), "Nothing waits for you.\n");
}

#[test]
fn a_task_that_waits_can_be_given_up() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    assert_eq!(client.run("organize", json!({})).0, "parked");
    client.leave();
    let cancelled = place.deskhand(["cancel", "1"]);
    assert_eq!(cancelled.code, 0, "{cancelled:?}");
    assert_eq!(place.deskhand(["inbox"]).ok(), "Nothing waits for you.\n");
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn a_folder_to_be_read_is_not_changed() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--read-only", "--folder", folder.to_str().unwrap()], true);
    client.answers = vec![accept(json!({"apply": true}))];
    let (outcome, text) = client.run("organize", json!({}));
    assert_ne!(outcome, "done", "{text}");
    assert!(client.asked.is_empty());
    client.leave();
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn a_question_that_is_cancelled_changes_nothing() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    let id = client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "organize"}}));
    let asked = client.message().unwrap();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    // a call that comes after it is served
    let tools = loop {
        let ping = client.begin("ping", json!({}));
        let message = client.message().unwrap();
        if message["id"] == ping {
            break client.request("tools/list", json!({}));
        }
    };
    assert!(tools["tools"].is_array());
    client.leave();
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn others_are_served_while_a_question_stands() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    let organizing = client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "organize"}}));
    let asked = client.message().unwrap();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    // what only looks comes between; what is cancelled meanwhile takes nobody else's question away
    client.request("resources/read", json!({"uri": "deskhand://files/papers/a.txt"}));
    let other = client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "rename"}}));
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": other}}));
    client.request("resources/read", json!({"uri": "deskhand://files/papers/b.txt"}));
    client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": accept(json!({"apply": true}))}));
    let answer = client.answer_to(organizing);
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    client.leave();
    assert!(!names(&folder).contains(&"a.txt".to_owned()));
}
