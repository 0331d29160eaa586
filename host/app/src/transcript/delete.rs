//! Destroying what a task was about: its contents and those of its sub-agents, under their keys, and the notes that it made.
//! That it happened stays on record.

use super::command::Delete;
use crate::{
    agent::Owner,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    sandbox::kept,
    show::{self, counted, line},
};
use deskhand_records::{ImportedId, Records};
use deskhand_vocabulary::{TaskId, text::shortened};
use deskhand_workspace::History;

/// So many tasks are looked at together.
const PAGE: u64 = 200;
/// So much of a request is shown, in characters.
const REQUEST: usize = 100;

/// The tasks of the sub-agents of a task, and of theirs, the oldest first. Those that are forgotten are not known any more.
pub(crate) fn agents_of(records: &Records, task: TaskId) -> Result<Vec<TaskId>> {
    // a sub-agent begins after whom it works for
    let mut later = Vec::new();
    let mut before = None;
    loop {
        let page = records.tasks_before(before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        let done = last.id <= task;
        later.extend(page.into_iter().filter(|one| one.id > task));
        if done {
            break;
        }
    }
    let mut found = Vec::new();
    for one in later.into_iter().rev() {
        let of = one.content.and_then(|content| content["part-of"].as_u64()).map(TaskId);
        if of.is_some_and(|of| of == task || found.contains(&of)) {
            found.push(one.id);
        }
    }
    Ok(found)
}

/// Destroy the names and contents of a task and of its sub-agents, with what its programs wrote and is pending. Safe to repeat.
pub(crate) fn forget(desk: &Desk, task: TaskId) -> Result<()> {
    let records = desk.records()?;
    for agent in agents_of(records, task)? {
        records.forget_task(agent)?;
    }
    kept(desk, task).clear().map_err(|error| {
        Failure::failed(format!("what the programs of task {task} wrote could not be removed: {error}. Try again"))
    })?;
    records.forget_task(task)?;
    Ok(())
}

/// `deskhand task delete`
pub(super) fn delete(desk: &Desk, task: TaskId, options: &Delete) -> Result {
    let records = desk.records()?;
    let known = records.task(task)?;
    let known = known.ok_or_else(|| Failure::usage(format!("there is no task {task}. `deskhand tasks` lists them")))?;
    // nobody goes on with it meanwhile
    let Some(_owner) = Owner::hold(&desk.home, task)? else {
        return Err(Failure::usage(format!("task {task} is at work. End it first: deskhand cancel {task}")));
    };
    let notes = records.memory().of_task(task)?;
    if known.forgotten && (notes.is_empty() || !options.notes) {
        output::text(&format!("What task {task} was about is destroyed already.\n"));
        return Ok(Exit::Done);
    }
    let asked = known.content.as_ref().and_then(|content| content["request"].as_str());
    let asked = asked.map(|asked| format!(" (“{}”)", line(&shortened(asked, REQUEST)))).unwrap_or_default();
    let question = format!(
        "Destroy all that is kept of task {task}{asked}: what was said, read and done? It cannot be brought back. That it \
         happened stays on record.{}{}",
        changes(desk, task)?,
        remembered(notes.len(), options.notes)
    );
    if let Some(exit) = desk.confirm(question, "nothing was destroyed", options.yes)? {
        return Ok(exit);
    }
    if options.notes {
        records.memory().forget(&notes.iter().map(|note| note.id).collect::<Vec<_>>())?;
    }
    forget(desk, task)?;
    output::text(&format!("What task {task} was about is destroyed. What is left of it: deskhand log --task {task}\n"));
    Ok(Exit::Done)
}

/// What becomes of what it changed.
fn changes(desk: &Desk, task: TaskId) -> Result<String> {
    let listed = History::new(&desk.home).list().map_err(Failure::failed)?;
    // what took one of them back tells of it too, and is later
    let mut told = Vec::new();
    for one in listed.iter().rev() {
        if one.task == Some(task) || one.undoes.is_some_and(|undone| told.contains(&undone)) {
            told.push(one.commit);
        }
    }
    let commits: Vec<String> = told.iter().map(ToString::to_string).collect();
    if commits.is_empty() {
        return Ok(String::new());
    }
    let given_up = commits.iter().map(|commit| format!(" --commit {commit}")).collect::<String>();
    let what = if commits.len() == 1 { "commit" } else { "commits" };
    Ok(format!(
        " What it changed stays and can still be undone ({what} {}). For that, your request, the names of what it changed and \
         the old versions stay; they go with: deskhand purge --names{given_up}.",
        show::list(&commits)
    ))
}

/// What becomes of the notes that were made in it.
fn remembered(notes: usize, forgotten: bool) -> String {
    let count = counted(notes as u64, "note");
    match (notes, forgotten) {
        (0, _) => String::new(),
        (_, true) => format!(" {count} that it remembered are forgotten."),
        (_, false) => format!(" {count} that it remembered stay; --notes takes them along."),
    }
}

/// The same for an imported one.
pub(super) fn delete_imported(desk: &Desk, id: ImportedId, options: &Delete) -> Result {
    let question = format!("Delete the imported task {id}? It cannot be brought back from here.");
    let records = desk.records()?;
    if records.imported_task(id)?.is_none() {
        return Err(Failure::usage(format!("there is no imported task {id}. `deskhand task imported` lists them")));
    }
    if let Some(exit) = desk.confirm(question, "nothing was deleted", options.yes)? {
        return Ok(exit);
    }
    records.delete_imported_task(id)?;
    output::text(&format!("The imported task {id} is deleted.\n"));
    Ok(Exit::Done)
}
