//! `deskhand tasks` and `deskhand inbox`: the tasks of agents and of clients, and those that wait for the person.

use crate::{
    agent, cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    person::print_json,
    show::{self, columns, line},
    task::{By, Known, known},
};
use deskhand_vocabulary::text::shortened;
use serde_json::json;

/// So much of a request is shown in a list, in characters.
const REQUEST: usize = 60;
/// So many tasks are looked through for what waits.
const LOOKED_THROUGH: u64 = 1000;

pub(crate) fn list(options: &cli::Tasks) -> Result {
    let desk = Desk::open(options.json.json)?;
    let known = known(desk.records()?, options.limit)?;
    if desk.json {
        for one in &known {
            print_json("task", &described(&desk, one));
        }
        return Ok(Exit::Done);
    }
    if known.is_empty() {
        output::text("No task of an agent yet. Begin one with: deskhand run --folder FOLDER \"WHAT TO DO\"\n");
        return Ok(Exit::Done);
    }
    let rows = known.iter().map(|one| {
        let request = line(&shortened(&one.request, REQUEST));
        vec![one.task.id.to_string(), state(&desk, one).to_owned(), request]
    });
    output::text(&columns(&rows.collect::<Vec<_>>()));
    Ok(Exit::Done)
}

pub(crate) fn inbox(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let known = known(desk.records()?, LOOKED_THROUGH)?;
    let waiting: Vec<&Known> = known.iter().filter(|one| state(&desk, one) == "waits for you").collect();
    if desk.json {
        for one in waiting {
            print_json("task", &described(&desk, one));
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

/// How a task stands, in words.
fn state<'a>(desk: &Desk, known: &'a Known) -> &'a str {
    match known.task.outcome.as_deref() {
        _ if agent::is_at_work(&desk.home, known.task.id) => "at work",
        _ if known.open && !known.waits.is_empty() => "waits for you",
        _ if known.open => "broken off",
        Some("used-up") => "budget used up",
        Some(outcome) => outcome,
        None => "broken off",
    }
}

fn described(desk: &Desk, known: &Known) -> serde_json::Value {
    let mut described = json!({
        "task": known.task.id, "started": known.task.started, "state": state(desk, known), "waits": known.waits,
        "request": known.request, "folders": known.folders,
    });
    match &known.by {
        By::Agent(mode) => described["mode"] = json!(mode),
        By::Client(client) => described["client"] = json!(client.name),
    }
    described
}
