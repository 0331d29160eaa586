//! `deskhand mcp …`: the Model Context Protocol.

mod serve;

pub(crate) use serve::{Client, go_on};

use crate::failure::Result;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum McpCommand {
    /// Serve a program of yours with the installed plugins and with folders: their tools, skills and commands
    Serve(serve::Options),
}

impl McpCommand {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Serve(options) => serve::run(options),
        }
    }
}
