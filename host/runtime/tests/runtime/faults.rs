//! What plugins do wrong while they run, and what is said of it.

use crate::kit::{Bench, Scripted, command, config, pure};
use deskhand_runtime::{CallError, Config, PluginFault, Trace, Trapped};
use deskhand_vocabulary::Answer;
use std::time::Duration;

fn trace(names: &[&str]) -> Trace {
    Trace(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn traps_are_told_apart() {
    let cases = [
        ("unreachable", Trapped::GaveUp),
        ("(i32.load (i32.const -4))", Trapped::OutOfBounds),
        ("(i32.div_s (i32.const 1) (i32.const 0))", Trapped::Arithmetic),
        ("(i32.trunc_f32_s (f32.const nan))", Trapped::Arithmetic),
    ];
    for (body, what) in cases {
        let bench = Bench::new();
        assert_eq!(bench.fault(&pure(body)), PluginFault::Trapped { what, trace: trace(&["go"]) }, "{body}");
        assert_eq!(bench.log.outcomes(), ["trapped"]);
    }
}

#[test]
fn a_fault_names_the_plugins_functions() {
    let bench = Bench::new();
    let fault = bench.fault(&pure("(i32.load (i32.const -4))"));
    assert_eq!(
        fault.to_string(),
        "it stopped with an error of its own (it reached outside of its memory), in `go`. Nothing was changed; if it happens again, tell its publisher"
    );
}

#[test]
fn a_plugin_that_spins_is_stopped() {
    let bench = Bench::new();
    assert_eq!(
        bench.fault(&pure("(loop $on (br $on)) unreachable")),
        PluginFault::Deadline { seconds: 1, trace: trace(&["go"]) }
    );
    assert_eq!(bench.log.outcomes(), ["deadline"]);
}

const POLL: &str = "import wasi:clocks/monotonic-clock@0.2.6; import wasi:io/poll@0.2.6;";
const WASI: &str = r#"package wasi:io@0.2.6;
    interface poll { resource pollable { block: func(); } }"#;
const CLOCKS: &str = r#"package wasi:clocks@0.2.6;
    interface monotonic-clock { use wasi:io/poll@0.2.6.{pollable}; subscribe-duration: func(when: u64) -> pollable; }"#;

#[test]
fn a_plugin_that_sleeps_is_stopped() {
    let bench = Bench::new();
    let imports = r#"(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $wait (param i64) (result i32)))
        (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#;
    let module =
        crate::kit::command_module(imports, "(call $block (call $wait (i64.const 3600000000000))) unreachable");
    let world = format!("{POLL} export deskhand:plugin/command@0.1.0;");
    let component = crate::kit::component_of(&world, &[WASI, CLOCKS], &module);
    let component = crate::kit::with_manifest(component, &crate::kit::manifest(&[]));
    assert_eq!(bench.fault(&component), PluginFault::Deadline { seconds: 1, trace: Trace::default() });
}

#[test]
fn waiting_for_the_person_is_not_its_time() {
    // the person takes longer than the plugin has, and the plugin goes on to work for some ticks of the epoch
    let person = Scripted::new(|_| {
        std::thread::sleep(Duration::from_millis(1200));
        Ok(Answer::Yes)
    });
    let bench = Bench::with(Config { time: Duration::from_secs(1), ..config() }, person);
    let confirm = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
    let body = r#"(local $n i32)
        (call $confirm (i32.const 1200) (i32.const 4) (i32.const 900))
        (loop $on
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $on (i32.lt_u (local.get $n) (i32.const 100000000))))
        (call $answer (i32.const 1200) (i32.const 4))"#;
    let user = "import deskhand:plugin/user@0.1.0;";
    assert_eq!(crate::kit::text(&bench.run(&command(&["person.ask"], user, confirm, body)).unwrap()), "text");
}

#[test]
fn its_time_goes_on_after_the_person_has_answered() {
    let bench = Bench::new();
    let confirm = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
    let body = "(call $confirm (i32.const 1200) (i32.const 4) (i32.const 900)) (loop $on (br $on)) unreachable";
    let fault = bench.fault(&command(&["person.ask"], "import deskhand:plugin/user@0.1.0;", confirm, body));
    assert_eq!(fault, PluginFault::Deadline { seconds: 1, trace: trace(&["go"]) });
}

#[test]
fn a_plugin_that_the_person_stops_is_stopped() {
    let bench = Bench::with(Config { time: Duration::from_secs(600), ..config() }, Scripted::new(|_| Ok(Answer::Yes)));
    let mut manifest = crate::kit::manifest(&[]);
    manifest["limits"] = serde_json::json!({ "seconds": 600 });
    let spins = crate::kit::command_module("", "(loop $on (br $on)) unreachable");
    let spins = crate::kit::component("export deskhand:plugin/command@0.1.0;", &spins);
    bench.install(&crate::kit::with_manifest(spins, &manifest));
    let stop = bench.stop.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        stop.stop();
    });
    assert!(matches!(bench.go(), Err(CallError::Stopped)));
    assert_eq!(bench.log.outcomes(), ["cancelled"]);
}

