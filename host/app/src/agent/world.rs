//! What the task of an agent does to the world: its pending changes, shown to the person and made, and what leaves the
//! computer.

use crate::{
    mcp::Servers,
    outgoing::Outgoing,
    person::Waiting,
    show::{
        counted,
        difference::{self, Written},
    },
    task::written,
    vm::Shelter,
};
use deskhand_agent::{Effects, Settled, reflect::SettledState};
use deskhand_confine::Kept;
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::{Change, ChangeKind, FilePath, Person, Stop, text};
use deskhand_workspace::{Commit, State, Workspace, propose};
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
    /// The changes that were not made, each with why.
    fn refused(&self, done: Commit, written: &[Written]) -> Vec<(String, String)> {
        let stayed = Stayed::of(&done);
        done.refused.into_iter().map(|(change, reason)| self.refusal(&change, reason, written, &stayed)).collect()
    }

    /// Why a change was not made. Where a file has another version now than it was written for, both are shown.
    fn refusal(&self, change: &Change, reason: String, written: &[Written], stayed: &Stayed) -> (String, String) {
        let subject = change.subject().map(ToString::to_string).unwrap_or_default();
        let file = written.iter().find(|file| change.target.as_ref() == Some(&file.path));
        let both = file.filter(|_| change.kind == ChangeKind::Write).and_then(|file| {
            let now = self.workspace.read_as_it_lies(stayed.place(file), difference::LONGEST + 1).ok()?;
            difference::difference(&now, file.after.as_deref()?)
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
                let [removed, most] = [removed, most].map(|count| counted(count, "removal"));
                return failed(format!("they would make {removed}, and the budget of this task is {most}"));
            }
        }
        let title = text::shortened(&self.title, TITLE);
        let person = self.person.as_ref();
        let written = match written(&self.workspace, self.context.principal.clone()) {
            Ok(written) => written,
            Err(error) => return failed(error.to_string()),
        };
        let view = difference::view(&written);
        match propose(&self.workspace, &self.gate, &self.context, person, &title, view, &self.stop) {
            Ok(decision) => {
                let state = match (decision.state, &decision.done) {
                    _ if decision.stopped => SettledState::Stopped,
                    (State::Applied, _) => SettledState::Applied,
                    (State::Parked, _) => SettledState::Parked,
                    (State::Cancelled, Some(done)) if done.rolled_back => SettledState::Failed,
                    (State::Cancelled, _) => SettledState::Declined,
                };
                let told = decision.done.map(|done| (done.applied, self.refused(done, &written)));
                let (applied, refused) = told.unwrap_or_default();
                Settled { state, applied, refused }
            }
            Err(error) => failed(error.to_string()),
        }
    }
}

/// What a commit was to move and did not.
struct Stayed {
    /// True where it was taken back.
    all: bool,
    sources: Vec<FilePath>,
}

impl Stayed {
    fn of(done: &Commit) -> Self {
        let moves = done.refused.iter().filter(|(change, _)| change.kind == ChangeKind::Move);
        Self { all: done.rolled_back, sources: moves.filter_map(|(change, _)| change.source.clone()).collect() }
    }

    /// Where the file lies now that was to be written over.
    fn place<'w>(&self, file: &'w Written) -> &'w FilePath {
        let stayed = |over: &FilePath| {
            let holds = |source: &FilePath| source.folder == over.folder && over.path.is_within(&source.path);
            self.all || self.sources.iter().any(holds)
        };
        match &file.over {
            Some((over, _)) if stayed(over) => over,
            _ => &file.path,
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
