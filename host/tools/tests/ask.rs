//! `ask_user` through a real gate, to a person with prepared answers.
#![allow(clippy::unwrap_used, clippy::panic)]

use deskhand_agent::tool::{Call, Outcome, Output, Tools as _};
use deskhand_permissions::{Context, Gate, Standing};
use deskhand_records::Records;
use deskhand_tools::AskUser;
use deskhand_vocabulary::{Answer, Home, Notice, Person, Plan, Progress, Question, Stop, SystemClock, Unanswered};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs,
    sync::{Arc, Mutex},
};

/// A person who answers as prepared, and remembers what was asked.
#[derive(Default)]
struct Prepared {
    answers: Mutex<VecDeque<Result<Answer, Unanswered>>>,
    asked: Mutex<Vec<Value>>,
}

impl Person for Prepared {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {}

    fn ask_until(&self, question: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        self.asked.lock().unwrap().push(serde_json::to_value(question).unwrap());
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| panic!("not expected: {question:?}"))
    }

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}

struct Desk {
    _dir: tempfile::TempDir,
    person: Arc<Prepared>,
    tool: AskUser,
}

impl Desk {
    fn answering<const N: usize>(answers: [Result<Answer, Unanswered>; N]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::within(&dir.path().join("home"));
        for folder in home.folders() {
            fs::create_dir_all(folder).unwrap();
        }
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(SystemClock)).unwrap());
        let context = Context::agent(records.start_task(json!({})).unwrap(), Standing::default());
        let person = Arc::new(Prepared { answers: Mutex::new(answers.into()), asked: Mutex::default() });
        let gate = Arc::new(Gate::new(records, Arc::clone(&person) as _, &home));
        let tool = AskUser::new(gate, context, Arc::clone(&person) as _);
        Self { _dir: dir, person, tool }
    }

    fn call(&self, arguments: Value) -> Output {
        let call = Call { id: "1".to_owned(), tool: "ask_user".to_owned(), arguments, left: Default::default() };
        self.tool.call(&call, &Stop::default())
    }

    fn says(&self, arguments: Value) -> (Outcome, String) {
        let output = self.call(arguments);
        (output.outcome, output.text())
    }

    fn asked(&self) -> Vec<Value> {
        self.person.asked.lock().unwrap().clone()
    }
}

#[test]
fn a_choice_is_made() {
    let desk = Desk::answering([Ok(Answer::Chosen("2".into()))]);
    let said = desk.says(json!({"question": " Which year? ", "choices": ["2024", "2025"]}));
    assert_eq!(said, (Outcome::Done, "The person chose: 2025".to_owned()));
    let choice = |id: &str, label: &str| json!({"id": id, "label": label, "hint": ""});
    assert_eq!(
        desk.asked(),
        [
            json!({"question": "choose", "origin": "agent", "text": "Which year?", "choices": [choice("1", "2024"), choice("2", "2025")]})
        ]
    );
}

#[test]
fn other_is_answered_in_words() {
    let words = Answer::Filled(json!({"answer": " neither "}));
    let desk = Desk::answering([Ok(Answer::Chosen("other".into())), Ok(words)]);
    let said = desk.says(json!({"question": "Which?", "choices": ["a"], "other": true}));
    assert_eq!(said, (Outcome::Done, "The person answered: neither".to_owned()));
    let asked = desk.asked();
    assert_eq!(asked[0]["choices"][1], json!({"id": "other", "label": "Other", "hint": "in your own words"}));
    assert_eq!((asked[1]["question"].as_str(), asked[1]["text"].as_str()), (Some("form"), Some("Which?")));
}

#[test]
fn a_question_without_choices_is_answered_in_words_or_not_at_all() {
    let desk = Desk::answering([Ok(Answer::Filled(json!({"answer": "blue"}))), Ok(Answer::No)]);
    assert_eq!(desk.says(json!({"question": "Colour?"})), (Outcome::Done, "The person answered: blue".to_owned()));
    let none = "The person gave no answer. Decide well yourself, or do without.".to_owned();
    assert_eq!(desk.says(json!({"question": "Size?"})), (Outcome::Done, none));
}

#[test]
fn without_a_person_the_question_waits_and_can_be_read() {
    let desk = Desk::answering([Err(Unanswered::Absent), Err(Unanswered::Stopped)]);
    let output = desk.call(json!({"question": "Which\u{1b}[2J\nyear?", "choices": ["a", "b\u{202e}"]}));
    assert_eq!(
        (output.outcome, output.gist()),
        (Outcome::Parked, "the agent asks: Which\\u{1b}[2J\\u{a}year? (a / b\\u{202e})".to_owned())
    );
    assert!(output.text().starts_with("Nobody is there to answer now."), "{}", output.text());
    assert_eq!(desk.call(json!({"question": "Which?"})).outcome, Outcome::Stopped);
}

#[test]
fn what_is_no_question_is_not_put() {
    let desk = Desk::answering([]);
    for wrong in [
        json!({"question": "  "}),
        json!({"question": "a", "choices": ["b", " b "]}),
        json!({"question": "a", "choices": [""]}),
        json!({"question": "a", "choices": ["1", "2", "3", "4", "5", "6", "7", "8", "9"]}),
        json!({"choices": ["b"]}),
    ] {
        assert_eq!(desk.call(wrong.clone()).outcome, Outcome::Failed, "{wrong}");
    }
    assert_eq!(desk.asked(), Vec::<Value>::new());
}
