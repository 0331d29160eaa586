//! `call-all`: several calls at once, side by side where none of them can get in the way of another.

use crate::{
    folders,
    kit::{Bench, Fixed, PRELUDE, Scripted, command_module, component, config, manifest, text, with_manifest},
};
use deskhand_permissions::{Context, Standing, effect::RunCommand};
use deskhand_runtime::{Config, Invocation};
use deskhand_vocabulary::{Answer, Clock};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// A command that calls `official:inner/look` once for each of these arguments, and answers with one letter for each call:
/// the second of what came back (the first is a quotation mark), or `!` for an error.
fn caller(arguments: &[&str]) -> Vec<u8> {
    let (mut data, mut body) = (String::new(), String::new());
    let tool = "official:inner/look";
    data.push_str(&format!(r#"(data (i32.const 4096) "{tool}")"#));
    let mut at = 5000;
    for (index, argument) in arguments.iter().enumerate() {
        let row: Vec<u8> = [4096, tool.len(), at, argument.len()]
            .iter()
            .flat_map(|n| u32::try_from(*n).unwrap().to_le_bytes())
            .collect();
        let row: String = row.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let text = argument.replace('"', "\\22");
        data.push_str(&format!(r#"(data (i32.const {at}) "{text}") (data (i32.const {}) "{row}")"#, 8192 + 16 * index));
        at += argument.len();
        let result = format!("(i32.add (i32.load (i32.const 800)) (i32.const {}))", 24 * index);
        body.push_str(&format!(
            "(i32.store8 (i32.const {}) (if (result i32) (i32.load8_u {result})
               (then (i32.const 33))
               (else (i32.load8_u offset=1 (i32.load offset=12 (i32.load offset=4 {result}))))))",
            9000 + index
        ));
    }
    let import = r#"(import "deskhand:plugin/toolbox@0.1.0" "call-all" (func $call_all (param i32 i32 i32)))"#;
    let count = arguments.len();
    let module = command_module(
        import,
        &format!(
            "(call $call_all (i32.const 8192) (i32.const {count}) (i32.const 800)) {body}
             (call $answer (i32.const 9000) (i32.const {count}))"
        ),
    );
    let module = format!("{}{data})", module.strip_suffix(')').unwrap());
    let world = "import deskhand:plugin/toolbox@0.1.0; export deskhand:plugin/command@0.1.0;";
    let mut manifest = manifest(&["tools.call"]);
    manifest["permissions"][0]["scope"] = json!(["inner/look"]);
    with_manifest(component(world, &module), &manifest)
}

/// The plugin `inner` with the tool `look`.
fn inner(permissions: &[&str], world: &str, imports: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {imports} {PRELUDE} (func (export "deskhand:plugin/tools@0.1.0#call")
             (param $name i32) (param $name_length i32) (param $arguments i32) (param $arguments_length i32) (result i32)
             {body}))"#
    );
    let mut manifest = manifest(permissions);
    manifest["plugin"]["name"] = json!("inner");
    manifest["commands"] = json!([]);
    manifest["tools"] = json!([{ "name": "look", "title": "Look", "description": "Looks.", "input": {} }]);
    with_manifest(component(&format!("{world} export deskhand:plugin/tools@0.1.0;"), &module), &manifest)
}

const ECHO: &str = "(call $answer (local.get $arguments) (local.get $arguments_length))";

/// A clock whose zone is told only once two ask for it at the same time; asking alone goes on after a while, and is kept.
#[derive(Default)]
struct Meeting {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    came: u32,
    alone: u32,
}

impl Clock for Meeting {
    fn now(&self) -> Timestamp {
        Fixed.now()
    }

    fn zone(&self) -> TimeZone {
        let mut state = self.state.lock().unwrap();
        state.came += 1;
        self.came.notify_all();
        let pair = (state.came - 1) / 2;
        let apart = |state: &mut State| state.came < 2 * (pair + 1);
        let (mut state, waited) = self.came.wait_timeout_while(state, Duration::from_secs(20), apart).unwrap();
        if waited.timed_out() {
            state.alone += 1;
        }
        Fixed.zone()
    }
}

#[test]
fn calls_that_change_nothing_run_side_by_side() {
    let config = Config { concurrency: 4, time: Duration::from_secs(60), ..config() };
    let bench = Bench::with(config, Scripted::new(|_| Ok(Answer::Yes)));
    let import = r#"(import "deskhand:plugin/invocation@0.1.0" "context" (func $context (param i32)))"#;
    let body = format!("(call $context (i32.const 800)) {ECHO}");
    bench.install_as("official:inner", &inner(&[], "import deskhand:plugin/invocation@0.1.0;", import, &body));
    bench.install(&caller(&[r#""a""#, r#""b""#, r#""c""#, r#""d""#]));
    let meeting = Arc::new(Meeting::default());
    let invocation = Invocation { clock: meeting.clone(), ..bench.invocation() };
    let effect = RunCommand { plugin: crate::kit::id(), command: "go".to_owned() };
    let person = Context::person(Some(invocation.task), Standing::default());
    let permit = invocation.gate.permit(&person, effect).unwrap();
    let reply = bench.runtime.call_command(invocation, permit, &json!({})).unwrap();
    assert_eq!(text(&reply), "abcd", "in the order of the calls");
    let state = meeting.state.lock().unwrap();
    assert_eq!((state.came, state.alone), (4, 0));
}

#[test]
fn one_place_is_enough() {
    let config = Config { concurrency: 1, time: Duration::from_secs(60), ..config() };
    let bench = Bench::with(config, Scripted::new(|_| Ok(Answer::Yes)));
    bench.install_as("official:inner", &inner(&[], "", "", ECHO));
    bench.install(&caller(&[r#""a""#, r#""b""#, r#""c""#]));
    assert_eq!(text(&bench.go().unwrap()), "abc");
}

#[test]
fn a_call_that_fails_fails_alone() {
    let bench = Bench::new();
    let body = format!(
        r#"(if (i32.eq (i32.load8_u offset=1 (local.get $arguments)) (i32.const 98)) (then unreachable)) {ECHO}"#
    );
    bench.install_as("official:inner", &inner(&[], "", "", &body));
    bench.install(&caller(&[r#""a""#, r#""b""#, "not JSON", r#""c""#]));
    assert_eq!(text(&bench.go().unwrap()), "a!!c");
}

#[test]
fn what_changes_files_is_called_in_order_and_all_of_it_is_kept() {
    let (bench, _) = folders::bench(|_| Ok(Answer::Yes));
    let import =
        r#"(import "deskhand:plugin/changes@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    let body = format!(
        "(call $write (i32.add (local.get $arguments) (i32.const 2)) (i32.sub (local.get $arguments_length) (i32.const 3))
           (i32.const 1200) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 800))
         (if (i32.load8_u (i32.const 800)) (then
           (return (call $refuse (i32.load8_u (i32.const 808)) (i32.load (i32.const 812)) (i32.load (i32.const 816))))))
         {ECHO}"
    );
    let world = "import deskhand:plugin/changes@0.1.0;";
    bench.install_as("official:inner", &inner(&["files.change"], world, import, &body));
    bench.install(&caller(&[r#""1papers/one""#, r#""2papers/two""#, r#""3papers/one""#]));
    // the third finds what the first has put there
    assert_eq!(text(&bench.go().unwrap()), "12!");
    let pending: Vec<_> =
        bench.workspace.pending(None, 10).into_iter().map(|change| change.target.unwrap().to_string()).collect();
    assert_eq!(pending, ["papers/one", "papers/two"]);
}
