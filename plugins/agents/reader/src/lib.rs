//! The sub-agent `reader`: reads one document, and answers typed questions about it. One works on one document, so that many
//! can be read side by side, and none fills the context of who asked.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use deskhand_sdk::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The most questions about one document.
const MOST: usize = 30;

/// What is read, and what is asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The document, as `folder/name`.
    pub path: String,
    /// The questions, at least one.
    pub questions: Vec<Question>,
}

/// A question about the document.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What its answer is called: letters, digits and `_`.
    pub name: String,
    /// What is asked.
    pub question: String,
    /// What kind of answer it has; a text if left out.
    #[serde(default)]
    pub kind: Kind,
    /// What can be answered, where that is one of several texts.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// What kind of answer a question has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A text.
    #[default]
    Text,
    /// A number, without its unit.
    Number,
    /// Yes or no.
    YesNo,
    /// A day, as 2024-05-31.
    Date,
    /// Several texts.
    List,
}

const PROMPT: &str = include_str!("prompt.md");

/// Reads one document and answers questions about it, each with the passage that says so. Give it a path and typed
/// questions; start several for several documents.
#[agent(tier = "fast")]
pub fn reader(task: &str, input: Input) -> Result<Profile> {
    let Input { path, questions } = &input;
    FilePath::new(path).map_err(|error| error.while_doing("the path of the document cannot be used"))?;
    check(questions)?;
    let mut told = format!("Document: {path}\n\nQuestions:\n");
    for Question { name, question, .. } in questions {
        told.push_str(&format!("- {name}: {question}\n"));
    }
    if !task.trim().is_empty() {
        told.push_str(&format!("\nWhat it is for: {}\n", task.trim()));
    }
    Ok(Profile::new(PROMPT, told)
        .tools(["read", "grep"])
        .tier(Tier::Fast)
        .max_turns(12)
        .answer_schema(schema(questions)))
}

fn check(questions: &[Question]) -> Result<()> {
    if questions.is_empty() || questions.len() > MOST {
        return Err(Error::invalid(format!("ask 1 to {MOST} questions, not {}", questions.len())));
    }
    let mut names = BTreeSet::new();
    for Question { name, question, kind, choices } in questions {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(Error::invalid(format!("`{name}` cannot name an answer: use letters, digits and `_`")));
        }
        if !names.insert(name) {
            return Err(Error::invalid(format!("two questions are called `{name}`; give one another name")));
        }
        if question.trim().is_empty() {
            return Err(Error::invalid(format!("the question `{name}` is empty")));
        }
        if !choices.is_empty() && *kind != Kind::Text {
            return Err(Error::invalid(format!("`{name}` has choices, so its answer is a text")));
        }
    }
    Ok(())
}

/// The schema of the answers: each with the passage that it rests on, and null where the document does not say.
fn schema(questions: &[Question]) -> Value {
    let answers: Map<String, Value> = questions
        .iter()
        .map(|Question { name, question, kind, choices }| {
            let value = match kind {
                Kind::Text if !choices.is_empty() => {
                    let mut allowed: Vec<Value> = choices.iter().map(|choice| json!(choice)).collect();
                    allowed.push(Value::Null);
                    json!({ "enum": allowed })
                }
                Kind::Text => json!({ "type": ["string", "null"] }),
                Kind::Number => json!({ "type": ["number", "null"] }),
                Kind::YesNo => json!({ "type": ["boolean", "null"] }),
                Kind::Date => json!({ "type": ["string", "null"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
                Kind::List => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
            };
            let answer = json!({
                "type": "object",
                "description": question,
                "properties": { "value": value, "passage": { "type": ["string", "null"] } },
                "required": ["value", "passage"],
                "additionalProperties": false
            });
            (name.clone(), answer)
        })
        .collect();
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    json!({
        "type": "object",
        "properties": {
            "answers": { "type": "object", "properties": answers, "required": names, "additionalProperties": false },
            "unreadable": { "type": ["string", "null"], "description": "Why the document could not be read, if it could not." }
        },
        "required": ["answers", "unreadable"],
        "additionalProperties": false
    })
}

deskhand_sdk::plugin! { agent: reader }
