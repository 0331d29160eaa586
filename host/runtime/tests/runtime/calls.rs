//! What works: a call, its arguments, its answer, and what it may ask of the host.

use crate::kit::{Bench, Scripted, command, config, id, pure, text};
use deskhand_runtime::reference::{Bare, BareCommand};
use deskhand_runtime::{Body, CallError, Code, Content, Refused, Reply};
use deskhand_vocabulary::{Answer, Entry, Event, Notice, Principal, Progress, Question, Unanswered};
use serde_json::{Value, json};

/// Answers with its arguments.
pub const ECHO: &str = "(call $answer (local.get $arguments) (local.get $arguments_length))";

#[test]
fn a_command_gets_its_arguments_and_answers() {
    let bench = Bench::new();
    bench.install(&pure(ECHO));
    let reply = bench.go_with(json!({ "by": "type", "ümlaut": "写真" })).unwrap();
    let body = Body::Text(r#"{"by":"type","ümlaut":"写真"}"#.to_owned());
    assert_eq!(reply, Reply { show: vec![Content { media_type: "text/plain".to_owned(), body }], prompt: None });
    assert_eq!(bench.log.outcomes(), ["ok"]);
}

#[test]
fn arguments_are_put_on_the_record_up_to_a_length() {
    let bench = Bench::new();
    bench.install(&pure("(call $answer (i32.const 0) (i32.const 0))"));
    bench.go_with(json!({ "by": "type" })).unwrap();
    bench.go_with(json!("x".repeat(200_000))).unwrap();
    let entries = bench.log.0.lock().unwrap();
    let started = |entry: &&Entry| matches!(entry.event, Event::CallStarted { .. });
    let [short, long] = &entries.iter().filter(started).collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(short.content, Some(json!({ "arguments": { "by": "type" } })));
    let long = long.content.as_ref().unwrap()["arguments"].as_str().unwrap();
    assert_eq!((long.chars().count(), long.ends_with("x…")), (65_536, true));
}

#[test]
fn each_call_begins_anew() {
    let bench = Bench::new();
    // counts its calls in memory, and answers with as many bytes of a text
    let count = r#"(i32.store (i32.const 900) (i32.add (i32.load (i32.const 900)) (i32.const 1)))
        (i32.store (i32.const 2048) (i32.const 0x6f6f6f6f))
        (call $answer (i32.const 2048) (i32.load (i32.const 900)))"#;
    bench.install(&pure(count));
    for _ in 0..3 {
        assert_eq!(text(&bench.go().unwrap()), "o");
    }
    assert_eq!(bench.runtime.loaded(), 1);
}

#[test]
fn what_a_plugin_says_arrives_as_it_said_it() {
    let bench = Bench::new();
    let refuse = r#"(i64.store (i32.const 2048) (i64.const 0x6d324a5b1b6f6e20)) ;; " no", escape, "[J2m"
        (call $refuse (i32.const 4) (i32.const 2048) (i32.const 8))"#;
    let error = bench.run(&pure(refuse)).unwrap_err();
    let CallError::Refused { plugin, refused } = error else { panic!("{error:?}") };
    assert_eq!(plugin, id());
    // escape codes are data here; the room that shows them makes them harmless
    assert_eq!(refused, Refused { code: Code::Conflict, message: " no\u{1b}[J2m".to_owned(), retry_after_ms: None });
    assert_eq!(bench.log.outcomes(), ["conflict"]);
}

#[test]
fn what_is_not_there_is_said() {
    let bench = Bench::new();
    assert!(matches!(bench.go(), Err(CallError::NotInstalled(missing)) if missing == id()));
    bench.install(&pure(ECHO));
    let error = bench.run_command("official:test", "stop", &json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "official:test has no command `stop`. `deskhand plugin info official:test` lists what it has"
    );
}

#[test]
fn a_log_line_is_put_on_the_record() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#;
    let body = r#"(i64.store (i32.const 2048) (i64.const 0x656c6966_6f6c6c61)) ;; "allo", "file"
        (i32.store (i32.const 2100) (i32.const 2048)) (i32.store (i32.const 2104) (i32.const 4))
        (i32.store (i32.const 2108) (i32.const 2052)) (i32.store (i32.const 2112) (i32.const 4))
        (call $log (i32.const 2) (i32.const 2048) (i32.const 8) (i32.const 2100) (i32.const 1))
        (call $answer (i32.const 2048) (i32.const 0))"#;
    bench.run(&command(&[], "import deskhand:plugin/log@0.1.0;", import, body)).unwrap();
    assert_eq!(bench.log.lines(), [("warn".to_owned(), "allofile".to_owned(), json!({ "allo": "file" }))]);
}