#[test]
fn a_plugin_that_wants_too_much_memory_is_told_no_and_named() {
    let bench = Bench::new();
    // grows until it is refused, then gives up, as programs do
    let greedy = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    assert_eq!(bench.fault(&pure(greedy)), PluginFault::Memory { mib: 16, trace: trace(&["go"]) });
    // one that reckons with it goes on
    let modest = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (call $answer (i32.const 1200) (i32.const 4))";
    assert_eq!(crate::kit::text(&bench.run(&pure(modest)).unwrap()), "text");
    assert_eq!(bench.log.outcomes(), ["memory", "ok"]);
}

#[test]
fn a_plugin_that_begins_with_too_much_memory_is_named() {
    let bench = Bench::new();
    let module = crate::kit::command_module("", "unreachable")
        .replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 512)");
    let component = crate::kit::component("export deskhand:plugin/command@0.1.0;", &module);
    let fault = bench.fault(&crate::kit::with_manifest(component, &crate::kit::manifest(&[])));
    assert_eq!(fault, PluginFault::Memory { mib: 16, trace: Trace::default() });
}

#[test]
fn a_plugin_that_grows_tables_is_stopped() {
    let bench = Bench::new();
    let module = crate::kit::command_module(
        "",
        "(loop $on (br_if $on (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable",
    )
    .replace("(global $heap", "(table $t 1 funcref) (global $heap");
    let component = crate::kit::component("export deskhand:plugin/command@0.1.0;", &module);
    let fault = bench.fault(&crate::kit::with_manifest(component, &crate::kit::manifest(&[])));
    assert_eq!(fault, PluginFault::Tables { elements: 50_000, trace: trace(&["go"]) });
}

#[test]
fn a_plugin_that_calls_itself_without_end_is_stopped() {
    let bench = Bench::new();
    let body = "(call $go (local.get 0) (local.get 1) (local.get 2) (local.get 3))";
    // a tail position would be no recursion
    let fault = bench.fault(&pure(&format!("(i32.add {body} (i32.const 1))")));
    assert_eq!(fault, PluginFault::StackOverflow { trace: trace(&["go"; 32]) });
    assert_eq!(
        fault.to_string(),
        "it was stopped because its own calls went too deep, in `go` called by `go`. Nothing was changed; tell its publisher"
    );
}

