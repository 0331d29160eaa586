//! The person. Whoever is asked is a person who is there, or the error's code is `parked`. Takes `person.ask`.

use crate::{Result, door, schema};
use serde::de::DeserializeOwned;

/// A choice of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is answered.
    pub id: String,
    /// What is shown.
    pub label: String,
    /// A few words more, or none.
    pub hint: String,
}

impl Choice {
    /// A choice without a hint.
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), hint: String::new() }
    }

    /// With a few words more.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// Tell something.
pub fn notify(message: &str) -> Result<()> {
    door::notify(message)
}

/// Ask a question that is answered yes or no.
pub fn confirm(question: &str) -> Result<bool> {
    door::confirm(question)
}

/// Ask for one of several choices; the answer is its id.
pub fn choose(question: &str, choices: &[Choice]) -> Result<String> {
    door::choose(question, choices)
}

/// Ask for a few values at once: a form made from a flat type (texts, numbers, yes/no, enums).
pub fn ask<T: DeserializeOwned + schemars::JsonSchema>(question: &str) -> Result<T> {
    let answer = door::ask(question, &schema::of::<T>().to_string())?;
    Ok(serde_json::from_str(&answer)?)
}
