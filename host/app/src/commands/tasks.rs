//! `deskhand tasks` and `deskhand inbox`: the tasks of agents and of clients, and those that wait for the person.

use crate::{
    agent::{self, Folder},
    background, cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    person::print_json,
    show::{self, columns, line},
    task::{self, By, Known},
};
use deskhand_tasks::{queue, turn};
use deskhand_vocabulary::{TaskId, path, text::shortened};
use serde_json::json;
use std::{
    collections::HashMap,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// So much of a request is shown in a list, in characters.
const REQUEST: usize = 60;
const AT_WORK: &str = "at work";
/// Nobody works on it, and it did not come to its end.
const BROKEN_OFF: &str = "broken off";
/// So many tasks are looked through for what waits.
const LOOKED_THROUGH: u64 = 1000;

pub(crate) fn run(options: &cli::Tasks) -> Result {
    match &options.command {
        Some(cli::TasksCommand::Follow(options)) => background::follow(options),
        None => list(options),
    }
}

fn list(options: &cli::Tasks) -> Result {
    let desk = Desk::open(options.json.json)?;
    background::look_if_queued(&desk)?;
    let places = places(&desk)?;
    let known = known(&desk, options.limit, &places)?;
    if desk.json {
        for one in &known {
            print_json("task", &described(&desk, one, &places));
        }
        return Ok(Exit::Done);
    }
    if known.is_empty() {
        output::text("No task of an agent yet. Begin one with: deskhand run --folder FOLDER \"WHAT TO DO\"\n");
        return Ok(Exit::Done);
    }
    let heading = ["TASK", "STATE", "SINCE", "FOLDER", "REQUEST"].map(str::to_owned).to_vec();
    let rows = known.iter().map(|one| {
        let state = match places.get(&one.task.id) {
            Some(place) => format!("{}, place {place}", shown(&desk, one, &places)),
            None => shown(&desk, one, &places).to_owned(),
        };
        let since = one.task.started.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d %H:%M").to_string();
        let request = line(&shortened(&one.request, REQUEST));
        vec![one.task.id.to_string(), state, since, folders(&one.folders), request]
    });
    output::text(&columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    Ok(Exit::Done)
}

/// The folders of a task in a few words: the first, below the person's own as they would type it.
fn folders(folders: &[Folder]) -> String {
    let Some(first) = folders.first().map(Folder::path) else { return String::new() };
    let own = std::env::var_os("HOME").map(PathBuf::from).filter(|own| own.is_absolute());
    let below = own.and_then(|own| first.strip_prefix(own).ok().map(|below| Path::new("~").join(below)));
    let path = below.unwrap_or(first);
    let more = if folders.len() > 1 { format!(" and {} more", folders.len() - 1) } else { String::new() };
    format!("{}{more}", line(&path::encode(path.as_os_str().as_bytes())))
}

/// The places of the tasks that wait for their turn, from 1.
fn places(desk: &Desk) -> Result<HashMap<TaskId, usize>> {
    let waiting = queue::read(desk.records()?, |task| agent::is_at_work(&desk.home, task))?;
    Ok(turn::order(waiting).into_iter().zip(1..).collect())
}

pub(crate) fn inbox(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let places = places(&desk)?;
    let known = known(&desk, LOOKED_THROUGH, &places)?;
    let waiting: Vec<&Known> = known.iter().filter(|one| state(&desk, one, &places) == "waits for you").collect();
    if desk.json {
        for one in waiting {
            print_json("task", &described(&desk, one, &places));
        }
        return Ok(Exit::Done);
    }
    if waiting.is_empty() {
        output::text("Nothing waits for you.\n");
    }
    for one in waiting {
        let task = one.task.id;
        output::text(&format!("Task {task}: {}\n", line(&shortened(&one.request, REQUEST))));
        for waits in &one.waits {
            output::text(&format!("  {}\n", show::sentence(&line(waits))));
        }
        output::text(&format!("  Answer with: deskhand resume {task}\n"));
    }
    Ok(Exit::Done)
}

/// The last tasks. One that begins or ends while they are read looks as if it were broken off, and is read once more.
fn known(desk: &Desk, limit: u64, places: &HashMap<TaskId, usize>) -> Result<Vec<Known>> {
    let records = desk.records()?;
    let mut known = task::known(records, limit)?;
    for one in &mut known {
        if state(desk, one, places) == BROKEN_OFF
            && let Some(now) = task::known_one(records, one.task.id)?
        {
            *one = now;
        }
    }
    Ok(known)
}

/// How a task stands, in words. Its record goes before its process, which lets go of it a moment after it is over.
fn state<'a>(desk: &Desk, known: &'a Known, places: &HashMap<TaskId, usize>) -> &'a str {
    match known.task.outcome.as_deref().filter(|_| !known.open) {
        _ if places.contains_key(&known.task.id) => "queued",
        Some("used-up") => "budget used up",
        Some(outcome) => outcome,
        None if !known.waits.is_empty() => "waits for you",
        None if agent::is_at_work(&desk.home, known.task.id) => AT_WORK,
        None => BROKEN_OFF,
    }
}

/// The same as it is shown. One at work is asked whether it is paused, which takes it a moment.
fn shown<'a>(desk: &Desk, known: &'a Known, places: &HashMap<TaskId, usize>) -> &'a str {
    match state(desk, known, places) {
        AT_WORK if agent::is_paused(&desk.home, known.task.id) => "paused",
        state => state,
    }
}

fn described(desk: &Desk, known: &Known, places: &HashMap<TaskId, usize>) -> serde_json::Value {
    let mut described = json!({
        "task": known.task.id, "started": known.task.started, "state": shown(desk, known, places),
        "place": places.get(&known.task.id), "waits": known.waits,
        "request": known.request, "folders": known.folders,
    });
    match &known.by {
        By::Agent(mode) => described["mode"] = json!(mode),
        By::Client(client) => described["client"] = json!(client.name),
    }
    described
}
