//! What a task came to, from what the log says of it.

use crate::{
    commands::change::unanswered,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    person::print_json,
    show::{self, line},
};
use deskhand_permissions::{Standing, rules::name};
use deskhand_records::{Recorded, Records, Subscription, to_json_line};
use deskhand_runtime::{Body, Content, Reply};
use deskhand_vocabulary::{Action, Change, CommitId, Event, LogError, TaskId};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// What the log says of this task while it runs: what was committed, for the summary; and every line, for a program.
#[derive(Default)]
pub(crate) struct Seen {
    said: Arc<Mutex<Said>>,
    /// None where it is told by who reads the log.
    _subscription: Option<Subscription>,
}

#[derive(Default)]
struct Said {
    /// Commits whose beginning is on record.
    begun: Vec<CommitId>,
    commits: Vec<Committed>,
    /// How the last plan was turned down, if it was.
    turned_down: Option<Exit>,
    /// What nobody was there to be asked about.
    unasked: Option<Action>,
}

struct Committed {
    commit: CommitId,
    outcome: String,
    done: show::Done,
}

impl Committed {
    /// From what is on record of it.
    fn of(commit: CommitId, outcome: &str, applied: u64, content: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refused = content["refused"].as_array().into_iter().flatten().map(|one| {
            let change: Option<Change> = serde_json::from_value(one["change"].clone()).ok();
            let path = change.as_ref().and_then(Change::subject).map(ToString::to_string);
            (path.unwrap_or_default(), text(&one["reason"]))
        });
        let done = show::Done {
            applied,
            made: serde_json::from_value(content["made"].clone()).unwrap_or_default(),
            refused: refused.collect(),
            warnings: content["warnings"].as_array().into_iter().flatten().map(text).collect(),
        };
        Self { commit, outcome: outcome.to_owned(), done }
    }

    fn is_applied(&self) -> bool {
        self.outcome == "applied"
    }
}

impl Seen {
    pub(crate) fn watch(records: &Records, task: TaskId, json: bool) -> Self {
        let said = Arc::new(Mutex::new(Said::default()));
        let seen = Arc::clone(&said);
        let subscription = records.subscribe(move |recorded: &Recorded| {
            if recorded.task != Some(task) {
                return;
            }
            if json {
                output::text(&format!("{}\n", to_json_line(recorded)));
            }
            seen.lock().unwrap_or_else(PoisonError::into_inner).take(recorded);
        });
        Self { said, _subscription: Some(subscription) }
    }

    /// Take in an event of the task, for who reads the log.
    pub(crate) fn take(&self, recorded: &Recorded) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take(recorded);
    }

    pub(crate) fn has_applied(&self) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).commits.iter().any(Committed::is_applied)
    }

    /// What is said where the log could not be written to the end of the task.
    pub(crate) fn unended(&self, error: LogError) -> Failure {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.begun.last() {
            None => error.into(),
            Some(commit) => unended(*commit, &error),
        }
    }

    /// Say what came of it, after what a plugin has to show.
    pub(crate) fn finish(&self, desk: &Desk, reply: Option<&Reply>, standing: Standing) -> Result {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let commits = &said.commits;
        let exit = said.exit(desk.stop.is_stopped());
        if desk.json {
            if let Some(reply) = reply {
                print_json("reply", &json!({"show": reply.show}));
            }
            return Ok(exit);
        }
        for content in reply.iter().flat_map(|reply| &reply.show) {
            output::text(&shown(content));
        }
        for commit in commits {
            match commit.outcome.as_str() {
                "applied" | "nothing" => output::text(&commit.done.text(commit.commit)),
                "rolled-back" if desk.stop.is_stopped() => {}
                "rolled-back" => output::text(&commit.done.taken_back()),
                _ => {}
            }
        }
        match exit {
            Exit::Unanswered => output::aside(&unanswered(said.unasked.as_ref(), standing)),
            Exit::Declined => output::text("Nothing was changed.\n"),
            Exit::Stopped if reply.is_some() => output::aside(STOPPED),
            _ => {}
        }
        Ok(exit)
    }
}

/// What is said where a commit was made and the log could not be written after it.
pub(crate) fn unended(commit: CommitId, error: &LogError) -> Failure {
    Failure::failed(format!(
        "The log could not be written to the end: {}. What commit {commit} did is done, and is in its journal: see it with \
         `deskhand history {commit}`, take it back with `deskhand undo {commit}`",
        error.reason
    ))
}

/// What is said of a task that was stopped before anything of it was made.
pub(crate) const STOPPED: &str = "Stopped. Everything is as it was before.";

impl Said {
    fn take(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Decided { action, allowed, rule, .. } => {
                if let Some(exit) = turned_down(action, *allowed, rule) {
                    self.turned_down = exit;
                    self.unasked = (exit == Some(Exit::Unanswered)).then(|| action.clone());
                }
            }
            Event::CommitStarted { commit, .. } => self.begun.push(*commit),
            Event::CommitEnded { commit, outcome, applied, .. } => {
                let content = recorded.content.as_ref().unwrap_or(&Value::Null);
                self.commits.push(Committed::of(*commit, outcome, *applied, content));
            }
            _ => {}
        }
    }

    fn exit(&self, stopped: bool) -> Exit {
        let applied = self.commits.iter().any(Committed::is_applied);
        let refused = self.commits.iter().any(|commit| !commit.done.refused.is_empty());
        match self.turned_down {
            _ if applied && refused => Exit::Partial,
            _ if applied => Exit::Done,
            _ if stopped => Exit::Stopped,
            Some(exit) => exit,
            // it was agreed to, and taken back or refused as a whole
            None if !self.commits.is_empty() => Exit::Failed,
            None => Exit::Done,
        }
    }
}

/// How a decision about a plan ends the task: nothing to say of it if it is about something else, and no end if allowed.
fn turned_down(action: &Action, allowed: bool, rule: &str) -> Option<Option<Exit>> {
    if !matches!(action, Action::ChangeFolder { .. } | Action::ChangeSensitive { .. } | Action::RemoveFiles { .. }) {
        return None;
    }
    Some(match rule {
        _ if allowed => None,
        name::ABSENT => Some(Exit::Unanswered),
        name::DECLINED => Some(Exit::Declined),
        name::STOPPED => Some(Exit::Stopped),
        // unless the edited plan is decided on after this, nothing was left of it
        name::EDITED => Some(Exit::Declined),
        _ => Some(Exit::Denied),
    })
}

fn shown(content: &Content) -> String {
    match &content.body {
        Body::Text(text) => format!("{}\n", show::lines(text.trim_end())),
        Body::Bytes(bytes) => format!("({}, {})\n", line(&content.media_type), show::bytes(bytes.len() as u64)),
        Body::Uri(uri) => format!("{}\n", line(uri)),
    }
}
