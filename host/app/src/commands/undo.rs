//! `deskhand undo`: takes a commit back, by the way of every other change.

use super::change::{Change, said};
use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{self, Detail, counted, line, list, path},
};
use deskhand_vocabulary::CommitId;
use deskhand_workspace::{History, Left, UndoOptions};
use serde_json::json;
use std::path::PathBuf;

pub(crate) fn run(options: &cli::Undo) -> Result {
    let desk = Desk::open_whatever(options.json)?;
    desk.stop_on_interrupt();
    desk.recover()?;
    let history = History::new(&desk.home);
    let wanted = UndoOptions {
        only: options.file.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())).collect(),
        beside: options.beside,
    };
    let commit = match options.commit {
        Some(commit) => commit,
        None => latest(&history, &wanted.only)?,
    };
    let folders = history.folders(commit).map_err(Failure::failed)?;
    if let Some(gone) = folders.iter().find(|folder| !folder.is_dir()) {
        return Err(Failure::failed(format!(
            "commit {commit} cannot be undone: its folder {} is not there. Put it back under its name, or mount its disk, then undo again",
            line(&gone.display().to_string())
        )));
    }
    Change::begin(&desk, &format!("undo {commit}"), &folders, options.answers.standing())?.end(|change| {
        let preview = history.preview(&change.workspace, commit, &wanted).map_err(Failure::failed)?;
        if !desk.json {
            let places: Vec<String> = folders.iter().map(|folder| path(folder)).collect();
            output::text(&format!("Taking back commit {commit}, in {}\n\n", list(&places)));
        }
        if options.preview {
            if desk.json {
                output::text(&format!("{}\n", json!({"plan": preview.plan, "left": preview.left})));
            } else {
                output::text(&show::plan(&preview.plan, Detail::Full));
                output::text(&left(&preview.left));
            }
            change.workspace.discard();
            return Ok(Exit::Done);
        }
        if !desk.json {
            output::text(&left(&preview.left));
        }
        let gate = desk.gate()?;
        let decision =
            history.undo(&change.workspace, gate, &change.context, desk.person.as_ref(), &preview, &desk.stop);
        let exit = said(&desk, decision, &preview.left, options.answers.standing())?;
        Ok(if exit == Exit::Done && !preview.left.is_empty() { Exit::Partial } else { exit })
    })
}

/// The last commit of which something can be undone, about these files if any are named.
fn latest(history: &History, only: &[PathBuf]) -> Result<CommitId> {
    let found = history.latest(only).map_err(Failure::failed)?;
    let damaged = history.damaged().map_err(Failure::failed)?;
    if let Some(damaged) = damaged.iter().find(|one| !one.given_up && Some(one.commit) > found) {
        let number = damaged.commit;
        return Err(Failure::failed(format!(
            "commit {number}, which came last, is damaged, so it cannot be undone. See what is known and kept of it with: deskhand history {number}; or name the one that you mean: deskhand undo NUMBER"
        )));
    }
    found.ok_or_else(|| {
        let what =
            if only.is_empty() { "There is nothing to undo" } else { "There is nothing to undo about what you named" };
        Failure::failed(format!("{what}. See what was done with: deskhand history"))
    })
}

/// What an undo leaves as it is, and why.
fn left(left: &[Left]) -> String {
    if left.is_empty() {
        return String::new();
    }
    let row = |left: &Left| {
        let (path, reason) = reason(left, "comes to");
        format!("  {} ({})\n", line(&path), line(&reason))
    };
    let shown: String = left.iter().take(20).map(row).collect();
    let more = if left.len() > 20 { format!("  … and {} more\n", left.len() - 20) } else { String::new() };
    format!("Left as it is, {}:\n{shown}{more}\n", counted(left.len() as u64, "change"))
}

/// What is left by an undo: its path, and why, with what helps. An old version that was asked for `lies` next to it.
pub(super) fn reason(left: &Left, lies: &str) -> (String, String) {
    let path = left.change.target.as_ref().or(left.change.source.as_ref()).map(ToString::to_string);
    let beside = match (&left.beside, left.offer) {
        (Some(beside), _) => format!("; its old version {lies} {beside}"),
        (None, true) => "; --beside puts its old version next to it".to_owned(),
        (None, false) => String::new(),
    };
    (path.unwrap_or_default(), format!("{}{beside}", left.reason))
}
