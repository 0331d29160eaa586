//! Whether the MCP servers can be used: which may, and what those that cannot are waiting for. None is started.

use super::{
    declared::{Declared, all},
    list::Row,
};
use crate::{commands::doctor::Check, desk::Desk, failure::Result, show::counted};
use deskhand_mcp::client::find_program;

const WHAT: &str = "MCP servers";

pub(crate) fn check(desk: &Desk) -> Check {
    if desk.slip.is_some() {
        return Check::note(WHAT, "cannot be told while the settings are not understood", "");
    }
    found(desk).unwrap_or_else(|failure| Check::broken(WHAT, failure.message, ""))
}

fn found(desk: &Desk) -> Result<Check> {
    let servers = all(desk)?;
    if servers.is_empty() {
        return Ok(Check::works(WHAT, "none"));
    }
    let mut said = Vec::new();
    let mut missing = None;
    let (mut off, mut login) = (None, None);
    for server in servers.values() {
        let row = Row::of(desk, server)?;
        match absent(server) {
            Some(program) => {
                said.push(format!("`{}`: there is no program {program}", server.name));
                missing.get_or_insert(program);
            }
            None => {
                if row.is_off() {
                    off.get_or_insert(&server.name);
                } else if row.wants_login() {
                    login.get_or_insert(&server.name);
                }
                said.push(format!("`{}`: {}", server.name, row.state()));
            }
        }
    }
    let found = format!("{}. {}", counted(servers.len() as u64, "server"), said.join("; "));
    Ok(match (missing, off, login) {
        (Some(program), _, _) => {
            Check::note(WHAT, found, format!("Install {program}, or put the folder that it is in on your PATH."))
        }
        (None, Some(name), _) => {
            Check::note(WHAT, found, format!("Agree, if you want it used: deskhand mcp allow {name}"))
        }
        (None, None, Some(name)) => {
            Check::note(WHAT, found, format!("Log in, if you want it used: deskhand mcp login {name}"))
        }
        (None, None, None) => Check::works(WHAT, found),
    })
}

/// The program of a server, where it is not to be found.
fn absent(server: &Declared) -> Option<&str> {
    let command = server.config.command.as_deref()?;
    find_program(command, std::env::var_os("PATH").as_deref()).is_none().then_some(command)
}
