//! A slip in the settings: what was done can be seen and taken back all the same.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::fs;

#[test]
fn a_slip_in_the_settings_does_not_stand_in_the_way_of_undo() {
    let place = Place::with_plugins();
    let folder = place.path("home/Inbox");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note.txt"), "note").unwrap();
    let before = snapshot(&folder);
    assert_eq!(place.deskhand(["run", "--yes", "--folder", "Inbox", "/organize by type"]).code, 0);
    fs::create_dir_all(place.path("deskhand/config")).unwrap();
    fs::write(place.path("deskhand/config/config.toml"), "[undo]\nkeep_day = 9\n").unwrap();
    let run = said(&place, &place.deskhand(["run", "--yes", "--folder", "Inbox", "/organize"]));
    let doctor = place.deskhand(["doctor"]);
    let head: Vec<&str> = doctor.stdout.lines().take(2).collect();
    let head = crate::said::masked(&place, &head.join("\n"));
    let undo = said(&place, &place.deskhand(["undo", "--yes"]));
    assert_snapshot!(format!("=== run\n{run}=== doctor\nexit code {}\n{head}\n=== undo\n{undo}", doctor.code));
    assert_eq!(snapshot(&folder), before);
}
