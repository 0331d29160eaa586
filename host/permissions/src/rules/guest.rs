//! A guest is a machine of its own, with a kernel of its own, and what is done in it to the folders of a task is pending like any
//! change: where the person built one, the agent of a task runs commands there without a question. What a plugin runs takes a yes
//! of the person's.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let is_agent = case.context.principal == Principal::Agent;
    (is_agent && matches!(case.action, Action::RunInGuest)).then(|| {
        Finding::new(name::GUEST, Verdict::Allow, "It is a machine of its own, and changes nothing of yours by itself.")
    })
}
