//! The model's own tools: few, for the work that every task needs. They see the task's folders through its workspace, so
//! what one writes the next reads, and nothing touches the disk before the person has agreed to it.
//!
//! Beside them stand those of plugins, their skills, commands and sub-agents, and those of MCP servers.
//!
//! This room imports the rooms that it makes usable (the workspace, the runtime with its plugins, MCP servers, the way out) and the agent,
//! whose [`deskhand_agent::tool::Tools`] it implements. Its main type is [`OwnTools`].

mod agents;
mod answers;
mod arguments;
mod ask;
mod calling;
mod commands;
mod documents;
mod files;
mod joined;
mod names;
mod own;
mod place;
mod plugins;
mod quotes;
mod servers;
mod skills;
mod sources;

pub use agents::{SubAgent, SubAgents, Work};
pub use answers::piece;
pub use calling::{Calling, Serving};
pub use commands::Commands;
pub use documents::Documents;
pub use files::REMOVE;
pub use joined::Joined;
pub use own::OwnTools;
pub use plugins::PluginTools;
pub use quotes::QuoteCheck;
pub use servers::{ServerTools, TaskHost};
pub use skills::Skills;
pub use sources::{Checked, Quote, Sources, Standing};
mod web;
pub use ask::AskUser;
pub use web::WebFetch;
