//! Showing the person what is planned, and waiting for the decision.

use deskhand_sdk::{
    Error, Reply, Result,
    changes::{self, State},
    invocation,
};
use serde_json::{Value, json};

/// Shows all that is pending under a title, with `notes` on the plan. A plan that the person has edited is shown again, as
/// it is then. The reply is empty: the host says what was done, and only the host knows.
pub fn put(title: &str, mut view: Value, notes: &[String]) -> Result<Reply> {
    if !notes.is_empty() {
        view["notes"] = json!(notes);
    }
    let view = view.to_string();
    // a person who edits has a next round; a host that answers this for ever has not
    for _ in 0..100 {
        invocation::check()?;
        if changes::propose_json(title, &view)?.state != State::Edited {
            return Ok(Reply::nothing());
        }
    }
    Err(Error::failed("The plan was edited a hundred times and never decided on. Nothing was changed; start again."))
}
