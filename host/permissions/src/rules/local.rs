//! What is sent to a server on this very computer does not leave it, and needs no grant. A plugin must have named it.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let here = matches!(case.action, Action::Connect { local: true, .. } | Action::SendToModel { local: true, .. });
    let stays = here && case.context.principal != Principal::Person;
    stays.then(|| Finding::new(name::LOCAL, Verdict::Allow, "It is on this computer, so nothing leaves it."))
}
