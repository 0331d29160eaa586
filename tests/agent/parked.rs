//! Where nobody is there to be asked, the rest goes on and the question waits.

use crate::kit::{Desk, calls, said};
use serde_json::json;

#[test]
fn changes_wait_and_are_answered_later() {
    let desk = Desk::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), said("Proposed.")]);
    let ran = desk.run(&["write it"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("a.txt"), None);
    assert_eq!(
        desk.deskhand(&["inbox"]).ok(),
        "Task 1: write it\n  The changes wait for you: none is made yet.\n  Answer with: deskhand resume 1\n"
    );
    // it still waits where nobody is there
    assert_eq!(desk.deskhand(&["resume"]).code, 3);
    let ran = desk.deskhand(&["resume", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    assert_eq!(desk.deskhand(&["inbox"]).ok(), "Nothing waits for you.\n");
    assert_eq!(desk.server.exchanges().len(), 2);
    desk.server.finish();
}

#[test]
fn a_plan_waits_where_the_person_wants_to_see_it() {
    let desk = Desk::new();
    let plan = json!({"steps": [{"text": "Write it", "state": "open"}]});
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), calls(&[("plan", plan)])]);
    let ran = desk.run(&["--plan", "write it"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let inbox = desk.deskhand(&["inbox"]).ok();
    assert!(inbox.contains("The plan waits for you to agree to it."), "{inbox}");
    assert_eq!(desk.text("a.txt"), None);
    desk.server.finish();
}
