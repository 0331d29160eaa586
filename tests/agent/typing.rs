//! What the person types at the terminal of a task while it runs.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use deskhand_model_server::{Opener, Reply, Stream, Wire};
use serde_json::json;

const NUMBER: &str = "The agent asks, number (nothing for none): ";
const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk
}

fn read() -> Reply {
    calls(&[("read", json!({"path": "a.txt"}))])
}

/// The server says this, and waits before its third piece.
fn held(desk: &Desk, reply: &Reply) -> Opener {
    let (stream, opener) = Stream::of(Wire::Anthropic, reply).gated(2);
    desk.server.then(stream);
    opener
}

fn run<'a>(desk: &'a Desk, arguments: &[&str]) -> Terminal<'a> {
    Terminal::run(&desk.place, &[&["run", "--folder", "Files"], arguments].concat(), &[])
}

#[test]
fn words_reach_the_model_at_its_next_step() {
    let desk = desk();
    let mut opener = held(&desk, &read());
    desk.says([said("As you like.")]);
    let mut terminal = run(&desk, &["look"]);
    opener.wait_reached();
    terminal.press("only the thirx\u{7f}d\r").wait("› only the third").wait("The model is told at its next step.");
    opener.open();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.last_heard()[2..], ["result: one\n", "user: only the third"]);
    // nothing of the foot is left
    assert!(!screen.contains("› (type"), "{screen}");
}

#[test]
fn in_lines_for_a_screen_reader_too() {
    let desk = desk();
    let mut opener = held(&desk, &read());
    desk.says([said("As you like.")]);
    let mut terminal = run(&desk, &["--plain", "look"]);
    opener.wait_reached();
    terminal.press("only the third\r").wait("The model is told at its next step.");
    opener.open();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.last_heard()[2..], ["result: one\n", "user: only the third"]);
}

#[test]
fn stop_breaks_off_what_the_model_says() {
    let desk = desk();
    let mut opener = held(&desk, &said("A long story"));
    desk.says([said("In short: no.")]);
    let mut terminal = run(&desk, &["tell me"]);
    opener.wait_reached();
    terminal.press("stop, be brief\r").wait("The reply is given up, and the model is told.");
    let (code, screen) = terminal.end();
    drop(opener);
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.last_heard().last().unwrap(), "user: be brief");
}

#[test]
fn a_task_is_held_let_go_on_and_ended() {
    let desk = desk();
    let mut first = held(&desk, &read());
    let mut last = held(&desk, &said("Never heard"));
    let mut terminal = run(&desk, &["look"]);
    first.wait_reached();
    terminal.press("pause\r").wait("Paused before the next step.");
    first.open();
    terminal.wait("✓ read a.txt").press("resume\r").wait("It goes on.");
    last.wait_reached();
    terminal.press("cancel\r").wait("The task is ended; nothing more is changed.");
    let (code, screen) = terminal.end();
    assert_eq!(code, 4, "{screen}");
}

