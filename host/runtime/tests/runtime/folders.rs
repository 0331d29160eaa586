//! Plugins at work on real folders: what they read, what they add to the pending set, and what becomes of it.

use crate::kit::{Bench, PRELUDE, Scripted, command, component, config, manifest, text, with_manifest};
use deskhand_permissions::{Context, Standing, effect::OpenFolder};
use deskhand_runtime::{CallError, Code, Config};
use deskhand_vocabulary::{Access, Answer, ChangeKind, Question, Unanswered};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// A bench with the granted folder `papers`, which holds `a.txt` and `b/c.txt`.
pub fn bench(person: impl Fn(&Question) -> Result<Answer, Unanswered> + Send + Sync + 'static) -> (Bench, PathBuf) {
    let bench = Bench::with(config(), Scripted::new(person));
    let folder = granted(&bench);
    (bench, folder)
}

fn granted(bench: &Bench) -> PathBuf {
    let folder = bench.folder.path().join("papers");
    fs::create_dir_all(folder.join("b")).unwrap();
    fs::write(folder.join("a.txt"), "alpha").unwrap();
    fs::write(folder.join("b/c.txt"), "gamma").unwrap();
    let open = OpenFolder::at(&folder, Access::Write, &bench.home).unwrap();
    let person = Context::person(Some(bench.invocation().task), Standing::default());
    let permit = bench.invocation().gate.permit(&person, open).unwrap();
    bench.workspace.add_folder(permit).unwrap();
    folder
}

fn yes(_: &Question) -> Result<Answer, Unanswered> {
    Ok(Answer::Yes)
}

fn code(result: Result<deskhand_runtime::Reply, CallError>) -> Code {
    match result.unwrap_err() {
        CallError::Refused { refused, .. } => refused.code,
        other => panic!("{other:?}"),
    }
}

const FILES: &str = "import deskhand:plugin/files@0.1.0;";
const CHANGES: &str = "import deskhand:plugin/changes@0.1.0;";

/// Reads the file that its argument names, and answers with its content.
fn reader() -> Vec<u8> {
    let import =
        r#"(import "deskhand:plugin/files@0.1.0" "read" (func $read (param i32 i32 i32 i32 i32 i64 i32 i32)))"#;
    let body = "(call $read (i32.add (local.get $arguments) (i32.const 1)) (i32.sub (local.get $arguments_length) (i32.const 2))
          (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 1) (i32.const 1000) (i32.const 800))
        (if (result i32) (i32.load8_u (i32.const 800))
          (then (call $refuse (i32.load8_u (i32.const 804)) (i32.load (i32.const 808)) (i32.load (i32.const 812))))
          (else (call $answer (i32.load (i32.const 804)) (i32.load (i32.const 808)))))";
    command(&["files.read"], FILES, import, body)
}

#[test]
fn a_file_of_a_granted_folder_is_read() {
    let (bench, _) = bench(yes);
    bench.install(&reader());
    assert_eq!(text(&bench.go_with(json!("papers/a.txt")).unwrap()), "lpha", "from the second byte on");
    assert_eq!(code(bench.go_with(json!("papers/z.txt"))), Code::NotFound);
    assert_eq!(code(bench.go_with(json!("letters/a.txt"))), Code::NotFound);
    assert_eq!(code(bench.go_with(json!("papers/../data/log.db"))), Code::Invalid);
    assert_eq!(code(bench.go_with(json!("/etc/passwd"))), Code::Invalid);
}

#[test]
fn a_folder_is_listed_with_what_was_asked_for() {
    let (bench, folder) = bench(yes);
    fs::write(folder.join(".hidden"), "").unwrap();
    let import = r#"(import "deskhand:plugin/files@0.1.0" "walk"
        (func $walk (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#;
    // walks `papers` with the arguments as options, and answers with the names, a line each
    let body = r#"(local $at i32) (local $entry i32) (local $left i32)
        (i64.store (i32.const 2048) (i64.const 0x737265706170)) ;; "papers"
        (call $walk (i32.const 2048) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0)
          (local.get $arguments) (local.get $arguments_length) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 100) (i32.const 800))
        (if (i32.load8_u (i32.const 800)) (then (unreachable)))
        (local.set $at (i32.const 3000))
        (local.set $entry (i32.load (i32.const 804)))
        (local.set $left (i32.load (i32.const 808)))
        (block $done (loop $on
          (br_if $done (i32.eqz (local.get $left)))
          (memory.copy (local.get $at) (i32.load (local.get $entry)) (i32.load offset=4 (local.get $entry)))
          (local.set $at (i32.add (local.get $at) (i32.load offset=4 (local.get $entry))))
          (i32.store8 (local.get $at) (i32.const 10))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $entry (i32.add (local.get $entry) (i32.const 88)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $on)))
        (call $answer (i32.const 3000) (i32.sub (local.get $at) (i32.const 3000)))"#;
    bench.install(&command(&["files.read"], FILES, import, body));
    let list = |options: Value| text(&bench.go_with(options).unwrap()).to_owned();
    assert_eq!(list(json!({})), "papers/a.txt\npapers/b\npapers/b/c.txt\n");
    assert_eq!(list(json!({ "deep": false })), "papers/a.txt\npapers/b\n");
    assert_eq!(list(json!({ "deep": false, "hidden": true })), "papers/.hidden\npapers/a.txt\npapers/b\n");
}

