//! What the person changes while a task's changes are pending: it is told before they are asked, and stays.

use crate::{
    kit::{Desk, calls, said, shell},
    terminal::Terminal,
};
use deskhand_model_server::{Opener, Reply, Stream, Wire};
use serde_json::json;

const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";

/// A desk whose model writes to three files with the tools, or with a command.
fn desk(by_command: bool) -> Desk {
    let desk = Desk::new();
    desk.file("a.txt", "one\n").file("b.txt", "two\n");
    if by_command {
        assert_eq!(desk.deskhand(&["vm", "allow"]).code, 0);
        let command = "cd /mnt/Files; echo 1 > a.txt; echo 2 > b.txt; echo n > n.txt";
        desk.says([shell(command)]);
        return desk;
    }
    desk.says([
        calls(&[("read", json!({"path": "a.txt"})), ("read", json!({"path": "b.txt"}))]),
        calls(&[
            ("edit", json!({"path": "a.txt", "old": "one", "new": "1"})),
            ("edit", json!({"path": "b.txt", "old": "two", "new": "2"})),
            ("write", json!({"path": "n.txt", "text": "n\n"})),
        ]),
    ]);
    desk
}

fn texts(desk: &Desk) -> [Option<String>; 3] {
    ["a.txt", "b.txt", "n.txt"].map(|name| desk.text(name))
}

fn are(texts: [Option<&str>; 3]) -> [Option<String>; 3] {
    texts.map(|text| text.map(str::to_owned))
}

/// The server says this, and waits before its third piece.
fn held(desk: &Desk, reply: &Reply) -> Opener {
    let (stream, opener) = Stream::of(Wire::Anthropic, reply).gated(2);
    desk.server.then(stream);
    opener
}

/// The question waits or was broken off, a file has changed since: the rest is asked about before the model is.
#[test]
fn the_rest_of_what_waited_is_asked_about_at_once() {
    for (by_command, lost) in [
        (
            false,
            "edit {\"path\":\"a.txt\",\"old\":\"one\",\"new\":\"1\"}: `Files/a.txt` has changed since it was listed.",
        ),
        (true, ": 1 of 3 changes: `Files/a.txt` has changed in your folder meanwhile, and stays as it is there"),
    ] {
        for broken_off in [false, true] {
            let desk = desk(by_command);
            desk.says([said("Proposed.")]);
            if broken_off {
                let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "edit them"], &[]);
                terminal.wait(APPLY).press("\u{3}");
                assert_eq!(terminal.end().0, 130);
            } else {
                assert_eq!(desk.run(&["edit them"]).code, 3);
            }
            let asked = desk.server.exchanges().len();
            desk.file("a.txt", "mine\n");
            let waits = desk.deskhand(&["resume", "1"]);
            assert_eq!(waits.code, 3, "{}{}", waits.stdout, waits.stderr);
            let told = "These could not be taken up again, so they are not pending any \
                more. Your files are left as they are:\n  ";
            assert!(waits.stderr.starts_with(told) && waits.stderr.contains(lost), "{}", waits.stderr);
            assert!(waits.stdout.ends_with("2 files to be written, nothing to be removed.\n"), "{}", waits.stdout);
            assert_eq!(texts(&desk), are([Some("mine\n"), Some("two\n"), None]));

            let mut terminal = Terminal::run(&desk.place, &["resume", "1"], &[]);
            terminal.wait("These could not be taken up again").wait("2 files to be written").wait(APPLY);
            assert_eq!(desk.server.exchanges().len(), asked, "the model was asked first");
            desk.says([said("One file had changed.")]);
            terminal.press("a");
            let (code, screen) = terminal.end();
            assert_eq!(code, 6, "{screen}");
            assert_eq!(texts(&desk), are([Some("mine\n"), Some("2\n"), Some("n\n")]));
            let heard = desk.last_heard();
            assert!(heard.last().unwrap().contains(lost), "{heard:?}");
            desk.server.finish();
        }
    }
}

/// A file has changed before the person is asked: the list says so, and the question is about the rest.
#[test]
fn what_conflicts_is_shown_with_the_question() {
    for by_command in [false, true] {
        let desk = desk(by_command);
        let mut opener = held(&desk, &said("Proposed."));
        let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "edit them"], &[]);
        opener.wait_reached();
        desk.file("a.txt", "mine\n").file("n.txt", "mine too\n");
        opener.open();
        desk.says([said("Two files had changed.")]);
        terminal.wait(APPLY);
        let shown = "[agent] edit them\n\nFiles/\n└── b.txt (new content)\n\n\
            Files/b.txt (new content):\n  @@ -1 +1 @@\n  -two\n  +2\n\n\
            Cannot be made, and is left as it is:\n  \
            Files/n.txt (`Files/n.txt` is there already. Choose another name)\n  \
            Files/a.txt (`Files/a.txt` has changed since it was read)\n\n\
            1 file to be written, nothing to be removed.\nApply this?";
        assert!(terminal.screen().contains(shown), "{}", terminal.screen());
        terminal.press("a");
        let (code, screen) = terminal.end();
        assert_eq!(code, 6, "{screen}");
        assert!(screen.contains("Done: wrote 1 file.\n"), "{screen}");
        assert_eq!(texts(&desk), are([Some("mine\n"), Some("2\n"), Some("mine too\n")]));
        let undone = desk.deskhand(&["undo", "--yes"]);
        assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
        assert_eq!(texts(&desk), are([Some("mine\n"), Some("two\n"), Some("mine too\n")]));
    }
}

/// What was shown as left is not made even where the file is as it was again by then; what changes while the question stands is
/// left as well.
#[test]
fn what_changes_while_the_question_stands_stays_too() {
    let desk = desk(false);
    let mut opener = held(&desk, &said("Proposed."));
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "edit them"], &[]);
    opener.wait_reached();
    desk.file("n.txt", "mine too\n");
    opener.open();
    desk.says([said("Two files had changed.")]);
    terminal.wait("Cannot be made, and is left as it is:").wait(APPLY);
    std::fs::remove_file(desk.place.path("home/Files/n.txt")).unwrap();
    desk.file("a.txt", "mine\n");
    terminal.press("a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 6, "{screen}");
    assert!(screen.contains("Done: wrote 1 file.\n"), "{screen}");
    assert_eq!(texts(&desk), are([Some("mine\n"), Some("2\n"), None]));
}

#[test]
fn nothing_is_asked_where_all_of_it_conflicts() {
    let desk = desk(false);
    let mut opener = held(&desk, &said("Proposed."));
    let child = desk.begin(&["edit them"]);
    opener.wait_reached();
    desk.file("a.txt", "mine\n").file("b.txt", "mine\n").file("n.txt", "mine\n");
    opener.open();
    desk.says([said("All had changed.")]);
    let ran = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert_eq!(ran.status.code(), Some(1), "{stdout}{stderr}");
    let list = "Cannot be made, and is left as it is:\n  \
        Files/n.txt (`Files/n.txt` is there already. Choose another name)\n  \
        Files/a.txt (`Files/a.txt` has changed since it was read)\n  \
        Files/b.txt (`Files/b.txt` has changed since it was read)\n\n\
        Nothing of it can be made.\nAll had changed.\nNothing was changed.\n";
    assert!(stdout.contains(list), "{stdout}");
    assert!(!stderr.contains("Nobody is there to be asked"), "{stderr}");
    assert_eq!(texts(&desk), are([Some("mine\n"); 3]));
    desk.server.finish();
}