#[test]
fn a_question_has_the_keyboard_and_what_was_begun_before_it_stays() {
    let desk = desk();
    let mut opener = held(&desk, &calls(&[("write", json!({"path": "b.txt", "text": "two\n"}))]));
    desk.says([said("Written."), said("Heard.")]);
    let mut terminal = run(&desk, &["write"]);
    opener.wait_reached();
    terminal.press("and apply").wait("› and apply");
    opener.open();
    // who is in the middle of a line needs Enter
    terminal.wait(APPLY).press("a").press("\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.text("b.txt").as_deref(), Some("two\n"));
    assert!(screen.contains("Not said, for the task was over before you pressed Enter: and apply\n"), "{screen}");
}

#[test]
fn what_was_begun_before_a_question_is_there_again_after_it() {
    let desk = desk();
    let question = "Which of these two colours is to be on the walls of the kitchen and of the hall?";
    let mut first = held(&desk, &calls(&[("ask_user", json!({"question": question, "choices": ["Red", "Blue"]}))]));
    let mut second = held(&desk, &read());
    desk.says([said("As you like.")]);
    let mut terminal = run(&desk, &["ask me"]);
    first.wait_reached();
    terminal.press("only the th").wait("› only the th");
    first.open();
    terminal.answer(NUMBER, "2");
    second.wait_reached();
    terminal.wait("› only the th").press("ird\r").wait("begin with: stop");
    second.open();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let heard = desk.last_heard();
    assert_eq!(heard[2..], ["result: The person chose: Blue", "call: read", "result: one\n", "user: only the third"]);
    desk.server.finish();
}

#[test]
fn one_key_answers_and_the_whole_word_does_not_answer_twice() {
    let desk = desk();
    desk.says([calls(&[("write", json!({"path": "b.txt", "text": "two\n"}))]), said("Written.")]);
    let mut terminal = run(&desk, &["write"]);
    terminal.wait(APPLY).press("l").wait(APPLY).press("i").press("s").press("t").press("\r").press("a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(desk.text("b.txt").as_deref(), Some("two\n"));
}

#[test]
fn the_plan_is_edited_while_it_runs() {
    let desk = desk();
    let editor = desk.place.editor("sed -i '/Write b/d' \"$1\"");
    desk.says([calls(&[(
        "plan",
        json!({"steps": [{"text": "Read a", "state": "open"}, {"text": "Write b", "state": "open"}]}),
    )])]);
    let mut opener = held(&desk, &read());
    desk.says([calls(&[("plan", json!({"steps": [{"text": "Read a", "state": "done"}]}))]), said("Done.")]);
    let arguments = ["run", "--folder", "Files", "look"];
    let mut terminal = Terminal::run(&desk.place, &arguments, &[("EDITOR", &editor)]);
    opener.wait_reached();
    terminal.press("edit\r").wait("The model is told at its next step to keep to the plan as it is now.");
    opener.open();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let told = desk.server.exchanges()[2].json()["messages"].to_string();
    assert!(told.contains("The person edited the plan. Keep to it as it is now:\\n[ ] Read a\\n"), "{told}");
}

#[test]
fn what_is_written_is_seen_before_it_is_decided() {
    let desk = desk();
    let long: String = (1..=20).map(|number| format!("line {number}\n")).collect();
    desk.says([
        read(),
        calls(&[
            ("edit", json!({"path": "a.txt", "old": "one", "new": "1 and \u{1b}[2J"})),
            ("write", json!({"path": "long.txt", "text": long})),
        ]),
        said("Written."),
        said("Nothing was written then."),
    ]);
    let mut terminal = run(&desk, &["write"]);
    terminal.wait("Files/long.txt (new):\n  +line 1\n").wait("  +line 12\n  … and 8 more lines\n");
    terminal.wait("Files/a.txt (new content):\n  @@ -1 +1 @@\n  -one\n  +1 and \\u{1b}[2J\n");
    terminal.wait(APPLY).press("l");
    terminal.wait("  +line 20\n").wait(APPLY).press("c");
    let (code, screen) = terminal.end();
    assert_eq!(code, 4, "{screen}");
    assert_eq!((desk.text("a.txt").as_deref(), desk.text("long.txt")), (Some("one\n"), None));
}

#[test]
fn what_a_move_brings_to_be_emptied_is_seen_to_go() {
    let desk = Desk::new();
    desk.file("contract.txt", "contract\n");
    desk.says([
        calls(&[("move", json!({"moves": [{"from": "contract.txt", "to": "contract-2024.txt"}]}))]),
        calls(&[("read", json!({"path": "contract-2024.txt"}))]),
        calls(&[("write", json!({"path": "contract-2024.txt", "text": ""}))]),
        said("Renamed."),
    ]);
    let mut terminal = run(&desk, &["rename it"]);
    terminal.wait(
        "Files/contract-2024.txt (new content):\n  Empties it: 9 bytes go; undo brings back what it held.\n  @@ -1 +0,0 @@\n  \
         -contract\n",
    );
    terminal.wait(APPLY).press("a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!((desk.text("contract.txt"), desk.text("contract-2024.txt").as_deref()), (None, Some("")));
    let shown = desk.deskhand(&["task", "show", "1"]).ok();
    assert!(shown.contains("    Files/contract-2024.txt:\n    @@ -1 +0,0 @@\n    -contract\n"), "{shown}");
    assert_eq!(desk.deskhand(&["undo", "--yes"]).code, 0);
    assert_eq!(desk.text("contract.txt").as_deref(), Some("contract\n"));
    desk.server.finish();
}

#[test]
fn an_empty_folder_is_no_file_and_one_reason_is_said_once() {
    let desk = desk();
    std::fs::create_dir(desk.place.path("home/Files/Empty")).unwrap();
    let remove = |path| ("remove", json!({"path": path, "reason": "too old"}));
    desk.says([calls(&[remove("a.txt"), remove("Empty")]), said("To be removed.")]);
    let mut terminal = run(&desk, &["remove them"]);
    let rows = "Because of: too old\n  Files/a.txt  4 B\n  Files/Empty  0 B\n";
    terminal.wait(&format!("To be removed (kept where you can get it back):\n{rows}\n"));
    terminal.wait("1 file and 1 empty folder to be removed (4 B).\n").wait(APPLY).press("a");
    terminal.wait(&format!(
        "1 file and 1 empty folder will be removed (4 B, 2 removals). They are kept and `deskhand undo` brings them \
         back.\n{rows}"
    ));
    terminal.wait("Remove them? [Y]es, [L]ist all, [N]o: ").press("y");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Done: removed 1 file and 1 empty folder.\n"), "{screen}");
    assert_eq!((desk.text("a.txt"), desk.place.path("home/Files/Empty").exists()), (None, false));
}

#[test]
fn a_question_of_the_model_is_answered_with_a_key_or_in_other_words() {
    let desk = desk();
    let ask = || calls(&[("ask_user", json!({"question": "Which?", "choices": ["Red", "Blue"], "other": true}))]);
    desk.says([ask(), ask(), said("I see.")]);
    let mut terminal = run(&desk, &["ask me"]);
    terminal
        .wait("The agent asks: Which?\n  1  Red\n  2  Blue\n  3  Other  (in your own words)\n")
        .wait(NUMBER)
        .press("2");
    terminal.wait(NUMBER).press("3").wait("The agent asks, Your answer: ").press("neither, thanks\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let heard = desk.last_heard();
    assert_eq!(heard[2], "result: The person chose: Blue");
    assert_eq!(heard[4], "result: The person answered: neither, thanks");
}

#[test]
fn a_task_that_is_ended_elsewhere_takes_its_question_back() {
    let desk = desk();
    desk.says([calls(&[("write", json!({"path": "b.txt", "text": "x\n"}))]), said("Written.")]);
    let mut terminal = run(&desk, &["write"]);
    terminal.wait(APPLY);
    desk.deskhand(&["cancel", "1"]).ok();
    let (code, screen) = terminal.end();
    assert_eq!((code, desk.text("b.txt")), (4, None), "{screen}");
    assert!(desk.kinds(1).ends_with(&["task-ended".to_owned()]));
}

#[test]
fn a_task_that_is_stopped_at_its_question_asks_it_again() {
    let desk = desk();
    desk.says([calls(&[("write", json!({"path": "b.txt", "text": "x\n"}))]), said("Written.")]);
    let mut terminal = run(&desk, &["write"]);
    terminal.wait(APPLY).press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!((code, desk.text("b.txt")), (130, None), "{screen}");
    assert!(screen.contains("Nothing pending is lost. Go on with: deskhand resume 1"), "{screen}");
    let ran = desk.deskhand(&["resume", "1", "--yes"]);
    assert_eq!((ran.code, desk.text("b.txt").as_deref()), (0, Some("x\n")), "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
}

#[test]
fn steps_that_the_person_set_are_not_dropped() {
    let desk = desk();
    let editor = desk.place.editor("echo '[ ] Write c' >> \"$1\"");
    let plan = |steps: &[&str]| {
        let steps: Vec<_> = steps.iter().map(|text| json!({"text": text, "state": "done"})).collect();
        calls(&[("plan", json!({ "steps": steps }))])
    };
    desk.says([plan(&["Read a"])]);
    let mut opener = held(&desk, &read());
    desk.says([plan(&["Read a"]), plan(&["Read a", "write  C", "Rest"]), said("Done.")]);
    let arguments = ["run", "--folder", "Files", "look"];
    let mut terminal = Terminal::run(&desk.place, &arguments, &[("EDITOR", &editor)]);
    opener.wait_reached();
    terminal.press("edit\r").wait("The model is told at its next step to keep to the plan as it is now.");
    opener.open();
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let told = desk.last_heard();
    let results: Vec<&String> = told.iter().filter(|line| line.starts_with("result: The plan")).collect();
    assert!(
        results[0].starts_with("result: The plan is set")
            && results[1].starts_with("result: The plan was not taken")
            && results[1].ends_with("\nWrite c")
            && results[2].starts_with("result: The plan is set"),
        "{results:?}"
    );
    desk.server.finish();
}

#[test]
fn a_question_that_waited_is_put_to_the_person_again() {
    let desk = desk();
    let ask = json!({"question": "Which language?", "choices": ["German", "French"]});
    desk.says([calls(&[("ask_user", ask)]), said("I could not ask.")]);
    let ran = desk.run(&["translate it"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let heard = desk.last_heard();
    assert!(heard.last().unwrap().starts_with("result: Nobody is there to answer now."), "{heard:?}");
    let inbox = desk.deskhand(&["inbox"]).ok();
    assert!(inbox.contains("the agent asks: Which language? (German / French)"), "{inbox}");
    desk.says([said("In French, then.")]);
    let mut terminal = Terminal::run(&desk.place, &["resume"], &[]);
    terminal.wait("Going on with task 1: translate it").wait("The agent asks: Which language?").answer(NUMBER, "2");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let heard = desk.last_heard();
    let expected = "user: [deskhand: answers]\nYou asked: Which language?\nThe person chose: French\n[deskhand: end]";
    assert_eq!(heard.last().unwrap(), expected);
    desk.server.finish();
}

/// A no to a removal is no reason to lose the rest of the work.
#[test]
fn what_is_not_removed_need_not_keep_the_rest_from_being_made() {
    let desk = desk();
    let work = || {
        calls(&[
            ("write", json!({"path": "new.txt", "text": "new\n"})),
            ("remove", json!({"path": "a.txt", "reason": "old"})),
        ])
    };
    desk.says([work(), said("Done."), said("So be it.")]);
    let mut terminal = run(&desk, &["--mode", "auto", "tidy"]);
    terminal.wait("Remove them? [Y]es, [L]ist all, [O]nly the rest, [N]o, change nothing: ").press("o");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!((desk.text("new.txt").as_deref(), desk.text("a.txt").as_deref()), (Some("new\n"), Some("one\n")));
}
