//! What a client is offered: tools, prompts, and a word when they change.

use crate::kit::{Client, place};
use serde_json::{Value, json};

fn named(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_handshake_says_who_serves_and_what() {
    let (place, _) = place();
    let mut client = Client::start(&place, &[]);
    let hello = client.greet(false);
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    assert_eq!(hello["serverInfo"]["name"], "deskhand");
    assert_eq!(
        hello["capabilities"],
        json!({"prompts": {"listChanged": true}, "resources": {}, "tools": {"listChanged": true}})
    );
    assert!(client.leave().success());
    // who only looks in leaves no task behind
    assert_eq!(place.deskhand(["tasks"]).ok().lines().count(), 1);
}

#[test]
fn tools_of_plugins_and_commands_are_listed() {
    let (place, _) = place();
    let mut client = Client::greeted(&place, &[], false);
    let tools = client.request("tools/list", json!({}));
    let names = named(&tools["tools"]);
    assert_eq!(names[0], "run_command");
    assert!(names.iter().any(|name| name == "websearch__search"), "{names:?}");
    let search = tools["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "websearch__search").unwrap();
    assert_eq!(search["inputSchema"]["type"], "object");
    assert_eq!(search["annotations"]["readOnlyHint"], true);
    let (code, reason) = client.refused("tools/call", json!({"name": "no_such", "arguments": {}}));
    assert_eq!((code, reason.as_str()), (-32602, "there is no tool `no_such`"));
    let (code, _) = client.refused("tools/list", json!({"cursor": "nonsense"}));
    assert_eq!(code, -32602);
    let (outcome, _) = client.run("no-such", json!({}));
    assert_eq!(outcome, "failed");
    client.leave();
}

/// What a prompt says.
fn text(result: &Value) -> String {
    result["messages"][0]["content"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn commands_are_prompts() {
    let (place, _) = place();
    let mut client = Client::greeted(&place, &[], false);
    let names = named(&client.request("prompts/list", json!({}))["prompts"]);
    for name in ["organize", "duplicates", "rename"] {
        assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
    }
    let organize = text(&client.request("prompts/get", json!({"name": "organize", "arguments": {}})));
    let call = "Call the tool `run_command` with {\"command\":\"organize\",\"arguments\":{}}\n";
    assert!(organize.starts_with(call), "{organize}");
    let (code, _) = client.refused("prompts/get", json!({"name": "no-such"}));
    assert_eq!(code, -32602);
    client.leave();
}

#[test]
fn skills_are_prompts() {
    let (place, _) = place();
    let mut client = Client::greeted(&place, &[], false);
    let names = named(&client.request("prompts/list", json!({}))["prompts"]);
    assert!(names.iter().any(|one| one == "research"), "{names:?}");
    let research = text(&client.request("prompts/get", json!({"name": "research"})));
    assert!(research.contains("[the skill research of home:research"), "{research}");
    client.leave();
    let log = place.deskhand(["log", "--task", "1", "--limit", "0"]).ok();
    assert!(log.contains("the client tester may take up the skill home:research/research"), "{log}");
}

#[test]
fn a_plugin_that_goes_is_told_of() {
    let (place, _) = place();
    let mut client = Client::greeted(&place, &[], false);
    let before = named(&client.request("tools/list", json!({}))["tools"]);
    assert!(before.iter().any(|name| name == "websearch__search"));
    let removed = place.deskhand(["plugin", "uninstall", "home:websearch"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    let mut told = Vec::new();
    while told.len() < 2 {
        told.push(client.message().unwrap()["method"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, ["notifications/tools/list_changed", "notifications/prompts/list_changed"]);
    let after = named(&client.request("tools/list", json!({}))["tools"]);
    assert!(!after.iter().any(|name| name == "websearch__search"), "{after:?}");
    client.leave();
}

#[test]
fn why_speaks_of_a_client() {
    let (place, _) = place();
    let why = place.deskhand(["why", "--client", "tester", "run", "home:organize/organize"]).ok();
    assert!(why.contains("The client tester"), "{why}");
    let read = place.deskhand(["why", "--client", "tester", "read", "."]).ok();
    assert!(read.starts_with("The client tester may, if you agree when you are asked, read "), "{read}");
}
