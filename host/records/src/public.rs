//! An event as others see it: the lines of `deskhand log --json` and of `deskhand run --json`. The format is versioned
//! by [`deskhand_vocabulary::event::VERSION`]: fields are added, never changed.

use crate::names;
use deskhand_vocabulary::{Event, EventId, TaskId, event::VERSION};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// An event of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its row.
    pub id: EventId,
    /// When it was recorded, to the microsecond.
    pub at: Timestamp,
    /// The task that it belongs to, if any.
    pub task: Option<TaskId>,
    /// What happened.
    pub event: Event,
    /// Names and contents; none if there were none or the task is forgotten.
    pub content: Option<Value>,
}

impl Recorded {
    pub(crate) fn of(id: EventId, micros: i64, task: Option<TaskId>, mut event: Event, content: Option<Value>) -> Self {
        names::join(&mut event, content.as_ref());
        // what a clock of ours gave is always within the range of a timestamp; what a damaged file holds may not be
        let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
        Self { id, at, task, event, content }
    }
}

/// One line of JSON, without a line feed: `{"v":1,"id":…,"at":"…","task":…,"event":"…",…,"content":{…}}`. Control characters,
/// direction marks and invisible characters are escaped, so the line is safe on a terminal and the same to a parser.
pub fn to_json_line(recorded: &Recorded) -> String {
    let mut line = Map::new();
    line.insert("v".into(), VERSION.into());
    line.insert("id".into(), recorded.id.0.into());
    line.insert("at".into(), format!("{:.6}", recorded.at).into());
    if let Some(task) = recorded.task {
        line.insert("task".into(), task.0.into());
    }
    // an event is a struct of strings, numbers and lists, which always has a JSON form
    if let Ok(Value::Object(event)) = serde_json::to_value(&recorded.event) {
        line.extend(event);
    }
    if let Some(content) = &recorded.content {
        line.insert("content".into(), content.clone());
    }
    escaped(&Value::Object(line).to_string())
}

/// JSON text with every character that could steer a terminal as `\u` and four digits: they stand only within strings,
/// where that is the same (RFC 8259, section 7).
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let plain = c.is_ascii_graphic() || c == ' ' || !is_steering(c);
        if plain {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn is_steering(c: char) -> bool {
    let text = c.to_string();
    deskhand_vocabulary::text::safe(&text, false) != text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_versioned_and_cannot_act_on_a_terminal() {
        let recorded = Recorded {
            id: EventId(3),
            at: "2026-01-02T03:04:05.000006Z".parse().unwrap(),
            task: Some(TaskId(2)),
            event: Event::TaskEnded { outcome: "done".into() },
            content: Some(json!({"message": "a\u{1b}[2Jb\u{202e}c\u{9b}d\u{e0041}ü"})),
        };
        assert_eq!(
            to_json_line(&recorded),
            r#"{"v":1,"id":3,"at":"2026-01-02T03:04:05.000006Z","task":2,"event":"task-ended","outcome":"done","content":{"message":"a\u001b[2Jb\u202ec\u009bd\udb40\udc41ü"}}"#
        );
        let read: Value = serde_json::from_str(&to_json_line(&recorded)).unwrap();
        assert_eq!(Some(&read["content"]), recorded.content.as_ref());
    }
}
