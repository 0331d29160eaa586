//! A sandbox of this computer has the computer's own kernel, so it is a weaker boundary than a virtual machine: the agent and
//! plugins run commands in one only where the person has allowed that. What a plugin runs takes its own yes beside.

use super::{Case, Finding, Verdict, grant::covering, name};
use crate::context::Context;
use deskhand_vocabulary::{Access, Action, Principal};

/// Whether what the person said of the sandbox has a say.
pub(super) const fn needed(action: &Action) -> bool {
    matches!(action, Action::RunInSandbox)
}

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    if !needed(case.action) || !matches!(case.context.principal, Principal::Agent | Principal::Plugin(_)) {
        return None;
    }
    let of_place = Context { principal: Principal::Agent, ..case.context.clone() };
    let Some(grant) = covering(case.action, Access::Read, &of_place, case.grants) else {
        return Some(Finding::new(name::SANDBOX, Verdict::Deny, "You have not allowed it on this computer."));
    };
    let reason = format!("You allowed it on this computer (grant {}).", grant.id);
    Some(Finding { grant: Some(grant.id), ..Finding::new(name::SANDBOX, Verdict::Allow, reason) })
}
