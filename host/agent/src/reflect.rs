//! The look back: what was done, from what tools and commits came to and not from what the model says of it, beside what
//! was asked for. What does not fit is handed to the model before it may finish, and told to the person if it stays so.

use crate::{
    plan::{Plan, State},
    tool::{Outcome, Output},
};
use deskhand_models::Call;
use deskhand_vocabulary::text::shortened;
use std::{fmt::Write as _, time::Duration};

/// What a task does to the world, beside what its tools answer.
pub trait Effects: Send + Sync {
    /// Show what is pending to the person, and make it if they agree. Blocks: it is called on a thread that may wait.
    fn settle(&self) -> Settled;

    /// Take back the question that stands, if one does: the person has ended the task elsewhere. No other is asked.
    fn withdraw(&self);

    /// How many bytes left the machine for this task until now.
    fn bytes_out(&self) -> u64;

    /// How long the person was waited for until now. It is no time at work.
    fn waited(&self) -> Duration;
}

/// What became of the changes of a task when they were shown to the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What became of them.
    pub state: SettledState,
    /// How many were made.
    pub applied: u64,
    /// Those that were not, each with the reason.
    pub refused: Vec<(String, String)>,
}

/// See [`Settled`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SettledState {
    /// There were none.
    #[default]
    Nothing,
    /// They were made, but for what was refused.
    Applied,
    /// The person said no. Nothing was changed and nothing is pending.
    Declined,
    /// They wait for a person who is not there.
    Parked,
    /// The person ended the task instead of an answer. All of them are still pending.
    Stopped,
    /// They could not be made; the reason is the one refused.
    Failed,
}

impl SettledState {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Applied => "applied",
            Self::Declined => "declined",
            Self::Parked => "parked",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// What went on in a task, as far as it came to nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doings {
    /// Calls that came to nothing and were not made again with success.
    failed: Vec<Nought>,
    /// Calls that wait for a person, a line each.
    parked: Vec<String>,
    /// Calls that waited for a person before the task went on, and were not made again.
    waited: Vec<Call>,
    /// What could not be taken up again after a crash.
    lost: Vec<String>,
}

/// A call that came to nothing.
#[derive(Clone, Debug)]
struct Nought {
    tool: String,
    /// What it was about; none where another way may do as well: it was not there, or the tool is about nothing of its own.
    about: Option<String>,
    reason: String,
}

impl Nought {
    /// True if this call has done what that one could not.
    fn is_made_good(&self, call: &Call) -> bool {
        self.tool == call.name && (self.about.is_none() || self.about.as_deref() == about(call))
    }

    fn told(&self) -> String {
        format!("`{}` came to nothing: {}", self.tool, self.reason)
    }
}

/// The one thing that a call is about: a file or a page.
fn about(call: &Call) -> Option<&str> {
    let input = call.input.as_ref().ok()?;
    input["path"].as_str().or_else(|| input["url"].as_str())
}

impl Doings {
    /// A call has ended.
    pub(crate) fn ended(&mut self, call: &Call, output: &Output) {
        // whatever became of it, it was made again: as it was, or as the model thinks of it now
        let same = self.waited.iter().position(|waited| waited.name == call.name && waited.input == call.input);
        let alike = || self.waited.iter().position(|waited| waited.name == call.name);
        if let Some(again) = same.or_else(alike) {
            self.waited.remove(again);
        }
        match output.outcome {
            Outcome::Done => self.failed.retain(|nought| !nought.is_made_good(call)),
            Outcome::Parked => self.wait(format!("`{}`: {}", call.name, output.gist())),
            Outcome::Failed | Outcome::NotFound | Outcome::Denied | Outcome::Stopped | Outcome::Unknown => {
                let about = about(call).filter(|_| output.outcome != Outcome::NotFound);
                self.failed.push(Nought {
                    tool: call.name.clone(),
                    about: about.map(str::to_owned),
                    reason: output.gist(),
                });
            }
        }
    }

    /// Nothing yet but what was lost before.
    pub(crate) fn lost(lines: &[String]) -> Self {
        Self { lost: lines.to_vec(), ..Self::default() }
    }

