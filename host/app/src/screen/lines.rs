//! Lines that are never taken back: for a pipe, and for a screen reader. What the model says goes to standard output, all
//! else to standard error.

use super::{call, flow::Flow, notice, steps};
use crate::{output, show};
use deskhand_agent::{
    plan::Plan,
    screen::{Screen, Seen},
    tool::Outcome,
};
use deskhand_models::Happening;
use std::sync::{Mutex, PoisonError};

/// See the module.
#[derive(Debug)]
pub(super) struct Lines(Mutex<State>);

impl Lines {
    /// With `reader`, for a screen reader: of a plan that goes on, only what has changed is said, and thinking is too.
    pub(super) fn new(reader: bool) -> Self {
        Self(Mutex::new(State::new(reader)))
    }
}

impl Screen for Lines {
    fn show(&self, seen: Seen<'_>) {
        // printed while it is held, so that lines of several calls keep their order
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for said in state.take(seen) {
            match said {
                Said::Reply(line) => output::text(&format!("{line}\n")),
                Said::Aside(lines) => output::aside(&lines),
            }
        }
    }
}

/// What is to be printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A line of what the model says.
    Reply(String),
    /// Lines beside it.
    Aside(String),
}

#[derive(Debug, Default)]
pub(super) struct State {
    reader: bool,
    text: Flow,
    plan: Plan,
    /// True once the reply that comes has said something.
    spoken: bool,
    /// True once it was said that the model thinks.
    thinking: bool,
}

impl State {
    pub(super) fn new(reader: bool) -> Self {
        Self { reader, ..Self::default() }
    }

    pub(super) fn take(&mut self, seen: Seen<'_>) -> Vec<Said> {
        let aside = |text: String| vec![Said::Aside(text)];
        match seen {
            Seen::Reply(Happening::Text(text)) => {
                self.spoken = true;
                self.text.push(text).iter().map(|line| Said::Reply(show::line(line))).collect()
            }
            Seen::Reply(Happening::Thinking(_)) if self.reader && !std::mem::replace(&mut self.thinking, true) => {
                aside("The model is thinking.".to_owned())
            }
            Seen::Reply(Happening::Retrying { attempt, tries, error, wait, .. }) => {
                let mut said = self.end();
                if std::mem::take(&mut self.spoken) {
                    said.push(Said::Aside(notice::VOID.to_owned()));
                }
                said.push(Said::Aside(format!("{}.", notice::retrying(error, *wait, attempt + 1, *tries))));
                said
            }
            Seen::Replied => {
                (self.spoken, self.thinking) = (false, false);
                self.end()
            }
            Seen::Called(called, Outcome::Done, ..) if call::is_quiet(called) => Vec::new(),
            Seen::Called(called, outcome, took, says) => {
                aside(format!("{}  {}", call::title(called), call::outcome(outcome, took, says)))
            }
            Seen::Plan(plan) => {
                let changed = steps::changed(&self.plan, plan).filter(|_| self.reader);
                let said = match changed {
                    Some(changed) => {
                        let rows = changed.into_iter().map(|(number, step)| steps::step(number, step));
                        rows.map(|row| Said::Aside(format!("Step {row}"))).collect()
                    }
                    None => aside(steps::whole(plan)),
                };
                self.plan = plan.clone();
                said
            }
            Seen::Told(words) => aside(notice::told(words)),
            Seen::Paused(true) => aside(notice::PAUSED.to_owned()),
            Seen::Paused(false) => aside(notice::GOES_ON.to_owned()),
            Seen::Budget(alert) => aside(notice::budget(alert)),
            Seen::Shorter(turns) => aside(notice::shorter(turns)),
            Seen::Reflected(found) => aside(notice::reflected(found)),
            Seen::Reply(
                Happening::Began { .. }
                | Happening::Thinking(_)
                | Happening::Call { .. }
                | Happening::Input(_)
                | Happening::Unknown { .. }
                | Happening::Renamed { .. },
            )
            | Seen::Calling(_) => Vec::new(),
        }
    }

    fn end(&mut self) -> Vec<Said> {
        self.text.end().iter().map(|line| Said::Reply(show::line(line))).collect()
    }
}
