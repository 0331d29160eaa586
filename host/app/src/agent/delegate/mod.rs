//! `delegate`: parts of the work given to sub-agents, ad hoc or of a plugin, each with a conversation and a budget of its own
//! out of the task's, and with grants at most the task's. Those that only read work side by side.

mod staff;

pub(super) use staff::{Answer, Staff, Wanted};

use super::again;
use deskhand_agent::{
    budget::Measure,
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_tools::{SubAgents, shell::Written};
use deskhand_vocabulary::{Stop, TaskId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc};

const NAME: &str = "delegate";
/// The most that one call may set to work.
const MOST: usize = 100;
/// The fewest steps that a part of the work takes: one to look, one to answer.
const LEAST: u64 = 2;

/// See the module.
pub(super) struct Delegate {
    staff: Arc<Staff>,
    agents: Arc<SubAgents>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    tasks: Vec<String>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    input: Option<Value>,
    #[serde(default)]
    may_change: bool,
    #[serde(default)]
    answer: Option<Value>,
}

impl Delegate {
    pub(super) fn new(staff: Arc<Staff>) -> Self {
        let agents = Arc::new(staff.agents().clone());
        Self { staff, agents }
    }

    fn description(&self) -> String {
        let mut text =
            "Give independent parts of the work, such as one file each, to others like you. They work side by \
            side; you get their answers."
                .to_owned();
        if !self.agents.list().is_empty() {
            text.push_str(" Or to one of these:");
        }
        for agent in self.agents.list() {
            let _ = write!(text, "\n- {}: {}", agent.name, agent.description);
        }
        text
    }

    fn wanted(&self, call: &Call) -> std::result::Result<(Vec<String>, Wanted), String> {
        let arguments: Arguments = serde_json::from_value(call.arguments.clone())
            .map_err(|error| format!("the arguments do not fit: {error}"))?;
        if arguments.tasks.is_empty() || arguments.tasks.len() > MOST {
            return Err(format!("give 1 to {MOST} tasks at once"));
        }
        let validator = arguments.answer.as_ref().map(jsonschema::validator_for).transpose();
        let validator = validator.map_err(|error| format!("`answer` is no JSON Schema: {error}"))?;
        let agent = match &arguments.agent {
            Some(name) => {
                let found = self.agents.get(name).ok_or_else(|| {
                    let names: Vec<&str> = self.agents.list().iter().map(|agent| agent.name.as_str()).collect();
                    format!("there is no sub-agent `{name}`. There are: {}", names.join(", "))
                })?;
                Some((found.clone(), Arc::clone(&self.agents)))
            }
            None => None,
        };
        let count = arguments.tasks.len() as u64;
        let limits = call.left.shared(count);
        if let Some(left) = limits.get(Measure::Steps).filter(|left| *left < LEAST) {
            return Err(format!(
                "the budget of the task leaves {left} steps for each of {count} parts, and a part takes {LEAST} at the \
                 least. Give fewer parts, or do it yourself"
            ));
        }
        let wanted = Wanted {
            agent,
            input: arguments.input.unwrap_or_else(|| json!({})),
            may_change: arguments.may_change,
            may_remove: arguments.may_change,
            answer: arguments.answer.zip(validator.map(Arc::new)),
            limits,
        };
        Ok((arguments.tasks, wanted))
    }
}

impl Tools for Delegate {
    fn tools(&self) -> Vec<Tool> {
        let mut properties = json!({
            "tasks": {"type": "array", "items": {"type": "string"}, "description":
                "A part of the work each, complete in itself: the other knows nothing of this conversation."},
            "may_change": {"type": "boolean", "description":
                "They may propose changes too; then they work one after another."},
            "answer": {"type": "object", "description": "JSON Schema that each answer must fit."}
        });
        if !self.agents.list().is_empty() {
            properties["agent"] = json!({"type": "string", "description": "One of those above."});
            properties["input"] = json!({"type": "object", "description": "What it takes beside its task."});
        }
        let schema = json!({"type": "object", "properties": properties, "required": ["tasks"]});
        vec![Tool::new(NAME, &self.description(), schema, Effect::Change)]
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        match self.wanted(call) {
            Ok((tasks, wanted)) => {
                let handle = self.staff.handle.clone();
                handle.block_on(Arc::clone(&self.staff).work(tasks, wanted, stop))
            }
            Err(reason) => Output::not_done(Outcome::Failed, reason),
        }
    }

    fn again(&self, _: &Call, output: &Output, stop: &Stop) -> std::result::Result<(), String> {
        let parts: Vec<TaskId> = serde_json::from_value(output.again["tasks"].clone()).unwrap_or_default();
        let world = &self.staff.world;
        let written = Written { kept: world.kept.clone(), workspace: world.workspace.clone() };
        let mut lost = Vec::new();
        for part in parts {
            // each had seen what it had seen, and no other
            match again::take_up(&self.staff.records, part, self.staff.kit.all().as_ref(), &written, stop) {
                Ok(lines) => lost.extend(lines),
                Err(failure) => lost.push(failure.message),
            }
        }
        if lost.is_empty() { Ok(()) } else { Err(lost.join("; ")) }
    }
}
