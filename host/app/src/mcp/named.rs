//! Which of the MCP servers of the settings is meant.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    show::line,
};
use deskhand_mcp::client::ServerConfig;
use deskhand_vocabulary::ServerName;

/// The server of this name.
pub(super) fn named<'a>(desk: &'a Desk, name: &str) -> Result<(ServerName, &'a ServerConfig)> {
    let servers = &desk.settings.mcp;
    let found = servers.get_key_value(name).and_then(|(name, config)| Some((name.parse().ok()?, config)));
    found.ok_or_else(|| {
        let others: Vec<String> = servers.keys().map(|name| format!("`{name}`")).collect();
        let others = match others.is_empty() {
            true => "There is none yet. Add one with: deskhand mcp add".to_owned(),
            false => format!("There is {}. `deskhand mcp list` lists them", crate::show::list(&others)),
        };
        Failure::usage(format!("there is no MCP server `{}`. {others}", line(name)))
    })
}
