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

#[test]
fn a_task_that_waits_can_be_given_up() {
    let desk = Desk::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), said("Proposed.")]);
    assert_eq!(desk.run(&["write it"]).code, 3);
    assert_eq!(desk.deskhand(&["cancel", "1"]).ok(), "Task 1 is ended. What was pending is not applied.\n");
    assert_eq!(desk.deskhand(&["inbox"]).ok(), "Nothing waits for you.\n");
    assert_eq!(desk.text("a.txt"), None);
    let again = desk.deskhand(&["cancel", "1"]);
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (2, "Task 1 is over already (cancelled): there is nothing to end.\n")
    );
    let resumed = desk.deskhand(&["resume", "1"]);
    assert_eq!(
        (resumed.code, resumed.stderr.as_str()),
        (
            2,
            "Task 1 is over (cancelled), and nothing is left to go on with. Follow up on it with: deskhand run --continue 1 REQUEST\n"
        )
    );
    desk.server.finish();
}
