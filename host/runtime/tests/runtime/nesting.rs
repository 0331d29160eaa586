//! Plugins that call plugins, and more of them than there are places.

use crate::kit::{Bench, PRELUDE, Scripted, command, component, config, id, manifest, text, with_manifest};
use deskhand_runtime::{Agents, Body, CallError, Code, Config, Content, Refused, ToolOutput, Work};
use deskhand_vocabulary::{Answer, Stop};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Barrier},
    time::Duration,
};

const TOOLBOX: &str = "import deskhand:plugin/toolbox@0.1.0;";
/// `call` and `$pass`, which calls the tool named by the arguments (a JSON string, without its quotes) with `{}`, and
/// answers as it does: a tool's output has the layout of a command's reply.
const CALL: &str = r#"(import "deskhand:plugin/toolbox@0.1.0" "call" (func $call (param i32 i32 i32 i32 i32)))"#;
const PASS: &str = r#"(i32.store16 (i32.const 2048) (i32.const 0x7d7b))
    (call $call (i32.add (local.get $arguments) (i32.const 1)) (i32.sub (local.get $arguments_length) (i32.const 2))
      (i32.const 2048) (i32.const 2) (i32.const 1024))
    (i32.const 1024)"#;

fn with_scope(mut manifest: Value, scope: &[&str]) -> Value {
    for permission in manifest["permissions"].as_array_mut().unwrap() {
        if permission["kind"] == "tools.call" {
            permission["scope"] = json!(scope);
        }
    }
    manifest
}

/// A command that calls the tool that its argument names.
fn caller(scope: &[&str]) -> Vec<u8> {
    let world = format!("{TOOLBOX} export deskhand:plugin/command@0.1.0;");
    let component = component(&world, &crate::kit::command_module(CALL, PASS));
    with_manifest(component, &with_scope(manifest(&["tools.call"]), scope))
}

/// A plugin with one tool.
fn tool(
    plugin: &str,
    name: &str,
    permissions: &[&str],
    scope: &[&str],
    world: &str,
    imports: &str,
    body: &str,
) -> Vec<u8> {
    let module = format!(
        r#"(module {imports} {PRELUDE}
          (data (i32.const 1300) "official:inner/look")
          (func $look (export "deskhand:plugin/tools@0.1.0#call")
            (param $name i32) (param $name_length i32) (param $arguments i32) (param $arguments_length i32) (result i32)
            {body}))"#
    );
    let mut manifest = with_scope(manifest(permissions), scope);
    manifest["plugin"]["name"] = json!(plugin);
    manifest["commands"] = json!([]);
    manifest["tools"] = json!([{ "name": name, "title": "Look", "description": "Looks at things.", "input": { "type": "object" }, "read_only": true }]);
    with_manifest(component(&format!("{world} export deskhand:plugin/tools@0.1.0;"), &module), &manifest)
}

/// A tool that answers `text`.
fn inner() -> Vec<u8> {
    tool("inner", "look", &[], &[], "", "", "(call $answer (i32.const 1200) (i32.const 4))")
}

#[test]
fn a_plugin_calls_a_tool_of_another() {
    let bench = Bench::new();
    bench.install(&caller(&["inner/look"]));
    bench.install_as("official:inner", &inner());
    for name in ["look", "inner/look", "official:inner/look"] {
        assert_eq!(text(&bench.go_with(json!(name)).unwrap()), "text", "{name}");
    }
    let output = bench.call_tool("official:inner", "look", &json!({})).unwrap();
    assert_eq!((output.content.len(), output.structured), (1, None));
}

