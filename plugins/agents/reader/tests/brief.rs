//! Who the sub-agent is for a document and its questions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_reader::{Input, reader};
use deskhand_sdk::{Code, Content, Profile, Result, Tier};
use serde_json::{Value, json};

fn brief(task: &str, input: Value) -> Result<Profile> {
    let input: Input = serde_json::from_value(input).unwrap();
    reader(task, input)
}

#[test]
fn it_is_told_the_document_and_the_questions() {
    let profile = brief(
        "to sum the invoices up",
        json!({ "path": "Invoices/a.pdf", "questions": [
            { "name": "total", "question": "What is the total?", "kind": "number" },
            { "name": "paid", "question": "Is it paid?", "kind": "yes-no" },
            { "name": "currency", "question": "In which currency?", "choices": ["EUR", "USD"] }
        ] }),
    )
    .unwrap();
    assert_eq!(
        profile.opening,
        [Content::text(
            "Document: Invoices/a.pdf\n\nQuestions:\n- total: What is the total?\n- paid: Is it paid?\n\
             - currency: In which currency?\n\nWhat it is for: to sum the invoices up\n"
        )]
    );
    assert_eq!((profile.tools, profile.tier, profile.max_turns), (vec!["read".into(), "grep".into()], Tier::Fast, 12));
    let schema = profile.answer_schema.unwrap();
    let answers = &schema["properties"]["answers"];
    assert_eq!(answers["required"], json!(["total", "paid", "currency"]));
    let value = |name: &str| answers["properties"][name]["properties"]["value"].clone();
    assert_eq!(value("total"), json!({ "type": ["number", "null"] }));
    assert_eq!(value("paid"), json!({ "type": ["boolean", "null"] }));
    assert_eq!(value("currency"), json!({ "enum": ["EUR", "USD", null] }));
}

#[test]
fn questions_that_cannot_be_asked_are_refused() {
    let error = |path: &str, questions: Value| {
        let error = brief("", json!({ "path": path, "questions": questions })).unwrap_err();
        assert_eq!(error.code, Code::Invalid, "{error}");
        error.message
    };
    let one = || json!({ "name": "a", "question": "What?" });
    assert_eq!(error("F/a", json!([])), "ask 1 to 30 questions, not 0");
    assert_eq!(error("F/a", json!([one(), one()])), "two questions are called `a`; give one another name");
    assert_eq!(
        error("F/a", json!([{ "name": "a b", "question": "What?" }])),
        "`a b` cannot name an answer: use letters, digits and `_`"
    );
    assert_eq!(error("F/a", json!([{ "name": "a", "question": " " }])), "the question `a` is empty");
    assert_eq!(
        error("F/a", json!([{ "name": "a", "question": "?", "kind": "date", "choices": ["x"] }])),
        "`a` has choices, so its answer is a text"
    );
    assert!(error("", json!([one()])).starts_with("the path of the document cannot be used"));
}
