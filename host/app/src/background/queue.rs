//! Queuing a task. What needs the person is asked before, while they are there.

use super::start;
use crate::{
    agent::{Errand, Folder, Owner, Spec},
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    model, output,
    person::print_json,
    show,
    task::{Opening, open_folders},
};
use deskhand_permissions::{Context, Duration, Standing};
use deskhand_tasks::Priority;
use deskhand_vocabulary::{Entry, Event, Log as _, TaskId};
use serde_json::json;
use std::path::PathBuf;

/// What is said where a command of a plugin is to be queued.
pub(crate) const NOT_A_COMMAND: &str = "only what a model works on can go on in the background: a command shows you its plan and is done soon. Leave out --background";

/// Queue a task that was just numbered.
pub(crate) fn queue_new(
    desk: &Desk,
    task: TaskId,
    spec: &Spec,
    attachment: Option<String>,
    options: &cli::Run,
) -> Result {
    if let Err(failure) = prepare(desk, task, spec, options.opening(task).granted) {
        let outcome = if failure.exit == Exit::Failed { "failed" } else { "cancelled" };
        let content = Some(json!({"said": [show::sentence(&failure.message)]}));
        let event = Event::TaskEnded { outcome: outcome.to_owned() };
        desk.records()?.append(Entry { task: Some(task), event, content })?;
        return Err(failure);
    }
    let errand = Errand::following(spec.request.clone(), attachment, options.answers.standing());
    queue(desk, task, &errand, options.priority)
}

/// Queue a task again that was begun before.
pub(crate) fn queue_again(desk: &Desk, task: TaskId, errand: &Errand, options: &cli::Run) -> Result {
    // nobody goes on with it meanwhile
    let owner = Owner::of(&desk.home, task)?;
    let records = desk.records()?;
    if deskhand_tasks::queue::of(records, task)?.is_some() {
        return Err(Failure::usage(format!(
            "task {task} waits for its turn already. Wait until it is over, or end it with: deskhand cancel {task}"
        )));
    }
    let spec = Spec::of(records, task)?;
    // the grants of a task end with it
    let over = crate::task::outcome(records, task)?;
    prepare(desk, task, &spec, over.is_some().then_some(Duration::Task(task)))?;
    drop(owner);
    queue(desk, task, errand, options.priority)
}

/// Have all that the person has to agree to before a model works on it.
fn prepare(desk: &Desk, task: TaskId, spec: &Spec, granted: Option<Duration>) -> Result<()> {
    let choice = model::choose(&desk.settings, spec.model.as_deref())?;
    choice.consent(desk, &Context::person(Some(task), Standing::default()))?;
    let folders: Vec<PathBuf> = spec.folders.iter().map(Folder::path).collect();
    open_folders(desk, task, &folders, Opening { access: spec.access(), granted }).map(drop)
}

fn queue(desk: &Desk, task: TaskId, errand: &Errand, priority: Priority) -> Result {
    let event = Event::TaskQueued { priority: priority.name().to_owned() };
    desk.records()?.append(Entry { task: Some(task), event, content: Some(errand.content()) })?;
    if desk.json {
        print_json("queued", &json!({"task": task, "priority": priority.name()}));
    } else {
        output::text(&format!("Task {task} is queued. Follow it with: deskhand tasks follow {task}\n"));
    }
    start::look(desk).map_err(|error| {
        Failure::failed(format!("task {task} is queued and not lost, but nobody works on it yet: {error}"))
    })?;
    Ok(Exit::Done)
}
