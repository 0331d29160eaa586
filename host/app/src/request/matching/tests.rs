#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::request::slash::tests::candidate;
use serde_json::json;

fn installed() -> Catalogue {
    Catalogue::of(vec![
        candidate(
            "home:sorter",
            json!({
                "name": "sort", "summary": "Sort the files of a folder into subfolders.",
                "arguments": {"type": "object", "properties": {
                    "by": {"type": "array", "items": {"enum": ["type", "date", "year"], "x-synonyms": {"type": ["kind"]}}},
                }},
                "forms": ["by {by}"],
                "triggers": ["sort the files in this folder by type", "tidy up my downloads", "put my files in order"],
                "not_for": ["sort the lines of a text", "rename files"]
            }),
        ),
        candidate(
            "home:namer",
            json!({
                "name": "rename", "summary": "Rename many files at once.",
                "arguments": {"type": "object", "properties": {"old": {"type": "string"}, "new": {"type": "string"}}},
                "forms": ["replace {old} with {new}"],
                "triggers": ["rename all files in this folder", "replace a word in the file names"],
                "not_for": ["sort files into folders"]
            }),
        ),
    ])
}

fn chosen(request: &str) -> Option<(usize, Value)> {
    match choose(request, &installed()).unwrap() {
        Match::Chosen { candidate, arguments, .. } => Some((candidate, arguments)),
        Match::Unsure(_) | Match::Lacking { .. } => None,
    }
}

#[test]
fn a_request_in_words_gives_command_and_arguments() {
    let sorted = |by: Value| Some((0, by));
    assert_eq!(
        chosen("Organize the files in this folder by type and date. Show me the structure before moving anything."),
        sorted(json!({"by": ["type", "date"]}))
    );
    assert_eq!(
        chosen("could you pls tidy my donwloads by kind, then by year?"),
        sorted(json!({"by": ["type", "year"]}))
    );
    assert_eq!(chosen("Räum bitte meinen Ordner nach Jahr auf"), None.or(sorted(json!({"by": ["year"]}))));
    assert_eq!(
        chosen("In all the file names, replace \"IMG_\" with \"Photo \""),
        Some((1, json!({"old": "IMG_", "new": "Photo "})))
    );
}

#[test]
fn what_no_command_serves_is_left_alone() {
    for request in [
        "Organize my birthday party",
        "Sort the lines in this text alphabetically",
        "What is the weather like?",
        "Rename our company in the contract",
        "help",
        "files",
        "",
        "\"organize the files\"",
    ] {
        assert_eq!(chosen(request), None, "{request}");
    }
}

#[test]
fn what_did_not_count_is_said() {
    let uncounted = |request: &str| match choose(request, &installed()).unwrap() {
        Match::Chosen { uncounted, .. } => Some(uncounted),
        Match::Unsure(_) | Match::Lacking { .. } => None,
    };
    assert_eq!(uncounted("Tidy up my downloads. Show me the structure first."), Some(Vec::new()));
    assert_eq!(uncounted("sort the photos from Crete by year"), Some(vec!["photos".to_owned(), "Crete".to_owned()]));
    assert_eq!(uncounted("don't sort my files"), None);
    assert_eq!(uncounted("sort my files by type but never touch the folder of Anna"), None);
}
