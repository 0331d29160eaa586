//! The MCP servers of the settings: how they are added, what the person allows of them, and how a task reaches them.

mod add;
mod allow;
mod command;
mod list;
mod named;
mod reach;
mod remove;
mod test;
mod tools;
mod why;

pub(crate) use command::McpCommand;
pub(crate) use reach::{Servers, of_task};
pub(crate) use why::as_allowed;
