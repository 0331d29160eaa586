//! The tasks that stay: those of agents and of clients, and how each stands. Commands and sub-agents are tasks of their own in the
//! record, and are passed over.

use crate::{
    agent::{Folder, Mode, Spec},
    failure::Result,
    mcp::Client,
};
use deskhand_records::{Filter, Recorded, Records, Task};
use deskhand_vocabulary::{Event, TaskId};

/// Who works on a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum By {
    /// An agent, that asks so much.
    Agent(Mode),
    /// A program that is served.
    Client(Client),
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) task: Task,
    pub(crate) by: By,
    /// What was asked for.
    pub(crate) request: String,
    /// Where.
    pub(crate) folders: Vec<Folder>,
    /// What waits for the person, a line each.
    pub(crate) waits: Vec<String>,
    /// True if it was broken off or waits: it is neither over nor at work.
    pub(crate) open: bool,
}

/// So many tasks are looked at together.
const PAGE: u64 = 200;

/// The last tasks, the newest first, at most so many.
pub(crate) fn known(records: &Records, limit: u64) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    let mut before = None;
    loop {
        let page = records.tasks_before(before, PAGE)?;
        let Some(last) = page.last() else { return Ok(known) };
        before = Some(last.id);
        for task in page {
            if known.len() as u64 >= limit {
                return Ok(known);
            }
            known.extend(staying(records, task)?);
        }
    }
}

/// A task as it is now; none if there is none of this number that stays.
pub(crate) fn one(records: &Records, task: TaskId) -> Result<Option<Known>> {
    Ok(records.task(task)?.map(|task| staying(records, task)).transpose()?.flatten())
}

/// A task as one that stays; none if it is not.
fn staying(records: &Records, task: Task) -> Result<Option<Known>> {
    let Some(content) = &task.content else { return Ok(None) };
    let spec = serde_json::from_value::<Spec>(content["agent"].clone()).ok();
    let client = Client::in_content(content);
    let (by, request, folders) = match (spec, client) {
        (Some(spec), _) => (By::Agent(spec.mode), spec.request, spec.folders),
        (None, Some(client)) => (By::Client(client.clone()), client.request(), client.folders),
        (None, None) => return Ok(None),
    };
    let last = last(records, task.id)?;
    let ended = matches!(last.as_ref().map(|last| &last.event), Some(Event::TaskEnded { .. }));
    let waits = last.filter(|last| last.event == Event::TaskParked).and_then(|last| last.content);
    let waits = waits.map(|content| serde_json::from_value(content["waits"].clone()).unwrap_or_default());
    Ok(Some(Known { task, by, request, folders, waits: waits.unwrap_or_default(), open: !ended }))
}

/// How a task came to its end; none if it did not, or was taken up again since.
pub(crate) fn outcome(records: &Records, task: TaskId) -> Result<Option<String>> {
    Ok(last(records, task)?.and_then(|last| match last.event {
        Event::TaskEnded { outcome } => Some(outcome),
        _ => None,
    }))
}

/// The last that is on record of whether a task is over, waits or goes on.
fn last(records: &Records, task: TaskId) -> Result<Option<Recorded>> {
    let kinds = ["task-parked", "task-resumed", "task-queued", "task-ended"].map(str::to_owned).to_vec();
    let filter = Filter { task: Some(task), kinds, backwards: true, limit: Some(1), ..Filter::default() };
    Ok(records.events(filter).next().transpose()?)
}
