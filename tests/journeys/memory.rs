//! Notes in the person's hands.

use deskhand_tests::{Place, Ran, said::masked};
use serde_json::{Value, json};
use std::{fs, process::Stdio};

/// As `Place::deskhand(...).ok()`, with the folders of this place masked, and every day.
fn says(place: &Place, arguments: &[&str]) -> String {
    masked(place, &place.deskhand(arguments).ok())
}

fn fails(place: &Place, arguments: &[&str]) -> (i32, String) {
    let ran = place.deskhand(arguments);
    assert_eq!(ran.stdout, "");
    (ran.code, masked(place, &ran.stderr))
}

fn notes(place: &Place) -> Vec<Value> {
    let exported = place.deskhand(["memory", "export"]).ok();
    serde_json::from_str::<Value>(&exported).unwrap()["notes"].as_array().unwrap().clone()
}

#[test]
fn notes_are_added_found_edited_and_forgotten() {
    let place = Place::new();
    fs::create_dir(place.path("home/Bills")).unwrap();
    assert_eq!(
        says(&place, &["memory", "list"]),
        "Nothing is remembered yet. Keep a note with: deskhand memory add TEXT\n"
    );
    assert_eq!(says(&place, &["memory", "add", "Ada", "pays."]), "Remembered for all work (note 1):\n  Ada pays.\n");
    assert_eq!(
        says(&place, &["memory", "add", "Ada pays."]),
        "Remembered already, for all work (note 1):\n  Ada pays.\n"
    );
    let folder = masked(&place, &place.path("home/Bills").canonicalize().unwrap().display().to_string());
    assert_eq!(
        says(&place, &["memory", "add", "--folder", "Bills", "By date.\nNot by name.\u{1b}[2J"]),
        format!("Remembered for {folder} (note 2):\n  By date.\n  Not by name.[2J\n")
    );
    assert_eq!(says(&place, &["memory", "search", "nothing"]), "No note holds any of these words.\n");
    assert!(says(&place, &["memory", "search", "NAME", "\"*("]).contains("By date. Not by name."));
    let listed = says(&place, &["memory", "list"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.lines().nth(1).unwrap().contains(&folder), "{listed}");
    // what holds for a folder is listed with what holds for all work
    assert_eq!(says(&place, &["memory", "list", "--folder", "."]).lines().count(), 3);
    assert_eq!(says(&place, &["memory", "list", "--limit", "0"]), listed);

    assert_eq!(says(&place, &["memory", "edit", "1", "Bo pays."]), "Note 1 says now:\n  Bo pays.\n");
    assert_eq!(
        fails(&place, &["memory", "edit", "1", " "]),
        (2, "Nothing is left of note 1. Take it out with: deskhand memory forget 1\n".to_owned())
    );
    // a folder that is gone takes no note with it
    fs::remove_dir(place.path("home/Bills")).unwrap();
    assert!(says(&place, &["memory", "show", "2"]).starts_with(&format!("Note 2, for {folder} (gone)\nBy you, ")));
    assert_eq!(
        fails(&place, &["memory", "add", "--folder", "Bills", "x"]),
        (2, "Bills is not a folder. Check the spelling, then try again.\n".to_owned())
    );
    assert_eq!(
        says(&place, &["memory", "forget", "2", "1"]),
        "Note 1 is forgotten. It said:\n  Bo pays.\nNote 2 is forgotten. It said:\n  By date.\n  Not by name.[2J\n"
    );
    assert_eq!(
        fails(&place, &["memory", "show", "1"]),
        (1, "There is no note 1. `deskhand memory list` lists what is kept.\n".to_owned())
    );
    assert!(place.deskhand(["log", "--verify"]).ok().starts_with("The log is whole"));
}

#[test]
fn what_is_no_note_is_refused() {
    let place = Place::new();
    assert_eq!(
        fails(&place, &["memory", "add", "\u{200b}"]),
        (2, "A note says something, and nothing that can be seen is in this one.\n".to_owned())
    );
    assert_eq!(
        fails(&place, &["memory", "add", &"x".repeat(100_000)]),
        (2, "A note takes at most 2000 characters, and this has more. Make it shorter, or write several.\n".to_owned())
    );
    assert_eq!(notes(&place), [] as [Value; 0]);
}

#[test]
fn all_is_forgotten_only_with_a_yes() {
    let place = Place::new();
    place.deskhand(["memory", "add", "okapi"]).ok();
    assert_eq!(
        fails(&place, &["memory", "forget", "--all"]),
        (3, "Nobody is there to be asked, and nothing was forgotten. Add --yes.\n".to_owned())
    );
    assert_eq!(says(&place, &["memory", "forget", "--all", "--yes"]), "Forgotten: 1 note.\n");
    let data = place.path("deskhand/data");
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(5).any(|window| window == b"okapi"), "{} holds it still", path.display());
        }
    }
}

