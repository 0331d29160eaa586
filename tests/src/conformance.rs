//! The official conformance suite of the Model Context Protocol, and the pages that explain what of it does not pass.

use crate::{Place, login::modules, root};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// The suite; what it is to do goes to its arguments.
pub fn suite(place: &Place) -> Command {
    suite_with(place, &[])
}

/// The same, with these arguments to the Node that runs it.
pub fn suite_with(place: &Place, node: &[&str]) -> Command {
    let modules = modules().join("node_modules");
    let mut command = place.command(modules.join("node/bin/node"));
    command.args(node).arg(modules.join("@modelcontextprotocol/conformance/dist/index.js")).stdin(Stdio::null());
    command
}

/// The names of the scenarios for one side, `Client` or `Server`.
pub fn scenarios(place: &Place, side: &str) -> Vec<String> {
    let listed = suite(place).arg("list").output().expect("the suite is installed");
    let listed = String::from_utf8(listed.stdout).expect("it is text");
    let (_, ours) =
        listed.split_once(&format!("{side} scenarios")).unwrap_or_else(|| panic!("none of a {side}: {listed}"));
    let lines = ours.lines().skip(1).take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  - "));
    lines.map(|line| line.split(' ').next().unwrap_or(line).to_owned()).collect()
}

/// All checks that the suite has written below a folder.
pub fn checks(folder: &Path) -> Vec<Value> {
    let mut checks = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("it can be read")) {
        if entry.path().is_dir() {
            checks.extend(self::checks(&entry.path()));
        } else if entry.file_name() == "checks.json" {
            let text = fs::read_to_string(entry.path()).expect("it can be read");
            let read: Vec<Value> = serde_json::from_str(&text).expect("it is a list");
            checks.extend(read);
        }
    }
    checks
}

/// What is wrong according to these checks, a line each.
pub fn wrong(checks: &[Value]) -> Vec<String> {
    let failed = checks.iter().filter(|check| ["FAILURE", "WARNING"].map(Value::from).contains(&check["status"]));
    failed.map(|check| format!("{}: {}", check["id"], check["errorMessage"])).collect()
}

/// The scenarios that a page explains under `What of the protocol is spoken`.
pub fn explained(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).expect("the page is there");
    let (_, section) = text.split_once("\n## What of the protocol is spoken\n").expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    rows.flat_map(|names| names.split(['`', ',', ' ']).filter(|name| !name.is_empty())).map(str::to_owned).collect()
}
