//! `memory`: what a plugin has remembered, through the person alone.

use crate::kit::{Bench, Scripted, command, config, text};
use deskhand_records::{Draft, NoteOrigin, NoteScope, Within};
use deskhand_runtime::{CallError, Code};
use deskhand_vocabulary::{Answer, Labels, Question, Unanswered};

const MEMORY: &str = "import deskhand:plugin/memory@0.1.0;";
const IMPORTS: &str = r#"
    (import "deskhand:plugin/memory@0.1.0" "remember" (func $remember (param i32 i32 i32 i32 i32)))
    (import "deskhand:plugin/memory@0.1.0" "recall" (func $recall (param i32 i32 i32 i32)))
    (import "deskhand:plugin/memory@0.1.0" "forget" (func $forget (param i32 i32 i32)))
    (data (i32.const 2048) "all") (data (i32.const 2056) "plugin") (data (i32.const 2064) "1")
    (data (i32.const 2072) "folder:x")"#;

/// Has `plain` remembered for the scope at `scope`, and answers with the note's number, or what it is refused with.
fn remembering(scope: (u32, u32)) -> Vec<u8> {
    let (at, length) = scope;
    let body = format!(
        r#"(call $remember (i32.const 1205) (i32.const 5) (i32.const {at}) (i32.const {length}) (i32.const 800))
        (if (result i32) (i32.load8_u (i32.const 800))
          (then (call $refuse (i32.load8_u (i32.const 808)) (i32.load (i32.const 812)) (i32.load (i32.const 816))))
          (else (call $answer (i32.load (i32.const 808)) (i32.load (i32.const 812)))))"#
    );
    command(&["memory.keep"], MEMORY, IMPORTS, &body)
}

fn refused(error: &CallError) -> (Code, &str) {
    let CallError::Refused { refused, .. } = error else { panic!("{error:?}") };
    (refused.code, &refused.message)
}

#[test]
fn the_person_is_shown_each_note_and_decides() {
    let person = Scripted::new(|_| Ok(Answer::Chosen("always".into())));
    let bench = Bench::with(config(), person.clone());
    assert_eq!(text(&bench.run(&remembering((2048, 3))).unwrap()), "1");
    let asked = person.asked.lock().unwrap();
    let [Question::Choose { text: question, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(
        question,
        "The plugin official:test wants a note to be remembered. Later tasks would be told it, for all work:\n\n  | plain\n\nIs it to be remembered?"
    );
    assert_eq!(
        person.told.lock().unwrap()[0].text,
        "remembered for all work (note 1):\n  | plain\nTake it back with: deskhand memory forget 1"
    );
    let note = bench.invocation().records.memory().get(1).unwrap();
    let origin = NoteOrigin::Plugin { plugin: "official:test".parse().unwrap() };
    assert_eq!((note.text.as_ref(), note.origin, note.labels), ("plain", origin, Labels::of_what_was_read()));

    for (answer, code) in [(Ok(Answer::Chosen("no".into())), Code::Denied), (Err(Unanswered::Absent), Code::Parked)] {
        let bench = Bench::with(config(), Scripted::new(move |_| answer.clone()));
        assert_eq!(refused(&bench.run(&remembering((2048, 3))).unwrap_err()).0, code);
        assert_eq!(bench.invocation().records.memory().count().unwrap(), 0);
    }
    // a folder that the task has not
    let bench = Bench::new();
    assert_eq!(refused(&bench.run(&remembering((2072, 8))).unwrap_err()).0, Code::Invalid);
}

/// Recalls all, and answers with the text of the first.
const RECALL: &str = r#"(call $recall (i32.const 1200) (i32.const 0) (i32.const 9) (i32.const 800))
    (if (result i32) (i32.load8_u (i32.const 800))
      (then (call $refuse (i32.load8_u (i32.const 804)) (i32.load (i32.const 808)) (i32.load (i32.const 812))))
      (else (if (result i32) (i32.load (i32.const 808))
        (then (call $answer (i32.load offset=8 (i32.load (i32.const 804))) (i32.load offset=12 (i32.load (i32.const 804)))))
        (else (call $answer (i32.const 2048) (i32.const 0))))))"#;
/// Forgets note 1.
const FORGET: &str = r#"(call $forget (i32.const 2064) (i32.const 1) (i32.const 800))
    (if (result i32) (i32.load8_u (i32.const 800))
      (then (call $refuse (i32.load8_u (i32.const 804)) (i32.load (i32.const 808)) (i32.load (i32.const 812))))
      (else (call $answer (i32.const 1200) (i32.const 4))))"#;

#[test]
fn a_plugin_recalls_what_it_may_and_forgets_its_own_alone() {
    let bench = Bench::new();
    let records = bench.invocation().records;
    let keep = |text: &str, scope, origin| {
        let text = text.parse().unwrap();
        records.memory().remember(Draft { text, scope, origin, task: None, labels: Labels::default() }).unwrap();
    };
    let other = "official:other".parse().unwrap();
    keep("of another plugin", NoteScope::Plugin { plugin: other }, NoteOrigin::Person);
    let recall = command(&["memory.read"], MEMORY, IMPORTS, RECALL);
    assert_eq!(text(&bench.run(&recall).unwrap()), "");
    keep("of the person", NoteScope::All, NoteOrigin::Person);
    assert_eq!(text(&bench.go().unwrap()), "of the person");
    keep("of its own", NoteScope::Plugin { plugin: "official:test".parse().unwrap() }, NoteOrigin::Person);
    assert_eq!(text(&bench.go().unwrap()), "of its own");

    // not its own, whatever its number
    let forget = command(&["memory.keep"], MEMORY, IMPORTS, FORGET);
    let expected = (Code::NotFound, "this plugin keeps no such note");
    assert_eq!(refused(&bench.run(&forget).unwrap_err()), expected);
    assert_eq!(records.memory().count().unwrap(), 3);

    let bench = Bench::with(config(), Scripted::new(|_| Ok(Answer::Chosen("always".into()))));
    bench.run(&remembering((2056, 6))).unwrap();
    assert_eq!(text(&bench.run(&forget).unwrap()), "text");
    assert_eq!(bench.invocation().records.memory().list(&Within::Everything, 9).unwrap(), []);
}

#[test]
fn each_part_takes_its_own_right() {
    let bench = Bench::new();
    let error = bench.run(&command(&["memory.keep"], MEMORY, IMPORTS, RECALL)).unwrap_err();
    assert_eq!(refused(&error).0, Code::Denied);
    let error = bench.run(&command(&["memory.read"], MEMORY, IMPORTS, FORGET)).unwrap_err();
    assert_eq!(refused(&error).0, Code::Denied);
}
