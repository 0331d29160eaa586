//! What is sent to a server on this very computer does not leave it, and needs no grant where a plugin has named it. Where a
//! model names it, it is asked about like any other: what listens here was not meant for a model. What the agent or
//! an MCP server asks the person needs none, for they need not answer.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let principal = &case.context.principal;
    let reason = match case.action {
        Action::Connect { local: true, .. } if matches!(principal, Principal::Plugin(_)) => {
            "It is on this computer, so nothing leaves it."
        }
        Action::SendToModel { local: true, .. } if *principal != Principal::Person => {
            "It is on this computer, so nothing leaves it."
        }
        Action::AskPerson if matches!(principal, Principal::Agent | Principal::Server(_)) => {
            "It reaches nobody but you."
        }
        _ => return None,
    };
    Some(Finding::new(name::LOCAL, Verdict::Allow, reason))
}
