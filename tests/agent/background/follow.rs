//! Following a task from any terminal: while it is at work, and afterwards.

use super::{Background, wait_until};
use crate::kit::{Desk, calls, said};
use deskhand_model_server::{Reply, Stream, Wire};
use deskhand_tests::terminal::Terminal;
use serde_json::{Value, json};

fn script() -> Vec<Reply> {
    let plan = |state: &str| json!({"steps": [{"text": "Write it", "state": state}]});
    vec![
        calls(&[("plan", plan("doing")), ("list", json!({"path": ""}))]).text("First I *look*."),
        calls(&[("write", json!({"path": "a.txt", "text": "one\n"})), ("plan", plan("done"))]),
        said("It is written.\n\nAnd that was all."),
    ]
}

/// A line without how long something took.
fn without_times(text: &str) -> String {
    let masked = |word: &str| if word.ends_with("ms") || word.parse::<f64>().is_ok() { "N" } else { word }.to_owned();
    text.lines().map(|line| line.split(' ').map(masked).collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn what_is_followed_afterwards_is_what_its_own_terminal_shows() {
    let own = Desk::new();
    own.says(script());
    let ran = own.run(&["--yes", "write it"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let desk = Background::new();
    desk.says(script());
    desk.queued(&["--yes", "write it"]);
    desk.wait_for(1, "task-ended");
    let followed = desk.deskhand(&["tasks", "follow", "1"]);
    // of a plan that is over, the changes are seen and not what they hold
    let (before, after) = ran.stdout.split_once("[agent] write it\n").unwrap();
    let (_, after) = after.split_once("to be removed.\n").unwrap();
    let expected = format!("{before}[agent] write it\n  1 write Files/a.txt\n{after}");
    assert_eq!((followed.code, followed.stdout), (0, expected));
    assert_eq!(without_times(&followed.stderr), format!("Task 1: write it\n{}", without_times(&ran.stderr)));
}

#[test]
fn every_event_is_followed_once_and_in_order() {
    let desk = Background::new();
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Slowly but surely")).gated(2);
    desk.says(script().into_iter().take(2));
    desk.server.then(stream);
    desk.queued(&["--yes", "write it"]);
    opener.wait_reached();
    let mut command = desk.place.command(deskhand_tests::deskhand());
    command.args(["tasks", "attach", "1", "--json"]).stdout(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    wait_until("it is followed", || desk.kinds(1).len() > 5);
    opener.open();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines = String::from_utf8(output.stdout).unwrap();
    let on_record: Vec<&str> = lines.lines().filter(|line| line.starts_with(r#"{"v":1,"id":"#)).collect();
    let log = desk.deskhand(&["log", "--json", "--limit", "0", "--task", "1"]).ok();
    assert_eq!(on_record, log.lines().collect::<Vec<_>>());
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({"v": 1, "event": "ended", "task": 1, "outcome": "done", "notes": []}));
    desk.server.finish();
}

#[test]
fn a_person_who_follows_is_asked_and_answers() {
    let desk = Background::new();
    let (first, mut opener) =
        Stream::of(Wire::Anthropic, &calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]).text("I write."))
            .gated(3);
    desk.server.then(first);
    desk.says([said("Proposed.")]);
    desk.queued(&["write it"]);
    opener.wait_reached();
    let mut terminal = Terminal::run(&desk.place, &["tasks", "follow", "1"], &[]);
    terminal.wait("Task 1: write it");
    // another looks on at the same time, and answers in the end
    let mut other = Terminal::run(&desk.place, &["tasks", "follow", "1"], &[]);
    other.wait("Task 1: write it");
    opener.open();
    terminal.wait("Apply this?");
    other.wait("Apply this?").press("a");
    let (code, screen) = other.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Undo with: deskhand undo 1"), "{screen}");
    // the question is gone where it was not answered
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Undo with: deskhand undo 1"), "{screen}");
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    desk.server.finish();
}

#[test]
fn who_leaves_stops_nothing() {
    let desk = Background::new();
    let (first, mut opener) = Stream::of(Wire::Anthropic, &said("A long story.\nAnd its end.")).gated(3);
    desk.server.then(first);
    desk.queued(&["tell me"]);
    opener.wait_reached();
    let mut terminal = Terminal::run(&desk.place, &["tasks", "follow", "1"], &[]);
    terminal.wait("A long story.").press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("See it again with: deskhand tasks follow 1"), "{screen}");
    assert_eq!(desk.states(), [(1, "at work".to_owned())]);
    opener.open();
    desk.wait_for(1, "task-ended");
    let again = desk.deskhand(&["tasks", "follow", "1"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "A long story.\nAnd its end.\n"));
    desk.server.finish();
}

/// A question that nobody is left to answer waits, as if nobody had been there.
#[test]
fn who_leaves_a_question_leaves_it_in_the_inbox() {
    let desk = Background::new();
    let (stream, mut opener) =
        Stream::of(Wire::Anthropic, &calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))])).gated(2);
    desk.server.then(stream);
    desk.says([said("Proposed.")]);
    desk.queued(&["write it"]);
    opener.wait_reached();
    let mut terminal = Terminal::run(&desk.place, &["tasks", "follow", "1"], &[]);
    terminal.wait("Task 1: write it");
    opener.open();
    terminal.wait("Apply this?").press("\u{3}");
    assert_eq!(terminal.end().0, 0);
    desk.wait_for(1, "task-parked");
    assert_eq!(desk.text("a.txt"), None);
    let followed = desk.deskhand(&["tasks", "follow", "1"]);
    assert_eq!(followed.code, 3, "{}", followed.stderr);
    assert!(followed.stderr.ends_with("Answer with: deskhand resume 1\n"), "{}", followed.stderr);
    desk.server.finish();
}

#[test]
fn a_task_at_a_terminal_of_its_own_is_followed_too() {
    let desk = Background::new();
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Over there")).gated(2);
    desk.server.then(stream);
    let child = desk.begin(&["look"]);
    opener.wait_reached();
    let mut command = desk.place.command(deskhand_tests::deskhand());
    let following = command.args(["tasks", "follow", "1"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    opener.open();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let followed = following.wait_with_output().unwrap();
    assert_eq!((followed.status.code(), followed.stdout.as_slice()), (Some(0), &b"Over there\n"[..]));
    let unknown = desk.deskhand(&["tasks", "follow", "7"]);
    assert_eq!((unknown.code, unknown.stderr.as_str()), (2, "There is no task 7. `deskhand tasks` lists them.\n"));
}

#[test]
fn a_background_task_is_steered_like_any_other() {
    let desk = Background::new();
    desk.file("a.txt", "one\n");
    let (first, mut opener) = Stream::of(Wire::Anthropic, &calls(&[("read", json!({"path": "a.txt"}))])).gated(2);
    let (second, mut last) = Stream::of(Wire::Anthropic, &said("Never heard")).gated(2);
    desk.server.then(first);
    desk.server.then(second);
    desk.queued(&["look"]);
    opener.wait_reached();
    desk.deskhand(&["steer", "1", "only", "the", "first"]).ok();
    opener.open();
    last.wait_reached();
    assert_eq!(desk.last_heard()[2..], ["result: one\n", "user: only the first"]);
    desk.deskhand(&["cancel", "1"]).ok();
    desk.wait_for(1, "task-ended");
    assert_eq!(desk.states(), [(1, "cancelled".to_owned())]);
}