#[test]
fn facts_come_in_the_persons_zone() {
    let (bench, folder) = bench(yes);
    let at: jiff::Timestamp = "2024-05-31T16:02:11Z".parse().unwrap();
    fs::File::options().write(true).open(folder.join("a.txt")).unwrap().set_modified(at.into()).unwrap();
    let import = r#"(import "deskhand:plugin/files@0.1.0" "attributes" (func $facts (param i32 i32 i32 i32 i32)))"#;
    let body = r#"(i32.store (i32.const 700) (i32.const 2048)) (i32.store (i32.const 704) (i32.const 12))
        (i32.store (i32.const 720) (i32.const 2100)) (i32.store (i32.const 724) (i32.const 13))
        (i32.store (i32.const 728) (i32.const 1200)) (i32.store (i32.const 732) (i32.const 4))
        (call $facts (i32.const 700) (i32.const 1) (i32.const 720) (i32.const 2) (i32.const 800))
        (if (i32.load8_u (i32.load (i32.const 800))) (then (unreachable)))
        (call $answer (i32.load offset=4 (i32.load (i32.const 800))) (i32.load offset=8 (i32.load (i32.const 800))))"#;
    let module = crate::kit::command_module(import, body);
    let data = r#"(data (i32.const 2048) "papers/a.txt") (data (i32.const 2100) "file.modified"))"#;
    let module = format!("{}{data}", module.strip_suffix(')').unwrap());
    let component = component(&format!("{FILES} export deskhand:plugin/command@0.1.0;"), &module);
    let reply = bench.run(&with_manifest(component, &manifest(&["files.read"]))).unwrap();
    let facts: Value = serde_json::from_str(text(&reply)).unwrap();
    assert_eq!(facts, json!({ "file.modified": "2024-05-31T18:02:11" }));
}

const WRITE: &str = r#"(import "deskhand:plugin/changes@0.1.0" "write" (func $write (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (import "deskhand:plugin/changes@0.1.0" "propose" (func $propose (param i32 i32 i32 i32 i32)))"#;
const DATA: &str = r#"(data (i32.const 2048) "papers/new.txt"))"#;
/// Adds `papers/new.txt`.
const ADD: &str = "(call $write (i32.const 2048) (i32.const 14) (i32.const 1200) (i32.const 4)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 800))
    (if (i32.load8_u (i32.const 800)) (then
      (return (call $refuse (i32.load8_u (i32.const 808)) (i32.load (i32.const 812)) (i32.load (i32.const 816))))))";
/// Proposes, and answers with the state of the decision.
const PROPOSE: &str = "(call $propose (i32.const 1200) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 800))
    (if (result i32) (i32.load8_u (i32.const 800))
      (then (call $refuse (i32.load8_u (i32.const 804)) (i32.load (i32.const 808)) (i32.load (i32.const 812))))
      (else (call $answer (i32.load (i32.const 804)) (i32.load (i32.const 808)))))";

fn writer(permissions: &[&str], body: &str) -> Vec<u8> {
    let module = crate::kit::command_module(WRITE, body);
    let module = format!("{}{DATA}", module.strip_suffix(')').unwrap());
    let component = component(&format!("{CHANGES} export deskhand:plugin/command@0.1.0;"), &module);
    with_manifest(component, &manifest(permissions))
}

#[test]
fn a_proposal_that_is_agreed_to_is_made() {
    let (bench, folder) = bench(|question| {
        if let Question::Apply { plan } = question {
            let [change] = &plan.changes[..] else { panic!("{plan:?}") };
            assert_eq!((plan.title.as_str(), change.kind), ("text", ChangeKind::Write));
        }
        Ok(Answer::Yes)
    });
    let reply = bench.run(&writer(&["files.change"], &format!("{ADD} {PROPOSE}"))).unwrap();
    assert_eq!(text(&reply), "applied");
    assert_eq!(fs::read_to_string(folder.join("new.txt")).unwrap(), "text");
    assert!(bench.workspace.is_unchanged());
}

