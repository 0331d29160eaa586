//! What a plugin did not declare in its manifest it may not do, whatever else is said or granted.

use super::{Case, Finding, Verdict, name};
use crate::kind::Right;
use deskhand_vocabulary::{Action, Principal, host, manifest::Permission};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let Principal::Plugin(plugin) = &case.context.principal else { return None };
    let Right::Declared(kind) = case.row.right else {
        return Some(Finding::new(
            name::RIGHTS,
            Verdict::Deny,
            "Only you can do it; no plugin can be given the right to.",
        ));
    };
    let declared = |right: &Permission| right.kind == kind && names(right, case.action);
    let (verdict, reason) = if case.context.rights.iter().any(declared) {
        (Verdict::Allow, format!("{plugin} declares the right `{}`, which you agreed to.", kind.name()))
    } else {
        (Verdict::Deny, format!("{plugin} does not declare the right `{}` for it.", kind.name()))
    };
    Some(Finding::new(name::RIGHTS, verdict, reason))
}

/// True if the scope of a right holds the action: for tools, commands and sub-agents, `name` or `plugin/name`; for hosts,
/// patterns; for credentials, their names. A plugin's name means the plugin of the caller's own marketplace first; a tool
/// of another marketplace takes a grant beside.
fn names(right: &Permission, action: &Action) -> bool {
    let (owner, wanted) = match action {
        Action::CallTool { plugin, tool } => (plugin, tool),
        Action::RunCommand { plugin, command } => (plugin, command),
        Action::StartAgent { plugin, agent } => (plugin, agent),
        Action::Connect { host: wanted, .. } => return right.scope.iter().any(|scope| host::covers(scope, wanted)),
        Action::UseCredential { credential, .. } => return right.scope.contains(credential),
        _ => return true,
    };
    right.scope.iter().any(|scope| match scope.split_once('/') {
        None => scope == wanted,
        Some((plugin, name)) => plugin == owner.name.as_str() && name == wanted,
    })
}
