//! A folder with what file systems allow and programs trip over: nothing is lost, and undo gives all of it back.

use crate::said::said;
use deskhand_tests::{Place, root};
use insta::assert_snapshot;
use std::{path::Path, process::Command};

/// The folder, and every name in it with its kind, mode, size, time, link and number of names; `find` knows each kind,
/// and a path that is too long for one call as well.
fn state(folder: &Path) -> Vec<String> {
    let listed = Command::new("find")
        .arg(".")
        .args(["-printf", "%y %m %s %T@ %n %l %p\\0"])
        .current_dir(folder)
        .output()
        .unwrap();
    let mut rows: Vec<String> = listed
        .stdout
        .split(|byte| *byte == 0)
        // a folder's own size says nothing and depends on the file system
        .map(|row| row.escape_ascii().to_string())
        .map(|row| if row.starts_with("d ") { without_size(&row) } else { row })
        .collect();
    let sums = Command::new("find")
        .args([".", "-type", "f", "-exec", "sha256sum", "-z", "{}", "+"])
        .current_dir(folder)
        .output()
        .unwrap();
    rows.extend(sums.stdout.split(|byte| *byte == 0).map(|row| row.escape_ascii().to_string()));
    rows.sort();
    rows
}

fn without_size(row: &str) -> String {
    let mut words = row.splitn(4, ' ');
    let (kind, mode, _, rest) = (words.next(), words.next(), words.next(), words.next());
    format!("{} {} {}", kind.unwrap_or_default(), mode.unwrap_or_default(), rest.unwrap_or_default())
}

fn awkward() -> (Place, std::path::PathBuf) {
    let place = Place::with_plugins();
    let folder = place.path("home/Awkward");
    let made = Command::new(root().join("tests/fixtures/awkward")).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (place, folder)
}

/// What one state has and the other has not.
fn changed(before: &[String], after: &[String]) -> Vec<String> {
    let lost = before.iter().filter(|row| !after.contains(row)).map(|row| format!("- {row}"));
    let new = after.iter().filter(|row| !before.contains(row)).map(|row| format!("+ {row}"));
    lost.chain(new).collect()
}

fn check(request: &str, name: &str) {
    let (place, folder) = awkward();
    let before = state(&folder);
    let ran = place.deskhand(["run", "--yes", "--folder", "Awkward", request]);
    assert_snapshot!(name, said(&place, &ran));
    assert!(ran.code == 0 || ran.code == 6, "{ran:?}");
    assert!(!changed(&before, &state(&folder)).is_empty());
    let undone = place.deskhand(["undo", "--yes"]);
    assert_eq!((undone.code, undone.stderr.as_str()), (0, ""), "{}", undone.stdout);
    assert_eq!(changed(&before, &state(&folder)), [""; 0]);
}

#[test]
fn organized_and_undone() {
    check("/organize by type and date", "organized");
}

#[test]
fn organized_with_subfolders_and_undone() {
    check("/organize by type including subfolders", "organized_with_subfolders");
}

#[test]
fn renamed_and_undone() {
    check("/rename spaces to \"_\"", "renamed");
}

/// One new name of many would be too long: none is given.
#[test]
fn a_name_too_long() {
    let (place, folder) = awkward();
    let before = state(&folder);
    let ran = place.deskhand(["run", "--yes", "--folder", "Awkward", "/rename to \"{date} {name}\""]);
    assert_snapshot!(said(&place, &ran));
    assert_eq!(changed(&before, &state(&folder)), [""; 0]);
}

/// Empty files, holes, devices and the several names of one file are no copies of each other.
#[test]
fn without_copies() {
    let (place, folder) = awkward();
    let before = state(&folder);
    let arguments = ["run", "--yes", "--allow-removals", "100", "--folder", "Awkward", "/duplicates in subfolders"];
    assert_snapshot!(said(&place, &place.deskhand(arguments)));
    assert_eq!(changed(&before, &state(&folder)), [""; 0]);
}
