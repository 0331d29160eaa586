//! What a model changes is pending until the person has seen it.

use crate::kit::{Desk, calls, said};
use deskhand_model_server::Wire;
use serde_json::json;

#[test]
fn what_is_changed_is_shown_applied_and_undone() {
    for wire in [Wire::Anthropic, Wire::Chat] {
        let desk = Desk::speaking(wire);
        desk.file("a.txt", "one\n").file("b.txt", "two\n");
        desk.says([
            calls(&[("list", json!({})), ("read", json!({"path": "a.txt"}))]),
            calls(&[("write", json!({"path": "Notes/sum.txt", "text": "one and two\n"}))]),
            calls(&[
                ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
                ("move", json!({"moves": [{"from": "b.txt", "to": "Old/b.txt"}]})),
            ]),
            // what is pending is what the next tool sees
            calls(&[("read", json!({"path": "Old/b.txt"})), ("read", json!({"path": "Notes/sum.txt"}))]),
            said("Proposed: a summary, and the old file moved."),
        ]);
        let ran = desk.run(&["--yes", "sum them up"]);
        desk.server.finish();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("Undo with: deskhand undo 1"), "{}", ran.stdout);
        assert_eq!(desk.text("Notes/sum.txt").as_deref(), Some("one and two\n"));
        assert_eq!((desk.text("a.txt").as_deref(), desk.text("b.txt")), (Some("1\n"), None));
        assert_eq!(desk.text("Old/b.txt").as_deref(), Some("two\n"));
        assert_eq!(desk.server.connections(), 1);

        let undone = desk.deskhand(&["undo", "--yes", "--allow-removals", "9"]);
        assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
        assert_eq!((desk.text("a.txt").as_deref(), desk.text("b.txt").as_deref()), (Some("one\n"), Some("two\n")));
        assert_eq!((desk.text("Notes/sum.txt"), desk.text("Old/b.txt")), (None, None));
    }
}

#[test]
fn yes_covers_no_removal() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk.says([calls(&[("remove", json!({"path": "a.txt", "reason": "not needed"}))]), said("It is to be removed.")]);
    let ran = desk.run(&["--yes", "remove it"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    assert!(desk.deskhand(&["inbox"]).ok().contains("Task 1: remove it"));
    // agreed to in advance, it goes on from there: no further request is made
    let ran = desk.deskhand(&["resume", "--allow-removals", "1", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!((desk.text("a.txt"), desk.server.exchanges().len()), (None, 2));
    assert_eq!(desk.deskhand(&["inbox"]).ok(), "Nothing waits for you.\n");
}

#[test]
fn a_folder_for_reading_stays_as_it_is() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk.says([
        calls(&[("write", json!({"path": "b.txt", "text": "x"}))]),
        said("I may only read here."),
        said("Not written."),
        said("Not written."),
    ]);
    let ran = desk.run(&["--read-only", "--yes", "write it"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("b.txt"), None);
}

#[test]
fn a_text_stays_in_the_encoding_that_it_has() {
    let desk = Desk::new();
    desk.bytes("list.txt", b"K\xe4se, Br\xf6tchen und M\xfcsli\n");
    let edit = |new: &str| calls(&[("edit", json!({"path": "list.txt", "old": "Käse", "new": new}))]);
    desk.says([calls(&[("read", json!({"path": "list.txt"}))]), edit("→ Käse"), edit("Räucherkäse"), said("Changed.")]);
    let ran = desk.run(&["--yes", "change it"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let heard = desk.last_heard();
    assert_eq!(
        (heard[2].as_str(), heard[4].as_str()),
        (
            "result: [Files/list.txt, text in windows-1252]|Käse, Brötchen und Müsli\n",
            "result: `Files/list.txt` is written in windows-1252, which has no `→`. Do without, or `write` it anew"
        )
    );
    let file = std::fs::read(desk.place.path("home/Files/list.txt")).unwrap();
    assert_eq!(file, b"R\xe4ucherk\xe4se, Br\xf6tchen und M\xfcsli\n");
    desk.server.finish();
}
