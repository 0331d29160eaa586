//! For a program: what is not on the record, as JSON lines. What is, such as calls, plans and replies that are whole, is
//! printed from there.

use crate::person::print_json;
use deskhand_agent::{
    budget::Alert,
    screen::{Screen, Seen},
};
use deskhand_models::Happening;
use serde_json::{Value, json};

/// See the module.
#[derive(Debug)]
pub(super) struct JsonLines;

impl Screen for JsonLines {
    fn show(&self, seen: Seen<'_>) {
        if let Some((event, content)) = event(seen) {
            print_json(event, &content);
        }
    }
}

pub(super) fn event(seen: Seen<'_>) -> Option<(&'static str, Value)> {
    Some(match seen {
        Seen::Reply(Happening::Text(text)) => ("text", json!({ "text": text })),
        Seen::Reply(Happening::Thinking(text)) => ("thinking", json!({ "text": text })),
        Seen::Reply(Happening::Retrying { attempt, tries, error, wait, .. }) => {
            let seconds = wait.as_secs_f64();
            (
                "retrying",
                json!({"attempt": attempt + 1, "tries": tries, "seconds": seconds, "reason": error.to_string()}),
            )
        }
        Seen::Paused(paused) => ("paused", json!({ "paused": paused })),
        Seen::Budget(alert) => {
            let (measure, state) = match alert {
                Alert::Near(measure) => (measure, "near"),
                Alert::Over(measure) => (measure, "over"),
            };
            ("budget", json!({"measure": measure.name(), "state": state}))
        }
        Seen::Reply(
            Happening::Began { .. }
            | Happening::Call { .. }
            | Happening::Input(_)
            | Happening::Unknown { .. }
            | Happening::Renamed { .. },
        )
        | Seen::Replied
        | Seen::Calling(_)
        | Seen::Called(..)
        | Seen::Plan(_)
        | Seen::Told(_)
        | Seen::Shorter(_)
        | Seen::Reflected(_) => return None,
    })
}
