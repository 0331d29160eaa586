//! What a server says that it has. Data of a stranger: what cannot be used is left out and counted, one by one, so that one
//! broken tool does not hide the others.

use deskhand_vocabulary::{Sha256, text::shortened};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The most of each list that is kept.
pub(crate) const MOST: usize = 2000;
/// The longest name, and the longest address, in bytes.
const NAME: usize = 128;
const ADDRESS: usize = 2048;
/// The largest schema, in bytes of JSON.
const SCHEMA: usize = 64 << 10;
/// The most characters of a description that are kept to be shown; all of it counts for the digest.
const DESCRIPTION: usize = 1024;

/// All that a server has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    /// Its tools.
    pub tools: Vec<Tool>,
    /// What can be read of it.
    pub resources: Vec<Resource>,
    /// Texts that it has for people and models to begin with.
    pub prompts: Vec<Prompt>,
    /// How many of all these cannot be used: without a name or with one that another has, with a schema that is none, or beyond
    /// what is kept.
    pub left_out: usize,
}

/// A tool of a server. The texts are its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub schema: Value,
    /// Whether the server says that it only reads.
    pub reads_only: bool,
    /// Of all that is said of it.
    pub digest: Sha256,
}

/// Something that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its address, or the pattern of several (RFC 6570).
    pub address: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
}

/// A text that the server makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it takes, as the server lists it.
    pub arguments: Value,
}

impl Tool {
    /// From an entry of the list; nothing where it cannot be called.
    pub(crate) fn read(entry: &Value) -> Option<Self> {
        let name = name_of(entry)?;
        let schema = entry.get("inputSchema").filter(|schema| schema.is_object())?;
        if schema.to_string().len() > SCHEMA {
            return None;
        }
        let said = entry["description"].as_str().or(entry["title"].as_str()).unwrap_or_default();
        Some(Self {
            name,
            description: shortened(said, DESCRIPTION),
            schema: schema.clone(),
            reads_only: entry["annotations"]["readOnlyHint"] == Value::Bool(true),
            digest: digest(entry),
        })
    }
}

impl Resource {
    /// From an entry of one of the two lists; nothing where it cannot be read.
    pub(crate) fn read(entry: &Value) -> Option<Self> {
        let address = entry["uri"].as_str().or(entry["uriTemplate"].as_str())?;
        let fits = (1..=ADDRESS).contains(&address.len()) && !address.contains(char::is_control);
        let name = entry["title"].as_str().or(entry["name"].as_str()).unwrap_or_default();
        let description = entry["description"].as_str().unwrap_or_default();
        fits.then(|| Self {
            address: address.to_owned(),
            name: shortened(name, NAME),
            description: shortened(description, DESCRIPTION),
        })
    }
}

impl Prompt {
    /// From an entry of the list; nothing where it cannot be asked for.
    pub(crate) fn read(entry: &Value) -> Option<Self> {
        let arguments = entry.get("arguments").filter(|list| list.is_array()).cloned().unwrap_or_else(|| json!([]));
        let said = entry["description"].as_str().or(entry["title"].as_str()).unwrap_or_default();
        (arguments.to_string().len() <= SCHEMA).then_some(())?;
        Some(Self { name: name_of(entry)?, description: shortened(said, DESCRIPTION), arguments })
    }
}

fn name_of(entry: &Value) -> Option<String> {
    let name = entry["name"].as_str()?;
    let fits =
        (1..=NAME).contains(&name.len()) && !name.contains(char::is_control) && !name.contains(char::is_whitespace);
    fits.then(|| name.to_owned())
}

/// Without those that share a name, of which nobody could tell which one is meant; and how many those are.
pub(crate) fn apart<T>(all: Vec<T>, name: impl Fn(&T) -> &str) -> (Vec<T>, usize) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    all.iter().for_each(|one| *counts.entry(name(one).to_owned()).or_default() += 1);
    let count = all.len();
    let apart: Vec<T> = all.into_iter().filter(|one| counts[name(one)] == 1).collect();
    let left_out = count - apart.len();
    (apart, left_out)
}

/// The digest of all that is said of a tool and shown of it, whatever the order of its members.
fn digest(entry: &Value) -> Sha256 {
    let said = ["name", "title", "description", "inputSchema", "annotations"];
    let said: Vec<Value> = said.iter().map(|key| sorted(&entry[*key])).collect();
    Sha256::of(Value::from(said).to_string())
}

/// The same value with the members of its objects in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry() -> Value {
        json!({"name": "write", "description": "Writes.", "inputSchema": {"type": "object", "properties": {"a": {}, "b": {}}}})
    }

    #[test]
    fn what_cannot_be_called_is_no_tool() {
        let tool = Tool::read(&entry()).unwrap();
        assert_eq!((tool.name.as_str(), tool.description.as_str(), tool.reads_only), ("write", "Writes.", false));
        for (key, value) in [
            ("name", json!("")),
            ("name", json!("a b")),
            ("name", json!("a\u{1b}[2J")),
            ("name", json!("n".repeat(129))),
            ("name", Value::Null),
            ("inputSchema", json!("none")),
            ("inputSchema", json!({"description": "x".repeat(SCHEMA)})),
        ] {
            let mut broken = entry();
            broken[key] = value;
            assert_eq!(Tool::read(&broken), None, "{broken}");
        }
    }

    #[test]
    fn of_those_that_share_a_name_none_is_kept() {
        let (kept, left_out) = apart(vec!["a", "b", "a", "c", "a"], |name| name);
        assert_eq!((kept, left_out), (vec!["b", "c"], 3));
    }

    #[test]
    fn whatever_is_said_otherwise_is_another_tool() {
        let digest = |entry: &Value| Tool::read(entry).unwrap().digest;
        let same = json!({"inputSchema": {"properties": {"b": {}, "a": {}}, "type": "object"}, "description": "Writes.", "name": "write"});
        assert_eq!(digest(&entry()), digest(&same));
        for (key, value) in [
            ("description", json!("Writes!")),
            // also beyond what is shown
            ("description", json!(format!("Writes.{}", " ".repeat(DESCRIPTION)))),
            ("title", json!("Write")),
            ("inputSchema", json!({"type": "object"})),
            ("annotations", json!({"readOnlyHint": true})),
        ] {
            let mut other = entry();
            other[key] = value;
            assert_ne!(digest(&entry()), digest(&other), "{other}");
        }
    }
}
