//! What a person is told of the sandbox.

use deskhand_tests::{Place, Ran};
use std::fs;

/// What the doctor says of it, with the program's helpers in their real places.
fn doctor(place: &Place, path: Option<&str>) -> String {
    let mut command = place.command(deskhand_tests::deskhand());
    command.arg("doctor");
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let ran = Ran::of(command.output().unwrap());
    let lines: Vec<_> = ran.stdout.lines().skip_while(|line| line.get(6..13) != Some("sandbox")).collect();
    let remedy = lines.get(1).filter(|line| line.starts_with("      ")).map(|line| line.trim()).unwrap_or_default();
    format!("{}\n{remedy}", lines.first().unwrap_or(&ran.stderr.as_str()))
}

#[test]
fn the_doctor_tries_it() {
    let place = Place::new();
    assert_eq!(doctor(&place, None), "ok    sandbox            programs of others can be confined, with bubblewrap\n");
    assert_eq!(fs::read_dir(place.path("deskhand/cache/sandboxes")).unwrap().count(), 0, "nothing is left of it");
}

#[test]
fn the_doctor_says_what_is_missing() {
    let place = Place::new();
    let nothing = place.path("empty");
    fs::create_dir(&nothing).unwrap();
    assert_eq!(
        doctor(&place, nothing.to_str()),
        "note  sandbox            there is no sandbox on this computer: bubblewrap is not installed. Install the package \
         `bubblewrap`\nWithout it, programs of others stay off until you allow each by name."
    );
}
