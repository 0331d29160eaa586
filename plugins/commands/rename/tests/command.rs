//! The command as a person runs it, over the test host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_rename::{Arguments, rename};
use deskhand_sdk::prelude::*;
use serde_json::{Value, json};
use testing::{File, Host};

fn arguments(json: Value) -> Arguments {
    serde_json::from_value(json).unwrap()
}

/// Runs and returns what the person is told.
fn run(host: &Host, json: Value) -> String {
    host.run(|| rename(arguments(json))).unwrap().shown()
}

/// A folder `D` of files that hold their own names.
fn folder(names: &[&str]) -> Host {
    names.iter().fold(Host::new().folder("D"), |host, name| {
        host.file(&format!("D/{name}"), File::new(name).fact("file.modified", "2024-05-31T18:02:11"))
    })
}

/// What each file is called now, with what it was called.
fn names(host: &Host) -> Vec<(String, String)> {
    let name = |path: &String| path.strip_prefix("D/").unwrap().to_owned();
    host.tree().iter().map(|path| (String::from_utf8(host.content(path).unwrap()).unwrap(), name(path))).collect()
}

fn renamed(before: &[&str], json: Value) -> Vec<(String, String)> {
    let host = folder(before);
    run(&host, json.clone());
    let mut after = names(&host);
    after.sort();
    // a second time finds nothing to do
    let replaces = !json["replace"].is_null();
    if !replaces {
        run(&host, json);
        let mut again = names(&host);
        again.sort();
        assert_eq!(again, after);
    }
    after
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
}

/// What was shown with the one proposal.
fn notes(host: &Host) -> String {
    let view = &host.proposal().view;
    view["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn by_date() {
    assert_eq!(
        renamed(&["IMG_1.jpg", "b.tar.gz"], json!({ "by": "date" })),
        pairs(&[("IMG_1.jpg", "2024-05-31 IMG_1.jpg"), ("b.tar.gz", "2024-05-31 b.tar.gz")])
    );
}

#[test]
fn two_hundred_in_a_row() {
    let before: Vec<String> = (1..=200).map(|n| format!("IMG_{n}.jpg")).collect();
    let after = renamed(&before.iter().map(String::as_str).collect::<Vec<_>>(), json!({ "to": "Holiday {n:3}" }));
    let mut expected: Vec<(String, String)> =
        (1..=200).map(|n| (format!("IMG_{n}.jpg"), format!("Holiday {n:03}.jpg"))).collect();
    expected.sort();
    assert_eq!(after, expected);
}

#[test]
fn by_number_with_as_many_digits_as_needed() {
    let before = ["a9.jpg", "a10.jpg", "B.jpg"];
    assert_eq!(
        renamed(&before, json!({ "by": "number", "start": 98 })),
        pairs(&[("B.jpg", "100 B.jpg"), ("a10.jpg", "099 a10.jpg"), ("a9.jpg", "098 a9.jpg")])
    );
}

#[test]
fn replacing_with_companions_and_collisions() {
    let host = folder(&["IMG_1.jpg", "IMG_1.xmp", "IMG_1.jpg.sha256", "Photo 1.JPG", "x.txt"]);
    let reply = run(&host, json!({ "replace": "IMG_", "with": "Photo " }));
    let proposal = host.proposal();
    assert_eq!((proposal.title.as_str(), &proposal.view["arrange"]), ("Rename files", &json!("table")));
    assert_eq!(
        proposal.lines(),
        [
            "move D/IMG_1.jpg -> D/Photo 1 (2).jpg",
            "move D/IMG_1.jpg.sha256 -> D/Photo 1 (2).jpg.sha256",
            "move D/IMG_1.xmp -> D/Photo 1 (2).xmp",
        ]
    );
    assert_eq!(proposal.changes[0].reason, "the name Photo 1.JPG is taken");
    assert_eq!(reply, "");
    assert_eq!(
        notes(&host),
        "3 files get numbers behind the name, because it was taken.\n2 files have their names already."
    );
}

#[test]
fn swaps_chains_and_circles() {
    // the order of dates turns the names around
    let host =
        ["1.jpg", "2.jpg", "3.jpg", "4.jpg"].iter().enumerate().fold(Host::new().folder("D"), |host, (at, name)| {
            let date = format!("2024-05-0{}T00:00:00", [4, 3, 1, 2][at]);
            host.file(&format!("D/{name}"), File::new(name).fact("file.modified", date))
        });
    run(&host, json!({ "to": "{n}", "sort": "date" }));
    assert_eq!(names(&host), pairs(&[("3.jpg", "1.jpg"), ("4.jpg", "2.jpg"), ("2.jpg", "3.jpg"), ("1.jpg", "4.jpg")]));
    let host = folder(&["1.jpg", "2.jpg", "3.jpg"]);
    run(&host, json!({ "to": "{n}", "start": 2 }));
    assert_eq!(names(&host), pairs(&[("1.jpg", "2.jpg"), ("2.jpg", "3.jpg"), ("3.jpg", "4.jpg")]));
    // names that differ in case only
    let host = folder(&["A.jpg", "b.jpg"]);
    run(&host, json!({ "case": "lowercase" }));
    assert_eq!(names(&host), pairs(&[("A.jpg", "a.jpg"), ("b.jpg", "b.jpg")]));
}

#[test]
fn one_name_for_all_gets_numbers() {
    let host = folder(&["a.jpg", "b.jpg", "c.png"]);
    let reply = run(&host, json!({ "to": "Holiday", "only": "*.{jpg,png}" }));
    assert_eq!(
        names(&host),
        pairs(&[("a.jpg", "Holiday 01.jpg"), ("b.jpg", "Holiday 02.jpg"), ("c.png", "Holiday 03.png")])
    );
    assert_eq!(reply, "");
    assert_eq!(notes(&host), "Numbers were added, because all names would have been the same.");
    // one file needs none
    assert_eq!(
        renamed(&["a.jpg", "b.png"], json!({ "to": "Holiday", "only": "jpg" })),
        pairs(&[("a.jpg", "Holiday.jpg"), ("b.png", "b.png")])
    );
}

#[test]
fn dates_that_are_the_same_are_kept_apart() {
    assert_eq!(
        renamed(&["a.jpg", "b.jpg", "c.jpg"], json!({ "to": "{date:YYYYMMDD}" })),
        pairs(&[("a.jpg", "20240531.jpg"), ("b.jpg", "20240531 (2).jpg"), ("c.jpg", "20240531 (3).jpg")])
    );
}

#[test]
fn a_file_without_a_date_is_left() {
    let host = folder(&["a.jpg"]).file("D/b.jpg", File::new("b.jpg").fact("file.modified", "1970-01-01T01:00:00"));
    let reply = run(&host, json!({ "by": "date" }));
    assert_eq!(reply, "");
    assert_eq!(notes(&host), "Left alone:\n  1 file without a date (b.jpg)");
}

#[test]
fn names_that_cannot_be_are_refused_before_anything_is_proposed() {
    let long = "x".repeat(300);
    for (given, why) in [
        (json!({ "replace": "a" }), "The new name of a.jpg would be empty. Nothing was changed; choose other names."),
        (
            json!({ "to": format!("{{name}}{long}") }),
            "The new name of a.jpg (and 1 file more) would be longer than 255 bytes. Nothing was changed; choose other names.",
        ),
        (
            json!({ "spaces": "/" }),
            "The new name of b c.jpg would hold a character that no name can hold. Nothing was changed; choose other names.",
        ),
        (
            json!({ "to": ".{name}" }),
            "The new name of a.jpg (and 1 file more) would begin with a dot, which hides a file. Nothing was changed; choose other names.",
        ),
    ] {
        let host = folder(&["a.jpg", "b c.jpg"]);
        let error = host.run(|| rename(arguments(given.clone()))).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::Invalid, why), "{given}");
        assert_eq!((host.proposals().len(), host.pending().len()), (0, 0));
    }
}

