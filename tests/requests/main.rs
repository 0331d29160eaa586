//! How well requests in plain words find their command, by the real program with our plugins installed. The author of the
//! matcher saw `known.toml`; nobody who worked on it saw what is in `held-out.toml`, only how many it gets right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_tests::{Place, root};
use serde_json::Value;
use std::fs;

#[derive(Default, Debug)]
struct Score {
    /// Requests that a command serves, and it was chosen.
    right: usize,
    /// …and no command was chosen.
    missed: usize,
    /// …and another one was.
    wrong: usize,
    /// Requests that no command serves, and none was chosen.
    refused: usize,
    /// …and one was.
    false_alarms: usize,
    /// Requests that say by what to sort, and that was understood, of all such that found their command.
    by_right: usize,
    by_all: usize,
}

fn score(file: &str, say: bool) -> Score {
    let place = Place::with_plugins();
    let text = fs::read_to_string(root().join("tests/requests").join(file)).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut score = Score::default();
    for request in table["request"].as_array().unwrap() {
        let (text, wanted) = (request["text"].as_str().unwrap(), request["command"].as_str().unwrap());
        let ran = place.deskhand(["commands", "--json", "--", text]);
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{text}: {ran:?}"));
        let found = answer["command"].as_str().unwrap_or("none");
        match (wanted, found) {
            ("none", "none") => score.refused += 1,
            ("none", _) => score.false_alarms += 1,
            (_, "none") => score.missed += 1,
            _ if wanted == found => score.right += 1,
            _ => score.wrong += 1,
        }
        let mut well = wanted == found;
        if let Some(by) = request.get("by").filter(|_| well) {
            let by = by.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>();
            score.by_all += 1;
            well = answer["arguments"]["by"] == serde_json::json!(by);
            score.by_right += usize::from(well);
        }
        if say && !well {
            println!("{text:?}: wanted {wanted} {:?}, got {found} {}", request.get("by"), answer["arguments"]["by"]);
        }
    }
    score
}

#[test]
fn requests_that_the_matcher_was_made_with() {
    let score = score("known.toml", true);
    println!("{score:?}");
    assert_eq!((score.wrong, score.false_alarms, score.missed, score.by_right), (0, 0, 0, score.by_all), "{score:?}");
}

#[test]
fn requests_that_nobody_saw() {
    let score = score("held-out.toml", false);
    println!("{score:?}");
    assert_eq!(score.right + score.missed + score.wrong + score.refused + score.false_alarms, 160);
}