const INVOCATION: &str = "import deskhand:plugin/invocation@0.1.0;";

#[test]
fn a_call_knows_its_task_its_person_and_its_zone() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/invocation@0.1.0" "context" (func $context (param i32)))"#;
    let body = r#"(call $context (i32.const 900))
        (call $answer (i32.load (i32.const 900)) (i32.load (i32.const 904)))"#;
    let reply = bench.run(&command(&[], INVOCATION, import, body)).unwrap();
    let context: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(
        context,
        json!({
            "task": "1", "person": true, "locale": "de-DE", "time-zone": "Europe/Berlin", "interface": "0.1.0",
            "host": { "offers": ["log", "invocation", "files", "changes", "user", "store", "toolbox", "credentials"] },
        })
    );
}

#[test]
fn progress_reaches_the_person_with_its_origin() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/invocation@0.1.0" "progress" (func $progress (param i32 i32 i32 f32)))"#;
    let body = r#"(call $progress (i32.const 1200) (i32.const 10) (i32.const 1) (f32.const 0.25))
        (call $progress (i32.const 1200) (i32.const 4) (i32.const 1) (f32.const nan))
        (call $answer (i32.const 2048) (i32.const 0))"#;
    bench.run(&command(&[], INVOCATION, import, body)).unwrap();
    let progress = |text: &str, done: Option<u64>| Progress {
        origin: Principal::Plugin(id()),
        text: text.to_owned(),
        done,
        total: done.map(|_| 1000),
    };
    assert_eq!(*bench.person.progress.lock().unwrap(), [progress("text/plain", Some(250)), progress("text", None)]);
}

const USER: &str = "import deskhand:plugin/user@0.1.0;";
const CONFIRM: &str = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
/// Asks, and answers with `text/` after yes, with nothing after no, and with the refusal's message else.
pub const ASK: &str = r#"(call $confirm (i32.const 1200) (i32.const 4) (i32.const 900))
    (if (result i32) (i32.load8_u (i32.const 900))
      (then (call $refuse (i32.load8_u (i32.const 904)) (i32.load (i32.const 908)) (i32.load (i32.const 912))))
      (else (call $answer (i32.const 1200) (i32.mul (i32.load8_u (i32.const 904)) (i32.const 5)))))"#;

/// A plugin that asks.
pub fn asking() -> Vec<u8> {
    command(&["person.ask"], USER, CONFIRM, ASK)
}

#[test]
fn a_question_reaches_the_person_and_its_answer_the_plugin() {
    for (answer, expected) in [(Answer::Yes, "text/"), (Answer::No, "")] {
        let person = Scripted::new(move |_| Ok(answer.clone()));
        let bench = Bench::with(config(), person.clone());
        assert_eq!(text(&bench.run(&asking()).unwrap()), expected);
        let asked = person.asked.lock().unwrap();
        let [Question::Confirm { origin, text }] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!((origin, text.as_str()), (&Principal::Plugin(id()), "text"));
    }
}

