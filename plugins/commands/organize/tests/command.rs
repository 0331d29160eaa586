//! The command as a person runs it, over the test host.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_organize::{Arguments, organize};
use deskhand_sdk::prelude::*;
use deskhand_sdk::time::DateTime;
use testing::{File, Host};

fn at(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn file(media_type: &str, modified: &str) -> File {
    File::new("x").media_type(media_type).fact("file.modified", modified)
}

fn arguments(json: serde_json::Value) -> Arguments {
    serde_json::from_value(json).unwrap()
}

/// Runs with arguments as JSON and returns what the person is told.
fn run(host: &Host, json: serde_json::Value) -> String {
    host.run(|| organize(arguments(json))).unwrap().shown()
}

fn downloads() -> Host {
    Host::new()
        .folder("Downloads")
        .file("Downloads/IMG_1.jpg", file("image/jpeg", "2024-01-10T10:00:00").taken(at("2023-07-02T12:00:00")))
        .file("Downloads/IMG_1.xmp", file("application/xml", "2024-02-10T10:00:00"))
        .file(
            "Downloads/Rechnung März.pdf",
            file("application/pdf", "2025-01-01T00:00:00").written(at("2022-03-31T09:00:00")),
        )
        .file("Downloads/old.jpg", file("image/jpeg", "2021-05-05T10:00:00").taken(at("1980-01-01T00:00:00")))
        .file("Downloads/Pictures/2023/2023-07/img_1.JPG", file("image/jpeg", "2023-07-02T12:00:00"))
        .file("Downloads/film.mkv.part", file("video/x-matroska", "2024-01-10T10:00:00"))
        .file("Downloads/.hidden", file("text/plain", "2024-01-10T10:00:00"))
        .file("Downloads/cloud.pdf", file("application/pdf", "2024-01-10T10:00:00").fact("placeholder", true))
        .link("Downloads/link", "/etc")
        .special("Downloads/pipe", "fifo")
        .file("Downloads/Project/.git/HEAD", "ref")
        .file("Downloads/Project/main.rs", "fn main() {}")
}

/// What was shown with the one proposal.
fn notes(host: &Host) -> String {
    let view = &host.proposal().view;
    view["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_main_job() {
    let host = downloads();
    let reply = run(&host, serde_json::json!({ "by": ["type", "date"] }));
    let proposal = host.proposal();
    assert_eq!(
        (proposal.title.as_str(), proposal.view["arrange"].as_str()),
        ("Organize by type and date", Some("tree"))
    );
    assert_eq!(
        proposal.lines(),
        [
            "make-folder Downloads/Documents",
            "make-folder Downloads/Documents/2022",
            "make-folder Downloads/Documents/2022/2022-03",
            "make-folder Downloads/Pictures/2021",
            "make-folder Downloads/Pictures/2021/2021-05",
            "move Downloads/IMG_1.jpg -> Downloads/Pictures/2023/2023-07/IMG_1 (2).jpg",
            "move Downloads/IMG_1.xmp -> Downloads/Pictures/2023/2023-07/IMG_1 (2).xmp",
            "move Downloads/old.jpg -> Downloads/Pictures/2021/2021-05/old.jpg",
            "move Downloads/Rechnung März.pdf -> Downloads/Documents/2022/2022-03/Rechnung März.pdf",
        ]
    );
    let reasons: Vec<&str> = proposal.changes[5..].iter().map(|change| change.reason.as_str()).collect();
    let taken = "the name img_1.JPG is taken";
    assert_eq!(reasons, [taken, taken, "its own date 1980-01-01 cannot be right, so 2021-05-05 is used", ""]);
    assert_eq!(reply, "");
    assert_eq!(
        notes(&host),
        "2 files get other names, because theirs were taken.\n\
         1 file has a date that cannot be right; the next best was used.\n\
         Left alone:\n  \
           1 partial download (film.mkv.part)\n  \
           1 file that is still in the cloud (cloud.pdf)\n  \
           1 hidden file or folder (.hidden)\n  \
           1 link (link)\n  \
           1 pipe, socket or device (pipe)"
    );
    assert_eq!(
        host.tree(),
        [
            "Downloads/.hidden",
            "Downloads/Documents/2022/2022-03/Rechnung März.pdf",
            "Downloads/Pictures/2021/2021-05/old.jpg",
            "Downloads/Pictures/2023/2023-07/IMG_1 (2).jpg",
            "Downloads/Pictures/2023/2023-07/IMG_1 (2).xmp",
            "Downloads/Pictures/2023/2023-07/img_1.JPG",
            "Downloads/Project/.git/HEAD",
            "Downloads/Project/main.rs",
            "Downloads/cloud.pdf",
            "Downloads/film.mkv.part",
            "Downloads/link",
            "Downloads/pipe",
        ]
    );
    // a second time finds nothing to do, and asks nothing
    let again = run(&host, serde_json::json!({ "by": ["type", "date"] }));
    assert_eq!(again.lines().next(), Some("There is nothing to sort."));
    assert_eq!(host.proposals().len(), 1);
}

#[test]
fn all_the_way_down() {
    let host = downloads();
    let reply = run(&host, serde_json::json!({ "by": ["type"], "deep": true, "into": "Sorted" }));
    assert_eq!((host.proposal().title.as_str(), reply.as_str()), ("Organize by type", ""));
    assert!(notes(&host).contains("  1 repository (Project)\n"), "{}", notes(&host));
    assert!(host.tree().contains(&"Downloads/Sorted/Pictures/img_1 (2).JPG".to_owned()));
    let again = run(&host, serde_json::json!({ "by": ["type"], "deep": true, "into": "Sorted" }));
    assert_eq!(again.lines().next(), Some("There is nothing to do: all 5 files lie where they belong."));
}

#[test]
fn folders_have_the_names_of_the_persons_language() {
    let host = downloads().locale("de-DE");
    run(&host, serde_json::json!({ "by": ["type"] }));
    // a folder that is there keeps its name
    assert!(host.tree().contains(&"Downloads/Dokumente/Rechnung März.pdf".to_owned()));
    assert!(host.tree().contains(&"Downloads/Pictures/old.jpg".to_owned()));
}

#[test]
fn a_declined_plan_changes_nothing() {
    let host = downloads().cancels();
    let before = host.tree();
    assert_eq!(run(&host, serde_json::json!({})), "");
    assert_eq!(host.tree(), before);
}

#[test]
fn a_repository_is_refused() {
    let host = Host::new().folder("Code").file("Code/.git/HEAD", "ref").file("Code/a.txt", "a");
    let error = host.run(|| organize(Arguments::default())).unwrap_err();
    assert_eq!(
        error,
        Error::unsupported(
            "Code is a repository, and sorting its files would break it. Nothing was changed; choose another folder."
        )
    );
}

#[test]
fn several_folders_are_sorted_each_in_itself() {
    let host = Host::new()
        .folder("A")
        .folder("B")
        .read_only_folder("C")
        .file("A/a.pdf", file("application/pdf", "2024-01-10T10:00:00"))
        .file("B/a.pdf", file("application/pdf", "2024-01-10T10:00:00"))
        .file("C/a.pdf", file("application/pdf", "2024-01-10T10:00:00"));
    run(&host, serde_json::json!({ "by": ["type"] }));
    assert_eq!(notes(&host), "Left alone:\n  C: it may only be read");
    assert_eq!(host.tree(), ["A/Documents/a.pdf", "B/Documents/a.pdf", "C/a.pdf"]);
}

#[test]
fn a_folder_that_may_only_be_read_is_said() {
    let host = Host::new().read_only_folder("Photos");
    let error = host.run(|| organize(Arguments::default())).unwrap_err();
    assert_eq!(error.code, Code::Denied);
    assert_eq!(Host::new().run(|| organize(Arguments::default())).unwrap_err().code, Code::Invalid);
}

#[test]
fn what_cannot_be_a_subfolder_is_refused_before_anything_is_read() {
    for into in ["", "/", "../x", ".x", "/etc", "~/x", "a/../../b", "a\nb", &"x".repeat(256)] {
        let host = downloads();
        let error = host.run(|| organize(arguments(serde_json::json!({ "into": into })))).unwrap_err();
        assert_eq!((error.code, host.calls("files.walk")), (Code::Invalid, 0), "{into}");
    }
}

#[test]
fn a_stopped_call_leaves_nothing_pending() {
    for checks in 0..3 {
        let host = downloads().stops_after(checks);
        let before = host.tree();
        assert_eq!(host.run(|| organize(Arguments::default())).unwrap_err().code, Code::Cancelled, "{checks}");
        assert_eq!((host.pending(), host.tree()), (Vec::new(), before));
    }
}

#[test]
fn many_files_take_few_calls() {
    let mut host = Host::new().folder("D");
    for n in 0..1_200 {
        host = host.file(&format!("D/{n}.jpg"), file("image/jpeg", "2024-01-10T10:00:00"));
    }
    run(&host, serde_json::json!({}));
    assert_eq!(host.tree().len(), 1_200);
    // two pages, each once
    assert_eq!(host.calls("files.walk"), 2);
    let steps: Vec<String> =
        host.progress().into_iter().filter(|(_, share)| share.is_some()).map(|(text, _)| text).collect();
    assert_eq!(steps, ["Reading 0 of 1,200", "Reading 500 of 1,200", "Reading 1,000 of 1,200"]);
}
