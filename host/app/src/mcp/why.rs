//! What `deskhand why` asks about MCP servers: a server as it is set up now, and a tool as the person last allowed it, for what
//! a server says of it now is not known without asking the server.

use super::declared::all;
use crate::{desk::Desk, failure::Result};
use deskhand_permissions::Scope;
use deskhand_vocabulary::{Action, ServerName};

/// The same action with what only the settings and the grants can tell.
pub(crate) fn as_allowed(desk: &Desk, action: Action) -> Result<Action> {
    Ok(match action {
        Action::StartServer { server, setup } => {
            let setup = all(desk)?.get(&server).map_or(setup, |declared| declared.config.setup());
            Action::StartServer { setup, server }
        }
        Action::ConfineServer { server, setup } => {
            let config = desk.settings.mcp.get(server.as_str());
            Action::ConfineServer { setup: config.map_or(setup, deskhand_mcp::client::ServerConfig::setup), server }
        }
        Action::CallServerTool { server, tool, offer, arguments } => {
            let (server, tool) = meant(desk, server, tool)?;
            let allowed = desk.gate()?.grants()?.iter().rev().find_map(|grant| match &grant.scope {
                Scope::ServerTool { server: s, tool: t, offer } if *s == server && *t == tool => Some(*offer),
                _ => None,
            });
            Action::CallServerTool { offer: allowed.unwrap_or(offer), server, tool, arguments }
        }
        other => other,
    })
}

/// A tool as the words mean it: what stands behind a second slash is a tool of a server that a plugin brings, or the rest of the
/// name of a tool.
fn meant(desk: &Desk, server: ServerName, tool: String) -> Result<(ServerName, String)> {
    if let Some((plugin, name)) = server.as_str().split_once('/')
        && let Ok(own) = plugin.parse::<ServerName>()
        && !all(desk)?.contains_key(&server)
    {
        return Ok((own, format!("{name}/{tool}")));
    }
    Ok((server, tool))
}
