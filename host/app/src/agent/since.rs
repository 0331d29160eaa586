//! What a model is told that a person follows up with: what became of the changes that it had proposed before.

use crate::{desk::Desk, failure::Result};
use deskhand_records::Filter;
use deskhand_vocabulary::{CommitId, Event, TaskId};
use deskhand_workspace::History;
use serde_json::Value;

/// The most changes that are named.
const NAMED: usize = 50;

/// The last that is on record of the changes of a task.
#[derive(Default)]
struct Last {
    /// The plan that was shown last.
    plan: Value,
    commit: Option<CommitId>,
    applied: u64,
    declined: bool,
}

/// What became of the changes since the person last said something to the task; none if there were none.
pub(super) fn told(desk: &Desk, task: TaskId) -> Result<Option<String>> {
    let mut last = Last::default();
    for recorded in desk.records()?.events(Filter { task: Some(task), ..Filter::default() }) {
        let recorded = recorded?;
        match recorded.event {
            Event::Told { by } if by == "person" => last = Last::default(),
            Event::Proposed { .. } => last.plan = recorded.content.unwrap_or_default()["plan"].take(),
            Event::CommitEnded { commit, outcome, applied, .. } if outcome == "applied" => {
                (last.commit, last.applied) = (Some(commit), applied);
            }
            Event::ChangesSettled { state, .. } => last.declined = state == "declined",
            _ => {}
        }
    }
    let Some(commit) = last.commit else {
        return Ok(last
            .declined
            .then(|| "The person declined the changes that you had proposed: none was made.".to_owned()));
    };
    let edited = if last.plan["view"]["edited"] == true { ", as the person edited them" } else { "" };
    let lines: Vec<&str> = last.plan["changes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut text = format!("These changes were made{edited} (commit {commit}, {} in all):\n", last.applied);
    text.push_str(&lines.iter().take(NAMED).copied().collect::<Vec<_>>().join("\n"));
    if lines.len() > NAMED {
        text.push_str(&format!("\n… and {} more", lines.len() - NAMED));
    }
    // a commit that is not kept any more can only be looked at on the disk
    if let Ok((listed, _)) = History::new(&desk.home).show(commit)
        && !listed.by.is_empty()
    {
        text.push_str(&format!("\nBut since then: {}.", listed.state()));
    }
    Ok(Some(text))
}
