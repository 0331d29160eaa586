//! `deskhand mcp …`: the Model Context Protocol. The MCP servers of the settings and of plugins: how they are added, what the person allows of
//! them, and how a task reaches them; and serving programs of the person's.

mod add;
mod allow;
mod command;
mod declared;
mod doctor;
mod forget;
mod given;
mod list;
mod login;
mod named;
mod reach;
mod remove;
mod secrets;
mod serve;
mod test;
mod tools;
mod why;

pub(crate) use command::McpCommand;
pub(crate) use declared::variables;
pub(crate) use doctor::check as doctor;
pub(crate) use forget::forget;
pub(crate) use reach::{Servers, of_task};
pub(crate) use secrets::secrets;
pub(crate) use serve::{Client, go_on};
pub(crate) use why::as_allowed;
