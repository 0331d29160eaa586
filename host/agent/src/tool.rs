//! What a model can call, as the loop sees it: what the model is told of it, whether it changes anything, and what comes
//! back.

use crate::budget::{Amounts, Limits};
use deskhand_models::Piece;
use deskhand_vocabulary::Stop;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// What the model is told of it.
    pub told: deskhand_models::Tool,
    /// What it does to the world.
    pub effect: Effect,
}

impl Tool {
    /// A tool with this name, description and JSON Schema of its arguments.
    pub fn new(name: &str, description: &str, schema: Value, effect: Effect) -> Self {
        let told = deskhand_models::Tool { name: name.to_owned(), description: description.to_owned(), schema };
        Self { told, effect }
    }
}

/// What a tool does to the world, and so how it may run beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It only looks: calls in a row run side by side.
    Read,
    /// It asks the person something, and looks no further. Where nobody was there, it is asked again when the task goes on.
    Ask,
    /// It changes what is pending, and nothing else before that is settled: it runs alone, in the order of the reply.
    Propose,
    /// It changes something: it runs alone, in the order of the reply.
    Change,
}

/// A call that can be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name in the conversation.
    pub id: String,
    /// Which tool.
    pub tool: String,
    /// An object that fits the tool's schema, as far as the model cares.
    pub arguments: Value,
    /// What the task may still use up, for a call that sets others to work.
    pub left: Limits,
}

/// What comes back of a call. Data, never instructions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// How it went.
    pub outcome: Outcome,
    /// For the model, in order.
    pub parts: Vec<Piece>,
    /// What is needed to take the call up again in another process; never told to the model.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub again: Value,
    /// What it came to, in a line for the person, where the beginning of its text does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gist: Option<String>,
    /// What others have used up for it, out of the task's budget.
    #[serde(default, skip_serializing_if = "Amounts::is_nothing")]
    pub spent: Amounts,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// It could not; the parts say why. Nothing was changed by it.
    Failed,
    /// What it was to look at is not there.
    NotFound,
    /// A rule or the person said no.
    Denied,
    /// It waits for a person who is not there.
    Parked,
    /// It was stopped.
    Stopped,
    /// The process died while it ran: it may have happened or not.
    Unknown,
}

impl Outcome {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NotFound => "not-found",
            Self::Denied => "denied",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

impl Output {
    /// It did what it should, and gives these.
    pub fn of(parts: Vec<Piece>) -> Self {
        Self { outcome: Outcome::Done, parts, again: Value::Null, gist: None, spent: Amounts::default() }
    }

    /// It did what it should, and says this.
    pub fn done(text: impl Into<String>) -> Self {
        Self::of(vec![Piece::text(text)])
    }

    /// It did not, for this reason.
    pub fn not_done(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, ..Self::done(reason) }
    }

    /// What it came to, in a line.
    pub fn gist(&self) -> String {
        let gist = self.gist.clone().unwrap_or_else(|| self.text());
        deskhand_vocabulary::text::shortened(&gist, 300)
    }

    /// All of its text, a line feed between two parts.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Piece::Text { text } => Some(text.as_str()),
            Piece::Image { .. } => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// What a task can call. Every effect in it passes the gate.
pub trait Tools: Send + Sync {
    /// What there is, always in the same order during a task: the model is shown it with every request.
    fn tools(&self) -> Vec<Tool>;

    /// Make a call. Blocks until there is an answer: it is called on a thread that may wait, several at a time where they
    /// only read.
    fn call(&self, call: &Call, stop: &Stop) -> Output;

    /// Take up what this call left behind in a process that is gone: what it had pending, and what it had seen. `output` is
    /// what it gave then. Calls are taken up in their order, before any new one.
    ///
    /// # Errors
    /// Why it cannot be taken up, in words for the person.
    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        let _ = (call, output, stop);
        Ok(())
    }
}
