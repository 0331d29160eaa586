//! `deskhand steer`, `pause` and `cancel`: speaking to a task that runs in another terminal.

use crate::{
    agent::{self, Asked, Owner, Reached, Spec, Told},
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output, person,
    person::print_json,
    sandbox::kept,
    show,
};
use deskhand_agent::is_over;
use deskhand_vocabulary::{Entry, Event, Log as _, TaskId};
use serde_json::json;

pub(crate) fn say(options: &cli::Steer) -> Result {
    let desk = Desk::open(options.json.json)?;
    if options.edit_plan {
        return edit_plan(&desk, options.task);
    }
    let said = "It is taken up at the next step";
    ask(&desk, options.task, &Asked::Say { words: options.words.join(" ") }, said)
}

pub(crate) fn pause(options: &cli::OneTask) -> Result {
    let desk = Desk::open(options.json.json)?;
    let said = format!("It is held before its next step. Let it go on with: deskhand resume {}", options.task);
    ask(&desk, options.task, &Asked::Pause, &said)
}

pub(crate) fn cancel(options: &cli::OneTask) -> Result {
    let desk = Desk::open(options.json.json)?;
    let task = options.task;
    match agent::reach(&desk.home, task, &Asked::Cancel)? {
        Reached::Told(told) => tell(&desk, task, told, "It ends, and what is pending is not applied"),
        Reached::NotAtWork if desk.records()?.task(task)?.is_some() => give_up(&desk, task),
        Reached::NotAtWork => Err(not_at_work(&desk, task)?),
    }
}

/// End a task that waits or was broken off.
fn give_up(desk: &Desk, task: TaskId) -> Result {
    // nobody goes on with it meanwhile
    let _owner = Owner::of(&desk.home, task)?;
    let records = desk.records()?;
    if crate::mcp::Client::of(records, task)?.is_none() {
        Spec::of(records, task)?;
    }
    if let Some(outcome) = crate::task::outcome(records, task)? {
        return Err(Failure::usage(format!("task {task} is over already ({outcome}): there is nothing to end")));
    }
    let event = Event::TaskEnded { outcome: "cancelled".to_owned() };
    records.append(Entry { task: Some(task), event, content: None })?;
    // it is not pending any more; what cannot be removed now goes with `deskhand task delete`
    let _ = kept(desk, task).clear();
    if desk.json {
        print_json("steered", &json!({"task": task, "done": true, "reason": ""}));
    } else {
        output::text(&format!("Task {task} is ended. What was pending is not applied.\n"));
    }
    Ok(Exit::Done)
}

fn edit_plan(desk: &Desk, task: TaskId) -> Result {
    let Reached::Told(told) = agent::reach(&desk.home, task, &Asked::Plan)? else {
        return Err(not_at_work(desk, task)?);
    };
    if told.plan.steps.is_empty() {
        return Err(Failure::failed(format!(
            "task {task} has no plan yet. Say what you want with: deskhand steer {task} WORDS"
        )));
    }
    let text = format!("# A line a step. [ ] open  [>] being done  [x] done  [-] left out\n{}", told.plan.text());
    let edited = person::edit(&text).map_err(Failure::failed)?;
    let plan = told.plan.edited(&edited).map_err(Failure::failed)?;
    if plan == told.plan {
        output::text("Nothing was changed in the plan.\n");
        return Ok(Exit::Done);
    }
    ask(desk, task, &Asked::SetPlan { of: told.plan, plan }, "The plan is taken up at the next step")
}

fn ask(desk: &Desk, task: TaskId, asked: &Asked, said: &str) -> Result {
    match agent::reach(&desk.home, task, asked)? {
        Reached::Told(told) => tell(desk, task, told, said),
        Reached::NotAtWork => Err(not_at_work(desk, task)?),
    }
}

/// Say what a task has answered.
fn tell(desk: &Desk, task: TaskId, told: Told, said: &str) -> Result {
    if desk.json {
        print_json("steered", &json!({"task": task, "done": told.done, "reason": told.reason}));
    } else if told.done {
        output::text(&format!("{}\n", show::sentence(said)));
    }
    if told.done { Ok(Exit::Done) } else { Err(Failure::failed(told.reason)) }
}

/// Why nobody hears.
fn not_at_work(desk: &Desk, task: TaskId) -> Result<Failure> {
    Ok(match desk.records()?.task(task)? {
        None => Failure::usage(format!("there is no task {task}. `deskhand tasks` lists them")),
        Some(_) if deskhand_tasks::queue::of(desk.records()?, task)?.is_some() => Failure::failed(format!(
            "task {task} waits for its turn, so there is nothing yet that could be steered. Go on with it here: deskhand resume {task} WORDS"
        )),
        Some(_) => match crate::task::outcome(desk.records()?, task)?.as_deref() {
            Some(outcome) if is_over(outcome) => Failure::failed(format!(
                "task {task} is over. Follow up on it with: deskhand run --continue {task} REQUEST"
            )),
            _ => Failure::failed(format!("task {task} is not at work. Go on with it: deskhand resume {task}")),
        },
    })
}
