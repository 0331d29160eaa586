//! The official conformance suite of the protocol, for clients: each scenario that it has, with a person who does as they are
//! told (`conformance/client`). Those that fail are those that `docs/mcp.md` explains.

use super::call;
use crate::kit::{Desk, said};
use deskhand_tests::{deskhand, login::modules, root};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// What the model calls in a scenario; nothing where the server has no tool.
fn tool(scenario: &str) -> Option<(&'static str, Value)> {
    match scenario {
        "initialize" => None,
        "tools_call" => Some(("peer/add_numbers", json!({"a": 5, "b": 3}))),
        "elicitation-sep1034-client-defaults" => Some(("peer/test_client_elicitation_defaults", json!({}))),
        "sse-retry" => Some(("peer/test_reconnection", json!({}))),
        _ => Some(("peer/test-tool", json!({}))),
    }
}

fn suite(desk: &Desk) -> Command {
    let modules = modules().join("node_modules");
    let mut command = desk.place.command(modules.join("node/bin/node"));
    command.arg(modules.join("@modelcontextprotocol/conformance/dist/index.js")).stdin(Stdio::null());
    command
}

/// The scenarios for clients.
fn scenarios() -> Vec<String> {
    let listed = suite(&Desk::new()).arg("list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let (_, clients) = listed.split_once("Client scenarios").unwrap();
    let lines = clients.lines().filter_map(|line| line.strip_prefix("  - "));
    lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// What a scenario finds wrong; nothing where it passes.
fn wrong(scenario: &str) -> Vec<String> {
    let desk = Desk::new();
    match tool(scenario) {
        // after a call that fails the model is asked once more
        Some((tool, arguments)) => {
            (0..4).for_each(|_| {
                desk.says([call(tool, arguments.clone()), said("Done."), said("Done.")]);
            });
        }
        None => {
            desk.says([said("Done.")]);
        }
    }
    let client = root().join("tests/agent/mcp/conformance/client");
    let found = desk.place.path("found");
    let mut run = suite(&desk);
    run.args(["client", "--timeout", "120000", "--scenario", scenario, "--command"]).arg(client);
    let ran = run.arg("-o").arg(&found).env("DESKHAND", deskhand()).output().unwrap();
    let checks = checks(&found);
    assert!(
        !checks.is_empty(),
        "{scenario}: {}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    let failed = checks.iter().filter(|check| ["FAILURE", "WARNING"].map(Value::from).contains(&check["status"]));
    // how fast a computer is with much else to do says nothing of the client
    let failed = failed.filter(|check| check["id"] != "client-sse-retry-timing");
    failed.map(|check| format!("{}: {}", check["id"], check["errorMessage"])).collect()
}

/// All checks of what was found.
fn checks(folder: &Path) -> Vec<Value> {
    let mut checks = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() {
            checks.extend(self::checks(&entry.path()));
        } else if entry.file_name() == "checks.json" {
            let read: Vec<Value> = serde_json::from_str(&fs::read_to_string(entry.path()).unwrap()).unwrap();
            checks.extend(read);
        }
    }
    checks
}

/// The scenarios that the page explains.
fn explained() -> BTreeSet<String> {
    let page = fs::read_to_string(root().join("docs/mcp.md")).unwrap();
    let (_, table) = page.split_once("\n## What of the protocol is spoken\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    rows.flat_map(|names| names.split(['`', ',', ' ']).filter(|name| !name.is_empty())).map(str::to_owned).collect()
}

#[test]
fn the_suite_finds_what_the_page_says() {
    let scenarios = scenarios();
    let found: Vec<(String, Vec<String>)> = scenarios.into_iter().map(|one| (one.clone(), wrong(&one))).collect();
    let failing: BTreeSet<String> =
        found.iter().filter(|(_, wrong)| !wrong.is_empty()).map(|(one, _)| one.clone()).collect();
    assert_eq!(failing, explained(), "{found:#?}");
}
