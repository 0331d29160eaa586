//! A program at the other end: JSON lines on standard output, one object a line, each with `v` and `event`.
//! What is on the record is printed as `deskhand log --json` prints it; the rest are the kinds below.

use deskhand_vocabulary::{Answer, Notice, Person, Plan, Progress, Question, Stop, Unanswered, event::VERSION};
use serde::Serialize;
use serde_json::json;

/// See the module.
pub(crate) struct JsonLines;

/// Print one event that is not on the record.
pub(crate) fn print(event: &str, content: &impl Serialize) {
    let mut line = json!({"v": VERSION, "event": event});
    match serde_json::to_value(content) {
        Ok(serde_json::Value::Object(content)) => {
            for (key, value) in content {
                line[key] = value;
            }
        }
        Ok(content) => line["content"] = content,
        Err(error) => line["error"] = error.to_string().into(),
    }
    crate::output::text(&format!("{line}\n"));
}

impl Person for JsonLines {
    fn present(&self) -> bool {
        false
    }

    fn show(&self, _: &Plan) {} // it is on the record, as `proposed`

    fn ask_until(&self, question: &Question, _: &Stop) -> Result<Answer, Unanswered> {
        print("unanswered", question);
        Err(Unanswered::Absent)
    }

    fn tell(&self, notice: &Notice) {
        print("notice", notice);
    }

    fn progress(&self, progress: &Progress) {
        print("progress", progress);
    }
}
