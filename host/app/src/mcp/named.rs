//! Which of the MCP servers is meant.

use super::declared::{Declared, all};
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    show::{line, list},
};
use deskhand_vocabulary::ServerName;

/// The server of this name.
pub(super) fn named(desk: &Desk, name: &str) -> Result<Declared> {
    let mut servers = all(desk)?;
    let found = name.parse::<ServerName>().ok().and_then(|name| servers.remove(&name));
    found.ok_or_else(|| {
        let others: Vec<String> = servers.keys().map(|name| format!("`{name}`")).collect();
        let others = match others.is_empty() {
            true => "There is none yet. Add one with: deskhand mcp add".to_owned(),
            false => format!("There is {}. `deskhand mcp list` lists them", list(&others)),
        };
        Failure::usage(format!("there is no MCP server `{}`. {others}", line(name)))
    })
}

/// The same, that can be used: all that it needs of the person is given.
pub(super) fn usable(desk: &Desk, name: &str) -> Result<Declared> {
    let server = named(desk, name)?;
    match server.lacks.is_empty() {
        true => Ok(server),
        false => Err(Failure::failed(format!(
            "the MCP server `{0}` needs {1} of you first. Give it with: deskhand mcp allow {0}",
            server.name,
            list(&server.lacks)
        ))),
    }
}
