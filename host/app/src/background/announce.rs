//! Telling the person on the desktop that a task is over or waits for them, where there is a desktop that shows such notices
//! (freedesktop.org, Desktop Notifications 1.2). The notice has the number of the task and what became of it, nothing of what
//! it is about: a screen is seen by others.

use crate::failure::Result;
use deskhand_records::{Filter, Records};
use deskhand_vocabulary::{Event, TaskId};
use std::{collections::HashMap, sync::Once, thread};
use zbus::{blocking::Connection, zvariant::Value};

/// That there is no desktop is said once.
static SAID: Once = Once::new();

/// Tell what became of a task, if it is over or waits.
pub(super) fn task(records: &Records, task: TaskId) -> Result<()> {
    let kinds = ["task-parked", "task-ended"].map(str::to_owned).to_vec();
    let filter = Filter { task: Some(task), kinds, backwards: true, limit: Some(1), ..Filter::default() };
    let Some(last) = records.events(filter).next().transpose()? else { return Ok(()) };
    let summary = match last.event {
        Event::TaskParked => format!("Task {task} waits for you"),
        Event::TaskEnded { outcome } => format!("Task {task} is over: {}", words(&outcome)),
        _ => return Ok(()),
    };
    // nobody waits for a desktop
    let told = thread::Builder::new().name("notice".to_owned()).spawn(move || {
        if let Err(error) = tell(&summary, task) {
            // where there is none, once is enough
            SAID.call_once(|| super::workshop::note(&format!("no notice on the desktop: {error}")));
        }
    });
    if let Err(error) = told {
        super::workshop::note(&format!("no notice on the desktop: {error}"));
    }
    Ok(())
}

fn words(outcome: &str) -> &str {
    match outcome {
        "used-up" => "its budget is used up",
        "stuck" => "the model is stuck",
        "refused" => "the model refused",
        other => other,
    }
}

fn tell(summary: &str, task: TaskId) -> zbus::Result<()> {
    let (name, path) = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications");
    let body = format!("See it with: deskhand tasks follow {task}");
    let hints: HashMap<&str, Value<'_>> = HashMap::from([("desktop-entry", "deskhand".into())]);
    let actions: Vec<&str> = Vec::new();
    let notice = ("Deskhand", 0_u32, "", summary, body.as_str(), actions, hints, -1_i32);
    Connection::session()?.call_method(Some(name), path, Some(name), "Notify", &notice)?;
    Ok(())
}
