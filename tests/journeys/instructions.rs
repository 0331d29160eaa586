//! Which files instruct the model, and who says so.

use deskhand_tests::{Place, Ran};
use serde_json::Value;
use std::{fs, os::unix::fs::symlink};

/// What it says, where it has worked.
fn works(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

fn place() -> Place {
    let place = Place::new();
    for folder in ["home/Work/Letters/Old/deep/deeper/deepest", "home/Work/Plain", "deskhand/config"] {
        fs::create_dir_all(place.path(folder)).unwrap();
    }
    place
}

/// Of each file its path, its place, whether it is followed, and why.
fn lists(place: &Place, folder: &str) -> Vec<[String; 4]> {
    let found = place.deskhand(["instructions", "--json", folder]).ok();
    let home = place.dir.path().canonicalize().unwrap().display().to_string();
    let one = |line: &str| {
        let one: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| one[key].as_str().unwrap().replace(&home, "");
        [text("path"), text("place"), one["followed"].to_string(), text("why")]
    };
    found.lines().map(one).collect()
}

const UNTRUSTED: &str = "you have not marked the folder as trusted";
const TRUSTED: &str = "you trust /home/Work, and agreed to it";

fn row(path: &str, place: &str, followed: bool, why: &str) -> [String; 4] {
    [path, place, &followed.to_string(), why].map(str::to_owned)
}

#[test]
fn the_nearest_is_last_and_trust_is_the_persons() {
    let place = place();
    for (path, text) in [
        ("deskhand/config/DESKHAND.md", "Be brief."),
        ("home/AGENTS.md", "never trusted"),
        ("home/Work/CLAUDE.md", "outer"),
        ("home/Work/Letters/AGENTS.md", "not this one"),
        ("home/Work/Letters/DESKHAND.md", "inner"),
        ("home/Work/Letters/Old/AGENTS.md", "nested"),
        ("home/Work/Letters/Old/deep/deeper/deepest/AGENTS.md", "too deep"),
    ] {
        fs::write(place.path(path), text).unwrap();
    }
    let own = row("/deskhand/config/DESKHAND.md", "settings", true, "your own, for all folders");
    let untrusted = row("/home/Work/Letters/DESKHAND.md", "folder", false, UNTRUSTED);
    assert_eq!(lists(&place, "Work/Letters"), [own.clone(), untrusted.clone()]);
    let trusted = works(place.deskhand(["instructions", "trust", "Work"]));
    for text in ["outer", "inner", "nested"] {
        assert!(trusted.contains(&format!(":\n  {text}\n")), "{trusted}");
    }
    let above = row("/home/Work/CLAUDE.md", "above", true, TRUSTED);
    let letters = row("/home/Work/Letters/DESKHAND.md", "folder", true, TRUSTED);
    let nested = row("/home/Work/Letters/Old/AGENTS.md", "below", true, TRUSTED);
    assert_eq!(lists(&place, "Work/Letters"), [own.clone(), above.clone(), letters.clone(), nested.clone()]);

    // one that changes and one that is new are not followed
    fs::write(place.path("home/Work/Letters/DESKHAND.md"), "changed").unwrap();
    fs::write(place.path("home/Work/Letters/Old/deep/DESKHAND.md"), "new").unwrap();
    let changed = "you trust /home/Work, but it has changed since you agreed to it";
    let fresh = "you trust /home/Work, but have not agreed to it yet";
    let expected = [
        own.clone(),
        above,
        row("/home/Work/Letters/DESKHAND.md", "folder", false, changed),
        nested,
        row("/home/Work/Letters/Old/deep/DESKHAND.md", "below", false, fresh),
    ];
    assert_eq!(lists(&place, "Work/Letters"), expected);
    let why = place.deskhand(["why", "--agent", "follow", "Work/Letters"]);
    assert_eq!(why.code, 0, "{}", why.stderr);
    assert!(why.stdout.starts_with("The agent may, if you agree when you are asked, follow"), "{}", why.stdout);
    works(place.deskhand(["instructions", "trust", "Work/Letters"]));
    assert_eq!(place.deskhand(["instructions", "distrust", "Work/Letters"]).code, 1);
    works(place.deskhand(["instructions", "trust", "Work"]));
    let why = place.deskhand(["why", "--agent", "follow", "Work/Letters"]).ok();
    assert!(why.starts_with("The agent may follow the instructions in "), "{why}");

    // and trust is taken back, with all that was agreed to
    let granted = place.deskhand(["grants", "--json"]).ok();
    assert_eq!(granted.matches("\"kind\":\"instructions\"").count(), 1, "{granted}");
    assert_eq!(granted.matches("\"kind\":\"instruction-text\"").count(), 4, "{granted}");
    place.deskhand(["instructions", "distrust", "Work"]).ok();
    assert_eq!(place.deskhand(["grants", "--json"]).ok(), "");
    assert_eq!(lists(&place, "Work/Letters"), [own, untrusted]);
    let why = place.deskhand(["why", "--agent", "follow", "Work/Letters"]);
    assert_eq!(why.code, 5, "{}", why.stdout);
    assert!(why.stdout.contains("Trust it: `deskhand instructions trust "), "{}", why.stdout);
    assert_eq!(place.deskhand(["instructions", "distrust", "Work"]).code, 1);
}

#[test]
fn a_revoked_grant_is_trust_taken_back() {
    let place = place();
    fs::write(place.path("home/Work/DESKHAND.md"), "outer").unwrap();
    works(place.deskhand(["instructions", "trust", "Work"]));
    let granted = place.deskhand(["grants", "--json"]).ok();
    let trust = granted.lines().find(|line| line.contains("\"instructions\"")).unwrap();
    let id = serde_json::from_str::<Value>(trust).unwrap()["id"].to_string();
    place.deskhand(["revoke", &id]).ok();
    assert_eq!(lists(&place, "Work"), [row("/home/Work/DESKHAND.md", "folder", false, UNTRUSTED)]);
}

#[test]
fn what_is_no_plain_text_of_the_folder_instructs_nobody() {
    let place = place();
    let file = place.path("home/Work/Plain/DESKHAND.md");
    fs::write(place.path("home/elsewhere.md"), "planted").unwrap();
    symlink(place.path("home/elsewhere.md"), &file).unwrap();
    let trusted = place.deskhand(["instructions", "trust", "Work/Plain"]);
    assert!(!trusted.stdout.contains("planted"), "{}", trusted.stdout);
    let refused = |why| [row("/home/Work/Plain/DESKHAND.md", "folder", false, why)];
    assert_eq!(lists(&place, "Work/Plain"), refused("it is a link that leads out of its folder"));
    fs::remove_file(&file).unwrap();
    fs::write(&file, b"\xFF\0").unwrap();
    assert_eq!(lists(&place, "Work/Plain"), refused("it is not text (UTF-8)"));
    fs::write(&file, " \n").unwrap();
    assert_eq!(lists(&place, "Work/Plain"), refused("it says nothing"));
    assert_eq!(place.deskhand(["instructions", "trust", "nowhere"]).code, 2);
    let own = place.deskhand(["instructions", "trust", place.path("deskhand").to_str().unwrap()]);
    assert_eq!(own.code, 1, "{}", own.stderr);
}

#[test]
fn what_is_shown_cannot_steer_a_terminal() {
    let place = place();
    fs::write(place.path("home/Work/DESKHAND.md"), "a\x1b[2Jb\u{202e}c\r\n").unwrap();
    let shown = works(place.deskhand(["instructions", "trust", "Work"]));
    assert!(shown.contains(":\n  a[2Jbc\n"), "{shown:?}");
}

#[test]
fn ones_own_are_edited() {
    let place = place();
    let edit = |editor: &str| {
        let mut command = place.command(deskhand_tests::deskhand());
        command.args(["instructions", "edit"]).env("EDITOR", editor);
        deskhand_tests::Ran::of(command.output().unwrap())
    };
    let ran = edit("echo 'Be brief.' >");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(fs::read_to_string(place.path("deskhand/config/DESKHAND.md")).unwrap(), "Be brief.\n");
    assert!(edit("true").stdout.starts_with("Nothing was changed in "));
    assert!(edit("true >").stdout.ends_with(" says nothing any more, and is removed.\n"));
    assert!(!place.path("deskhand/config/DESKHAND.md").exists());
}
