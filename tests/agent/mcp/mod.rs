//! A model that uses MCP servers: one that does as it is told, hostile ones, and real ones.

mod conformance;
mod faults;
mod login;
mod real;
mod using;

use crate::kit::{Desk, calls};
use deskhand_model_server::Reply;
use deskhand_tests::root;
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Command};

/// A place with a model and with the scripted MCP server `one`, which behaves like this; what more stands in its table.
fn with_server(how: &str, more: &str) -> Desk {
    let desk = off(how, more);
    desk.deskhand(&["mcp", "allow", "one"]).ok();
    desk
}

/// The same, and the person has not agreed to it yet.
fn off(how: &str, more: &str) -> Desk {
    let script = root().join("tests/agent/mcp/server.py");
    let desk = Desk::with_settings("");
    let notes = notes(&desk);
    let settings = desk.place.path("deskhand/config/config.toml");
    let mut text = fs::read_to_string(&settings).unwrap();
    text.push_str(&format!(
        "[mcp.one]\ncommand = \"{}\"\nargs = [\"-u\", \"{}\", \"{how}\", \"{}\"]\n{more}",
        python().display(),
        script.display(),
        notes.display()
    ));
    fs::write(settings, text).unwrap();
    desk
}

/// The interpreter itself, not what may stand before it on the path.
fn python() -> PathBuf {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim())
}

/// What came of the last call, as the model was told.
fn last_result(desk: &Desk) -> String {
    desk.last_heard().into_iter().rfind(|line| line.starts_with("result: ")).unwrap()
}

/// Where the scripted server notes what it does.
fn notes(desk: &Desk) -> PathBuf {
    desk.place.path("notes")
}

/// What it noted, a line each, without the numbers of its processes.
fn noted(desk: &Desk) -> Vec<String> {
    let notes = fs::read_to_string(notes(desk)).unwrap_or_default();
    notes
        .lines()
        .map(|line| line.split(' ').next().filter(|word| *word == "started").unwrap_or(line).to_owned())
        .collect()
}

/// The numbers of the processes that the scripted server had.
fn processes(desk: &Desk) -> Vec<String> {
    let notes = fs::read_to_string(notes(desk)).unwrap_or_default();
    notes.lines().filter_map(|line| line.strip_prefix("started ")).map(str::to_owned).collect()
}

/// Wait until none of them is there any more.
fn wait_gone(desk: &Desk) {
    let gone = || processes(desk).iter().all(|id| !PathBuf::from(format!("/proc/{id}")).exists());
    let looked = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        gone()
    });
    assert!(looked, "still there: {:?}", processes(desk));
}

fn find(query: &str) -> Reply {
    calls(&[("mcp_find", json!({ "query": query }))])
}

fn call(tool: &str, arguments: Value) -> Reply {
    calls(&[("mcp_call", json!({"tool": tool, "arguments": arguments}))])
}

fn echo() -> Reply {
    call("one/echo", json!({"text": "hello"}))
}

/// The events of the servers of a task: what became of them.
fn changes(desk: &Desk, task: u64) -> Vec<String> {
    let events = desk.events(task).into_iter().filter(|event| event["event"] == "server");
    events.map(|event| event["change"].as_str().unwrap().to_owned()).collect()
}
