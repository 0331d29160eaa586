//! Two tasks at work at once, each with commands of its own: each sees its own pending changes alone, and what one has applied is
//! a conflict for the other.

use crate::kit::{Desk, answers, said, shell};
use deskhand_model_server::{Opener, Reply, Stream, Wire};
use std::fs;

/// The server says this, and waits before its third piece.
fn held(desk: &Desk, reply: &Reply) -> Opener {
    let (stream, opener) = Stream::of(Wire::Anthropic, reply).gated(2);
    desk.server.then(stream);
    opener
}

/// In one folder. The first has written when the second comes, which writes to the same file and is applied.
pub(crate) fn in_one_folder(desk: &Desk) {
    desk.file("a.txt", "one\n");
    desk.says([shell("cd /mnt/Files; echo first > a.txt; echo first > own.txt")]);
    let mut opener = held(desk, &shell("cd /mnt/Files; cat a.txt own.txt; echo more >> own.txt"));
    let first = desk.begin(&["--yes", "be first"]);
    opener.wait_reached();
    desk.wait_answered(1);
    desk.says([
        shell("cd /mnt/Files; cat a.txt; ls; echo second > a.txt; echo second > two.txt"),
        shell("cat /mnt/Files/a.txt"),
        said("Second."),
    ]);
    let second = desk.run(&["--yes", "be second"]);
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    assert_eq!(answers(desk), ["[exit code 0, 2 changes are pending]|one\na.txt\n", "[exit code 0]|second\n"]);
    let texts = || ["a.txt", "own.txt", "two.txt"].map(|name| desk.text(name));
    let are = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
    assert_eq!(texts(), are([Some("second\n"), None, Some("second\n")]));

    desk.says([said("First."), said("Another was faster.")]);
    opener.open();
    let first = first.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(first.stdout).unwrap(), String::from_utf8(first.stderr).unwrap());
    assert_eq!(first.status.code(), Some(6), "{stdout}{stderr}");
    assert!(answers(desk)[1].ends_with("|first\nfirst\n"), "{:?}", answers(desk));
    let left = "Cannot be made, and is left as it is:\n  Files/a.txt (`Files/a.txt` has changed since it was read)\n";
    assert!(stdout.contains(left), "{stdout}");
    assert_eq!(texts(), are([Some("second\n"), Some("first\nmore\n"), Some("second\n")]));

    // each is undone by itself
    let undo = |commit: &str| desk.deskhand(&["undo", commit, "--yes", "--allow-removals", "1"]);
    let undone = undo("1");
    assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
    assert_eq!(texts(), are([Some("one\n"), Some("first\nmore\n"), None]));
    let undone = undo("2");
    assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
    assert_eq!(texts(), are([Some("one\n"), None, None]));
    desk.server.finish();
}

/// In two folders: neither sees anything of the other, and nothing conflicts.
pub(crate) fn in_two_folders(desk: &Desk) {
    desk.file("a.txt", "one\n");
    let other = desk.place.path("home/Other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.txt"), "other\n").unwrap();
    desk.says([shell("cd /mnt/Files; ls /mnt; echo first > a.txt")]);
    let mut opener = held(desk, &shell("cat /mnt/Files/a.txt"));
    let first = desk.begin(&["--yes", "be first"]);
    opener.wait_reached();
    desk.wait_answered(1);
    desk.says([shell("cd /mnt/Other; ls /mnt; cat a.txt; echo second > a.txt"), said("Second.")]);
    let second = desk.deskhand(&["run", "--folder", "Other", "--yes", "be second"]);
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    assert_eq!(answers(desk), ["[exit code 0, 1 change is pending]|Other\nother\n"]);
    let texts = || (desk.text("a.txt").unwrap(), fs::read_to_string(other.join("a.txt")).unwrap());
    assert_eq!(texts(), ("one\n".to_owned(), "second\n".to_owned()));
    desk.says([said("First.")]);
    opener.open();
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(answers(desk), ["[exit code 0, 1 change is pending]|Files\n", "[exit code 0]|first\n"]);
    assert_eq!(texts(), ("first\n".to_owned(), "second\n".to_owned()));
    desk.server.finish();
}

fn desk() -> Desk {
    let desk = Desk::new();
    assert_eq!(desk.deskhand(&["vm", "allow"]).code, 0);
    desk
}

#[test]
fn two_tasks_in_one_folder() {
    in_one_folder(&desk());
}

#[test]
fn two_tasks_in_two_folders() {
    in_two_folders(&desk());
}
