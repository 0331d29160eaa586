//! What becomes of what the person allowed of servers, and gave for them, when they are gone.

use super::given::Given;
use crate::{desk::Desk, failure::Result};
use deskhand_permissions::Scope;
use deskhand_vocabulary::{PluginId, ServerName};

/// Forget all that is about the servers of a plugin that is uninstalled; how many values of variables there were.
pub(crate) fn forget(desk: &Desk, plugin: &PluginId) -> Result<usize> {
    revoke(desk, |server| server.plugin() == Some(plugin.name.as_str()))?;
    Given::of(&desk.home).forget(plugin)
}

/// Take back what is about these servers alone. That something may be sent to a host holds for others too, and stays.
pub(super) fn revoke(desk: &Desk, is_meant: impl Fn(&ServerName) -> bool) -> Result<()> {
    let gate = desk.gate()?;
    for grant in gate.grants()?.iter().filter(|grant| server(&grant.scope).is_some_and(&is_meant)) {
        gate.revoke(grant.id)?;
    }
    Ok(())
}

/// The server that a grant is about.
const fn server(scope: &Scope) -> Option<&ServerName> {
    match scope {
        Scope::Server { server, .. }
        | Scope::ServerReading { server }
        | Scope::ServerTool { server, .. }
        | Scope::NoServerTool { server, .. } => Some(server),
        _ => None,
    }
}
