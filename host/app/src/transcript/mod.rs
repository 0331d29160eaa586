//! A task as a thing: all that was said and done in it as one document, to be shown, taken elsewhere, looked at there, and
//! destroyed.

mod command;
mod delete;
mod html;
mod import;
mod read;
mod redact;
mod text;

pub(crate) use command::TaskCommand;
pub(crate) use delete::forget;

use deskhand_agent::plan::Step;
use deskhand_models::Money;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the document.
const VERSION: u32 = 1;

/// The document. What it holds is nobody's word but that of whoever wrote it: it is shown, and nothing is made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transcript {
    /// `task`.
    deskhand: Kind,
    version: u32,
    /// Its number where it was done.
    task: u64,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// How it ended; none for one that waits or was broken off.
    outcome: Option<String>,
    /// What the person asked for.
    request: String,
    folders: Vec<String>,
    /// The steps as they stood last.
    plan: Vec<Step>,
    /// All that happened, in order.
    parts: Vec<Part>,
    costs: Costs,
    /// What sub-agents did for it, each with a record of its own.
    agents: Vec<Self>,
    /// How many secrets were left out of it, in those of its sub-agents too.
    redacted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Task,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    at: Timestamp,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum What {
    /// Something was said to the model: by the `person`, by the `host`, out of `instructions` or `memory`.
    Said { by: String, text: String },
    /// A model replied.
    Replied { model: String, text: String },
    /// The model called a tool, and it answered.
    Called { tool: String, arguments: Value, outcome: String, output: String },
    /// Changes were shown to the person: a line each, and what files would hold as differences to what they held.
    Proposed { title: String, changes: Vec<String>, written: Vec<Written> },
    /// Anything else, in words.
    Event { text: String },
}

/// What a file was to hold, in the unified format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    difference: String,
}

/// What it took, that of its sub-agents included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Costs {
    /// Replies of its own model.
    replies: u64,
    tokens: u64,
    money: Money,
    /// Bytes to and from hosts of the network.
    sent: u64,
    received: u64,
}