fn refused(bench: &Bench, tool: &str) -> (Code, String) {
    match bench.go_with(json!(tool)).unwrap_err() {
        CallError::Refused { plugin, refused } => {
            assert_eq!(plugin, id());
            (refused.code, refused.message)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tool_beyond_the_scope_is_denied() {
    let bench = Bench::new();
    bench.install(&caller(&["inner/other"]));
    bench.install_as("official:inner", &inner());
    assert_eq!(refused(&bench, "inner/look").0, Code::Denied);
}

#[test]
fn a_tool_that_is_not_there_is_said() {
    let bench = Bench::new();
    bench.install(&caller(&["inner/look", "look"]));
    assert_eq!(
        refused(&bench, "look"),
        (Code::NotFound, "no installed plugin of this marketplace has that tool".to_owned())
    );
    assert_eq!(refused(&bench, "inner/look").0, Code::NotFound);
    assert_eq!(refused(&bench, "Inner/look").0, Code::Invalid);
}

#[test]
fn a_fault_of_the_called_is_an_error_of_the_caller() {
    let bench = Bench::new();
    bench.install(&caller(&["inner/look"]));
    bench.install_as("official:inner", &tool("inner", "look", &[], &[], "", "", "unreachable"));
    let (code, message) = refused(&bench, "look");
    assert_eq!(code, Code::Failed);
    assert!(message.starts_with("official:inner failed: it stopped with an error of its own"), "{message}");
    assert_eq!(bench.log.outcomes(), ["trapped", "failed"]);
}

/// A tool that calls itself.
fn recursive() -> Vec<u8> {
    let body = "(i32.store16 (i32.const 2048) (i32.const 0x7d7b))
        (call $call (i32.const 1300) (i32.const 19) (i32.const 2048) (i32.const 2) (i32.const 1024))
        (i32.const 1024)";
    tool("inner", "look", &["tools.call"], &["inner/look", "look"], TOOLBOX, CALL, body)
}

#[test]
fn calls_of_calls_end_at_a_depth() {
    let bench = Bench::new();
    bench.install(&caller(&["inner/look"]));
    bench.install_as("official:inner", &recursive());
    let (code, message) = refused(&bench, "look");
    assert_eq!(code, Code::Exhausted);
    assert!(message.starts_with("plugins called one another more than 8 deep"), "{message}");
}

#[test]
fn nested_calls_need_no_place_of_their_own() {
    // one place, a pool of four, and nine calls deep, eight times at once
    let config = Config { concurrency: 1, time: Duration::from_secs(30), ..config() };
    let bench = Bench::with(config, Scripted::new(|_| Ok(Answer::Yes)));
    bench.install(&caller(&["inner/look"]));
    bench.install_as("official:inner", &recursive());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(refused(&bench, "look").0, Code::Exhausted));
        }
    });
    assert_eq!(bench.log.outcomes().len(), 8 * 9);
}

/// The part of a process that may not have the address space of a pool.
#[test]
fn cramped() {
    if std::env::var("CRAMPED").is_err() {
        return;
    }
    let limit = rustix::process::Rlimit { current: Some(20 << 30), maximum: Some(20 << 30) };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
    let bench = Bench::new();
    bench.install(&caller(&["inner/look"]));
    bench.install_as("official:inner", &inner());
    assert_eq!(text(&bench.go_with(json!("look")).unwrap()), "text");
}

#[test]
fn a_process_without_room_for_a_pool_does_without() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nesting::cramped"])
        .env("CRAMPED", "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn waiting_calls_give_their_place_away() {
    // twelve calls wait for the person at once, in a host with two places and a pool of four; each question is answered
    // only when all twelve have been put, and a thirteenth call runs in between
    const WAITING: usize = 12;
    let all = Arc::new(Barrier::new(WAITING + 1));
    let barrier = all.clone();
    let person = Scripted::new(move |_| {
        barrier.wait();
        barrier.wait();
        Ok(Answer::Yes)
    });
    let bench = Bench::with(Config { concurrency: 2, ..config() }, person);
    bench.install(&crate::calls::asking());
    bench.install_as("official:inner", &inner());
    std::thread::scope(|scope| {
        for _ in 0..WAITING {
            scope.spawn(|| assert_eq!(text(&bench.go().unwrap()), "text/"));
        }
        all.wait();
        bench.call_tool("official:inner", "look", &json!({})).unwrap();
        all.wait();
    });
}

