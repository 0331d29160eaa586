//! Other people's clients: the official SDKs for Python and TypeScript, over both ways. `tests/setup` installs them.

use crate::{
    calls::parrot,
    http::Server,
    kit::{names, place},
};
use deskhand_tests::{Place, deskhand, root, target};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where the peers are installed.
fn installed() -> PathBuf {
    let folder = target().ancestors().nth(1).unwrap().join("mcp-peers");
    assert!(folder.join("done").exists(), "{} is not there: tests/setup", folder.display());
    folder
}

/// Run a client: what it said, by what it is about.
fn run(place: &Place, program: &Path, script: &Path, arguments: &[String]) -> BTreeMap<String, Value> {
    let output = place.command(program).arg(script).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines = text.lines().map(|line| serde_json::from_str::<(String, Value)>(line).unwrap());
    lines.collect()
}

fn python() -> (PathBuf, PathBuf) {
    (installed().join("python/bin/python"), root().join("tests/mcp-server/peers/client.py"))
}

/// Modules are looked for beside the script, so it lies with them; whole at each moment, as other tests put it there too.
fn node() -> (PathBuf, PathBuf) {
    let script = installed().join("client.mjs");
    let own = script.with_extension(format!("{}.mjs", std::process::id()));
    std::fs::copy(root().join("tests/mcp-server/peers/client.mjs"), &own).unwrap();
    std::fs::rename(&own, &script).unwrap();
    (PathBuf::from("node"), script)
}

/// The journey of a client: what can be undone is asked about there, what removes waits in the inbox.
fn journey(peer: (PathBuf, PathBuf), over_http: bool) {
    let (place, folder) = place();
    let options = ["--folder", folder.to_str().unwrap()];
    let server = over_http.then(|| Server::start(&place, &options));
    let arguments: Vec<String> = match &server {
        Some(server) => vec!["http".into(), format!("http://127.0.0.1:{}/mcp", server.port), server.token.clone()],
        None => {
            let binary = deskhand().display().to_string();
            let serve = ["mcp", "serve", "--client", "tester"].map(str::to_owned);
            ["stdio".to_owned(), binary].into_iter().chain(serve).chain(options.map(str::to_owned)).collect()
        }
    };
    let said = run(&place, &peer.0, &peer.1, &arguments);
    assert_eq!(said["server"], "deskhand");
    assert!(said["tools"].as_array().unwrap().contains(&json!("run_command")));
    assert!(said["prompts"].as_array().unwrap().contains(&json!("organize")));
    assert_eq!(said["resources"][0], "deskhand://files/papers/a.txt");
    assert_eq!(said["read"], "the same\n");
    assert!(said["asked"].as_str().unwrap().contains("a.txt"), "{said:?}");
    assert_eq!(said["organize"][0], false, "{said:?}");
    assert_eq!(said["duplicates"][0], true, "{said:?}");
    assert!(!names(&folder).contains(&"a.txt".to_owned()));
    let inbox = place.deskhand(["inbox"]).ok();
    assert!(inbox.contains("deskhand resume 1"), "{inbox}");
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
    let resumed = place.deskhand(["resume", "1", "--yes", "--allow-removals", "1"]);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert_eq!(names(&folder).len(), 2);
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
    assert_eq!(names(&folder), ["a.txt", "b.txt", "c.md"]);
}

#[test]
fn the_python_sdk_over_stdio() {
    journey(python(), false);
}

#[test]
fn the_python_sdk_over_http() {
    journey(python(), true);
}

#[test]
fn the_typescript_sdk_over_stdio() {
    journey(node(), false);
}

#[test]
fn the_typescript_sdk_over_http() {
    journey(node(), true);
}

/// Its command line lists, reads and calls. It needs Node 22.19 or newer, and is not installed where there is none.
#[test]
fn the_inspector_on_the_command_line() {
    let inspector = installed().join("inspector");
    if !inspector.join("done").exists() {
        eprintln!("skipped: the inspector needs Node 22.19 or newer");
        return;
    }
    let (place, folder) = parrot();
    let serve = ["mcp", "serve", "--client", "tester", "--folder", folder.to_str().unwrap()];
    let home = [("HOME", place.path("home")), ("DESKHAND_HOME", place.path("deskhand"))];
    let servers =
        json!({"mcpServers": {"deskhand": {"command": deskhand(), "args": serve, "env": BTreeMap::from(home)}}});
    let config = place.path("servers.json");
    std::fs::write(&config, servers.to_string()).unwrap();
    let ask = |more: &[&str]| -> Value {
        let mut command = place.command(inspector.join("node_modules/.bin/mcp-inspector"));
        command
            .env("MCP_INSPECTOR_SECRET_STORE", "memory")
            .arg("--cli")
            .arg("--config")
            .arg(&config)
            .args(["--server", "deskhand"])
            .args(more);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{more:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{more:?}: {error}: {text}"))
    };
    let tools = ask(&["--method", "tools/list"]);
    assert!(tools["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "run_command"), "{tools}");
    let prompts = ask(&["--method", "prompts/list"]);
    assert!(prompts["prompts"].as_array().unwrap().iter().any(|prompt| prompt["name"] == "organize"), "{prompts}");
    let uri = "deskhand://files/papers/a.txt";
    let read = ask(&["--method", "resources/read", "--uri", uri]);
    assert_eq!(read["contents"][0]["text"], "the same\n", "{read}");
    let call = ["--method", "tools/call", "--tool-name", "parrot__say", "--tool-arg", "text=tide"];
    let called = ask(&call);
    assert_eq!((&called["content"][1]["text"], &called["isError"]), (&json!("tide"), &json!(false)), "{called}");
}
