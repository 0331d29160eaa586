//! Showing the person what is planned, and waiting for the decision.

use crate::words;
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
        let outcome = &self.decision.outcome;
        let because = match outcome["reason"].as_str().map(str::trim) {
            None | Some("") => String::new(),
            Some(reason) => format!(": {}", reason.trim_end_matches('.')),
        };
        let refused = outcome["refused"].as_array().map_or(&[][..], Vec::as_slice);
        match self.decision.state {
            State::Applied if !refused.is_empty() => {
                let n = u64::try_from(refused.len()).unwrap_or(u64::MAX);
                let n = words::count(n, "change that was refused", "changes that were refused");
                let first = refused.iter().find_map(|change| change["reason"].as_str());
                let first = first.map(|reason| format!(" ({})", reason.trim_end_matches('.'))).unwrap_or_default();
                format!("{done}, except for {n}{first}.")
            }
            State::Applied if self.edited => "The plan as you edited it was carried out.".to_owned(),
            State::Applied => format!("{done}."),
            State::Cancelled | State::Edited => format!("Nothing was changed{because}."),
            State::Parked => format!("Nothing was changed yet{because}."),
        }
    }

    /// True if what was planned was carried out, all of it and nothing else.
    pub fn is_done(&self) -> bool {
        let refused = self.decision.outcome["refused"].as_array().is_some_and(|refused| !refused.is_empty());
        self.decision.state == State::Applied && !self.edited && !refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sentences() {
        let sentence = |state, edited, outcome: Value| {
            Outcome { decision: Decision { state, commit: None, outcome }, edited }.sentence("Moved 3 files")
        };
        let refused = json!({ "refused": [{ "change": 1, "reason": "a.txt has changed." }] });
        for (state, edited, outcome, expected) in [
            (State::Applied, false, json!({ "refused": [], "reason": "" }), "Moved 3 files."),
            (State::Applied, true, json!(null), "The plan as you edited it was carried out."),
            (State::Applied, true, refused, "Moved 3 files, except for 1 change that was refused (a.txt has changed)."),
            (State::Cancelled, false, json!({ "reason": "you declined" }), "Nothing was changed: you declined."),
            (State::Cancelled, false, json!(null), "Nothing was changed."),
            (State::Parked, false, json!({ "reason": "it waits" }), "Nothing was changed yet: it waits."),
        ] {
            assert_eq!(sentence(state, edited, outcome), expected);
        }
    }
}
