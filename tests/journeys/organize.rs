//! The main job.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::fs;

const WORDS: &str = "Organize the files in this folder by type and date. Show me the structure before moving anything.";

#[test]
fn by_type_and_date() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let ran = place.deskhand(["run", "--yes", "--folder", "Downloads", "/organize by type and date"]);
    assert_snapshot!(said(&place, &ran));
    let names: String = snapshot(&folder)
        .keys()
        .filter(|path| !path.starts_with("projekt/.git"))
        .map(|path| format!("{}\n", path.display()))
        .collect();
    assert_snapshot!("by_type_and_date_leaves", names);
}

#[test]
fn the_same_in_words() {
    let typed = Place::with_plugins();
    typed.downloads();
    let typed_said = said(&typed, &typed.deskhand(["run", "-y", "-f", "Downloads", "/organize by type and date"]));
    let place = Place::with_plugins();
    place.downloads();
    let words_said = said(&place, &place.deskhand(["run", "--yes", "--folder", "Downloads", WORDS]));
    assert_snapshot!(words_said.lines().take(5).collect::<Vec<_>>().join("\n"));
    let from = |text: &str| text[text.find("[home:organize] Organize").unwrap()..].to_owned();
    assert_eq!(from(&words_said), from(&typed_said));
    let names = |place: &Place| snapshot(&place.path("home/Downloads")).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&place), names(&typed));
}

#[test]
fn which_command_it_would_be() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let before = snapshot(&folder);
    let expected = "This would use /organize of home:organize, because it serves “organize the files in this folder by type and date” (by \
                    type, date). Nothing was done.\n";
    assert_eq!(place.deskhand(["commands", WORDS]).ok(), expected);
    let typed = "This would use /organize of home:organize (by type). Nothing was done.\n";
    assert_eq!(place.deskhand(["commands", "/organize by type"]).ok(), typed);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn once_more_proposes_nothing() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    assert_eq!(place.deskhand(["run", "-y", "-f", "Downloads", "/organize"]).code, 0);
    let organized = snapshot(&folder);
    assert_snapshot!(said(&place, &place.deskhand(["run", "-y", "-f", "Downloads", "/organize"])));
    assert_eq!(snapshot(&folder), organized);
}

#[test]
fn from_within_the_folder() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let binary = deskhand_tests::deskhand();
    let mut command = place.command(binary);
    let output = command.current_dir(&folder).args(["run", "-y", "-f", ".", "/organize by year"]).output().unwrap();
    let ran = deskhand_tests::Ran::of(output);
    assert_snapshot!(said(&place, &ran));
    assert!(folder.join("2016/report (1).pdf").is_file());
}

#[test]
fn a_time_zone_moves_a_date() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let mut command = place.command(deskhand_tests::deskhand());
    // in Berlin it was taken on the first of January 2020, further west on the day before
    command.env("TZ", "America/Los_Angeles").args(["run", "-y", "-f", "Downloads", "/organize by type and date"]);
    assert_eq!(deskhand_tests::Ran::of(command.output().unwrap()).code, 0);
    let years: Vec<_> = ["2019/2019-12", "2020/2020-01"]
        .iter()
        .filter(|month| folder.join("Pictures").join(month).join("Silvester 🎆.jpg").is_file())
        .collect();
    assert_eq!(years, [&"2019/2019-12"]);
}

#[test]
fn a_request_that_no_command_serves() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let before = snapshot(&folder);
    let requests =
        ["Write a letter to my landlord", "/orgnize by type", "/organize by colour", "delete everything", "/"];
    let whole: String = requests
        .iter()
        .map(|request| {
            let ran = place.deskhand(["run", "--yes", "--folder", "Downloads", request]);
            format!("=== {request}\n{}", said(&place, &ran))
        })
        .collect();
    assert_snapshot!(whole);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn a_folder_that_is_not_what_it_seems() {
    let place = Place::with_plugins();
    let folder = place.downloads();
    let before = snapshot(&folder.join("projekt"));
    // a repository is refused whole
    let ran = place.deskhand(["run", "--yes", "--folder", "Downloads/projekt", "/organize"]);
    assert_snapshot!(said(&place, &ran));
    assert_eq!(snapshot(&folder.join("projekt")), before);
}

#[test]
fn two_folders_at_once() {
    let place = Place::with_plugins();
    for name in ["a", "b"] {
        fs::create_dir(place.path("home").join(name)).unwrap();
        fs::write(place.path("home").join(name).join("note.txt"), "note").unwrap();
    }
    let ran = place.deskhand(["run", "--yes", "-f", "a", "-f", "b", "/organize by type"]);
    assert_snapshot!(said(&place, &ran));
    assert!(place.path("home/a/Documents/note.txt").is_file());
    assert!(place.path("home/b/Documents/note.txt").is_file());
}