#[test]
fn a_question_to_nobody_is_parked() {
    let bench = Bench::with(config(), Scripted::new(|_| Err(Unanswered::Absent)));
    let error = bench.run(&asking()).unwrap_err();
    assert!(matches!(&error, CallError::Refused { refused, .. } if refused.code == Code::Parked), "{error:?}");
}

#[test]
fn a_notice_reaches_the_person_with_its_origin() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/user@0.1.0" "notify" (func $notify (param i32 i32 i32)))"#;
    let body = r#"(call $notify (i32.const 1200) (i32.const 10) (i32.const 900))
        (call $answer (i32.const 2048) (i32.const 0))"#;
    bench.run(&command(&["person.ask"], USER, import, body)).unwrap();
    let notice = Notice { origin: Principal::Plugin(id()), text: "text/plain".to_owned() };
    assert_eq!(*bench.person.told.lock().unwrap(), [notice]);
}

#[test]
fn a_plugin_that_tells_the_person_without_end_is_not_heard_without_end() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/user@0.1.0" "notify" (func $notify (param i32 i32 i32)))"#;
    // until it is refused, which it passes on
    let body = r#"(loop $on
          (call $notify (i32.const 1200) (i32.const 4) (i32.const 900))
          (br_if $on (i32.eqz (i32.load8_u (i32.const 900)))))
        (call $refuse (i32.load8_u (i32.const 904)) (i32.load (i32.const 908)) (i32.load (i32.const 912)))"#;
    let error = bench.run(&command(&["person.ask"], USER, import, body)).unwrap_err();
    assert!(matches!(&error, CallError::Refused { refused, .. } if refused.code == Code::Exhausted), "{error:?}");
    assert_eq!(bench.person.told.lock().unwrap().len(), 100);
}

#[test]
fn the_bare_call_of_benchmarks_is_the_same_call() {
    let bench = Bench::new();
    bench.install(&pure(ECHO));
    let bare = Bare::new(&bench.runtime).unwrap();
    assert!(BareCommand::load(&bare, &id()).unwrap().call("go", "{}").unwrap());
    bench.install(&pure("(call $refuse (i32.const 1) (i32.const 0) (i32.const 0))"));
    assert!(!BareCommand::load(&bare, &id()).unwrap().call("go", "{}").unwrap());
    assert_eq!(bench.log.outcomes(), Vec::<String>::new());
}

#[test]
fn state_is_kept_from_one_call_to_the_next() {
    let bench = Bench::new();
    let imports = r#"(import "deskhand:plugin/store@0.1.0" "get" (func $get (param i32 i32 i32)))
        (import "deskhand:plugin/store@0.1.0" "put"
          (func $put (param i32 i32 i32 i32 i32 i64 i32)))"#;
    // get("text"): result<option<item>>; absent: put "plain" and answer "text", else answer what is there
    let body = r#"(call $get (i32.const 1200) (i32.const 4) (i32.const 800))
        (if (i32.load8_u (i32.const 800)) (then (unreachable)))
        (if (result i32) (i32.load8_u (i32.const 808))
          (then (call $answer (i32.load (i32.const 816)) (i32.load (i32.const 820))))
          (else
            (call $put (i32.const 1200) (i32.const 4) (i32.const 1205) (i32.const 5) (i32.const 1) (i64.const 0)
              (i32.const 800))
            (if (i32.load8_u (i32.const 800)) (then (unreachable)))
            (call $answer (i32.const 1200) (i32.const 4))))"#;
    bench.install(&command(&["state.keep"], "import deskhand:plugin/store@0.1.0;", imports, body));
    assert_eq!(text(&bench.go().unwrap()), "text");
    assert_eq!(text(&bench.go().unwrap()), "plain");
}

#[test]
fn a_call_within_another_executor_does_not_stop_it() {
    let bench = Bench::new();
    bench.install(&pure(ECHO));
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reply = other.block_on(async { bench.go() });
    assert_eq!(text(&reply.unwrap()), "{}");
}
