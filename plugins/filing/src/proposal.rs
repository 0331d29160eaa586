//! Showing the person what is planned, and waiting for the decision.

use deskhand_sdk::{
    Error, Result,
    changes::{self, Decision, State},
    invocation,
};
use serde_json::Value;

/// What the person decided in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The host's answer.
    pub decision: Decision,
    /// True if the person changed the plan before.
    pub edited: bool,
}

/// Shows all that is pending under a title. A plan that the person has edited is shown again, as it is then.
pub fn put(title: &str, view: &Value) -> Result<Outcome> {
    let view = view.to_string();
    let mut edited = false;
    // a person who edits has a next round; a host that answers this for ever has not
    for _ in 0..100 {
        invocation::check()?;
        let decision = changes::propose_json(title, &view)?;
        if decision.state != State::Edited {
            return Ok(Outcome { decision, edited });
        }
        edited = true;
    }
    Err(Error::failed("The plan was edited a hundred times and never decided on. Nothing was changed; start again."))
}

impl Outcome {
    /// What became of it, in a sentence; `done` says what was planned, such as `Moved 57 files`.
    pub fn sentence(&self, done: &str) -> String {
        let refused = self.decision.outcome["refused"].as_array().map_or(0, Vec::len);
        match self.decision.state {
            State::Applied if refused > 0 => format!(
                "{done}, except for {}: what lies there has changed meanwhile. Run it again to go on.",
                crate::words::count(
                    u64::try_from(refused).unwrap_or(u64::MAX),
                    "change that was refused",
                    "changes that were refused"
                )
            ),
            State::Applied if self.edited => "The plan as you edited it was carried out.".to_owned(),
            State::Applied => format!("{done}."),
            State::Cancelled | State::Edited => "Nothing was changed.".to_owned(),
            State::Parked => "Nothing was changed yet: the plan waits for your decision.".to_owned(),
        }
    }
}
