//! The official conformance suite of the protocol, for clients: each scenario that it has, with a person who does as they are
//! told (`conformance/client`). Those that fail are those that `docs/mcp.md` explains.

use super::call;
use crate::kit::{Desk, said};
use deskhand_tests::{
    conformance::{self, checks, explained, scenarios, suite},
    deskhand, root,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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
    let mut run = suite(&desk.place);
    run.args(["client", "--timeout", "120000", "--scenario", scenario, "--command"]).arg(client);
    let ran = run.arg("-o").arg(&found).env("DESKHAND", deskhand()).output().unwrap();
    let checks = checks(&found);
    assert!(
        !checks.is_empty(),
        "{scenario}: {}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    // how fast a computer is with much else to do says nothing of the client
    conformance::wrong(&checks.into_iter().filter(|check| check["id"] != "client-sse-retry-timing").collect::<Vec<_>>())
}

#[test]
fn the_suite_finds_what_the_page_says() {
    let scenarios = scenarios(&Desk::new().place, "Client");
    let found: Vec<(String, Vec<String>)> = scenarios.into_iter().map(|one| (one.clone(), wrong(&one))).collect();
    let failing: BTreeSet<String> =
        found.iter().filter(|(_, wrong)| !wrong.is_empty()).map(|(one, _)| one.clone()).collect();
    assert_eq!(failing, explained("docs/mcp.md"), "{found:#?}");
}
