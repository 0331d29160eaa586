//! The queue, as the log has it.

use crate::Priority;
use deskhand_records::{Filter, Records, RecordsError};
use deskhand_vocabulary::{Event, EventId, TaskId};

/// How a task stands that is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for its turn.
    Queued,
    /// Its turn has come, so many times since it was queued; each but the last was broken off with the process that had it.
    Begun(u32),
}

/// A task in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub task: TaskId,
    /// The event with which it was queued. Events are numbered in their order, whatever the clock says, and so the queue is in
    /// order of these.
    pub since: EventId,
    /// How soon it has its turn.
    pub priority: Priority,
    /// The folder that it counts for: its first. Empty where it has none, or what it is about is forgotten.
    pub folder: String,
    /// Whether its turn has come.
    pub standing: Standing,
}

/// What is said of a task and the queue, in the log.
const KINDS: [&str; 5] = ["task-queued", "task-begun", "task-unqueued", "task-parked", "task-ended"];

/// The tasks in the queue, in the order in which they came, without those that `passed_over` is true of.
pub fn read(records: &Records, passed_over: impl Fn(TaskId) -> bool) -> Result<Vec<Waiting>, RecordsError> {
    let mut waiting = Vec::new();
    for task in records.unended_tasks()? {
        if !passed_over(task) {
            waiting.extend(of(records, task)?);
        }
    }
    waiting.sort_by_key(|waiting| waiting.since);
    Ok(waiting)
}

/// A task, if it is in the queue.
pub fn of(records: &Records, task: TaskId) -> Result<Option<Waiting>, RecordsError> {
    let kinds = KINDS.map(str::to_owned).to_vec();
    let filter = Filter { task: Some(task), kinds, backwards: true, ..Filter::default() };
    let mut begun = 0;
    for recorded in records.events(filter) {
        let recorded = recorded?;
        match recorded.event {
            Event::TaskBegun => begun += 1,
            Event::TaskQueued { priority } => {
                let content = records.task(task)?.and_then(|task| task.content).unwrap_or_default();
                let folder = content["folders"][0].as_str().unwrap_or_default().to_owned();
                let standing = if begun == 0 { Standing::Queued } else { Standing::Begun(begun) };
                let priority = priority.parse().unwrap_or_default();
                return Ok(Some(Waiting { task, since: recorded.id, priority, folder, standing }));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}
