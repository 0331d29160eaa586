//! What is sent to a server on this very computer does not leave it, and needs no grant: a plugin must have named it. Nor
//! does what the agent asks the person, who need not answer.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let principal = &case.context.principal;
    let reason = match case.action {
        Action::Connect { local: true, .. } | Action::SendToModel { local: true, .. }
            if *principal != Principal::Person =>
        {
            "It is on this computer, so nothing leaves it."
        }
        Action::AskPerson if *principal == Principal::Agent => "It reaches nobody but you.",
        _ => return None,
    };
    Some(Finding::new(name::LOCAL, Verdict::Allow, reason))
}
