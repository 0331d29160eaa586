//! What a task of an agent was begun with. It stands in the first entry of its record, so that the task can go on in
//! another process.

use crate::failure::{Failure, Result};
use deskhand_agent::budget::Limits;
use deskhand_records::{Filter, Recorded, Records, Task};
use deskhand_vocabulary::{Access, Event, TaskId, path};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// How much is asked about. A removal is asked about in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// All changes are shown at the end, and asked about
    #[default]
    Ask,
    /// The plan is shown before anything is done, and the changes at the end
    Plan,
    /// Changes are made without a question; removals and what can run by itself are asked about
    Auto,
}

/// A folder of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Folder(String);

impl Folder {
    /// A folder by its whole path, as the person means it now.
    pub(crate) fn of(path: &Path) -> Self {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self(path::encode(whole.as_os_str().as_bytes()))
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(path::decode(&self.0)))
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// What the person asked for.
    pub(crate) request: String,
    /// Where.
    pub(crate) folders: Vec<Folder>,
    /// True if the folders may only be read.
    pub(crate) read_only: bool,
    /// Which model, if the person named one.
    pub(crate) model: Option<String>,
    /// What it may use up.
    pub(crate) limits: Limits,
    /// How much is asked about.
    pub(crate) mode: Mode,
}

impl Spec {
    pub(crate) const fn access(&self) -> Access {
        if self.read_only { Access::Read } else { Access::Write }
    }

    /// The content of the first entry of the task.
    pub(crate) fn content(&self) -> Value {
        json!({"request": self.request, "folders": self.folders, "agent": self})
    }

    /// What a task was begun with.
    pub(crate) fn of(records: &Records, task: TaskId) -> Result<Self> {
        let Some(known) = records.task(task)? else {
            return Err(Failure::usage(format!("there is no task {task}. `deskhand tasks` lists them")));
        };
        if known.forgotten {
            return Err(Failure::failed(format!("what task {task} was about is forgotten, so it cannot go on")));
        }
        let content = known.content.unwrap_or_default();
        serde_json::from_value(content["agent"].clone()).map_err(|_| {
            Failure::usage(format!("task {task} was not worked on by an agent, so there is nothing to go on with"))
        })
    }
}

/// A task of an agent, and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) task: Task,
    pub(crate) spec: Spec,
    /// What waits for the person, a line each.
    pub(crate) waits: Vec<String>,
    /// True if it was broken off or waits: it is neither over nor at work.
    pub(crate) open: bool,
}

/// So many tasks are looked at together.
const PAGE: u64 = 200;

/// The last tasks of agents, the newest first, at most so many. Sub-agents and commands are tasks of their own in the record, and
/// are passed over.
pub(crate) fn tasks(records: &Records, limit: u64) -> Result<Vec<Known>> {
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
            known.extend(one(records, task)?);
        }
    }
}

/// A task of an agent as it is now; none if there is none of this number.
pub(crate) fn task(records: &Records, task: TaskId) -> Result<Option<Known>> {
    Ok(records.task(task)?.map(|task| one(records, task)).transpose()?.flatten())
}

/// A task as one of an agent; none if it is not.
fn one(records: &Records, task: Task) -> Result<Option<Known>> {
    let agent = task.content.as_ref().map(|content| content["agent"].clone());
    let Some(spec) = agent.and_then(|spec| serde_json::from_value(spec).ok()) else { return Ok(None) };
    let last = last(records, task.id)?;
    let ended = matches!(last.as_ref().map(|last| &last.event), Some(Event::TaskEnded { .. }));
    let waits = last.filter(|last| last.event == Event::TaskParked).and_then(|last| last.content);
    let waits = waits.map(|content| serde_json::from_value(content["waits"].clone()).unwrap_or_default());
    Ok(Some(Known { task, spec, waits: waits.unwrap_or_default(), open: !ended }))
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
