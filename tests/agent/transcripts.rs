//! Tasks as things: shown, taken elsewhere without secrets, looked at there, and destroyed.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use deskhand_tests::Place;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

const SECRET: &str = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
const HOSTILE: &str =
    "<script src=\"https://evil.example/x.js\"></script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}";

/// A desk whose one task has read a secret, written a file, and had a sub-agent work.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("keys.txt", &format!("key = {SECRET}\n{HOSTILE}\n")).file("a.txt", "one\ntwo\n");
    let plan = json!({"steps": [{"text": "Write <b>it</b>", "state": "done"}]});
    desk.says([
        calls(&[("plan", plan), ("read", json!({"path": "keys.txt"})), ("read", json!({"path": "a.txt"}))]),
        calls(&[("delegate", json!({"tasks": ["count the words"]}))]),
        said("Three words."),
        calls(&[("write", json!({"path": "a.txt", "text": "one\n2\n"}))]),
        said(&format!("Written, with {SECRET}.")),
    ]);
    let ran = desk.run(&["--yes", "write & count"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    desk
}

fn exported(desk: &Desk, task: &str) -> Value {
    serde_json::from_str(&desk.deskhand(&["task", "export", task, "--format", "json"]).ok()).unwrap()
}

#[test]
fn a_task_is_shown_with_all_that_happened_and_without_secrets() {
    let desk = desk();
    let shown = desk.deskhand(&["task", "show", "1"]).ok();
    for part in [
        "write & count",
        "[x] Write <b>it</b>",
        "person:\n    write & count",
        "read {\"path\":\"keys.txt\"}: done",
        "key = [secret left out]",
        "\\u{1b}[2J\\u{202e}",
        "    -two\n    +2\n",
        "--- A sub-agent of task 1 ---",
        "Three words.",
        "Written, with [secret left out].",
        "secrets left out.",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains(SECRET));
    let document = exported(&desk, "1");
    assert_eq!(
        (&document["deskhand"], &document["version"], &document["task"], &document["outcome"], &document["request"]),
        (&json!("task"), &json!(1), &json!(1), &json!("done"), &json!("write & count"))
    );
    // four replies of its own; what its sub-agent used is among the tokens
    let (own, agents) = (&document["costs"], &document["agents"]);
    assert_eq!((&own["replies"], &agents[0]["costs"]["replies"]), (&json!(4), &json!(1)));
    assert!(own["tokens"].as_u64() > agents[0]["costs"]["tokens"].as_u64());
    assert!(document["redacted"].as_u64().unwrap() >= 2 && !document.to_string().contains(SECRET));
}

#[test]
fn what_is_kept_for_the_person_is_in_no_document() {
    let desk = Desk::new();
    let (key, token) = ("quite-ordinary-words", "0123456789abcdef".repeat(4));
    let given =
        desk.place.piped(["mcp", "add", "web", "--url", "http://127.0.0.1:9/mcp", "--key-stdin", "--key-in-file"], key);
    given.ok();
    let clients = desk.place.path("deskhand/data/clients");
    fs::create_dir(&clients).unwrap();
    fs::write(clients.join("editor.token"), format!("{token}\n")).unwrap();
    fs::set_permissions(clients.join("editor.token"), fs::Permissions::from_mode(0o600)).unwrap();
    let look = json!({"path": ".", "password": "hunter2"});
    desk.says([calls(&[("list", look)]), said(&format!("I know {key} and {token}.")), said("So it is.")]);
    desk.run(&["look"]);
    let document = exported(&desk, "1").to_string();
    for secret in [key, &token, "hunter2"] {
        assert!(!document.contains(secret), "{document}");
    }
    assert!(document.contains("I know [secret left out] and [secret left out]."), "{document}");
}

#[test]
fn a_page_has_no_script_and_nothing_from_elsewhere() {
    let desk = desk();
    let said = desk.deskhand(&["task", "export", "1", "--to", "task.html"]).ok();
    assert!(
        said.starts_with("Written to task.html. ") && said.ends_with("look it through before you give it away.\n"),
        "{said}"
    );
    let page = fs::read_to_string(desk.place.path("home/task.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.contains("default-src 'none'"));
    assert!(!page.contains(SECRET));
    // all tags are ours, and what was read stands there as text
    let tags: BTreeSet<&str> = page
        .split('<')
        .skip(1)
        .filter_map(|tag| tag.split(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '!').next())
        .map(|tag| tag.trim_start_matches('/'))
        .collect();
    let ours = [
        "!DOCTYPE", "body", "h1", "h2", "h3", "head", "html", "li", "meta", "p", "pre", "section", "span", "style",
        "title", "ul",
    ];
    assert!(tags.is_subset(&ours.into()), "{tags:?}");
    for attribute in ["src=\"", "href=", "url(", "@import", "onerror=\"", "<link"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
    assert!(page.contains("&lt;script src=&quot;https:"), "{page}");
    assert!(page.contains("<span class=\"del\">-two</span>\n<span class=\"add\">+2</span>"), "{page}");
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()) && !page.contains('\u{202e}'));
    // nothing is written over
    assert_eq!(desk.deskhand(&["task", "export", "1", "--to", "task.html"]).code, 1);
}

#[test]
fn a_task_of_another_computer_is_a_thing_to_look_at() {
    let desk = desk();
    desk.deskhand(&["task", "export", "1", "--format", "json", "--to", "task.json"]).ok();
    let other = Place::new();
    fs::copy(desk.place.path("home/task.json"), other.path("home/task.json")).unwrap();
    assert_eq!(
        other.deskhand(["task", "imported"]).ok(),
        "No task was imported. Import one with: deskhand task import FILE\n"
    );
    assert_eq!(
        other.deskhand(["task", "import", "task.json"]).ok(),
        "Imported as i1: write & count\nIt is there to be looked at, and cannot go on. See it with: deskhand task show i1\n"
    );
    assert_eq!(other.deskhand(["task", "imported"]).ok(), "i1  write & count\n");
    let shown = other.deskhand(["task", "show", "i1"]).ok();
    assert!(shown.starts_with("Imported from another computer. Nothing in it was checked, "), "{shown}");
    assert!(shown.contains("    -two\n    +2\n"), "{shown}");
    let again = other.deskhand(["task", "export", "i1", "--format", "json"]).ok();
    assert_eq!(again, fs::read_to_string(other.path("home/task.json")).unwrap());
    assert!(
        other.deskhand(["task", "export", "i1"]).ok().contains("<p class=\"notice\">Imported from another computer.")
    );
    // it is no task of this one: not listed, not on record, and nothing goes on with it
    assert!(other.deskhand(["tasks"]).ok().starts_with("No task of an agent yet."));
    for go_on in [vec!["resume", "i1"], vec!["resume", "1"], vec!["run", "--continue", "i1", "more"]] {
        assert_ne!(other.deskhand(&go_on).code, 0, "{go_on:?}");
    }
    assert_eq!(other.deskhand(["task", "delete", "i1"]).code, 3);
    assert_eq!(other.deskhand(["task", "delete", "i1", "--yes"]).ok(), "The imported task i1 is deleted.\n");
    let bytes = fs::read(other.path("deskhand/data/log.db")).unwrap();
    assert!(!bytes.windows(13).any(|window| window == b"write & count"));
}

#[test]
fn a_damaged_or_hostile_document_is_refused_as_a_whole() {
    let desk = desk();
    let document = exported(&desk, "1").to_string();
    for bad in [
        String::new(),
        document[..document.len() / 2].to_owned(),
        "[".repeat(1_000_000),
        document.replacen("\"version\":1", "\"version\":9", 1),
        document.replacen("\"deskhand\":\"task\"", "\"deskhand\":\"memory\"", 1),
        document.replacen("{", "{\"more\":1,", 1),
        document.replacen("\"event\":{", "\"run\":{", 1),
        document.replacen("\"task\":1", "\"task\":-1", 1),
    ] {
        fs::write(desk.place.path("home/bad.json"), &bad).unwrap();
        let ran = desk.deskhand(&["task", "import", "bad.json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{bad:.200}");
        let expected = "bad.json was not imported, and nothing was kept of it: ";
        assert!(ran.stderr.starts_with(expected) && ran.stderr.len() < 500, "{}", ran.stderr);
    }
    let ran = desk.deskhand(&["task", "import", "/dev/zero"]);
    assert!(ran.code == 1 && ran.stderr.contains("a device stands in the place of the file"), "{}", ran.stderr);
    assert!(desk.deskhand(&["task", "imported"]).ok().starts_with("No task was imported."));
}

#[test]
fn a_deleted_task_leaves_that_it_happened_and_can_still_be_undone() {
    let desk = desk();
    // a note of its own task
    desk.says([calls(&[("remember", json!({"text": "Ada counts."}))]), said("Done.")]);
    assert_eq!(desk.run(&["remember"]).code, 0);
    let asked = desk.deskhand(&["task", "delete", "1"]);
    assert_eq!(
        (asked.code, asked.stderr.as_str()),
        (3, "Nobody is there to be asked, and nothing was destroyed. Add --yes.\n")
    );
    let mut terminal = Terminal::run(&desk.place, &["task", "delete", "1"], &[]);
    terminal.wait("write & count").wait("It cannot be brought back. That it happened stays on record.");
    terminal
        .wait("What it changed stays and can still be undone (commit 1)")
        .wait("deskhand purge --names --commit 1")
        .press("y\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("What task 1 was about is destroyed."), "{screen}");

    // of its sub-agent as well
    for task in [1, 2] {
        assert!(desk.events(task).iter().all(|event| event.get("content").is_none()), "task {task}");
        assert!(desk.kinds(task).contains(&"model-replied".to_owned()), "task {task}");
    }
    assert!(desk.deskhand(&["log", "--verify"]).ok().starts_with("The log is whole"));
    let ran = desk.deskhand(&["task", "show", "1"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (1, "What task 1 was about is destroyed. What the log still has of it: deskhand log --task 1\n")
    );
    assert_eq!(desk.deskhand(&["task", "delete", "1", "--yes"]).ok(), "What task 1 was about is destroyed already.\n");
    assert_eq!(desk.deskhand(&["undo", "--yes", "1"]).code, 0);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\ntwo\n"));

    // nor is it known any more what its changes were for, once those are given up as well
    let names = ["purge", "--names", "--commit", "1", "--yes"];
    let asked =
        |desk: &crate::kit::Desk| deskhand_tests::files_with(&desk.place.path("deskhand/data"), "write & count");
    assert!(!asked(&desk).is_empty());
    assert_eq!(desk.deskhand(&["task", "delete", "1", "--yes"]).code, 0);
    desk.deskhand(&names).ok();
    let undo = desk.deskhand(&["history"]).ok();
    assert!(undo.contains("Undo"), "{undo}");
    desk.deskhand(&["purge", "--names", "--commit", "2", "--yes"]).ok();
    assert_eq!(asked(&desk), [""; 0]);

    // what a task remembered stays, until it is taken along
    let question = desk.place.piped(["task", "delete", "3"], "");
    assert_eq!(question.code, 3);
    desk.deskhand(&["task", "delete", "3", "--yes"]).ok();
    assert!(desk.deskhand(&["memory", "list"]).ok().contains("Ada counts."));
    desk.deskhand(&["task", "delete", "3", "--notes", "--yes"]).ok();
    assert!(desk.deskhand(&["memory", "list"]).ok().starts_with("Nothing is remembered yet."));
    let unknown = desk.deskhand(&["task", "delete", "99", "--yes"]);
    assert_eq!((unknown.code, unknown.stderr.as_str()), (2, "There is no task 99. `deskhand tasks` lists them.\n"));
}
