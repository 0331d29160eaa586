//! What Deskhand itself says of a task while it runs.

use crate::show;
use deskhand_agent::budget::{Alert, Measure};
use deskhand_models::ModelError;
use std::time::Duration;

/// The person holds the task.
pub(super) const PAUSED: &str = "Paused. The task goes on after resume.";
/// …and not any more.
pub(super) const GOES_ON: &str = "The task goes on.";

/// What the person said in another terminal.
pub(super) fn told(words: &str) -> String {
    format!("› {} (from another terminal)", show::line(words))
}

/// A try failed, and another is made: the next is number `next` of at most `tries`.
pub(crate) fn retrying(error: &ModelError, wait: Duration, next: u32, tries: u32) -> String {
    let why = match error {
        ModelError::RateLimited { .. } | ModelError::Overloaded { .. } => "The server is busy".to_owned(),
        ModelError::Truncated => "The reply broke off".to_owned(),
        other => {
            // advice is for when it is given up
            let said = other.to_string();
            let said = said.split(". ").next().unwrap_or_default();
            show::sentence(&show::line(said)).trim_end_matches('.').to_owned()
        }
    };
    format!("{why}; trying again in {} ({next} of {tries})", show::duration(wait))
}

/// A piece of a reply that does not count any more.
pub(crate) const VOID: &str = "What the reply said until here does not count; it begins anew.";

/// A budget that is nearly or wholly used up.
pub(crate) fn budget(alert: Alert) -> String {
    match alert {
        Alert::Near(measure) => format!("Four fifths of the budget for {} are used up.", of(measure)),
        Alert::Over(measure) => format!("The budget for {} is used up: nothing more is begun.", of(measure)),
    }
}

const fn of(measure: Measure) -> &'static str {
    match measure {
        Measure::Tokens => "tokens",
        Measure::Money => "money",
        Measure::Time => "time",
        Measure::Steps => "steps",
        Measure::BytesOut => "what is sent",
        Measure::Removals => "removals",
    }
}

/// The conversation was made shorter.
pub(super) fn shorter(turns: usize) -> String {
    let turns = show::counted(turns as u64, "turn");
    format!("The conversation became too long for the model: the {turns} until here are a summary from now on.")
}

/// What the host found that the model has left undone.
pub(crate) fn reflected(found: &[String]) -> String {
    let count = show::counted(found.len() as u64, "thing");
    let first = found.first().and_then(|first| first.lines().next()).unwrap_or_default();
    format!("Deskhand has {count} on record that came to nothing, and tells the model. First: {}", show::line(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_say_why_when_and_how_often() {
        let wait = Duration::from_millis(2900);
        let busy = ModelError::Overloaded { said: "x".to_owned(), retry_after: None };
        assert_eq!(retrying(&busy, wait, 2, 8), "The server is busy; trying again in 2.9 s (2 of 8)");
        let fault =
            ModelError::ServerFault { status: Some(502), said: "502 Bad Gateway".to_owned(), retry_after: None };
        assert_eq!(retrying(&fault, wait, 3, 8), "The server failed: 502 Bad Gateway; trying again in 2.9 s (3 of 8)");
    }
}
