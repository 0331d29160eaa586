//! The command as a person runs it, over the test host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_duplicates::{
    Arguments,
    compare::{Compared, PIECE, compare},
    duplicates,
};
use deskhand_sdk::prelude::*;
use serde_json::{Value, json};
use testing::{Answer, File, Host};

fn arguments(json: Value) -> Arguments {
    serde_json::from_value(json).unwrap()
}

fn run(host: &Host, json: Value) -> String {
    host.run(|| duplicates(arguments(json))).unwrap().shown()
}

fn file(content: &str, modified: i64) -> File {
    File::new(content).modified(Moment::at(modified))
}

/// Two groups: `same` three times, `twin` twice; and what is alike only at first sight.
fn folder() -> Host {
    Host::new()
        .folder("D")
        .file("D/photo (2).jpg", file("same", 10))
        .file("D/photo.jpg", file("same", 10))
        .file("D/z.jpg", file("same", 99))
        .file("D/a.txt", file("twin", 5))
        .file("D/b.txt", file("twin", 3))
        .file("D/other.txt", file("tw1n", 3))
        .file("D/empty", file("", 1))
        .file("D/empty too", file("", 1))
        .file("D/sub/photo.jpg", file("same", 1))
}

/// What was shown with the one proposal.
fn notes(host: &Host) -> String {
    let view = &host.proposal().view;
    view["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_of_each_is_kept() {
    let host = folder();
    let reply = run(&host, json!({}));
    let proposal = host.proposal();
    assert_eq!(proposal.title, "Remove copies, keeping the oldest of each");
    assert_eq!(proposal.lines(), ["remove D/a.txt", "remove D/photo (2).jpg", "remove D/z.jpg"]);
    let reasons: Vec<&str> = proposal.changes.iter().map(|change| change.reason.as_str()).collect();
    assert_eq!(reasons, ["same content as b.txt", "same content as photo.jpg", "same content as photo.jpg"]);
    assert_eq!(proposal.view["arrange"], "groups");
    assert_eq!(reply, "");
    assert_eq!(
        notes(&host),
        "2 files are there more than once; the copies take 12 bytes. The space is free once what was removed is purged.\n\
         2 empty files are not counted: nothing in them can be the same.\n\
         Not looked at:\n  \
           1 subfolder (`/duplicates deep` looks there as well)"
    );
    assert_eq!(host.tree(), ["D/b.txt", "D/empty", "D/empty too", "D/other.txt", "D/photo.jpg", "D/sub/photo.jpg"]);
    assert_eq!(run(&host, json!({})).lines().next(), Some("No two files have the same content."));
}

#[test]
fn what_is_handed_over_does_not_grow_with_the_plan() {
    let shown = |pairs: u32| {
        let mut host = Host::new().folder("D");
        for number in 0..pairs {
            let content = format!("content {number:04}");
            let name = format!("a long enough name of a picture, as a camera gives it, {number:04}");
            host = host.file(&format!("D/{name}.jpg"), file(&content, 1));
            host = host.file(&format!("D/{name} (2).jpg"), file(&content, 2));
        }
        run(&host, json!({}));
        let proposal = host.proposal();
        assert_eq!(proposal.changes.len(), usize::try_from(pairs).unwrap());
        proposal.view.to_string().len()
    };
    assert!(shown(500) < shown(10) + 20);
}

#[test]
fn in_subfolders_and_by_other_rules() {
    let kept = |given: Value| {
        let host = folder();
        run(&host, given);
        let files = host.tree().into_iter().filter(|path| !path.ends_with('/'));
        files.filter(|path| host.content(path).is_some_and(|bytes| bytes == b"same")).collect::<Vec<_>>()
    };
    assert_eq!(kept(json!({ "deep": true })), ["D/sub/photo.jpg"]);
    assert_eq!(kept(json!({ "deep": true, "keep": "newest" })), ["D/z.jpg"]);
    assert_eq!(kept(json!({ "keep": "shortest" })), ["D/sub/photo.jpg", "D/z.jpg"]);
}

#[test]
fn names_of_one_file_are_no_duplicates() {
    let host = Host::new()
        .folder("D")
        .file("D/a.bin", file("same", 5))
        .hard_link("D/a.bin", "D/b.bin")
        .file("D/c.bin", file("same", 1))
        .link("D/l", "a.bin");
    let reply = run(&host, json!({}));
    // the file with two names is kept, though the other is older
    assert_eq!(host.proposal().lines(), ["remove D/c.bin"]);
    assert_eq!(reply, "");
    assert!(notes(&host).contains("1 name belongs to a file that has another name too"), "{}", notes(&host));
    // of two files that have two names each, removing one name would free nothing
    let host = Host::new()
        .folder("D")
        .file("D/a.bin", "same")
        .hard_link("D/a.bin", "D/b.bin")
        .file("D/c.bin", "same")
        .hard_link("D/c.bin", "D/d.bin");
    run(&host, json!({}));
    assert_eq!(host.proposals(), []);
    let host = Host::new().folder("D").file("D/a.bin", "same").hard_link("D/a.bin", "D/b.bin");
    assert_eq!(run(&host, json!({})).lines().next(), Some("No two files have the same content."));
    assert_eq!(host.proposals(), []);
}

#[test]
fn what_would_be_fetched_or_cannot_be_read_is_left() {
    let host = Host::new()
        .folder("D")
        .file("D/a.bin", "same")
        .file("D/b.bin", File::new("same").fact("placeholder", true))
        .file("D/c.bin", File::new("same").unreadable())
        .file("D/.d.bin", "same")
        .file("D/e.bin.part", "same");
    let reply = run(&host, json!({}));
    assert_eq!(
        reply,
        "No two files have the same content.\n\
         Not looked at:\n  \
           1 partial download (e.bin.part)\n  \
           1 file that is still in the cloud (b.bin)\n  \
           1 hidden file or folder (.d.bin)\n  \
           1 file that could not be read (c.bin)"
    );
    assert_eq!(host.proposals(), []);
}

#[test]
fn files_are_compared_to_their_last_byte() {
    let size = usize::try_from(PIECE).unwrap() * 2 + 10;
    let mut other = vec![7; size];
    *other.last_mut().unwrap() = 8;
    let host =
        Host::new().folder("D").file("D/a.bin", vec![7; size]).file("D/b.bin", vec![7; size]).file("D/c.bin", other);
    run(&host, json!({}));
    assert_eq!(host.proposal().lines(), ["remove D/b.bin"]);
    // each of the two in three pieces, and the third not at all: its digest differs
    assert_eq!(host.calls("files.read"), 6);
    assert_eq!(host.tree(), ["D/a.bin", "D/c.bin"]);
}

#[test]
fn a_digest_alone_is_not_believed() {
    let host = Host::new()
        .folder("D")
        .file("D/a", "same")
        .file("D/b", "same")
        .file("D/c", "sAme")
        .file("D/d", File::new("same").unreadable());
    let found = host.run(|| {
        let entry = |name: &str| files::stat(&FilePath::new(name)?);
        let (first, others) = (entry("D/a")?, [entry("D/b")?, entry("D/c")?, entry("D/d")?]);
        let mut read = 0;
        let found = compare(&first, &others.each_ref(), |bytes| read += bytes)?;
        Ok((found, read, compare(&others[2], &[&first], |_| {})?))
    });
    let expected = vec![Compared::Same, Compared::Different, Compared::Unreadable];
    assert_eq!(found, Ok((Some(expected), 12, None)));
}

#[test]
fn a_file_that_changes_before_it_is_removed_stays() {
    let host = folder().meanwhile_written("D/z.jpg", b"new!");
    let reply = run(&host, json!({}));
    assert_eq!(host.content("D/z.jpg").unwrap(), b"new!");
    // what became of the plan is for the host to say
    assert_eq!(reply, "");
}

#[test]
fn a_declined_or_parked_plan_removes_nothing() {
    for answer in [Answer::Cancel, Answer::Absent] {
        let host = folder().answer(answer);
        let before = host.tree();
        assert_eq!(run(&host, json!({})), "");
        assert_eq!(host.tree(), before);
    }
}

#[test]
fn a_repository_is_refused_and_a_stopped_search_ends() {
    let host = Host::new().folder("D").file("D/.git/HEAD", "x").file("D/a", "same").file("D/b", "same");
    assert_eq!(host.run(|| duplicates(Arguments::default())).unwrap_err().code, Code::Unsupported);
    let host = Host::new().folder("D").file("D/r/.git/HEAD", "x").file("D/r/a", "same").file("D/b", "same");
    assert_eq!(run(&host, json!({ "deep": true })).lines().next(), Some("No two files have the same content."));
    for checks in 0..4 {
        let host = folder().stops_after(checks);
        let error = host.run(|| duplicates(Arguments::default())).unwrap_err();
        assert_eq!((error.code, host.pending().len()), (Code::Cancelled, 0), "{checks}");
    }
}

#[test]
fn what_lost_its_twin_stays() {
    let host = folder().meanwhile_written("D/b.txt", b"new words");
    run(&host, json!({}));
    assert_eq!(
        host.tree(),
        ["D/a.txt", "D/b.txt", "D/empty", "D/empty too", "D/other.txt", "D/photo.jpg", "D/sub/photo.jpg"]
    );
}
