//! Taking back: byte for byte, name for name, time for time.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::fs;

/// A place whose downloads are organized.
fn organized() -> Place {
    let place = Place::with_plugins();
    place.downloads();
    assert_eq!(place.deskhand(["run", "-y", "-f", "Downloads", "/organize by type and date"]).code, 0);
    place
}

#[test]
fn undo_and_undo_the_undo() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let before = snapshot(&folder);
    assert_eq!(place.deskhand(["run", "-y", "-f", "Downloads", "/organize by type and date"]).code, 0);
    let after = snapshot(&folder);
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!(snapshot(&folder), before, "{undone:?}");
    assert_snapshot!("undo", said(&place, &undone));
    let again = place.deskhand(["undo", "--yes"]);
    assert_eq!(snapshot(&folder), after, "{again:?}");
    assert_snapshot!("undo_the_undo", said(&place, &again));
    // a folder that the redo brought back goes again without being counted as a removal
    let third = place.deskhand(["undo", "--yes"]);
    assert_eq!((third.code, third.stderr.as_str()), (0, ""), "{}", third.stdout);
    assert_eq!(snapshot(&folder), before);
    assert_snapshot!("history", said(&place, &place.deskhand(["history"])));
}

#[test]
fn from_another_folder_and_by_number() {
    let place = organized();
    let mut command = place.command(deskhand_tests::deskhand());
    let ran = deskhand_tests::Ran::of(command.current_dir("/").args(["undo", "1", "--yes"]).output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(place.path("home/Downloads/Einkauf.txt").is_file());
}

#[test]
fn of_one_file() {
    let place = organized();
    let folder = place.path("home/Downloads");
    let moved = snapshot(&folder);
    // by its path after, and by its path before
    assert_snapshot!(said(
        &place,
        &place.deskhand(["undo", "1", "-y", "-f", "Downloads/Fonts/2014/2014-02/kasten.woff2"])
    ));
    assert!(folder.join("kasten.woff2").is_file());
    assert_eq!(place.deskhand(["undo", "1", "-y", "-f", "Downloads/Einkauf.txt"]).code, 0);
    assert!(folder.join("Einkauf.txt").is_file());
    let others = |tree: std::collections::BTreeMap<std::path::PathBuf, String>| {
        let names = tree.into_keys().filter(|path| !path.ends_with("kasten.woff2") && !path.ends_with("Einkauf.txt"));
        names.filter(|path| !folder.join(path).is_dir()).collect::<Vec<_>>()
    };
    assert_eq!(others(snapshot(&folder)), others(moved));
    assert_snapshot!("of_one_file_history", said(&place, &place.deskhand(["history"])));
}

#[test]
fn a_preview_changes_nothing() {
    let place = organized();
    let folder = place.path("home/Downloads");
    let before = snapshot(&folder);
    let ran = place.deskhand(["undo", "--preview"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("94 files to be moved ("), "{}", ran.stdout);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn what_a_person_changed_since_is_left() {
    let place = organized();
    let folder = place.path("home/Downloads");
    let edited = folder.join("Documents/2010/2010-10/Einkauf.txt");
    fs::write(&edited, "Brot, Milch und Käse\n").unwrap();
    // where another file went, a new one has been put
    fs::write(folder.join("todo.txt"), "another list\n").unwrap();
    fs::remove_file(folder.join("Fonts/2014/2014-02/kasten.woff2")).unwrap();
    let ran = place.deskhand(["undo", "--yes"]);
    assert_snapshot!(said(&place, &ran).replace(&listed(&ran.stdout), "…\n"));
    assert_eq!(ran.code, 6);
    assert_eq!(fs::read_to_string(folder.join("todo.txt")).unwrap(), "another list\n");
    let texts = [edited, folder.join("Einkauf.txt")].into_iter().filter_map(|path| fs::read_to_string(path).ok());
    assert_eq!(texts.collect::<Vec<_>>(), ["Brot, Milch und Käse\n"]);
    assert!(folder.join("a.pdf").is_file());
}

#[test]
fn a_program_is_told_what_is_left() {
    let place = Place::with_plugins();
    let folder = place.path("home/Copies");
    fs::create_dir(&folder).unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        fs::write(folder.join(name), "the same").unwrap();
    }
    assert_eq!(place.deskhand(["run", "-y", "-f", "Copies", "/duplicates", "--allow-removals", "2"]).code, 0);
    fs::write(folder.join("b.txt"), "something new").unwrap();
    let ran = place.deskhand(["undo", "--json", "--yes"]);
    let events = ran.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let decision = events.rev().find(|event| event["event"] == "decision").unwrap();
    assert_eq!((ran.code, &decision["state"]), (6, &"applied".into()));
    assert_eq!(
        decision["left"],
        serde_json::json!([{
            "kind": "remove", "source": "Copies/b.txt", "target": null, "offer": true, "beside": null,
            "reason": "something else is at `Copies/b.txt` now; it is left as it is",
        }])
    );
}

#[test]
fn the_old_version_beside() {
    let place = Place::with_plugins();
    let folder = place.path("home/Copies");
    fs::create_dir(&folder).unwrap();
    for name in ["a.txt", "b.txt"] {
        fs::write(folder.join(name), "the same").unwrap();
    }
    fs::write(folder.join("list.txt"), "milk").unwrap();
    let duplicates = ["run", "--folder", "Copies", "/duplicates", "--yes", "--allow-removals", "1"];
    assert_eq!(place.deskhand(duplicates).code, 0);
    fs::write(folder.join("b.txt"), "something new").unwrap();
    assert_snapshot!("left_with_an_offer", said(&place, &place.deskhand(["undo", "--yes", "--preview"])));
    let ran = place.deskhand(["undo", "--yes", "--beside"]);
    assert_snapshot!(said(&place, &ran));
    let mut texts: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    texts.sort();
    assert_eq!(texts, ["milk", "something new", "the same", "the same"]);
    assert_eq!(fs::read_to_string(folder.join("b.txt")).unwrap(), "something new");
}

/// The long tree of an output.
fn listed(stdout: &str) -> String {
    let start = stdout.find("Downloads/\n").unwrap();
    let end = stdout[start..].find("\n\n").unwrap();
    stdout[start..start + end].to_owned()
}

#[test]
fn nothing_to_undo() {
    let place = Place::with_plugins();
    assert_snapshot!(said(&place, &place.deskhand(["undo"])));
    assert_snapshot!("no_such_commit", said(&place, &place.deskhand(["undo", "7"])));
    assert_snapshot!("no_history", said(&place, &place.deskhand(["history"])));
}

#[test]
fn a_purge_takes_no_undo_of_moves() {
    let place = organized();
    assert_snapshot!(said(&place, &place.deskhand(["purge", "--commit", "1", "--yes"])));
    assert_eq!(place.deskhand(["undo", "1", "--yes"]).code, 0);
    assert!(place.path("home/Downloads/Einkauf.txt").is_file());
}

#[test]
fn undoing_a_redo_keeps_what_came_since() {
    let place = Place::with_plugins();
    let folder = place.path("home/r");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.txt"), "a").unwrap();
    fs::write(folder.join("b.txt"), "b").unwrap();
    let run = |arguments: &[&str]| place.deskhand(arguments.iter().copied());
    assert_eq!(run(&["run", "--yes", "--folder", "r", "/organize by type"]).code, 0);
    assert_eq!(run(&["undo", "--yes"]).code, 0);
    assert_eq!(run(&["undo", "--yes"]).code, 0);
    // the folder is called what it is
    let redone = run(&["history", "3"]).ok();
    let mut changes: Vec<&str> = redone.lines().filter(|line| line.starts_with("  ")).collect();
    changes.sort_unstable();
    assert_eq!(
        changes,
        [
            "  bring back  r/Documents",
            "  move        r/a.txt → r/Documents/a.txt",
            "  move        r/b.txt → r/Documents/b.txt"
        ]
    );
    fs::write(folder.join("Documents/a.txt"), "my edit").unwrap();
    fs::write(folder.join("Documents/mine.txt"), "mine").unwrap();
    assert_eq!(run(&["undo", "--yes"]).code, 6);
    let content = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!([content("Documents/a.txt"), content("Documents/mine.txt"), content("b.txt")], ["my edit", "mine", "b"]);
}

#[test]
fn what_was_only_touched_goes_back() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let names = || snapshot(&folder).into_keys().collect::<Vec<_>>();
    let before = names();
    assert_eq!(place.deskhand(["run", "-y", "-f", "Downloads", "/organize by type and date"]).code, 0);
    let touch = ["-type", "f", "-exec", "touch", "{}", "+"];
    assert!(std::process::Command::new("find").arg(&folder).args(touch).status().unwrap().success());
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!((undone.code, undone.stderr.as_str()), (0, ""), "{}", undone.stdout);
    assert_eq!(names(), before);
}