#[test]
fn nested_calls_that_wait_for_the_person_do_not_starve_others() {
    const WAITING: usize = 10;
    let all = Arc::new(Barrier::new(WAITING + 1));
    let barrier = all.clone();
    let person = Scripted::new(move |_| {
        barrier.wait();
        barrier.wait();
        Ok(Answer::Yes)
    });
    let bench = Bench::with(Config { concurrency: 1, ..config() }, person);
    let confirm = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
    let user = "import deskhand:plugin/user@0.1.0;";
    bench.install_as("official:inner", &tool("inner", "look", &["person.ask"], &[], user, confirm, crate::calls::ASK));
    bench.install(&caller(&["inner/look"]));
    bench.install_as("other:test", &command(&[], "", "", crate::calls::ECHO));
    std::thread::scope(|scope| {
        for _ in 0..WAITING {
            scope.spawn(|| assert_eq!(text(&bench.go_with(json!("look")).unwrap()), "text/"));
        }
        all.wait();
        bench.run_command("other:test", "go", &json!({})).unwrap();
        all.wait();
    });
}

#[test]
fn a_catalog_lists_what_may_be_called() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/toolbox@0.1.0" "catalog" (func $catalog (param i32 i32 i32 i32 i32)))"#;
    let body = "(call $catalog (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 10) (i32.const 800))
        (call $answer (i32.load (i32.const 804)) (i32.load (i32.const 808)))";
    let world = format!("{TOOLBOX} export deskhand:plugin/command@0.1.0;");
    let component = component(&world, &crate::kit::command_module(import, body));
    bench.install(&with_manifest(component, &with_scope(manifest(&["tools.call"]), &["inner/look"])));
    bench.install_as("official:inner", &inner());
    bench.install_as("official:second", &tool("second", "peek", &[], &[], "", "", "unreachable"));
    let catalog: Value = serde_json::from_str(text(&bench.go().unwrap())).unwrap();
    let expected = json!({ "tools": [{
        "name": "official:inner/look", "title": "Look", "description": "Looks at things.",
        "input-schema": { "type": "object" }, "output-schema": null, "hints": ["read-only"],
    }] });
    assert_eq!(catalog, expected);
}

/// Says what it was given.
struct Helps;

impl Agents for Helps {
    fn delegate(&self, work: &Work, _: &Stop) -> Result<ToolOutput, Refused> {
        let Work { caller, plugin, agent, task, input, budget, .. } = work;
        let text = format!("{}/{agent} for {}: {task} {input} {budget}", plugin.name, caller.name);
        let content = vec![Content { media_type: "text/plain".to_owned(), body: Body::Text(text) }];
        Ok(ToolOutput { content, structured: None })
    }
}

#[test]
fn a_sub_agent_works_for_a_plugin_that_may_give_it_work() {
    let mut bench = Bench::new();
    let import = r#"(import "deskhand:plugin/toolbox@0.1.0" "delegate" (func $delegate (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    let body =
        "(call $delegate (i32.const 1300) (i32.const 6) (i32.const 1320) (i32.const 8) (i32.const 1310) (i32.const 7)
        (i32.const 1200) (i32.const 0) (i32.const 1024)) (i32.const 1024)";
    let world = format!("{TOOLBOX} export deskhand:plugin/command@0.1.0;");
    let data =
        r#"(data (i32.const 1300) "helper") (data (i32.const 1310) "{\"n\":1}") (data (i32.const 1320) "count it")"#;
    let module = crate::kit::command_module(import, body).replace("(func $go", &format!("{data} (func $go"));
    let plugin = with_manifest(component(&world, &module), &with_scope(manifest(&["tools.call"]), &["helper"]));
    bench.install(&plugin);
    let none = "there is no model here that a sub-agent could work with; call a tool instead";
    assert_eq!(refused(&bench, ""), (Code::Unsupported, none.to_owned()));
    bench.services.agents = Some(Arc::new(Helps));
    let missing = "no installed plugin of this marketplace has that sub-agent";
    assert_eq!(refused(&bench, ""), (Code::NotFound, missing.to_owned()));
    bench.install_as("official:crew", &crate::roles::briefed("crew", "helper"));
    assert_eq!(text(&bench.go().unwrap()), "crew/helper for test: count it {\"n\":1} {}");
    // what is not in the scope is not given work
    let other = with_manifest(component(&world, &module), &with_scope(manifest(&["tools.call"]), &["look"]));
    bench.install(&other);
    assert_eq!(refused(&bench, "").0, Code::Denied);
}
