//! Taking up a task that another process worked on: what was said and done, from the log, and what was pending, by making
//! the calls again that had left it pending; what programs wrote in sandboxes was kept, and they are not run again for it.
//! Nothing of that was applied, so nothing is done twice.

use crate::failure::{Failure, Result};
use deskhand_agent::{
    Task,
    budget::Limits,
    tool::{Call, Output, Tools},
};
use deskhand_records::{Filter, Recorded, Records};
use deskhand_tools::shell::Written;
use deskhand_vocabulary::{Event, Stop, TaskId};
use std::collections::HashMap;

/// What was said and done.
pub(super) fn fold(records: &Records, task: &mut Task) -> Result<()> {
    for recorded in of(records, task.id) {
        let recorded = recorded?;
        task.conversation.apply(&recorded.event, recorded.content.as_ref()).map_err(Failure::failed)?;
    }
    Ok(())
}

/// Make again what was pending. What could not be, a line each. No program is run again for it: what they wrote is kept.
pub(super) fn take_up(
    records: &Records,
    task: TaskId,
    tools: &dyn Tools,
    written: &Written,
    stop: &Stop,
) -> Result<Vec<String>> {
    let mut lost = Vec::new();
    for left in left_behind(records, task)? {
        match left {
            Left::Called(answered) => {
                let (call, output) = *answered;
                let made = written.again(&call, &output).unwrap_or_else(|| tools.again(&call, &output, stop));
                if let Err(reason) = made {
                    let what = deskhand_vocabulary::text::shortened(&call.arguments.to_string(), 120);
                    lost.push(format!("{} {what}: {reason}", call.tool));
                }
            }
            Left::Taken { by, number } => {
                let made = written.kept.again(number, &written.workspace);
                lost.extend(made.err().map(|reason| format!("written by {by}: {reason}")));
            }
        }
    }
    Ok(lost)
}

/// What left something pending.
enum Left {
    /// A call that was answered.
    Called(Box<(Call, Output)>),
    /// Something that a program wrote.
    Taken { by: String, number: u64 },
}

/// All of it since changes were last made or given up, in order.
fn left_behind(records: &Records, task: TaskId) -> Result<Vec<Left>> {
    let mut begun: HashMap<String, Call> = HashMap::new();
    let mut left = Vec::new();
    for recorded in of(records, task) {
        let Recorded { event, content, .. } = recorded?;
        let content = content.unwrap_or_default();
        let id = content["id"].as_str().unwrap_or_default().to_owned();
        match event {
            Event::ToolCalled { tool } => {
                begun.insert(
                    id.clone(),
                    Call { id, tool, arguments: content["arguments"].clone(), left: Limits::default() },
                );
            }
            Event::ToolAnswered { .. } => {
                let output = serde_json::from_value(content["output"].clone()).ok();
                left.extend(begun.remove(&id).zip(output).map(|answered| Left::Called(Box::new(answered))));
            }
            Event::Taken { by, .. } => {
                left.extend(content["kept"].as_u64().map(|number| Left::Taken { by, number }));
            }
            Event::CommitEnded { outcome, .. } | Event::Recovered { outcome, .. } if is_over(&outcome) => left.clear(),
            Event::ChangesSettled { state, .. } if state != "parked" => left.clear(),
            _ => {}
        }
    }
    Ok(left)
}

/// Whether nothing is pending after a commit that ended like this.
fn is_over(outcome: &str) -> bool {
    matches!(outcome, "applied" | "completed" | "nothing")
}

fn of(records: &Records, task: TaskId) -> deskhand_records::Events<'_> {
    records.events(Filter { task: Some(task), ..Filter::default() })
}
