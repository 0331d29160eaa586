//! How well requests in plain words find their command, by the real program with our plugins installed. The author of the
//! matcher saw `known.toml` and the first part of `practice.toml`, and steered by the score of the second; nobody who worked on
//! it saw what is in `held-out.toml`, and it was scored once, after the last change of the matcher. To see which ones a file gets wrong: `deskhand commands "REQUEST"`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

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
    /// Requests that say which arguments they give, or which words come to nothing, and got others.
    amiss: Vec<String>,
}

fn score(file: &str) -> Score {
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
        for key in ["arguments", "uncounted"] {
            let wanted = request.get(key).map(|wanted| serde_json::to_value(wanted).unwrap());
            if wanted.is_some_and(|wanted| wanted != answer[key]) {
                score.amiss.push(format!("{text}: {key} {}", answer[key]));
            }
        }
        if let Some(by) = request.get("by").filter(|_| wanted == found) {
            let by = by.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>();
            score.by_all += 1;
            // a year and its month are what `date` gives
            let same = |by: Vec<&str>| by.join(" ").replace("year month", "date");
            let got = answer["arguments"]["by"].as_array().map(|got| got.iter().filter_map(Value::as_str).collect());
            let well = same(by) == same(got.unwrap_or_default());
            score.by_right += usize::from(well);
        }
    }
    score
}

/// What a file scored when it was last measured. A change of the matcher or of our plugins may only better it.
fn holds(file: &str, right: usize, wrong: usize, false_alarms: usize, by_right: usize) {
    let score = score(file);
    println!("{file}: {score:?}");
    assert!(
        score.right >= right
            && score.wrong <= wrong
            && score.false_alarms <= false_alarms
            && score.by_right >= by_right
            && score.amiss.is_empty(),
        "{file}: {score:?}"
    );
}

#[test]
fn requests_that_the_matcher_was_made_with() {
    holds("known.toml", 72, 0, 0, 15);
}

#[test]
fn requests_that_it_was_practised_on() {
    holds("practice.toml", 192, 3, 10, 37);
}

#[test]
fn requests_that_nobody_saw() {
    holds("held-out.toml", 79, 2, 11, 15);
}
