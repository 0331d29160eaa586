//! What there is of a kind, told without a task.

use serde_json::Value;

/// A command or a skill.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// What it is called: its name, or `plugin/name` where two have the same.
    pub name: String,
    /// What it is for, in a line. Safe to show.
    pub summary: String,
    /// A JSON Schema of what it takes, if it takes something.
    pub takes: Option<Value>,
}
