//! Going on with a task of a client that waits for the person: the calls that waited are made again, with the person there to be
//! asked. Nothing of them was made, so nothing is done twice.

use super::{
    client::Client,
    task::{Granted, Settled, Task, is_parked, title},
};
use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    person::print_json,
    show::{self, lines},
    task::{Seen, outcome},
};
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Outcome, Output},
};
use deskhand_records::{Filter, Records};
use deskhand_vocabulary::{Event, TaskId};
use serde_json::json;
use std::{sync::Arc, time::Instant};

/// See the module.
pub(crate) fn go_on(desk: &Desk, id: TaskId, client: &Client, options: &cli::Resume) -> Result {
    let records = Arc::clone(desk.records()?);
    if let Some(outcome) = outcome(&records, id)? {
        return Err(Failure::usage(format!("task {id} is over ({outcome}), and nothing of it waits")));
    }
    let calls = waiting(&records, id)?;
    let standing = options.answers.standing();
    let task = Task::open(desk, id, client, Granted::Before, standing)?;
    task.record(Event::TaskResumed, None)?;
    let seen = Seen::watch(&records, id, desk.json);
    if calls.is_empty() {
        task.record(Event::TaskEnded { outcome: "stopped".to_owned() }, None)?;
        output::aside("Nothing of this task waits: the client went away in the middle of it, and nothing was pending.");
        return Ok(Exit::Done);
    }
    let mut waits = Vec::new();
    for call in &calls {
        if !desk.json {
            output::text(&format!("The client {} has called {}.\n", client.name, show::line(&title(call))));
        }
        let output = again(desk, &task, call)?;
        if is_parked(&output) {
            waits.push(format!("{}: {}", title(call), output.gist()));
        }
        if desk.json {
            print_json(
                "answered",
                &json!({"tool": call.tool, "outcome": output.outcome.name(), "text": output.text()}),
            );
        } else if !is_parked(&output) {
            output::text(&format!("{}\n", lines(output.text().trim_end())));
        }
    }
    let exit = seen.finish(desk, None, standing)?;
    if !waits.is_empty() {
        task.record(Event::TaskParked, Some(json!({ "waits": waits })))?;
        return Ok(if exit == Exit::Done { Exit::Unanswered } else { exit });
    }
    let outcome = match exit {
        Exit::Declined => "cancelled",
        Exit::Stopped => "stopped",
        _ => "done",
    };
    task.record(Event::TaskEnded { outcome: outcome.to_owned() }, None)?;
    desk.tidy()?;
    Ok(exit)
}

/// Make a call again, and have decided what it leaves.
fn again(desk: &Desk, task: &Task, call: &Call) -> Result<Output> {
    task.called(call, true)?;
    let begun = Instant::now();
    let mut output = task.make(desk, call, Arc::clone(&desk.person), &desk.stop)?;
    if output.outcome == Outcome::Done {
        match task.settle(desk, call, &desk.stop) {
            Settled::Nothing => {}
            Settled::Unmade(_) => output.outcome = Outcome::Denied,
            Settled::Waits => output.outcome = Outcome::Parked,
        }
    }
    task.answered(call, &output, begun.elapsed());
    Ok(output)
}

/// The calls that wait, in their order: those that nobody was there for when they were made last.
fn waiting(records: &Records, task: TaskId) -> Result<Vec<Call>> {
    let mut calls: Vec<(Call, bool)> = Vec::new();
    for recorded in records.events(Filter { task: Some(task), ..Filter::default() }) {
        let recorded = recorded?;
        let content = recorded.content.unwrap_or_default();
        let id = content["id"].as_str().unwrap_or_default().to_owned();
        match recorded.event {
            Event::ToolCalled { tool } => {
                calls.retain(|(call, _)| call.id != id);
                let arguments = content["arguments"].clone();
                calls.push((Call { id, tool, arguments, left: Limits::default() }, false));
            }
            Event::ToolAnswered { outcome, .. } => {
                let parked = outcome == Outcome::Parked.name();
                calls.iter_mut().filter(|(call, _)| call.id == id).for_each(|(_, waits)| *waits = parked);
            }
            _ => {}
        }
    }
    Ok(calls.into_iter().filter(|(_, waits)| *waits).map(|(call, _)| call).collect())
}