#[test]
fn a_proposal_that_is_declined_changes_nothing() {
    let (bench, folder) = bench(|question| match question {
        Question::Apply { .. } => Ok(Answer::No),
        _ => Ok(Answer::Yes),
    });
    assert_eq!(text(&bench.run(&writer(&["files.change"], &format!("{ADD} {PROPOSE}"))).unwrap()), "cancelled");
    assert!(!folder.join("new.txt").exists());
    assert!(bench.workspace.is_unchanged());
}

#[test]
fn what_a_call_adds_stays_pending_only_if_it_succeeds() {
    let (bench, folder) = bench(yes);
    bench.run(&writer(&["files.change"], &format!("{ADD} unreachable"))).unwrap_err();
    assert!(bench.workspace.is_unchanged());
    bench
        .run(&writer(&["files.change"], &format!("{ADD} (call $refuse (i32.const 1) (i32.const 0) (i32.const 0))")))
        .unwrap_err();
    assert!(bench.workspace.is_unchanged());
    bench.run(&writer(&["files.change"], &format!("{ADD} (call $answer (i32.const 0) (i32.const 0))"))).unwrap();
    let pending: Vec<_> =
        bench.workspace.pending(None, 10).into_iter().map(|change| change.target.unwrap().to_string()).collect();
    assert_eq!(pending, ["papers/new.txt"]);
    assert!(!folder.join("new.txt").exists(), "nothing is touched before it is decided");
}

#[test]
fn a_call_cannot_write_without_end() {
    let bench = Bench::with(Config { written_bytes: 11, ..config() }, Scripted::new(yes));
    let _folder = granted(&bench);
    // withdrawing gives nothing back: what was written was on the disk
    let again = "(call $write (i32.const 2048) (i32.const 14) (i32.const 1200) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 800))";
    let told = "(call $refuse (i32.load8_u (i32.const 808)) (i32.load (i32.const 812)) (i32.load (i32.const 816)))";
    let result = bench.run(&writer(&["files.change"], &format!("{ADD} {again} {again} {told}")));
    let CallError::Refused { refused, .. } = result.unwrap_err() else { panic!("it was not refused") };
    assert_eq!(
        (refused.code, refused.message.as_str()),
        (
            Code::Exhausted,
            "this call has handed over as much to be written as it may, 0 MiB in all. Write less, or in several calls"
        )
    );
    // the next call has all of it again
    bench.run(&writer(&["files.change"], &format!("{ADD} (call $answer (i32.const 0) (i32.const 0))"))).unwrap();
}

#[test]
fn a_right_that_is_not_declared_is_denied() {
    let (bench, _) = bench(yes);
    // the interface is open to it by `files.remove`, writing is not, and not only when it is proposed
    let add = format!("{ADD} (call $answer (i32.const 0) (i32.const 0))");
    assert_eq!(code(bench.run(&writer(&["files.remove"], &add))), Code::Denied);
    assert!(bench.workspace.is_unchanged());
}

#[test]
fn what_a_called_tool_adds_joins_its_callers_changes() {
    for (after, pending) in [("(i32.const 1024)", 1), ("unreachable", 0)] {
        let (bench, _) = bench(yes);
        let call = r#"(import "deskhand:plugin/toolbox@0.1.0" "call" (func $call (param i32 i32 i32 i32 i32)))"#;
        let body = format!(
            "(i32.store16 (i32.const 2048) (i32.const 0x7d7b))
             (call $call (i32.add (local.get $arguments) (i32.const 1)) (i32.sub (local.get $arguments_length) (i32.const 2))
               (i32.const 2048) (i32.const 2) (i32.const 1024))
             {after}"
        );
        let world = "import deskhand:plugin/toolbox@0.1.0; export deskhand:plugin/command@0.1.0;";
        let mut caller = manifest(&["tools.call"]);
        caller["permissions"][0]["scope"] = json!(["inner/add"]);
        bench.install(&with_manifest(component(world, &crate::kit::command_module(call, &body)), &caller));

        let module = format!(
            r#"(module {WRITE} {PRELUDE} (func (export "deskhand:plugin/tools@0.1.0#call")
                 (param i32 i32 i32 i32) (result i32) {ADD} (call $answer (i32.const 0) (i32.const 0))) {DATA}"#
        );
        let mut tool = manifest(&["files.change"]);
        tool["plugin"]["name"] = json!("inner");
        tool["commands"] = json!([]);
        tool["tools"] = json!([{ "name": "add", "title": "Add", "description": "Adds.", "input": {} }]);
        let tools = component(&format!("{CHANGES} export deskhand:plugin/tools@0.1.0;"), &module);
        bench.install_as("official:inner", &with_manifest(tools, &tool));

        let result = bench.go_with(json!("inner/add"));
        assert_eq!((result.is_ok(), bench.workspace.pending(None, 10).len()), (pending == 1, pending), "{result:?}");
    }
}
