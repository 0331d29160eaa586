//! The plan of a task: the steps by which the model means to reach what was asked. Made and revised by the model through
//! its `plan` tool, edited by the person as text. It is an aim, not an effect: what is done to files is another plan, the
//! change set.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The most steps that a plan may have; beyond it nobody can follow it.
pub const STEPS: usize = 50;
/// The longest step, in characters.
pub const STEP_CHARACTERS: usize = 300;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not begun.
    Open,
    /// Being worked on.
    Doing,
    /// Done, says the model.
    Done,
    /// Left out, for a reason that the step's note gives.
    Skipped,
    /// Tried, and failed, for a reason that the step's note gives.
    Failed,
}

impl State {
    /// The mark in a plan that is edited as text.
    const fn mark(self) -> char {
        match self {
            Self::Open => ' ',
            Self::Doing => '>',
            Self::Done => 'x',
            Self::Skipped => '-',
            Self::Failed => '!',
        }
    }

    fn of_mark(mark: char) -> Option<Self> {
        [Self::Open, Self::Doing, Self::Done, Self::Skipped, Self::Failed]
            .into_iter()
            .find(|state| state.mark() == mark)
    }

    /// True if nothing more is to be done for the step.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Open | Self::Doing => false,
            Self::Done | Self::Skipped | Self::Failed => true,
        }
    }
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is to be done, in one line. Not trusted.
    pub text: String,
    /// How far it is.
    pub state: State,
    /// Why it was left out or failed, or what came of it. Not trusted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In the order in which they are to be done.
    pub steps: Vec<Step>,
}

/// Why a plan is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No steps.
    #[error("a plan has at least one step")]
    Empty,
    /// Too many.
    #[error("a plan has at most {STEPS} steps; this one has {0}. Put several into one step")]
    TooMany(usize),
    /// A step without words.
    #[error("step {0} says nothing")]
    Blank(usize),
    /// A step that is a text.
    #[error("step {0} is longer than {STEP_CHARACTERS} characters. Say it shorter")]
    TooLong(usize),
    /// A line of an edited plan that is none.
    #[error("line {line} is no step: {text}. A step is a line such as `[ ] Sort the invoices`")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What it holds.
        text: String,
    },
}

impl Plan {
    /// Those of these steps that the plan has not.
    pub(crate) fn lacks<'a>(&self, steps: &'a [String]) -> Vec<&'a str> {
        let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let own: Vec<_> = self.steps.iter().map(|step| words(&step.text)).collect();
        steps.iter().map(String::as_str).filter(|step| !own.contains(&words(step))).collect()
    }

    /// A plan of these steps, if they make one.
    pub fn new(steps: Vec<Step>) -> Result<Self, PlanError> {
        match steps.len() {
            0 => return Err(PlanError::Empty),
            1..=STEPS => {}
            more => return Err(PlanError::TooMany(more)),
        }
        for (at, step) in steps.iter().enumerate() {
            if step.text.trim().is_empty() {
                return Err(PlanError::Blank(at + 1));
            }
            if step.text.chars().count() > STEP_CHARACTERS || step.note.chars().count() > STEP_CHARACTERS {
                return Err(PlanError::TooLong(at + 1));
            }
        }
        Ok(Self { steps })
    }

    /// The plan as text that a person can edit: a line a step, its state in brackets.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            // one line a step, whatever the model put into it
            let words = deskhand_vocabulary::text::in_a_line(&step.text);
            let _ = writeln!(text, "[{}] {words}", step.state.mark());
        }
        text
    }

    /// The plan that a person made of [`Plan::text`]. Lines that are empty or begin with `#` are no steps; a line without
    /// brackets is a new one. Notes of steps whose words are the same stay.
    pub fn edited(&self, text: &str) -> Result<Self, PlanError> {
        let mut steps = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (state, words) = match line.strip_prefix('[') {
                None => (State::Open, line),
                Some(rest) => {
                    let not_a_step = || PlanError::Line { line: at + 1, text: line.to_owned() };
                    let (mark, words) = rest.split_once(']').ok_or_else(not_a_step)?;
                    let mut marks = mark.chars();
                    let mark = marks.next().unwrap_or(' ');
                    let state = State::of_mark(mark.to_ascii_lowercase()).filter(|_| marks.next().is_none());
                    (state.ok_or_else(not_a_step)?, words.trim())
                }
            };
            let known = self.steps.iter().find(|step| step.text.split_whitespace().eq(words.split_whitespace()));
            let note = known.map(|step| step.note.clone()).unwrap_or_default();
            steps.push(Step { text: words.to_owned(), state, note });
        }
        Self::new(steps)
    }

    /// The steps that are not over, with their numbers from 1.
    pub fn open(&self) -> impl Iterator<Item = (usize, &Step)> {
        (1..).zip(&self.steps).filter(|(_, step)| !step.state.is_over())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn step(text: &str, state: State) -> Step {
        Step { text: text.to_owned(), state, note: String::new() }
    }

    #[test]
    fn a_person_edits_it_as_text() {
        let mut plan = Plan::new(vec![step("Read the folder", State::Done), step("Sort\nit", State::Open)]).unwrap();
        plan.steps[0].note = "12 files".to_owned();
        assert_eq!(plan.text(), "[x] Read the folder\n[ ] Sort it\n");
        let edited = plan.edited("# the plan\n[x] Read the folder\n\n[-] Sort it\nWrite a list\n").unwrap();
        let mut first = step("Read the folder", State::Done);
        first.note = "12 files".to_owned();
        assert_eq!(
            edited,
            Plan { steps: vec![first, step("Sort it", State::Skipped), step("Write a list", State::Open)] }
        );
        assert_eq!(edited.open().map(|(at, _)| at).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn what_is_no_plan_is_refused_by_its_line() {
        let plan = Plan::default();
        assert_eq!(plan.edited("\n# nothing\n"), Err(PlanError::Empty));
        assert_eq!(plan.edited("[ ] one\n[?] two"), Err(PlanError::Line { line: 2, text: "[?] two".to_owned() }));
        assert_eq!(plan.edited("[ ] one\n[ ]  "), Err(PlanError::Blank(2)));
        assert_eq!(plan.edited(&"one\n".repeat(51)), Err(PlanError::TooMany(51)));
        assert_eq!(plan.edited(&"o".repeat(301)), Err(PlanError::TooLong(1)));
    }

    proptest! {
        #[test]
        fn unedited_it_is_the_same(words in proptest::collection::vec("[a-zäß]{1,9}( [a-z0-9]{1,9}){0,4}", 1..20), at in 0_usize..5) {
            let states = [State::Open, State::Doing, State::Done, State::Skipped, State::Failed];
            let steps = (at..).zip(&words).map(|(at, words)| step(words, states[at % 5])).collect();
            let plan = Plan::new(steps).unwrap();
            prop_assert_eq!(plan.edited(&plan.text()).unwrap(), plan);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = Plan::default().edited(&text);
        }
    }
}
