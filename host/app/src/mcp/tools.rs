//! `deskhand mcp tools`

use super::{
    command::{Named, Permission},
    declared::Declared,
    named::usable,
    reach::try_out,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{columns, line},
};
use deskhand_mcp::client::Tool;
use deskhand_permissions::{Duration, Grant, Scope};
use deskhand_vocabulary::{ServerName, text::shortened};
use serde::Serialize;

/// The most characters of a description in a list.
const DESCRIPTION: usize = 60;

/// A tool, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    tool: &'a str,
    /// What holds for it.
    permission: Permission,
    /// Whether the person had allowed it with another description.
    changed: bool,
    /// Whether the server says that it only reads.
    says_reads_only: bool,
    description: &'a str,
}

impl<'a> Row<'a> {
    pub(super) fn of(server: &ServerName, tool: &'a Tool, grants: &[Grant]) -> Self {
        let never = Scope::NoServerTool { server: server.clone(), tool: tool.name.clone() };
        let offers =
            grants.iter().filter(|grant| grant.duration == Duration::Always).filter_map(|grant| match &grant.scope {
                Scope::ServerTool { server: s, tool: t, offer } if s == server && *t == tool.name => Some(*offer),
                _ => None,
            });
        let offers: Vec<_> = offers.collect();
        let permission = match offers.contains(&tool.digest) {
            _ if grants.iter().any(|grant| grant.scope == never) => Permission::Never,
            true => Permission::Always,
            false => Permission::Ask,
        };
        let changed = permission == Permission::Ask && !offers.is_empty();
        Self { tool: &tool.name, permission, changed, says_reads_only: tool.reads_only, description: &tool.description }
    }

    pub(super) fn print(&self) {
        output::text(&format!("{}\n", serde_json::to_string(self).unwrap_or_default()));
    }

    fn cells(&self) -> Vec<String> {
        let permission = match self.permission {
            Permission::Always => "always",
            Permission::Ask if self.changed => "ask: changed",
            Permission::Ask => "ask",
            Permission::Never => "never",
        };
        let says = if self.says_reads_only { "only reads" } else { "" };
        [self.tool, permission, says, &shortened(self.description, DESCRIPTION)].map(line).to_vec()
    }
}

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let Declared { name, config, .. } = usable(&desk, &options.name)?;
    let tried = try_out(&desk, &name, &config)?;
    let grants = desk.gate()?.grants()?;
    let rows: Vec<Row<'_>> = tried.offer.tools.iter().map(|tool| Row::of(&name, tool, &grants)).collect();
    if options.json.json {
        rows.iter().for_each(Row::print);
    } else if rows.is_empty() {
        output::text(&format!("The MCP server `{name}` has no tools.\n"));
    } else {
        let heading = ["TOOL", "MAY BE CALLED", "IT SAYS", "AND OF ITSELF"].map(str::to_owned).to_vec();
        output::text(&columns(&std::iter::once(heading).chain(rows.iter().map(Row::cells)).collect::<Vec<_>>()));
        output::aside(&format!("Say otherwise with: deskhand mcp allow {name} TOOL always|ask|never"));
    }
    Ok(Exit::Done)
}
