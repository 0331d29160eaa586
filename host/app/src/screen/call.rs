//! A call of a tool, in a line.

use crate::show::{self, line};
use deskhand_agent::tool::Outcome;
use deskhand_models::Call;
use deskhand_vocabulary::text::shortened;
use serde_json::Value;
use std::time::Duration;

/// The longest that is shown of what a call is about, and of the reason that it gives, in characters.
const LONGEST: usize = 160;

/// The members of arguments that say what a call is about, in the order in which they are shown.
const TELLING: [&str; 6] = ["pattern", "query", "path", "glob", "url", "name"];

/// Whether a call that did what it should is not worth a line: what it did is seen otherwise.
pub(super) fn is_quiet(call: &Call) -> bool {
    matches!(call.name.as_str(), "plan" | "more")
}

/// Its tool, and what it is about.
pub(super) fn title(call: &Call) -> String {
    titled(&call.name, call.input.as_ref().unwrap_or(&Value::Null))
}

/// A tool, and what a call of it with these arguments is about.
pub(crate) fn titled(tool: &str, arguments: &Value) -> String {
    let tool = line(&tool.replace("__", " "));
    match about(arguments) {
        Some(about) => format!("{tool} {}", line(&shortened(&about, LONGEST))),
        None => tool,
    }
}

/// How it went: how long it took, and where it came to nothing, why.
pub(super) fn outcome(outcome: Outcome, took: Duration, says: &str) -> String {
    let took = show::duration(took);
    let how = match outcome {
        Outcome::Done => return took,
        Outcome::Failed => "failed",
        Outcome::NotFound => "not there",
        Outcome::Denied => "not allowed",
        Outcome::Parked => "waits for you",
        Outcome::Stopped => "stopped",
        Outcome::Unknown => "outcome unknown",
    };
    let reason = says.lines().next().unwrap_or_default().trim();
    if reason.is_empty() {
        return format!("{how} after {took}");
    }
    format!("{how} after {took}: {}", line(&shortened(reason, LONGEST)))
}

/// What arguments are about: their telling members, else the first text that is short; of several things, the first.
fn about(arguments: &Value) -> Option<String> {
    match arguments {
        Value::String(text) => {
            Some(text.lines().next().unwrap_or_default().trim().to_owned()).filter(|text| !text.is_empty())
        }
        Value::Array(several) => {
            let first = several.first().and_then(about)?;
            Some(match several.len() {
                1 => first,
                more => format!("{first} and {} more", more - 1),
            })
        }
        Value::Object(members) => {
            if let (Some(from), Some(to)) = (members.get("from").and_then(text), members.get("to").and_then(text)) {
                return Some(format!("{from} → {to}"));
            }
            let telling: Vec<&str> = TELLING.iter().filter_map(|name| members.get(*name)).filter_map(text).collect();
            if !telling.is_empty() {
                return Some(telling.join(" "));
            }
            members.values().find_map(about)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(tool: &str, arguments: Value) -> String {
        title(&Call { id: "1".to_owned(), name: tool.to_owned(), input: Ok(arguments) })
    }

    #[test]
    fn a_call_names_what_it_is_about() {
        assert_eq!(of("read", json!({"path": "Bills/a.pdf", "offset": 4})), "read Bills/a.pdf");
        assert_eq!(of("edit", json!({"old": "x", "new": "y", "path": "a.txt"})), "edit a.txt");
        assert_eq!(of("grep", json!({"path": "Bills", "pattern": "Total"})), "grep Total Bills");
        let moves = json!({"moves": [{"from": "a", "to": "b"}, {"from": "c", "to": "d"}]});
        assert_eq!(of("move", moves), "move a → b and 1 more");
        assert_eq!(of("websearch__search", json!({"words": "a b", "n": 1})), "websearch search a b");
        assert_eq!(of("list", json!({})), "list");
        assert_eq!(of("read", json!({"path": "\u{1b}[2J\na"})), "read \\u{1b}[2J\\u{a}a");
    }

    #[test]
    fn how_it_went() {
        let took = Duration::from_millis(240);
        assert_eq!(outcome(Outcome::Done, took, "all of it"), "0.2 s");
        assert_eq!(outcome(Outcome::Failed, took, "no such file\nmore"), "failed after 0.2 s: no such file");
        assert_eq!(outcome(Outcome::Stopped, took, ""), "stopped after 0.2 s");
    }
}
