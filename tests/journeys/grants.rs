//! What is granted, for how long, and why something may be done.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::fs;

/// A place with a folder of one file.
fn place() -> Place {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    place
}

fn each(place: &Place, commands: &[&[&str]]) -> String {
    commands
        .iter()
        .map(|arguments| format!("=== deskhand {}\n{}", arguments.join(" "), said(place, &place.deskhand(*arguments))))
        .collect()
}

#[test]
fn for_a_task_only() {
    let place = place();
    let said = each(
        &place,
        &[
            &["grants"],
            &["why", "read", "Inbox"],
            &["run", "--yes", "--folder", "Inbox", "/organize by type"],
            &["grants"],
            &["why", "read", "Inbox"],
            &["why", "--plugin", "home:organize", "read", "Inbox"],
        ],
    );
    assert_snapshot!(said);
}

#[test]
fn for_always_until_taken_back() {
    let place = place();
    let said = each(
        &place,
        &[
            &["run", "--yes", "--always", "--folder", "Inbox", "/organize by type"],
            &["grants"],
            &["why", "read", "Inbox"],
            &["why", "--plugin", "home:organize", "read", "Inbox"],
            &["why", "--plugin", "home:organize", "read", "."],
            &["revoke", "1"],
            &["grants"],
            &["revoke", "1"],
            &["revoke", "99"],
            &["why", "--plugin", "home:organize", "read", "Inbox"],
        ],
    );
    assert_snapshot!(said);
}

#[test]
fn a_lasting_grant_serves_later_tasks() {
    let place = place();
    assert_eq!(place.deskhand(["run", "-y", "--always", "-f", "Inbox", "/organize by type"]).code, 0);
    fs::write(place.path("home/Inbox/more.txt"), "more").unwrap();
    let inside = |arguments: &[&str]| {
        let mut command = place.command(deskhand_tests::deskhand());
        let output = command.current_dir(place.path("home/Inbox")).args(arguments).output().unwrap();
        deskhand_tests::Ran::of(output)
    };
    // the folder is not named: the grant that lasts is what lets it be opened
    let ran = inside(&["run", "--yes", "/organize by type"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(place.path("home/Inbox/Documents/more.txt").is_file());
    assert_eq!(place.deskhand(["revoke", "1"]).code, 0);
    fs::write(place.path("home/Inbox/third.txt"), "third").unwrap();
    let ran = inside(&["run", "--yes", "/organize by type"]);
    assert_snapshot!(said(&place, &ran));
    assert!(place.path("home/Inbox/third.txt").is_file());
}

#[test]
fn for_reading_only() {
    let place = place();
    let before = snapshot(&place.path("home/Inbox"));
    assert_snapshot!(said(&place, &place.deskhand(["run", "--yes", "--read-only", "-f", "Inbox", "/organize"])));
    assert_eq!(snapshot(&place.path("home/Inbox")), before);
}

/// A folder that holds Deskhand's own home is granted, but its home is not seen in it; the home itself is no folder.
#[test]
fn its_own_home_is_out_of_reach() {
    let place = place();
    let home = place.path("home/Inbox/deskhand");
    fs::rename(place.path("deskhand"), &home).unwrap();
    let before: Vec<_> = snapshot(&home.join("data")).into_keys().collect();
    // other names of its files are no way in
    fs::hard_link(home.join("data/log.db"), place.path("home/Inbox/notes.db")).unwrap();
    fs::create_dir(place.path("home/Inbox/sub")).unwrap();
    fs::hard_link(home.join("data/log.db"), place.path("home/Inbox/sub/log.db")).unwrap();
    let whole: String = ["Inbox", "Inbox/deskhand", "Inbox/deskhand/data"]
        .iter()
        .map(|folder| {
            let mut command = place.command(deskhand_tests::deskhand());
            command.env("DESKHAND_HOME", &home);
            command.args(["run", "--yes", "--folder", folder, "/organize by type including subfolders"]);
            let ran = deskhand_tests::Ran::of(command.output().unwrap());
            format!("=== {folder}\n{}", said(&place, &ran))
        })
        .collect();
    assert_snapshot!(whole);
    assert!(place.path("home/Inbox/notes.db").is_file());
    let why: String = ["deskhand", "deskhand/data", ".", "missing"]
        .iter()
        .flat_map(|folder| [("read", folder), ("change", folder)])
        .map(|(verb, folder)| {
            let mut command = place.command(deskhand_tests::deskhand());
            command.env("DESKHAND_HOME", &home).current_dir(place.path("home/Inbox")).args(["why", verb, folder]);
            let ran = deskhand_tests::Ran::of(command.output().unwrap());
            format!("=== why {verb} {folder}\n{}", said(&place, &ran))
        })
        .collect();
    assert_snapshot!("why_its_own_home", why);
    assert!(before.iter().all(|path| home.join("data").join(path).exists()));
}

#[test]
fn what_changes_files_is_refused_where_they_may_only_be_looked_at() {
    let place = place();
    let before = snapshot(&place.path("home/Inbox"));
    let ran = place.deskhand(["run", "--yes", "--read-only", "--folder", "Inbox", "/duplicates"]);
    assert_snapshot!(said(&place, &ran));
    assert_eq!(snapshot(&place.path("home/Inbox")), before);
}
