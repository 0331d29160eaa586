//! Things of one name: folders in the history, commands of two plugins.

use crate::said::said;
use deskhand_tests::Place;
use insta::assert_snapshot;
use std::fs;

#[test]
fn two_folders_of_one_name() {
    let place = Place::with_plugins();
    for folder in ["one/Inbox", "two/Inbox"] {
        fs::create_dir_all(place.path("home").join(folder)).unwrap();
        fs::write(place.path("home").join(folder).join("note.txt"), "note").unwrap();
        assert_eq!(place.deskhand(["run", "--yes", "--folder", folder, "/organize by type"]).code, 0);
    }
    let said = ["history", "history 1", "undo 1 --preview"]
        .map(|arguments| format!("=== {arguments}\n{}", said(&place, &place.deskhand(arguments.split(' ')))));
    assert_snapshot!(said.concat());
}

/// A place where two marketplaces offer `organize`, and both are installed.
fn twice() -> Place {
    let place = Place::with_plugins();
    let deskhand = |arguments: &[&str]| place.deskhand(arguments).ok();
    let folder = place.path("other").display().to_string();
    let keys = ["a.pem", "b.pem"].map(|name| place.path("keys").join(name.trim_end_matches(".pem")).join(name));
    let keys = keys.map(|key| key.display().to_string());
    let out = "--root-key-out";
    let made = deskhand(&["market", "init", "other", &folder, out, &keys[0], out, &keys[1], "--json"]);
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let component = deskhand_tests::target().parent().unwrap().join("plugin/organize.wasm");
    deskhand(&["market", "publish", "other", component.to_str().unwrap()]);
    deskhand(&["market", "add", "other", &folder, "--fingerprint", made["made"]["fingerprint"].as_str().unwrap()]);
    deskhand(&["plugin", "install", "--yes", "other:organize"]);
    place
}

#[test]
fn two_plugins_with_one_command() {
    let place = twice();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    let mut whole = String::new();
    for request in ["/organize", "tidy up by type", "/nothing:organize"] {
        let ran = place.deskhand(["run", "--folder", "Inbox", request]);
        whole.push_str(&format!("=== {request}\n{}", said(&place, &ran)));
    }
    assert_snapshot!(whole);
    for request in ["/other:organize:organize by type", "/other:organize by type", "/home:organize by type"] {
        let ran = place.deskhand(["commands", "--json", "--", request]);
        let answer: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let market = request[1..].split(':').next().unwrap();
        assert_eq!(answer["plugin"], format!("{market}:organize"), "{request}: {answer}");
    }
}
