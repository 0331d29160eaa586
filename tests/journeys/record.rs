//! The log while it is needed: taken away under a running program, or left behind by one that died.

use crate::{said::said, terminal::Terminal};
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::{fs, path::PathBuf};

const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";
const ORGANIZE: [&str; 4] = ["run", "--folder", "Inbox", "/organize by type"];

/// A place with a folder of one file, and one task on record.
fn place() -> Place {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    place
}

/// The files of the log.
fn log(place: &Place) -> Vec<PathBuf> {
    ["log.db", "log.db-wal", "log.db-shm"].map(|name| place.path("deskhand/data").join(name)).into()
}

/// The line of the doctor about a thing, and its exit code.
fn doctor(place: &Place, what: &str) -> (i32, String) {
    let ran = place.deskhand(["doctor"]);
    let line = ran.stdout.lines().find(|line| line.get(6..).is_some_and(|line| line.starts_with(what)));
    (ran.code, line.unwrap_or_default().to_owned())
}

#[test]
fn a_log_that_is_taken_away_while_the_question_stands() {
    for (name, lost) in [("log_deleted", "log.db"), ("log_ahead_deleted", "log.db-wal")] {
        let place = place();
        let before = snapshot(&place.path("home/Inbox"));
        let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
        terminal.wait(APPLY);
        fs::remove_file(place.path("deskhand/data").join(lost)).unwrap();
        terminal.press("a\r");
        let (code, screen) = terminal.end();
        assert_eq!(code, 1, "{name}: {screen}");
        assert_snapshot!(name, screen);
        assert_eq!(snapshot(&place.path("home/Inbox")), before, "{name}: nothing is changed without a record");
    }
}

#[test]
fn a_log_that_is_replaced_while_the_question_stands() {
    let place = place();
    let before = snapshot(&place.path("home/Inbox"));
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
    terminal.wait(APPLY);
    let path = place.path("deskhand/data/log.db");
    fs::copy(&path, path.with_extension("copy")).unwrap();
    fs::rename(path.with_extension("copy"), &path).unwrap();
    terminal.press("a\r");
    assert_eq!(terminal.end().0, 1);
    assert_eq!(snapshot(&place.path("home/Inbox")), before);
}

/// As a machine leaves it that stops after the journal is whole and before the log says so: the log is put back to what it
/// was before the answer, the lock of the commit stays.
#[test]
fn what_a_dead_process_did_not_put_on_record() {
    let place = place();
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
    terminal.wait(APPLY);
    let kept: Vec<_> = log(&place).into_iter().map(|path| (fs::read(&path).ok(), path)).collect();
    terminal.press("a\r");
    assert_eq!(terminal.end().0, 0);
    let after = snapshot(&place.path("home/Inbox"));
    for (bytes, path) in kept {
        let _ = fs::remove_file(&path);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).unwrap();
        }
    }
    let _ = fs::remove_file(place.path("deskhand/data/log.db-shm"));
    let told = said(&place, &place.deskhand(["log", "--verify"]));
    let (code, line) = doctor(&place, "log");
    assert_eq!((code, line.starts_with("note  log")), (0, true), "{line}");
    fs::write(place.path("deskhand/data/commits/1/lock"), "").unwrap();
    let (code, line) = doctor(&place, "unfinished work");
    assert_eq!((code, line.as_str()), (1, "FAIL  unfinished work    1 commit interrupted and not made whole yet"));
    let history = said(&place, &place.deskhand(["history"]));
    let ended = place.deskhand(["log"]).stdout.lines().filter(|line| line.contains("commit 1 is applied")).count();
    assert_eq!((ended, doctor(&place, "unfinished work").0), (1, 0));
    assert_snapshot!("unrecorded", format!("=== log --verify\n{told}=== history\n{history}"));
    assert_eq!(snapshot(&place.path("home/Inbox")), after);
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
}
