//! Many files get new names.

use crate::said::said;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::{fs, path::PathBuf, process::Command};

/// A place with 200 pictures, a minute apart.
fn pictures() -> (Place, PathBuf) {
    let place = Place::with_plugins();
    let folder = place.path("home/Trip");
    fs::create_dir(&folder).unwrap();
    for number in 0..200 {
        let file = folder.join(format!("IMG_{}.jpg", 9000 + number * 7 % 200));
        fs::write(&file, format!("picture {number}")).unwrap();
        let touched =
            Command::new("touch").arg("-d").arg(format!("@{}", 1_717_171_200 + number * 60)).arg(&file).status();
        assert!(touched.unwrap().success());
    }
    (place, folder)
}

fn check(request: &str, name: &str) {
    let (place, folder) = pictures();
    let before = snapshot(&folder);
    let ran = place.deskhand(["run", "--yes", "--folder", "Trip", request]);
    assert_snapshot!(name, said(&place, &ran));
    let contents = |tree: &std::collections::BTreeMap<PathBuf, String>| {
        let mut rows: Vec<_> =
            tree.iter().filter(|(path, _)| *path != &PathBuf::new()).map(|(_, row)| row.clone()).collect();
        rows.sort();
        rows
    };
    let after = snapshot(&folder);
    // nothing is lost: the same contents, times and modes under other names
    assert_eq!(contents(&after), contents(&before));
    assert!(before.keys().filter(|path| **path != PathBuf::new()).all(|path| !after.contains_key(path)));
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn by_date() {
    check("/rename by date", "by_date");
}

#[test]
fn in_a_row() {
    check("/rename to \"Trip {n:3}\" sorted by date", "in_a_row");
}

#[test]
fn by_replacing() {
    check("/rename replace IMG_ with \"Photo \"", "by_replacing");
}

#[test]
fn a_name_that_cannot_be() {
    let (place, folder) = pictures();
    let before = snapshot(&folder);
    assert_snapshot!(said(&place, &place.deskhand(["run", "--yes", "--folder", "Trip", "/rename to \"../{name}\""])));
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn names_that_move_up_in_a_row() {
    let place = Place::with_plugins();
    let folder = place.path("home/Row");
    fs::create_dir(&folder).unwrap();
    for number in 1..=5 {
        fs::write(folder.join(format!("Row {number}.txt")), number.to_string()).unwrap();
    }
    let ran = place.deskhand(["run", "--yes", "--folder", "Row", "/rename to \"Row {n}\" start at 2"]);
    assert_snapshot!(said(&place, &ran));
    let texts = (1..=6).filter_map(|number| fs::read_to_string(folder.join(format!("Row {number}.txt"))).ok());
    assert_eq!(texts.collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
    assert!(!folder.join("Row 1.txt").exists());
}

#[test]
fn what_is_not_said_is_asked_for() {
    let place = Place::with_plugins();
    std::fs::create_dir(place.path("home/Row")).unwrap();
    let requests = ["replace IMG with Photo in the file names", "Replace spaces with underscores", "/rename"];
    let whole = requests.map(|request| {
        let ran = place.deskhand(["run", "--yes", "--folder", "Row", request]);
        format!("=== {request}\n{}", said(&place, &ran))
    });
    assert_snapshot!(whole.concat());
}
