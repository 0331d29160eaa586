//! A model that uses MCP servers: one that does as it is told, hostile ones, and real ones.

mod brought;
mod confined;
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

/// A place with a model and with the scripted MCP server `one`, which behaves like this, in a sandbox; what more stands in
/// its table.
fn with_server(how: &str, more: &str) -> Desk {
    set_up(how, more, true)
}

/// The same with the rights of the person, who has agreed to that.
fn unconfined(how: &str, more: &str) -> Desk {
    let desk = off(how, more);
    desk.deskhand(&["mcp", "allow", "one"]).ok();
    desk
}

/// The same, and the person has not agreed to it yet.
fn off(how: &str, more: &str) -> Desk {
    set_up(how, &format!("sandbox = false\n{more}"), false)
}

fn set_up(how: &str, more: &str, confined: bool) -> Desk {
    let script = root().join("tests/agent/mcp/server.py");
    let desk = Desk::with_settings("");
    let notes = if confined { PathBuf::from("/sandbox/notes") } else { desk.place.path("notes") };
    let settings = desk.place.path("deskhand/config/config.toml");
    let mut text = fs::read_to_string(&settings).unwrap();
    // by the last word its processes are known, whoever started them
    text.push_str(&format!(
        "[mcp.one]\ncommand = \"{}\"\nargs = [\"-u\", \"{}\", \"{how}\", \"{}\", \"{}\"]\n{more}",
        python().display(),
        script.display(),
        notes.display(),
        word(&desk),
    ));
    fs::write(settings, text).unwrap();
    desk
}

/// A word that no process has among its arguments but those of the server of this place.
fn word(desk: &Desk) -> String {
    format!("server-of-{}", desk.place.path("").file_name().unwrap().display())
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

/// What the scripted server noted, a line each.
fn noted(desk: &Desk) -> Vec<String> {
    let home = |server: &str| format!("deskhand/data/servers/{server}/home/notes");
    let places = ["notes".to_owned(), home("one"), home("bringer~one")];
    let notes: String = places.iter().filter_map(|path| fs::read_to_string(desk.place.path(path)).ok()).collect();
    notes.lines().map(str::to_owned).collect()
}

/// How many processes there are of the server.
fn processes(desk: &Desk) -> usize {
    let listed = fs::read_dir("/proc").unwrap().flatten();
    let lines = listed.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&word(desk))).count()
}

/// Wait until none of them is there any more.
fn wait_gone(desk: &Desk) {
    let looked = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        processes(desk) == 0
    });
    assert!(looked, "{} are still there", processes(desk));
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

/// Have a server that runs what it is told run a script.
fn script(text: &str) -> Reply {
    call("one/echo", json!({ "text": text }))
}

/// The events of the servers of a task: what became of them.
fn changes(desk: &Desk, task: u64) -> Vec<String> {
    let events = desk.events(task).into_iter().filter(|event| event["event"] == "server");
    events.map(|event| event["change"].as_str().unwrap().to_owned()).collect()
}
