//! What `deskhand why` asks about MCP servers: a server as it is set up now, and a tool as the person last allowed it, for what
//! a server says of it now is not known without asking the server.

use crate::{desk::Desk, failure::Result};
use deskhand_permissions::Scope;
use deskhand_vocabulary::Action;

/// The same action with what only the settings and the grants can tell.
pub(crate) fn as_allowed(desk: &Desk, action: Action) -> Result<Action> {
    Ok(match action {
        Action::StartServer { server, setup } => {
            let config = desk.settings.mcp.get(server.as_str());
            Action::StartServer { setup: config.map_or(setup, deskhand_mcp::client::ServerConfig::setup), server }
        }
        Action::ConfineServer { server, setup } => {
            let config = desk.settings.mcp.get(server.as_str());
            Action::ConfineServer { setup: config.map_or(setup, deskhand_mcp::client::ServerConfig::setup), server }
        }
        Action::CallServerTool { server, tool, offer, arguments } => {
            let allowed = desk.gate()?.grants()?.iter().rev().find_map(|grant| match &grant.scope {
                Scope::ServerTool { server: s, tool: t, offer } if *s == server && *t == tool => Some(*offer),
                _ => None,
            });
            Action::CallServerTool { offer: allowed.unwrap_or(offer), server, tool, arguments }
        }
        other => other,
    })
}
