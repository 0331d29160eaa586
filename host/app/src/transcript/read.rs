//! From the log to the document.

use super::{Costs, Kind, Part, Transcript, VERSION, What, Written, delete::agents_of};
use crate::{
    commands::log::said,
    failure::{Failure, Result},
};
use deskhand_agent::{budget::Measure, plan::Step, tool::Output};
use deskhand_models::{Money, Piece};
use deskhand_records::{Filter, Recorded, Records, Task};
use deskhand_vocabulary::{Event, TaskId};
use serde_json::Value;
use std::collections::HashMap;

/// The document of a task, as the log has it.
pub(super) fn read(records: &Records, id: TaskId) -> Result<Transcript> {
    let unknown = || Failure::usage(format!("there is no task {id}. `deskhand tasks` lists them"));
    let task = records.task(id)?.ok_or_else(unknown)?;
    if task.forgotten {
        return Err(Failure::failed(format!(
            "what task {id} was about is destroyed. What the log still has of it: deskhand log --task {id}"
        )));
    }
    let mut transcript = one(records, task)?;
    for agent in agents_of(records, id)? {
        if let Some(task) = records.task(agent)?.filter(|task| !task.forgotten) {
            transcript.agents.push(one(records, task)?);
        }
    }
    Ok(transcript)
}

fn one(records: &Records, task: Task) -> Result<Transcript> {
    let content = task.content.unwrap_or_default();
    let folders = content["folders"].as_array().into_iter().flatten();
    let mut reading = Reading::default();
    for recorded in records.events(Filter { task: Some(task.id), ..Filter::default() }) {
        reading.take(recorded?);
    }
    Ok(Transcript {
        deskhand: Kind::Task,
        version: VERSION,
        task: task.id.0,
        started: task.started,
        ended: task.ended,
        outcome: task.outcome,
        request: text_of(&content["request"]),
        folders: folders.map(text_of).collect(),
        plan: reading.plan,
        parts: reading.parts,
        costs: reading.costs,
        agents: Vec::new(),
        redacted: 0,
    })
}

/// A text, or what stands in its place as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The document in the making.
#[derive(Default)]
struct Reading {
    parts: Vec<Part>,
    plan: Vec<Step>,
    costs: Costs,
    /// The arguments of calls that have no answer yet, by their id, and where they stand.
    open: HashMap<String, usize>,
}

impl Reading {
    fn take(&mut self, recorded: Recorded) {
        self.count(&recorded);
        let content = recorded.content.as_ref().unwrap_or(&Value::Null);
        let what = match &recorded.event {
            Event::TaskStarted => return,
            Event::Told { by } => What::Said { by: by.clone(), text: pieces(&content["pieces"]) },
            Event::ModelReplied { model, .. } => {
                let text = text_of(&content["text"]);
                if text.trim().is_empty() {
                    return; // its calls follow
                }
                What::Replied { model: model.clone(), text }
            }
            Event::ToolCalled { tool } => {
                self.open.insert(text_of(&content["id"]), self.parts.len());
                let arguments = content["arguments"].clone();
                What::Called { tool: tool.clone(), arguments, outcome: "unknown".to_owned(), output: String::new() }
            }
            Event::ToolAnswered { tool, outcome, .. } => {
                let output = pieces(&content["output"]["parts"]);
                return self.answered(&recorded, tool, outcome, output, &text_of(&content["id"]));
            }
            Event::StepsSet { .. } => {
                self.plan = serde_json::from_value(content["steps"].clone()).unwrap_or_default();
                What::Event { text: said(&recorded) }
            }
            Event::Proposed { .. } => proposed(&content["plan"]),
            Event::CallEnded { .. } if content["message"].is_string() => {
                What::Event { text: format!("{}: {}", said(&recorded), text_of(&content["message"])) }
            }
            _ => What::Event { text: said(&recorded) },
        };
        self.parts.push(Part { at: recorded.at, what });
    }

    /// Put an answer to its call; one whose call is not on record stands by itself.
    fn answered(&mut self, recorded: &Recorded, tool: &str, outcome: &str, output: String, id: &str) {
        let called = self.open.remove(id).and_then(|at| self.parts.get_mut(at));
        if let Some(Part { what: What::Called { outcome: open, output: none, .. }, .. }) = called {
            outcome.clone_into(open);
            *none = output;
            return;
        }
        let what = What::Called { tool: tool.to_owned(), arguments: Value::Null, outcome: outcome.to_owned(), output };
        self.parts.push(Part { at: recorded.at, what });
    }

    fn count(&mut self, recorded: &Recorded) {
        let costs = &mut self.costs;
        match &recorded.event {
            Event::ModelReplied { input, output, money, .. } => {
                costs.replies += 1;
                costs.tokens = costs.tokens.saturating_add(input.saturating_add(*output));
                costs.money = Money(costs.money.0.saturating_add(*money));
            }
            Event::ToolAnswered { .. } => {
                let output = recorded.content.as_ref().map(|content| content["output"].clone());
                let spent = output.and_then(|output| serde_json::from_value::<Output>(output).ok());
                let spent = spent.map(|output| output.spent).unwrap_or_default();
                costs.tokens = costs.tokens.saturating_add(spent.get(Measure::Tokens));
                costs.money = Money(costs.money.0.saturating_add(spent.get(Measure::Money)));
            }
            Event::Sent { sent, received, .. } => {
                costs.sent = costs.sent.saturating_add(*sent);
                costs.received = costs.received.saturating_add(*received);
            }
            _ => {}
        }
    }
}

/// What pieces say; a picture is named.
fn pieces(value: &Value) -> String {
    let pieces: Vec<Piece> = serde_json::from_value(value.clone()).unwrap_or_default();
    let text = |piece: &Piece| match piece {
        Piece::Text { text } => text.clone(),
        Piece::Image { media_type, data } => format!("[a picture: {media_type}, {} bytes]", data.len() / 4 * 3),
    };
    pieces.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// A plan that was shown, as it is on record.
fn proposed(plan: &Value) -> What {
    let written = plan["view"]["written"].as_object().filter(|_| plan["origin"] == "agent");
    let written = written
        .into_iter()
        .flatten()
        .map(|(path, difference)| Written { path: path.clone(), difference: text_of(difference) });
    let changes = plan["changes"].as_array().into_iter().flatten();
    What::Proposed {
        title: text_of(&plan["title"]),
        changes: changes.map(text_of).collect(),
        written: written.collect(),
    }
}
