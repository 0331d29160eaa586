//! What the task of an agent does to the world: its pending changes, shown to the person and made, and what leaves the
//! computer.

use crate::{
    mcp::Servers,
    outgoing::Outgoing,
    person::Waiting,
    show::difference,
    task::{Written, written},
    vm::Shelter,
};
use deskhand_agent::{Effects, Settled, reflect::SettledState};
use deskhand_confine::Kept;
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::{Change, ChangeKind, Person, Stop, text};
use deskhand_workspace::{State, Workspace, propose};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// The longest title of a plan, in characters.
const TITLE: usize = 120;

/// The most rows of two versions that are shown.
const ROWS: usize = 40;

/// See the module.
pub(super) struct World {
    pub(super) workspace: Workspace,
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) person: Arc<dyn Person>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) stop: Stop,
    /// Ends the questions to the person.
    pub(super) asking: Stop,
    pub(super) outgoing: Outgoing,
    pub(super) servers: Servers,
    pub(super) handle: Handle,
    /// What was written in sandboxes and is pending.
    pub(super) kept: Kept,
    /// Where commands run; nowhere for a command that the person called.
    pub(super) shelter: Option<Arc<Shelter>>,
    /// What the person asked for.
    pub(super) title: String,
    /// The most files that may be removed.
    pub(super) removals: Option<u64>,
}

impl World {
    /// Why a change was not made. Where a file has another version now than it was written for, both are shown.
    fn refused(&self, change: &Change, reason: String, written: &[Written]) -> (String, String) {
        let subject = change.subject().map(ToString::to_string).unwrap_or_default();
        let both = change.target.as_ref().filter(|_| change.kind == ChangeKind::Write).and_then(|target| {
            let (_, _, meant) = written.iter().find(|(path, ..)| *path == target.to_string())?;
            let now = self.workspace.read_as_it_lies(target, difference::LONGEST + 1).ok()?;
            difference::difference(Some(&now), meant.as_deref()?)
        });
        let reason = match both.filter(|both| !both.is_empty()) {
            Some(both) => {
                let rows: Vec<&str> = both.lines().collect();
                let more = if rows.len() > ROWS { "\n…" } else { "" };
                let rows = rows[..rows.len().min(ROWS)].join("\n");
                format!("{reason}. As it is now (-) and as this task would have it (+):\n{rows}{more}")
            }
            None => reason,
        };
        (subject, reason)
    }

    /// Have what is pending decided, and made.
    fn decided(&self) -> Settled {
        if self.workspace.is_unchanged() {
            return Settled::default();
        }
        let failed = |reason: String| Settled {
            state: SettledState::Failed,
            applied: 0,
            refused: vec![("the changes".to_owned(), reason)],
        };
        if let Some(most) = self.removals {
            let removed = match self.workspace.plan("", self.context.principal.clone(), json!({})) {
                Ok(plan) => plan.removals().map(|change| change.files.max(1)).sum::<u64>(),
                Err(error) => return failed(error.to_string()),
            };
            if removed > most {
                return failed(format!(
                    "they would remove {removed} files, and the budget of this task is {most} removals"
                ));
            }
        }
        let title = text::shortened(&self.title, TITLE);
        let person = self.person.as_ref();
        let written = match written(&self.workspace, self.context.principal.clone()) {
            Ok(written) => written,
            Err(error) => return failed(error.to_string()),
        };
        let view = difference::view(written.iter().cloned());
        match propose(&self.workspace, &self.gate, &self.context, person, &title, view, &self.stop) {
            Ok(decision) => {
                let state = match (decision.state, &decision.done) {
                    _ if decision.stopped => SettledState::Stopped,
                    (State::Applied, _) => SettledState::Applied,
                    (State::Parked, _) => SettledState::Parked,
                    (State::Cancelled, Some(done)) if done.rolled_back => SettledState::Failed,
                    (State::Cancelled, _) => SettledState::Declined,
                };
                let (applied, refused) = decision.done.map(|done| (done.applied, done.refused)).unwrap_or_default();
                let named = |(change, reason): (Change, String)| self.refused(&change, reason, &written);
                Settled { state, applied, refused: refused.into_iter().map(named).collect() }
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

impl Effects for World {
    fn settle(&self) -> Settled {
        // what is pending is not made beneath a program that sees it; and all that servers wrote is pending first
        let resting = self.servers.iter().map(|server| server.rest());
        self.handle.block_on(futures_util::future::join_all(resting));
        if let Some(shelter) = self.shelter.as_ref().filter(|_| !self.workspace.is_unchanged()) {
            shelter.close();
        }
        let settled = self.decided();
        if self.workspace.is_unchanged() {
            let _ = self.kept.clear(); // what is left goes with the next that is settled, or with the task
        }
        settled
    }

    fn withdraw(&self) {
        self.asking.stop();
    }

    fn bytes_out(&self) -> u64 {
        self.outgoing.sent()
    }

    fn waited(&self) -> Duration {
        self.waiting.total()
    }
}
