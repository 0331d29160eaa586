//! From a pending set to a decision and, if the person agrees, to the disk. The one way there.

use crate::{
    commit::Commit,
    error::{CommitError, WorkspaceError},
    planning,
    workspace::{Permits, Workspace},
};
use deskhand_permissions::{
    Context, Gate, Permit, Refused, Standing,
    effect::{ApplyPlan, ChangeSensitive, Effect, NotAPlan, RemoveFiles},
};
use deskhand_vocabulary::{
    Action, CommitId, Entry, Event, LogError, Notice, Person, Plan, Principal, Progress, Stop, Unanswered,
};
use std::sync::Arc;

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was applied, but for what was refused.
    Applied,
    /// The person said no, and nothing is pending; or they stopped it, and all of it still is. Nothing was changed.
    Cancelled,
    /// It waits for a person who is not there. Nothing was changed; all of it is still pending.
    Parked,
}

impl State {
    /// The name in `deskhand:plugin`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Cancelled => "cancelled",
            Self::Parked => "parked",
        }
    }
}

/// A decision and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Applied, cancelled or parked.
    pub state: State,
    /// True if the person said neither yes nor no, but stopped it.
    pub stopped: bool,
    /// What nobody was there to be asked about, if it is parked.
    pub unasked: Option<Action>,
    /// What `deskhand undo` takes, if something was applied.
    pub commit: Option<CommitId>,
    /// The commit as it went, if there was one.
    pub done: Option<Commit>,
    /// For a plugin: `{"applied": n, "refused": [{"change", "kind", "source", "target", "reason"}], "rolled-back": bool,
    /// "reason": text}`.
    pub outcome: serde_json::Value,
}

