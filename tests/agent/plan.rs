//! The plan of a task, shown to the person before anything is changed.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use serde_json::json;

const GO_ON: &str = "Go on with this? [A]pply, [E]dit, [C]ancel: ";
const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";

fn desk() -> Desk {
    let desk = Desk::new();
    let steps =
        |state: &str| json!({"steps": [{"text": "Write a", "state": state}, {"text": "Write b", "state": state}]});
    desk.says([
        calls(&[("plan", steps("open"))]),
        calls(&[("write", json!({"path": "a.txt", "text": "one\n"})), ("plan", steps("done"))]),
        said("Written."),
    ]);
    desk
}

#[test]
fn agreed_to_it_is_carried_out() {
    let desk = desk();
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "--plan", "write"], &[]);
    terminal.answer(GO_ON, "a").answer(APPLY, "a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    assert!(desk.kinds(1).contains(&"steps-decided".to_owned()));
}

#[test]
fn declined_it_ends_the_task() {
    let desk = desk();
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "--plan", "write"], &[]);
    terminal.answer(GO_ON, "c");
    let (code, screen) = terminal.end();
    assert_eq!(code, 4, "{screen}");
    assert_eq!((desk.text("a.txt"), desk.server.exchanges().len()), (None, 1));
}

#[test]
fn edited_it_is_what_the_model_keeps_to() {
    let desk = desk();
    let editor = desk.place.editor("sed -i '/Write b/d' \"$1\"");
    let arguments = ["run", "--folder", "Files", "--plan", "write"];
    let mut terminal = Terminal::run(&desk.place, &arguments, &[("EDITOR", &editor)]);
    terminal.answer(GO_ON, "e").answer(GO_ON, "a").answer(APPLY, "a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let told = desk.server.exchanges()[1].json()["messages"].to_string();
    assert!(told.contains("The person edited the plan. Keep to it as it is now:\\n[ ] Write a\\n"), "{told}");
}