#[test]
fn notes_move_to_another_computer_as_somebodys() {
    let place = Place::with_plugins();
    place.deskhand(["memory", "add", "Ada pays."]).ok();
    let odd = ["memory", "add", "--plugin", "home:organise", "By year."];
    assert_eq!(
        fails(&place, &odd),
        (1, "home:organise is not installed. `deskhand plugin list` shows what is.\n".to_owned())
    );
    place.deskhand(["memory", "add", "--plugin", "organize", "By year."]).ok();
    assert_eq!(says(&place, &["memory", "list", "--plugin", "home:organize"]).lines().count(), 2);
    let mut edit = place.command(deskhand_tests::deskhand());
    let edited = Ran::of(edit.args(["memory", "edit", "1"]).stdin(Stdio::null()).output().unwrap());
    assert_eq!(
        (edited.code, edited.stderr.as_str()),
        (
            1,
            "Nobody is at a terminal, and neither $VISUAL nor $EDITOR names an editor that needs none. Try again in a terminal.\n"
        )
    );
    assert_eq!(says(&place, &["memory", "export", "--to", "notes.json"]), "2 notes written to notes.json.\n");
    let (code, said) = fails(&place, &["memory", "export", "--to", "notes.json"]);
    assert_eq!(
        (code, said.as_str()),
        (1, "notes.json was not written: it is there already. Name another file, or move that one away.\n")
    );

    let other = Place::new();
    fs::copy(place.path("home/notes.json"), other.path("home/notes.json")).unwrap();
    let asked = other.deskhand(["memory", "import", "notes.json"]);
    assert_eq!(
        asked.stdout,
        "notes.json holds:\n  for all work: Ada pays.\n  for the plugin home:organize: By year.\n"
    );
    assert_eq!(
        (asked.code, asked.stderr.as_str()),
        (3, "Nobody is there to be asked, and nothing was imported. Add --yes.\n")
    );
    assert_eq!(says(&other, &["memory", "import", "--yes", "notes.json"]), "2 notes imported.\n");
    assert_eq!(says(&other, &["memory", "import", "--yes", "notes.json"]), "0 notes imported; 2 kept already.\n");
    let imported = notes(&other);
    let expected = json!({
        "text": "Ada pays.", "scope": {"for": "all"}, "origin": {"by": "imported"}, "labels": ["untrusted"],
        "made": notes(&place)[0]["made"],
    });
    assert_eq!(imported[0], expected);
}

#[test]
fn a_damaged_or_hostile_file_is_refused_as_a_whole() {
    let place = Place::new();
    let good = json!({"text": "good", "scope": {"for": "all"}, "origin": {"by": "person"}, "labels": [], "made": "2026-01-01T00:00:00Z"});
    let with = |key: &str, value: Value| {
        let mut bad = good.clone();
        bad[key] = value;
        json!({"deskhand": "memory", "version": 1, "notes": [good, bad]}).to_string()
    };
    let whole = with("text", json!("fine"));
    for bad in [
        String::new(),
        whole[..whole.len() - 9].to_owned(),
        "[".repeat(100_000),
        with("text", json!("x".repeat(5000))),
        with("text", json!("\u{202e}")),
        with("scope", json!({"for": "everything"})),
        with("scope", json!({"for": "folder", "folder": "../up"})),
        with("scope", json!({"for": "plugin", "plugin": "../x"})),
        with("labels", json!(["harmless"])),
        with("more", json!(1)),
        with("made", json!("yesterday")),
        whole.replace("\"version\":1", "\"version\":2"),
        whole.replace("memory", "task"),
    ] {
        fs::write(place.path("home/bad.json"), &bad).unwrap();
        let ran = place.deskhand(["memory", "import", "--yes", "bad.json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{bad:.200}");
        let expected = "bad.json was not imported, and nothing was kept of it: ";
        assert!(ran.stderr.starts_with(expected) && ran.stderr.len() < 1000, "{bad:.200}: {}", ran.stderr);
    }
    assert_eq!(notes(&place), [] as [Value; 0]);
    fs::write(place.path("home/bad.json"), &whole).unwrap();
    assert_eq!(says(&place, &["memory", "import", "--yes", "bad.json"]), "2 notes imported.\n");
}
