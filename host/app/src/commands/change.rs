//! A change that the person makes by a command of their own: its task, its folders, its summary.

use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result, refused},
    output,
    person::print_json,
    show::{Done, counted, line},
};
use deskhand_permissions::{Context, Duration, Scope, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_vocabulary::{Access, Action, Entry, Event, Log as _, LogError, TaskId, path};
use deskhand_workspace::{CommitError, Decision, Left, ProposeError, PurgeOptions, State, Workspace};
use serde_json::json;
use std::{os::unix::ffi::OsStrExt as _, path::PathBuf, sync::Arc};

/// See the module.
pub(crate) struct Change<'a> {
    desk: &'a Desk,
    task: TaskId,
    pub(crate) workspace: Workspace,
    pub(crate) context: Context,
}

impl<'a> Change<'a> {
    /// Begin a task for `request` and open these folders for it: naming what to change grants them, for this task.
    pub(crate) fn begin(desk: &'a Desk, request: &str, folders: &[PathBuf], standing: Standing) -> Result<Self> {
        let records = desk.records()?;
        let shown: Vec<String> = folders.iter().map(|folder| path::encode(folder.as_os_str().as_bytes())).collect();
        let task = records.start_task(json!({"request": request, "folders": shown}))?;
        let log = Arc::<Records>::clone(records);
        let workspace = Workspace::for_task(&desk.home, Arc::clone(&desk.clock), log, task).map_err(Failure::failed)?;
        desk.limit_kept(&workspace);
        let context = Context::person(Some(task), standing);
        let gate = desk.gate()?;
        for folder in folders {
            let open = OpenFolder::at(folder, Access::Write, &desk.home).map_err(Failure::failed)?;
            let scope = Scope::Folder { folder: open.folder().to_owned(), access: Access::Write };
            gate.grant(Some(task), scope, Duration::Task(task))?;
            workspace.add_folder(gate.permit(&context, open)?).map_err(Failure::failed)?;
        }
        Ok(Self { desk, task, workspace, context })
    }

    /// Do it, and put on record how it ended.
    pub(crate) fn end(self, work: impl FnOnce(&Self) -> Result) -> Result {
        let result = work(&self);
        let outcome = match &result {
            Ok(Exit::Declined | Exit::Unanswered) => "cancelled",
            Ok(_) => "done",
            Err(failure) if failure.exit == Exit::Stopped => "stopped",
            Err(_) => "failed",
        };
        let event = Event::TaskEnded { outcome: outcome.to_owned() };
        let entry = Entry { task: Some(self.task), event, content: None };
        if let Err(error) = self.desk.records()?.append(entry) {
            // what went wrong first says more
            return result.and_then(|exit| Err(unended(exit, error)));
        }
        self.desk.tidy()?;
        result
    }
}

/// What is said where the log could not be written to the end of a task that came to this.
fn unended(exit: Exit, error: LogError) -> Failure {
    match exit {
        Exit::Done | Exit::Partial => Failure::failed(format!(
            "The log could not be written to the end: {}. What was done is done, and is in its journal: see it with `deskhand history`",
            error.reason
        )),
        _ => error.into(),
    }
}

/// Why nothing was changed where nobody answered.
const UNANSWERED: &str = "Nobody is there to be asked, so nothing was changed. Run it in a terminal, or answer in advance with --yes (removals take --allow-removals N).";

/// Why nothing was changed where nobody answered this, and what would have answered it.
pub(crate) fn unanswered(unasked: Option<&Action>, standing: Standing) -> String {
    let changed = "so nothing was changed. Run it in a terminal";
    match unasked {
        Some(Action::RemoveFiles { count, .. }) if *count <= standing.removals => format!(
            "What would be removed or replaced takes more than is kept for undo, and nothing answers that in advance, {changed}."
        ),
        Some(Action::RemoveFiles { count, .. }) if standing.removals > 0 => format!(
            "{} would be made and you allowed {} in advance, {changed}, or allow all: --allow-removals {count}.",
            counted(*count, "removal"),
            standing.removals
        ),
        Some(Action::RemoveFiles { count, .. }) if standing.yes => format!(
            "{} would be made, which --yes does not cover, {changed}, or allow that many in advance: --allow-removals {count}.",
            counted(*count, "removal")
        ),
        Some(Action::ChangeSensitive { .. }) => {
            format!("Some of this can make something run by itself, and nothing answers that in advance, {changed}.")
        }
        _ => UNANSWERED.to_owned(),
    }
}