#[test]
fn what_is_not_understood_is_said_before_anything_is_read() {
    for given in [
        json!({}),
        json!({ "to": "a", "by": "date" }),
        json!({ "with": "x" }),
        json!({ "replace": "" }),
        json!({ "to": "{x}" }),
        json!({ "by": "date", "only": "" }),
        json!({ "sort": "date" }),
    ] {
        let host = folder(&["a.jpg"]);
        let error = host.run(|| rename(arguments(given.clone()))).unwrap_err();
        assert_eq!((error.code, host.calls("files.walk")), (Code::Invalid, 0), "{given}");
    }
}

#[test]
fn odd_names_go_through_unharmed() {
    assert_eq!(
        renamed(&["\u{f7ff}\n.jpg", "  a  .jpg"], json!({ "case": "uppercase" })),
        pairs(&[("  a  .jpg", "A.jpg"), ("\u{f7ff}\n.jpg", "\u{f7ff}\n.jpg")])
    );
}

#[test]
fn a_repository_is_refused_and_others_are_left() {
    let host = folder(&["a.jpg", ".git/HEAD"]);
    assert_eq!(host.run(|| rename(arguments(json!({ "by": "date" })))).unwrap_err().code, Code::Unsupported);
    let host = folder(&["a.jpg", "r/.git/HEAD", "r/b.jpg", "s/c.jpg"]);
    run(&host, json!({ "to": "{folder} {n}", "deep": true }));
    assert_eq!(host.tree(), ["D/D 1.jpg", "D/r/.git/HEAD", "D/r/b.jpg", "D/s/s 1.jpg"]);
}
