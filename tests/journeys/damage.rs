//! A journal that was lost or damaged: the person is told, and what is kept can be had again.

use crate::said::said;
use deskhand_tests::Place;
use insta::assert_snapshot;
use std::fs;

/// A place where duplicates were removed, and the files were then organized.
fn place() -> Place {
    let place = Place::with_plugins();
    let folder = place.path("home/Files");
    fs::create_dir(&folder).unwrap();
    for (name, content) in [("a.txt", "a"), ("a copy.txt", "a"), ("b.txt", "b")] {
        fs::write(folder.join(name), content.repeat(1000)).unwrap();
    }
    assert!(
        std::process::Command::new("sh")
            .arg("-c")
            .arg("touch -d @1700000000 -- * .")
            .current_dir(&folder)
            .status()
            .unwrap()
            .success()
    );
    for request in [&["/duplicates", "--allow-removals", "1"][..], &["/organize by type"]] {
        let ran = place.deskhand(["run", "--yes", "--folder", "Files"].iter().chain(request));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    }
    place
}

fn each(place: &Place, commands: &[&[&str]]) -> String {
    commands
        .iter()
        .map(|arguments| format!("=== deskhand {}\n{}", arguments.join(" "), said(place, &place.deskhand(*arguments))))
        .collect()
}

fn doctor(place: &Place) -> (i32, String) {
    let ran = place.deskhand(["doctor"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let at = lines.iter().position(|line| line.contains("  undo  ")).unwrap();
    let rest = if lines[at].starts_with("FAIL") { 2 } else { 1 };
    (ran.code, lines[at..at + rest].join("\n").replace(&place.path("").display().to_string(), "PLACE/"))
}

#[test]
fn a_lost_journal() {
    let place = place();
    assert_eq!(doctor(&place), (0, "ok    undo               the log, the journals and the stores agree".to_owned()));
    let journal = place.path("deskhand/data/commits/1/journal");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&journal, bytes).unwrap();
    fs::remove_dir_all(place.path("deskhand/data/commits/2")).unwrap();
    let told = each(
        &place,
        &[
            &["history"],
            &["history", "2"],
            &["history", "1"],
            &["undo", "--yes"],
            &["undo", "1", "--yes"],
            &["purge", "--older-than", "0", "--yes"],
            &["restore", "2"],
            &["restore", "1"],
            &["restore", "1", "Files/a copy.txt", "--yes"],
        ],
    );
    assert_snapshot!(told);
    assert_eq!(fs::read_to_string(place.path("home/Files/a copy.txt")).unwrap(), "a".repeat(1000));
    let (code, found) = doctor(&place);
    assert_eq!(code, 1);
    assert_snapshot!("doctor", found);
    let given_up = each(
        &place,
        &[
            &["purge", "--commit", "1", "--yes"],
            &["purge", "--commit", "2", "--yes"],
            &["history", "1"],
            &["undo", "--yes"],
        ],
    );
    assert_eq!(doctor(&place).0, 0);
    assert_snapshot!("given_up", given_up);
}

#[test]
fn a_store_that_lost_a_file() {
    let place = place();
    fs::remove_file(place.path("deskhand/data/store/1/b0")).unwrap();
    let (code, found) = doctor(&place);
    assert_eq!(code, 1);
    assert_snapshot!("store_doctor", found);
    assert_snapshot!(
        "store_undo",
        each(&place, &[&["undo", "2", "--yes"], &["undo", "1", "--yes"], &["restore", "1"]])
    );
}