/// Say what came of a decision; of an undo, with what it leaves as it is.
pub(crate) fn said(
    desk: &Desk,
    decision: std::result::Result<Decision, ProposeError>,
    left: &[Left],
    standing: Standing,
) -> Result {
    let decision = decision.map_err(|error| match error {
        ProposeError::Refused(error) => Failure::new(refused(&error), error),
        ProposeError::Commit(CommitError::Stopped) => Failure::new(Exit::Stopped, "Stopped. Nothing was changed."),
        error => Failure::failed(error),
    })?;
    if desk.json {
        let left: Vec<_> = left
            .iter()
            .map(|one| {
                let Left { change, reason, offer, beside } = one;
                json!({
                    "kind": change.kind.name(), "source": change.source, "target": change.target,
                    "reason": reason, "offer": offer, "beside": beside,
                })
            })
            .collect();
        print_json(
            "decision",
            &json!({
                "state": decision.state.name(), "commit": decision.commit, "outcome": decision.outcome, "left": left,
            }),
        );
    }
    let say = |text: &str| {
        if !desk.json {
            output::text(text);
        }
    };
    match decision.state {
        State::Applied => {}
        State::Cancelled if desk.stop.is_stopped() => {
            return Err(Failure::new(Exit::Stopped, "Stopped. Everything is as it was before."));
        }
        State::Cancelled => {
            if let Some(done) = decision.done.filter(|done| done.rolled_back) {
                let reason = done.warnings.join("; ");
                return Err(Failure::failed(format!("Everything is as it was before: {reason}")));
            }
            say("Nothing was changed.\n");
            return Ok(Exit::Declined);
        }
        State::Parked => {
            return Err(Failure::new(Exit::Unanswered, unanswered(decision.unasked.as_ref(), standing)));
        }
    }
    let Some(done) = &decision.done else { return Ok(Exit::Done) };
    let shown = Done {
        applied: done.applied,
        made: done.made,
        refused: done
            .refused
            .iter()
            .map(|(change, reason)| (change.subject().map(ToString::to_string).unwrap_or_default(), reason.clone()))
            .chain(left.iter().map(|left| super::undo::reason(left, "is at")))
            .collect(),
        warnings: done.warnings.clone(),
    };
    say(&shown.text(done.id));
    Ok(if done.refused.is_empty() { Exit::Done } else { Exit::Partial })
}

impl Desk {
    /// Make whole what an interrupted process left, and say so.
    pub(crate) fn recover(&self) -> Result<()> {
        if !self.home.commits().exists() {
            return Ok(());
        }
        let log = self.records()?;
        for recovered in deskhand_workspace::recover(&self.home, log.as_ref()).map_err(Failure::failed)? {
            let how = match recovered.outcome {
                Some(deskhand_workspace::Outcome::Applied) => "it was found complete",
                Some(_) => "everything is as it was before it",
                None => "it could not be made whole yet",
            };
            output::aside(&format!("Commit {} was interrupted; {how}.", recovered.commit));
            for note in &recovered.notes {
                output::aside(&format!("  {}", line(note)));
            }
        }
        Ok(())
    }

    /// Give up what the settings no longer keep.
    pub(crate) fn tidy(&self) -> Result<()> {
        if self.slip.is_some() {
            return Ok(()); // they may say to keep more
        }
        let options = self.kept(None);
        let history = deskhand_workspace::History::new(&self.home);
        let purged = history.purge(self.records()?.as_ref(), self.clock.now(), &options).map_err(Failure::failed)?;
        if !purged.damaged.is_empty() {
            let numbers: Vec<String> = purged.damaged.iter().map(ToString::to_string).collect();
            output::aside(&format!(
                "Old versions stay longer than the settings say, because of damage to commit {}; see: deskhand doctor",
                numbers.join(", ")
            ));
        }
        if !purged.commits.is_empty() {
            output::aside(&format!(
                "Old versions of {} were given up, as the settings say ({} freed).",
                counted(purged.commits.len() as u64, "commit"),
                crate::show::bytes(purged.bytes)
            ));
        }
        Ok(())
    }

    /// Let a workspace know how much the settings keep.
    pub(crate) fn limit_kept(&self, workspace: &Workspace) {
        if let Some(quota) = self.kept(None).quota {
            workspace.keep_at_most(quota);
        }
    }

    /// What the settings keep, or what is younger than `days`.
    pub(crate) fn kept(&self, days: Option<u64>) -> PurgeOptions {
        let settings = &self.settings.undo;
        let days = days.map_or(settings.keep_days, |days| u32::try_from(days).unwrap_or(u32::MAX));
        // the default also leaves nine tenths of a small disk alone; who sets a figure means it
        let quota = (settings.keep_gib != crate::settings::Undo::default().keep_gib)
            .then(|| u64::from(settings.keep_gib) << 30);
        PurgeOptions { quota, days, ..PurgeOptions::default() }
    }
}
