//! How the task of an agent ends: what is said of it, its exit code, and the last entry of its record.

use super::budget;
use crate::{desk::Desk, exit::Exit, failure::Result, output, person::print_json, show, task::Seen};
use deskhand_agent::{Ended, Task};
use deskhand_permissions::Standing;
use deskhand_records::Records;
use deskhand_vocabulary::{Entry, Event, Log as _, TaskId};
use serde_json::json;
use std::sync::Arc;

/// See the module.
pub(super) struct Closing<'a> {
    pub(super) desk: &'a Desk,
    pub(super) records: &'a Arc<Records>,
    pub(super) task: TaskId,
    pub(super) seen: &'a Seen,
    pub(super) standing: Standing,
}

/// What is said at the end, and how it is recorded.
struct Last {
    exit: Exit,
    /// The outcome on record; none for a task that waits.
    outcome: Option<&'static str>,
    waits: Vec<String>,
    /// For the person, a line each.
    lines: Vec<String>,
}

impl Last {
    fn of(exit: Exit, outcome: &'static str, lines: impl IntoIterator<Item = String>) -> Self {
        Self { exit, outcome: Some(outcome), waits: Vec::new(), lines: lines.into_iter().collect() }
    }
}

impl Closing<'_> {
    /// Say and record how it ended.
    pub(super) fn close(&self, ended: Result<(Ended, Task)>) -> Result {
        let (ended, task) = match ended {
            Ok(ended) => ended,
            Err(failure) => {
                let said = self.seen.finish(self.desk, None, self.standing);
                let outcome = if failure.exit == Exit::Stopped { "stopped" } else { "failed" };
                self.record(Some(outcome), &[], &[show::sentence(&failure.message)])?;
                return said.and(Err(failure));
            }
        };
        let last = self.last(ended, &task);
        let seen = self.seen.finish(self.desk, None, self.standing)?;
        self.record(last.outcome, &last.waits, &last.lines)?;
        if self.desk.json {
            print_json(
                "ended",
                &json!({"task": self.task, "outcome": last.outcome.unwrap_or("parked"), "notes": last.lines}),
            );
        } else {
            for line in &last.lines {
                output::aside(&show::lines(line));
            }
        }
        self.desk.tidy()?;
        // what was done in part, declined or could not be asked says more than that the model came to its end
        Ok(if last.exit == Exit::Done { seen } else { last.exit })
    }

    fn record(&self, outcome: Option<&str>, waits: &[String], said: &[String]) -> Result<()> {
        let (event, content) = match outcome {
            Some(outcome) => {
                let content = (!said.is_empty()).then(|| json!({ "said": said }));
                (Event::TaskEnded { outcome: outcome.to_owned() }, content)
            }
            None => (Event::TaskParked, Some(json!({ "waits": waits, "said": said }))),
        };
        self.records.append(Entry { task: Some(self.task), event, content })?;
        Ok(())
    }

    fn last(&self, ended: Ended, task: &Task) -> Last {
        let number = self.task;
        let go_on = |with: &str| format!("Nothing pending is lost. Go on with: deskhand resume {number}{with}");
        match ended {
            Ended::Done { amiss, .. } if amiss.is_empty() => Last::of(Exit::Done, "done", []),
            Ended::Done { amiss, .. } => {
                let head = "Whatever the agent says, this is what Deskhand has on record:".to_owned();
                Last::of(Exit::Partial, "done", [head].into_iter().chain(amiss.iter().map(|line| format!("  {line}"))))
            }
            Ended::Parked { waits, .. } => {
                let lines = waits.iter().map(|line| show::sentence(line)).collect::<Vec<_>>();
                let advice = format!("Answer with: deskhand resume {number}");
                Last {
                    exit: Exit::Unanswered,
                    outcome: None,
                    waits,
                    lines: lines.into_iter().chain([advice]).collect(),
                }
            }
            Ended::Cancelled if self.desk.stop.is_stopped() => {
                Last::of(Exit::Stopped, "stopped", ["Stopped.".to_owned(), go_on("")])
            }
            Ended::Cancelled => {
                Last::of(Exit::Declined, "cancelled", ["Cancelled. What was still pending was not applied.".to_owned()])
            }
            Ended::UsedUp(measure, used) => {
                let more = task.limits.get(measure).unwrap_or(1).max(used).max(1).saturating_mul(2);
                let used = budget::words(measure, used);
                let most = task.limits.get(measure).map(|most| budget::words(measure, most)).unwrap_or_default();
                Last::of(
                    Exit::UsedUp,
                    "used-up",
                    [
                        format!("The budget of this task is used up: {used} of {most}."),
                        go_on(&format!(" --budget {}", budget::written(measure, more))),
                    ],
                )
            }
            Ended::Stuck(reason) => Last::of(Exit::Failed, "stuck", [reason, go_on(" \"WHAT TO DO INSTEAD\"")]),
            Ended::Refused(reason) => {
                let why = if reason.is_empty() { String::new() } else { format!(" It says: {reason}") };
                Last::of(
                    Exit::Failed,
                    "refused",
                    [format!("The model refused to go on.{why}"), go_on(" \"OTHER WORDS\"")],
                )
            }
            Ended::Failed(failure) => {
                Last::of(Exit::Failed, "failed", [show::sentence(&failure.to_string()), go_on("")])
            }
        }
    }
}