/// Why a proposal came to no decision.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The set could not be made a plan.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// It is not allowed.
    #[error(transparent)]
    Refused(Refused),
    /// It could not be applied. Nothing was changed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The plan names what the task has not.
    #[error(transparent)]
    NotAPlan(#[from] NotAPlan),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Show the pending set as a plan, have it decided, and apply it: by the gate for the plan as a whole, for what can make
/// something run, and for removals. An edited plan is checked and shown again. What cannot be made as things are is shown as
/// that, and is no part of what is decided.
pub fn propose(
    workspace: &Workspace,
    gate: &Gate,
    context: &Context,
    person: &dyn Person,
    title: &str,
    view: serde_json::Value,
    stop: &Stop,
) -> Result<Decision, ProposeError> {
    let plan = || workspace.plan(title, context.principal.clone(), view.clone());
    decide(workspace, gate, context, person, &plan, stop)
}

/// [`propose`], with the plan made by `plan`, anew after each edit.
pub(crate) fn decide(
    workspace: &Workspace,
    gate: &Gate,
    context: &Context,
    person: &dyn Person,
    plan: &dyn Fn() -> Result<Arc<Plan>, WorkspaceError>,
    stop: &Stop,
) -> Result<Decision, ProposeError> {
    let mut current = plan()?;
    record(workspace, person, &current)?;
    person.show(&current);
    loop {
        if current.feasible().next().is_none() {
            // there is nothing to agree to: it is put on record that nothing was made, and why
            return Ok(applied(workspace, workspace.apply(&current, &|_, _| {}, stop)?));
        }
        let permits = match permits(workspace, gate, context, &current) {
            Ok(permits) => permits,
            Err(Stopped::Edited(text)) => {
                match workspace.edit(&current, &text) {
                    Ok(()) => match plan() {
                        Ok(edited) => {
                            current = edited;
                            record(workspace, person, &current)?;
                            person.show(&current);
                        }
                        Err(WorkspaceError::Nothing) => return Ok(cancelled(workspace, "no change was left")),
                        Err(error) => return Err(error.into()),
                    },
                    Err(problems) => {
                        let lines: Vec<String> =
                            problems.iter().take(20).map(|problem| format!("{problem}.")).collect();
                        let more = problems.len().saturating_sub(lines.len());
                        let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
                        person.tell(&Notice {
                            origin: Principal::Person,
                            text: format!("Nothing of the edit was taken:\n{}{more}", lines.join("\n")),
                        });
                    }
                }
                continue;
            }
            Err(Stopped::No) => return Ok(cancelled(workspace, "you declined")),
            Err(Stopped::Broken) => return Ok(stopped()),
            Err(Stopped::Nobody(unasked)) => return Ok(parked(unasked.map(|action| *action))),
            Err(Stopped::Error(error)) => return Err(error),
        };
        let progress = |done: u64, total: u64| {
            if done == total || done.is_multiple_of((total / 200).max(1)) {
                person.progress(&Progress {
                    origin: Principal::Person,
                    text: "Applying".to_owned(),
                    done: Some(done),
                    total: Some(total),
                });
            }
        };
        return match workspace.commit(&current, permits, &progress, stop) {
            Ok(commit) => Ok(applied(workspace, commit)),
            Err(CommitError::Stopped) => Ok(stopped()),
            Err(error) => Err(error.into()),
        };
    }
}

/// Put a plan on the record. While a person looks at it, it can be written; a program is told what is written first.
fn record(workspace: &Workspace, person: &dyn Person, plan: &Plan) -> Result<(), LogError> {
    let shared = &workspace.shared;
    let content = shared.task.map(|_| {
        serde_json::json!({
            "plan": {
                "title": plan.title,
                "origin": plan.origin,
                "view": plan.view,
                // a line each: a plan of a hundred thousand changes is a large document already
                "changes": serde_json::Value::Array(planning::lines(plan).map(serde_json::Value::String).collect()),
            }
        })
    });
    let event = Event::Proposed {
        plan: plan.digest,
        changes: plan.changes.len() as u64,
        removals: plan.removals().count() as u64,
    };
    let entry = Entry { task: shared.task, event, content };
    if person.present() {
        shared.log.queue(entry);
        return Ok(());
    }
    shared.log.append(entry).map(|_| ())
}

/// Why there are no permits.
enum Stopped {
    Edited(String),
    No,
    Broken,
    Nobody(Option<Box<Action>>),
    Error(ProposeError),
}

fn permits(workspace: &Workspace, gate: &Gate, context: &Context, plan: &Arc<Plan>) -> Result<Permits, Stopped> {
    let folders = workspace.folder_map();
    let not_a_plan = |error: NotAPlan| Stopped::Error(error.into());
    let apply = ask(gate, context, ApplyPlan::of(Arc::clone(plan), &folders).map_err(not_a_plan)?)?;
    let sensitive = match plan.sensitive().next() {
        Some(_) => Some(ask(gate, context, ChangeSensitive::of(Arc::clone(plan), &folders).map_err(not_a_plan)?)?),
        None => None,
    };
    // what was said of removals in advance was said of what can be brought back
    let unsaid = Context { standing: Standing { removals: 0, ..context.standing }, ..context.clone() };
    let context = if plan.beyond.is_some() { &unsaid } else { context };
    let remove = match plan.losses().next() {
        Some(_) => Some(ask(gate, context, RemoveFiles::of(Arc::clone(plan), &folders).map_err(not_a_plan)?)?),
        None => None,
    };
    Ok(Permits { apply, remove, sensitive })
}

fn ask<E: Effect>(gate: &Gate, context: &Context, effect: E) -> Result<Permit<E>, Stopped> {
    let action = effect.actions().into_iter().next();
    gate.permit(context, effect).map_err(|refused| match refused {
        Refused::Edited(text) => Stopped::Edited(text),
        Refused::Declined => Stopped::No,
        Refused::Unanswered(Unanswered::Stopped) => Stopped::Broken,
        Refused::Unanswered(Unanswered::Absent) => Stopped::Nobody(action.map(Box::new)),
        other => Stopped::Error(ProposeError::Refused(other)),
    })
}

fn cancelled(workspace: &Workspace, reason: &str) -> Decision {
    workspace.discard();
    unmade(State::Cancelled, false, reason)
}

fn stopped() -> Decision {
    unmade(State::Cancelled, true, "stopped by you")
}

fn parked(unasked: Option<Action>) -> Decision {
    let reason = "it waits for your answer; run it in a terminal, or answer in advance";
    Decision { unasked, ..unmade(State::Parked, false, reason) }
}

fn unmade(state: State, stopped: bool, reason: &str) -> Decision {
    let outcome = serde_json::json!({ "applied": 0, "refused": [], "rolled-back": false, "reason": reason });
    Decision { state, stopped, unasked: None, commit: None, done: None, outcome }
}

fn applied(workspace: &Workspace, commit: Commit) -> Decision {
    let refused: Vec<serde_json::Value> = commit
        .refused
        .iter()
        .map(|(change, reason)| {
            serde_json::json!({
                "change": change.id,
                "kind": change.kind.name(),
                "source": change.source,
                "target": change.target,
                "reason": reason,
            })
        })
        .collect();
    let state = if commit.rolled_back {
        workspace.discard();
        State::Cancelled
    } else {
        State::Applied
    };
    let reason = commit.warnings.first().cloned().unwrap_or_default();
    let outcome = serde_json::json!({
        "applied": commit.applied,
        "refused": refused,
        "rolled-back": commit.rolled_back,
        "reason": reason,
    });
    let id = (state == State::Applied && commit.applied > 0).then_some(commit.id);
    Decision { state, stopped: false, unasked: None, commit: id, done: Some(commit), outcome }
}