    /// A call had waited for a person. It is for the model to make it again.
    pub(crate) fn waited(&mut self, call: &Call) {
        self.waited.push(call.clone());
    }

    /// Something waits for a person.
    pub(crate) fn wait(&mut self, line: String) {
        self.parked.push(line);
    }

    /// What waits for a person, a line each.
    pub(crate) fn parked(&self) -> &[String] {
        &self.parked
    }
}

/// What is not as it should be at the end, a line each; nothing if all is.
pub(crate) fn amiss(plan: &Plan, doings: &Doings, settled: &Settled) -> Vec<String> {
    let mut lines = Vec::new();
    match settled.state {
        SettledState::Nothing | SettledState::Applied | SettledState::Parked | SettledState::Stopped => {}
        SettledState::Declined => lines.push("The person declined the changes: none was made.".to_owned()),
        SettledState::Failed => lines.push("The changes could not be made: none was.".to_owned()),
    }
    lines.extend(settled.refused.iter().map(|(what, reason)| format!("Not changed: {what} ({reason})")));
    for (number, step) in plan.open() {
        lines.push(format!("Step {number} is not done: {}", step.text));
    }
    for (number, step) in (1..).zip(&plan.steps) {
        let how = match step.state {
            State::Failed => "failed",
            State::Skipped => "was left out",
            State::Open | State::Doing | State::Done => continue,
        };
        let mut line = format!("Step {number} {how}: {}", step.text);
        if !step.note.is_empty() {
            let _ = write!(line, " ({})", step.note);
        }
        lines.push(line);
    }
    lines.extend(doings.lost.iter().map(|line| format!("Not pending any more since Deskhand had ended: {line}")));
    lines.extend(doings.failed.iter().map(Nought::told));
    lines.extend(doings.waited.iter().map(|call| {
        let input = call.input.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("`{}` had waited for the person and was not made again: {}", call.name, shortened(&input, 200))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Step;
    use serde_json::json;

    fn call(tool: &str) -> Call {
        Call { id: "1".to_owned(), name: tool.to_owned(), input: Ok(json!({})) }
    }

    #[test]
    fn nothing_is_amiss_where_all_was_done() {
        let done = Step { text: "a".to_owned(), state: State::Done, note: String::new() };
        let mut doings = Doings::default();
        let read = |path: &str| Call { input: Ok(json!({ "path": path })), ..call("read") };
        // another name was right; the second time it worked
        doings.ended(&read("a"), &Output::not_done(Outcome::NotFound, "not there"));
        doings.ended(&read("b"), &Output::not_done(Outcome::Failed, "locked"));
        doings.ended(&read("b"), &Output::done("text"));
        doings.ended(&call("grep"), &Output::not_done(Outcome::Failed, "no pattern"));
        doings.ended(&call("grep"), &Output::done("text"));
        let settled = Settled { state: SettledState::Applied, applied: 3, refused: Vec::new() };
        assert_eq!(amiss(&Plan { steps: vec![done] }, &doings, &settled), Vec::<String>::new());
    }

    #[test]
    fn all_that_is_amiss_is_named() {
        let step = |text: &str, state, note: &str| Step { text: text.to_owned(), state, note: note.to_owned() };
        let steps = vec![step("sort", State::Open, ""), step("mail", State::Skipped, "no account")];
        let mut doings = Doings::default();
        doings.ended(&call("move"), &Output::not_done(Outcome::Denied, "not granted"));
        let read = |path: &str| Call { input: Ok(json!({ "path": path })), ..call("read") };
        doings.ended(&read("a.heic"), &Output::not_done(Outcome::Failed, "a.heic is no text"));
        // another file says nothing of that one
        doings.ended(&read("b.txt"), &Output::done("text"));
        let refused = vec![("Files/a".to_owned(), "it has changed".to_owned())];
        let settled = Settled { state: SettledState::Applied, applied: 1, refused };
        let expected = [
            "Not changed: Files/a (it has changed)",
            "Step 1 is not done: sort",
            "Step 2 was left out: mail (no account)",
            "`move` came to nothing: not granted",
            "`read` came to nothing: a.heic is no text",
        ];
        assert_eq!(amiss(&Plan { steps }, &doings, &settled), expected);
    }
}