#[test]
fn an_answer_of_megabytes_is_refused() {
    let bench = Bench::new();
    let two = "(drop (memory.grow (i32.const 40))) (call $answer (i32.const 65536) (i32.const 2000000))";
    assert_eq!(bench.fault(&pure(two)), PluginFault::TooMuchOutput { bytes: 2_000_010, limit: 1 << 20 });
    // beyond what is taken in one piece, it is not even read
    let nine = "(drop (memory.grow (i32.const 200))) (call $answer (i32.const 65536) (i32.const 9000000))";
    assert_eq!(bench.fault(&pure(nine)), PluginFault::BadValue { limit: 8 << 20, trace: Trace::default() });
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let bench = Bench::new();
    let cases = [
        "(drop (call $answer (i32.const 0) (i32.const 0))) (i32.store8 (i32.const 1024) (i32.const 7)) (i32.const 1024)",
        "(call $answer (i32.const -8) (i32.const 100))",
        "(i32.store8 (i32.const 2048) (i32.const 0xff)) (call $answer (i32.const 2048) (i32.const 1))",
        "(i32.const 0x7fffffff)",
    ];
    for body in cases {
        let fault = bench.fault(&pure(body));
        assert!(matches!(fault, PluginFault::BadValue { .. } | PluginFault::Trapped { .. }), "{body}: {fault:?}");
    }
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let bench = Bench::new();
    let import = r#"(import "deskhand:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32 i32 i32)))"#;
    let body = r#"(local $n i32)
        (memory.fill (i32.const 2048) (i32.const 97) (i32.const 60000))
        (loop $on
          (call $log (i32.const 0) (i32.const 2048) (i32.const 60000) (i32.const 0) (i32.const 0))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $on (i32.lt_u (local.get $n) (i32.const 50))))
        (call $answer (i32.const 0) (i32.const 0))"#;
    bench.run(&command(&[], "import deskhand:plugin/log@0.1.0;", import, body)).unwrap();
    let lines = bench.log.lines();
    let sizes: Vec<_> = lines.iter().map(|(level, message, _)| (level.as_str(), message.chars().count())).collect();
    // 16 KiB hold three lines of 4,096 characters, of which the last is three bytes long
    let dropped = "47 lines more were dropped";
    assert_eq!(sizes, [("debug", 4096), ("debug", 4096), ("debug", 4096), ("warn", dropped.len())]);
    assert_eq!(lines[3].1, dropped);
}

const STDOUT: &str = r#"package wasi:io@0.2.6;
    interface error { resource error { } }
    interface streams {
      use error.{error};
      variant stream-error { last-operation-failed(error), closed }
      resource output-stream {
        blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
      }
    }"#;
const CLI: &str = r#"package wasi:cli@0.2.6;
    interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
    interface exit { exit: func(status: result); }"#;

#[test]
fn standard_output_goes_to_the_log() {
    let bench = Bench::new();
    let imports = r#"(import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
          (func $write (param i32 i32 i32 i32)))"#;
    let body = r#"(local $out i32)
        (local.set $out (call $stdout))
        (call $write (local.get $out) (i32.const 1200) (i32.const 5) (i32.const 800))
        (i32.store8 (i32.const 2048) (i32.const 10))
        (call $write (local.get $out) (i32.const 2048) (i32.const 1) (i32.const 800))
        (call $write (local.get $out) (i32.const 1205) (i32.const 5) (i32.const 800))
        (call $answer (i32.const 0) (i32.const 0))"#;
    let world = "import wasi:cli/stdout@0.2.6; import wasi:io/streams@0.2.6; export deskhand:plugin/command@0.1.0;";
    let component = crate::kit::component_of(world, &[STDOUT, CLI], &crate::kit::command_module(imports, body));
    bench.run(&crate::kit::with_manifest(component, &crate::kit::manifest(&[]))).unwrap();
    let lines: Vec<_> = bench.log.lines().into_iter().map(|(level, message, _)| (level, message)).collect();
    let line = |text: &str| ("info".to_owned(), text.to_owned());
    assert_eq!(lines, [line("text/"), line("plain")]);
}

#[test]
fn a_plugin_that_ends_instead_of_answering_is_named() {
    let bench = Bench::new();
    let imports = r#"(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#;
    let world = "import wasi:cli/exit@0.2.6; export deskhand:plugin/command@0.1.0;";
    let module = crate::kit::command_module(imports, "(call $exit (i32.const 1)) unreachable");
    let component = crate::kit::component_of(world, &[STDOUT, CLI], &module);
    let fault = bench.fault(&crate::kit::with_manifest(component, &crate::kit::manifest(&[])));
    assert_eq!(fault, PluginFault::Exited { status: 1 });
}
