//! A pipe or a device in the place of a file that Deskhand reads: it is named and refused, and holds nobody up.

use crate::{said::said, terminal::Terminal};
use deskhand_tests::{Place, Ran, deskhand};
use insta::assert_snapshot;
use std::{fs, path::Path, process::Command};

/// Run `deskhand`; one that hangs is ended, with code 124.
fn run(place: &Place, arguments: &[&str]) -> Ran {
    Ran::of(place.command("timeout").arg("120").arg(deskhand()).args(arguments).output().unwrap())
}

/// Put a pipe in the place of a file.
fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_pipe_in_the_place_of_a_file_of_ours() {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    assert_eq!(run(&place, &["run", "--yes", "--folder", "Inbox", "/organize by type"]).code, 0);
    let aside = place.path("aside");
    let mut whole = String::new();
    for (file, command) in [
        ("config/config.toml", &["run", "--folder", "Inbox", "/organize"][..]),
        ("data/plugins/index.json", &["commands"]),
        ("data/plugins/index.lock", &["plugin", "uninstall", "organize"]),
        ("data/commits/1/journal", &["history", "1"]),
        ("data/commits/.lock", &["undo", "--yes"]),
        ("data/log.db", &["log"]),
    ] {
        let path = place.path("deskhand").join(file);
        let was_there = path.exists();
        if was_there {
            fs::rename(&path, &aside).unwrap();
        }
        pipe(&path);
        whole.push_str(&format!("=== {file}\n{}", said(&place, &run(&place, command))));
        fs::remove_file(&path).unwrap();
        if was_there {
            fs::rename(&aside, &path).unwrap();
        }
    }
    assert_snapshot!(whole);
    assert_eq!(run(&place, &["undo", "--yes"]).code, 0, "all was left as it was");
}

#[test]
fn a_device_in_the_place_of_the_settings() {
    let place = Place::with_plugins();
    fs::create_dir_all(place.path("deskhand/config")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", place.path("deskhand/config/config.toml")).unwrap();
    assert_snapshot!(said(&place, &run(&place, &["run", "/organize"])));
}

#[test]
fn a_pipe_that_the_editor_leaves() {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    let editor = place.editor("rm \"$1\"\nmkfifo \"$1\"");
    let environment = [("EDITOR", editor.as_str())];
    let mut terminal = Terminal::run(&place, &["run", "--folder", "Inbox", "/organize by type"], &environment);
    terminal.answer("[C]ancel: ", "e").wait("a pipe stands in the place of the file").answer("[C]ancel: ", "c");
    assert_eq!(terminal.end().0, 4);
    assert!(place.path("home/Inbox/note.txt").is_file());
}
