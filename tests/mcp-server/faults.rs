//! Clients that do not behave.

use crate::kit::{Client, names, place};
use deskhand_tests::deskhand;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[test]
fn what_is_no_message_is_passed_over() {
    let (place, _) = place();
    let mut client = Client::greeted(&place, &[], false);
    client.write(b"\n\xff\xfe{{{\n]\n\"x\"\n{\"jsonrpc\":\"2.0\",\"id\":7}\n{}\n[]\n");
    let mut huge = vec![b'a'; 9 << 20];
    huge.push(b'\n');
    client.write(&huge);
    let id = client.begin("tools/list", json!({}));
    // to what is JSON but no message an error may come, with no id of ours
    let answer = loop {
        let message = client.message().unwrap();
        if message["id"] == id {
            break message;
        }
        assert!(message["error"].is_object(), "{message}");
    };
    assert!(answer["result"]["tools"].is_array());
    let (code, _) = client.refused("no/such", json!({}));
    assert_eq!(code, -32601);
    // cut off in the middle of a line
    client.write(b"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools");
    assert!(client.leave().success());
}

#[test]
fn nothing_is_served_before_the_handshake() {
    let (place, folder) = place();
    let mut client = Client::start(&place, &["--folder", folder.to_str().unwrap()]);
    let id = client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "organize"}}));
    let answer = client.message().unwrap();
    assert_eq!((&answer["id"], answer["error"]["code"].as_i64()), (&json!(id), Some(-32602)), "{answer}");
    let id = client.begin("ping", json!({}));
    assert_eq!(client.answer_to(id)["result"], json!({}));
    client.greet(false);
    assert!(client.request("tools/list", json!({}))["tools"].is_array());
    client.leave();
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn a_thousand_calls_at_once_are_answered_each() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], false);
    let first = client.begin("resources/list", json!({}));
    for _ in 1..1000 {
        client.begin("resources/read", json!({"uri": "deskhand://files/papers/a.txt"}));
    }
    let mut answered = BTreeSet::new();
    let mut served = 0;
    while answered.len() < 1000 {
        let message = client.message().unwrap();
        assert!(answered.insert(message["id"].as_u64().unwrap()));
        served += usize::from(message["result"].is_object());
    }
    assert_eq!((answered.first(), answered.last()), (Some(&first), Some(&(first + 999))));
    // at least those that there is room for
    assert!(served >= 16, "{served}");
    assert!(client.leave().success());
}

#[test]
fn a_client_that_reads_no_answers_has_to_wait_with_its_requests() {
    const ALL: usize = 4000;
    let (place, _) = place();
    let mut command = place.command(deskhand());
    command.args(["mcp", "serve", "--client", "tester"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, mut lines) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}}});
    writeln!(stdin, "{hello}\n{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    lines.next().unwrap().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let writing = std::thread::spawn(move || {
        for id in 1..=ALL {
            writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"})).unwrap();
            count.store(id, Ordering::SeqCst);
        }
        stdin
    });
    // until it gets on no further: what is in the pipes, and what is at work
    let mut before = usize::MAX;
    while before != written.load(Ordering::SeqCst) {
        before = written.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(before < ALL, "all were taken in");
    // once it reads, each is answered
    let answers = lines.by_ref().take(ALL).map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let answered: BTreeSet<_> =
        answers.filter(|answer| answer["result"].is_object()).map(|answer| answer["id"].as_u64()).collect();
    assert_eq!(answered.len(), ALL);
    drop(writing.join().unwrap());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_server_that_is_killed_leaves_a_record() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "organize"}}));
    assert_eq!(client.message().unwrap()["method"], "elicitation/create");
    client.kill();
    assert_eq!(names(&folder).len(), 3);
    let verified = place.deskhand(["log", "--verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let resumed = place.deskhand(["resume", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.stderr.starts_with("Nothing of this task waits"), "{resumed:?}");
}

#[test]
fn a_client_that_leaves_in_a_call_changes_nothing() {
    let (place, folder) = place();
    let mut client = Client::greeted(&place, &["--folder", folder.to_str().unwrap()], true);
    client.begin("tools/call", json!({"name": "run_command", "arguments": {"command": "organize"}}));
    assert_eq!(client.message().unwrap()["method"], "elicitation/create");
    client.leave();
    assert_eq!(names(&folder).len(), 3);
}

#[test]
fn a_folder_that_is_not_there_is_told_of_at_once() {
    let (place, _) = place();
    let ran = place.deskhand(["mcp", "serve", "--client", "tester", "--folder", "/no/such"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("/no/such is no folder."), "{}", ran.stderr);
    let ran = place.deskhand(["mcp", "serve", "--client", "Not a name"]);
    assert_eq!(ran.code, 2);
}
