//! Budgets are hard stops, and a task goes on with more.

use crate::kit::{Desk, calls, said};
use serde_json::json;

#[test]
fn a_task_ends_where_its_budget_does_and_goes_on_with_more() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk.says([
        calls(&[("read", json!({"path": "a.txt"}))]),
        calls(&[("write", json!({"path": "b.txt", "text": "two\n"}))]),
        said("Written."),
    ]);
    let ran = desk.run(&["--yes", "--budget", "steps=2", "write b"]);
    let end = "The budget of this task is used up: 2 steps of 2 steps.\n\
        Nothing pending is lost. Go on with: deskhand resume 1 --budget steps=4\n";
    assert!(ran.code == 8 && ran.stderr.ends_with(end), "{} {}", ran.code, ran.stderr);
    assert_eq!((desk.text("b.txt"), desk.server.exchanges().len()), (None, 2));
    let ran = desk.deskhand(&["resume", "1", "--yes", "--budget", "steps=4"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("b.txt").as_deref(), Some("two\n"));
    desk.server.finish();
}

#[test]
fn a_budget_of_removals_holds_whatever_is_agreed_to() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n").file("b.txt", "two\n");
    let remove = |path| ("remove", json!({"path": path, "reason": "old"}));
    desk.says([calls(&[remove("a.txt"), remove("b.txt")]), said("Both."), said("Both.")]);
    let ran = desk.run(&["--yes", "--allow-removals", "9", "--budget", "removals=1", "remove both"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("they would make 2 removals, and the budget of this task is 1 removal"),
        "{}",
        ran.stderr
    );
    assert_eq!((desk.text("a.txt").as_deref(), desk.text("b.txt").as_deref()), (Some("one\n"), Some("two\n")));
}

#[test]
fn what_is_no_budget_is_named() {
    let desk = Desk::new();
    let ran = desk.run(&["--budget", "stops=2", "write b"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no measure `stops`"), "{}", ran.stderr);
}

/// It would be believed, and hold nothing.
#[test]
fn a_budget_of_money_needs_a_price() {
    let desk = Desk::new();
    desk.says([said("Done.")]);
    let ran = desk.run(&["--budget", "money=0.10", "look"]);
    let told = "What the model `scripted` costs is not known, so money is not counted.";
    assert!(ran.code == 0 && ran.stderr.contains(told), "{} {}", ran.code, ran.stderr);
    let add =
        ["model", "add", "far", "--wire", "chat", "--url", "https://models.example/v1", "--model", "m", "--no-key"];
    desk.deskhand(&add).ok();
    let ran = desk.run(&["--model", "far", "--budget", "money=0.10", "look"]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.ends_with("; or leave `money` out of the budget\n"), "{}", ran.stderr);
}
