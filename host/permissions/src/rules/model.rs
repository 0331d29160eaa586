//! What a task works on goes to a model on another computer only once the person has agreed to that host: for the task, or
//! until they take it back. A grant to send something to the host in general is no such consent, and neither is it that the
//! person asks for the work.

use super::{Case, Finding, Verdict, grant::covering, name};
use deskhand_records::Duration;
use deskhand_vocabulary::{Access, Action};

/// Whether the consent of the person has a say.
pub(super) const fn needed(action: &Action) -> bool {
    matches!(action, Action::SendToModel { local: false, .. })
}

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    if !needed(case.action) {
        return None;
    }
    let Some(grant) = covering(case.action, Access::Read, case.context, case.grants) else {
        let reason = "You have not agreed yet that what the task works on goes there, so you are asked.";
        return Some(Finding::new(name::MODEL, Verdict::Ask, reason));
    };
    let reason = match grant.duration {
        Duration::Always => format!("You agreed to it until you take that back (grant {}).", grant.id),
        Duration::Task(_) => format!("You agreed to it for this task (grant {}).", grant.id),
        Duration::Once => format!("You agreed to it for one use (grant {}).", grant.id),
    };
    Some(Finding { grant: Some(grant.id), ..Finding::new(name::MODEL, Verdict::Allow, reason) })
}
