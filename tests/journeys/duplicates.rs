//! A removal is the person's own decision, and what is removed can be had again.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::{fs, path::PathBuf, process::Command};

/// A place with three copies of one file and two of another.
fn copies() -> (Place, PathBuf) {
    let place = Place::with_plugins();
    let folder = place.path("home/Copies");
    fs::create_dir(&folder).unwrap();
    let files = [
        ("photo.jpg", "a"),
        ("photo (2).jpg", "a"),
        ("photo - Copy.jpg", "a"),
        ("note.txt", "b"),
        ("note (1).txt", "b"),
        ("own.txt", "c"),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content.repeat(2000)).unwrap();
    }
    assert!(
        Command::new("sh")
            .arg("-c")
            .arg("touch -d @1700000000 -- * .")
            .current_dir(&folder)
            .status()
            .unwrap()
            .success()
    );
    (place, folder)
}

fn run<const N: usize>(place: &Place, more: [&str; N]) -> deskhand_tests::Ran {
    place.deskhand(["run", "--folder", "Copies", "/duplicates"].into_iter().chain(more))
}

#[test]
fn yes_covers_no_removal() {
    let (place, folder) = copies();
    let before = snapshot(&folder);
    for (more, name) in [
        (vec![], "none"),
        (vec!["--yes"], "yes"),
        (vec!["--yes", "--allow-removals", "2"], "too_few"),
        (vec!["--allow-removals", "3"], "no_yes"),
    ] {
        let ran = place.deskhand(["run", "--folder", "Copies", "/duplicates"].into_iter().chain(more));
        assert_snapshot!(name, said(&place, &ran));
        assert_eq!(snapshot(&folder), before, "{name}");
    }
}

#[test]
fn thousands_of_copies_are_one_plan() {
    const PAIRS: usize = 3000;
    let place = Place::with_plugins();
    let folder = place.path("home/Copies");
    fs::create_dir(&folder).unwrap();
    for number in 0..PAIRS {
        for name in ["a picture that a camera has named", "a picture that a camera has named (2)"] {
            fs::write(folder.join(format!("{name} {number:04}.jpg")), format!("{number:04}")).unwrap();
        }
    }
    let ran = run(&place, ["--yes", "--allow-removals", "3000"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("Done: removed 3,000 files.\n"), "{}", ran.stdout);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), PAIRS);
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!((undone.code, undone.stderr.as_str()), (0, ""), "{}", undone.stdout);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2 * PAIRS);
}

#[test]
fn as_many_as_were_agreed_to() {
    let (place, folder) = copies();
    let before = snapshot(&folder);
    let ran = run(&place, ["--yes", "--allow-removals", "3"]);
    assert_snapshot!(said(&place, &ran));
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_snapshot!("removed_history", said(&place, &place.deskhand(["history", "1"])));
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!((undone.code, undone.stderr.as_str()), (0, ""), "{}", undone.stdout);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn a_removed_file_comes_back() {
    let (place, folder) = copies();
    let before = snapshot(&folder);
    assert_eq!(run(&place, ["--yes", "--allow-removals", "3"]).code, 0);
    assert_snapshot!("restore_without_yes", said(&place, &place.deskhand(["restore", "1", "Copies/note (1).txt"])));
    assert!(!folder.join("note (1).txt").exists());
    assert_snapshot!(said(&place, &place.deskhand(["restore", "1", "Copies/note (1).txt", "--yes"])));
    let path = PathBuf::from("note (1).txt");
    assert_eq!(snapshot(&folder).get(&path), before.get(&path));
    fs::create_dir(place.path("home/Elsewhere")).unwrap();
    assert_snapshot!(
        "restore_elsewhere",
        said(&place, &place.deskhand(["restore", "1", "Copies/photo (2).jpg", "--to", "Elsewhere", "--yes"]))
    );
    assert_eq!(fs::read_to_string(place.path("home/Elsewhere/photo (2).jpg")).unwrap(), "a".repeat(2000));
    assert_snapshot!(
        "restore_what_is_not_kept",
        said(&place, &place.deskhand(["restore", "1", "Copies/own.txt", "--yes"]))
    );
}

#[test]
fn what_was_given_up_is_gone() {
    let (place, folder) = copies();
    assert_eq!(run(&place, ["--yes", "--allow-removals", "3"]).code, 0);
    let before = snapshot(&folder);
    let whole: String = [
        vec!["purge", "--commit", "1", "--preview"],
        vec!["purge", "--commit", "1"],
        vec!["purge", "--commit", "1", "--yes"],
        vec!["history", "1"],
        vec!["undo", "1", "--yes"],
        vec!["restore", "1", "Copies/note (1).txt", "--yes"],
    ]
    .iter()
    .map(|arguments| format!("=== deskhand {}\n{}", arguments.join(" "), said(&place, &place.deskhand(arguments))))
    .collect();
    assert_snapshot!(whole);
    assert_eq!(snapshot(&folder), before);
}
