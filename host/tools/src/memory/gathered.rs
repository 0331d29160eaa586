//! The labels that a task has gathered: of all that its model was told by anybody but the person. What is remembered bears
//! them, and where others may have written some of it, the person is asked first.

use deskhand_agent::tool::{Call, Output, Tool, Tools};
use deskhand_vocabulary::{Label, Labels, Stop};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tools whose answers hold nobody's words but the person's and the model's own. What any other tool gives is data of
/// others: files and their names, pages, what plugins and sub-agents say.
const OF_THE_PERSON: [&str; 2] = ["ask_user", super::remember::NAME];
/// Where the labels of an answer stand beside it, where the tool knows them.
const LABELS: &str = "labels";

/// See the module.
#[derive(Debug, Default)]
pub struct Gathered(Mutex<Labels>);

impl Gathered {
    fn held(&self) -> MutexGuard<'_, Labels> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All until now.
    pub fn labels(&self) -> Labels {
        self.held().clone()
    }

    /// The model is told something that bears these.
    pub fn add(&self, labels: &Labels) {
        self.held().add(labels);
    }

    /// A tool has answered. `again` is what stands beside the answer ([`Output::again`]).
    pub fn answered(&self, tool: &str, again: &Value) {
        if !OF_THE_PERSON.contains(&tool) {
            self.add(&labels_of(tool, again));
        }
    }
}

/// The labels of an answer. What is not known bears all that could make it suspect.
fn labels_of(tool: &str, again: &Value) -> Labels {
    let known = (tool == super::recall::NAME).then(|| serde_json::from_value(again[LABELS].clone()).ok()).flatten();
    known.unwrap_or_else(|| match tool {
        "web_fetch" => Labels::of([Label::Untrusted]),
        _ => Labels::of_what_was_read(),
    })
}

/// What stands beside an answer whose labels are known.
pub(super) fn beside(labels: &Labels) -> Value {
    json!({ LABELS: labels })
}

/// Tools whose answers add to the labels of the task.
pub struct Labelled {
    tools: Arc<dyn Tools>,
    gathered: Arc<Gathered>,
}

impl Labelled {
    /// These tools.
    pub fn new(tools: Arc<dyn Tools>, gathered: Arc<Gathered>) -> Self {
        Self { tools, gathered }
    }
}

impl Tools for Labelled {
    fn tools(&self) -> Vec<Tool> {
        self.tools.tools()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let output = self.tools.call(call, stop);
        self.gathered.answered(&call.tool, &output.again);
        output
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        self.tools.again(call, output, stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_persons_own_words_bear_no_labels() {
        let after = |tool: &str, again: Value| {
            let gathered = Gathered::default();
            gathered.answered(tool, &again);
            gathered.labels().to_string()
        };
        assert_eq!(after("ask_user", json!(null)), "");
        assert_eq!(after("remember", json!(null)), "");
        assert_eq!(after("recall", json!({"labels": []})), "");
        assert_eq!(after("recall", json!({"labels": ["private"]})), "private");
        assert_eq!(after("recall", json!({"labels": ["of another kind"]})), "private, untrusted");
        assert_eq!(after("recall", json!(null)), "private, untrusted");
        assert_eq!(after("web_fetch", json!({"labels": []})), "untrusted");
        assert_eq!(after("read", json!({"labels": []})), "private, untrusted");
        assert_eq!(after("of a plugin", json!(null)), "private, untrusted");
    }
}
