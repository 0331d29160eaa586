//! What happens to the folder between the plan and the answer.

use crate::terminal::Terminal;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::fs;

const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";

/// A place with two pairs of the same files.
fn twins() -> Place {
    let place = Place::with_plugins();
    let folder = place.path("home/Twins");
    fs::create_dir(&folder).unwrap();
    for (name, content) in [("a.txt", "a"), ("a copy.txt", "a"), ("b.txt", "b"), ("b copy.txt", "b")] {
        fs::write(folder.join(name), content.repeat(1000)).unwrap();
    }
    place
}

/// A file is removed because another one is kept; without that one it is the last of its content.
#[test]
fn the_last_copy_stays() {
    for (name, act) in [
        ("twin_removed", (|place: &Place| fs::remove_file(place.path("home/Twins/a.txt")).unwrap()) as fn(&Place)),
        ("twin_changed", |place| fs::write(place.path("home/Twins/a.txt"), "mine").unwrap()),
        ("twin_moved", |place| fs::rename(place.path("home/Twins/a.txt"), place.path("home/a.txt")).unwrap()),
    ] {
        let place = twins();
        let mut terminal = Terminal::run(&place, &["run", "--folder", "Twins", "/duplicates"], &[]);
        terminal.wait(APPLY);
        act(&place);
        terminal.press("a\r").answer("Remove", "y");
        let (code, screen) = terminal.end();
        assert_snapshot!(name, screen);
        assert_eq!(code, 6, "{name}: some of it was left as it is");
        let copy = fs::read_to_string(place.path("home/Twins/a copy.txt")).unwrap();
        assert_eq!(copy, "a".repeat(1000), "{name}");
        assert!(!place.path("home/Twins/b copy.txt").exists(), "{name}: the rest goes on");
    }
}

/// What was agreed to was agreed to for the folder of this name.
#[test]
fn a_folder_renamed_or_replaced_is_left_alone() {
    for (name, replaced) in [("folder_renamed", false), ("folder_replaced", true)] {
        let place = twins();
        let before = snapshot(&place.path("home/Twins"));
        let mut terminal = Terminal::run(&place, &["run", "--folder", "Twins", "/organize by type"], &[]);
        terminal.wait(APPLY);
        fs::rename(place.path("home/Twins"), place.path("home/Other")).unwrap();
        if replaced {
            fs::create_dir(place.path("home/Twins")).unwrap();
            fs::write(place.path("home/Twins/a.txt"), "another").unwrap();
        }
        terminal.press("a\r");
        let (code, screen) = terminal.end();
        assert_snapshot!(name, screen);
        assert_eq!(code, 1, "{name}");
        assert_eq!(snapshot(&place.path("home/Other")), before, "{name}");
        if replaced {
            assert_eq!(fs::read_to_string(place.path("home/Twins/a.txt")).unwrap(), "another");
        }
    }
}

/// A folder that was moved since is to be put back under its name, and then the undo goes on.
#[test]
fn an_undo_waits_for_the_folder_that_it_is_about() {
    let place = twins();
    let before = snapshot(&place.path("home/Twins"));
    let ran = place.deskhand(["run", "--yes", "--folder", "Twins", "/organize by type"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    fs::rename(place.path("home/Twins"), place.path("home/Other")).unwrap();
    let gone = crate::said::said(&place, &place.deskhand(["undo", "--yes"]));
    fs::create_dir(place.path("home/Twins")).unwrap();
    let another = crate::said::said(&place, &place.deskhand(["undo", "--yes"]));
    assert_snapshot!("undo_elsewhere", format!("=== gone\n{gone}=== another\n{another}"));
    fs::remove_dir(place.path("home/Twins")).unwrap();
    fs::rename(place.path("home/Other"), place.path("home/Twins")).unwrap();
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!((undone.code, undone.stderr.as_str()), (0, ""), "{}", undone.stdout);
    assert_eq!(snapshot(&place.path("home/Twins")), before);
}
