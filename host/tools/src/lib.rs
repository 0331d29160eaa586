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
mod described;
mod documents;
mod files;
mod joined;
mod memory;
mod names;
mod own;
mod place;
mod plugins;
mod quotes;
pub mod sandbox;
mod servers;
pub mod shell;
mod skills;
mod sources;

pub use agents::{SubAgent, SubAgents, Work};
pub use answers::piece;
pub use calling::{Calling, Serving};
pub use commands::{Commands, RUN as RUN_COMMAND};
pub use described::Described;
pub use documents::Documents;
pub use files::REMOVE;
pub use joined::Joined;
pub use memory::{Gathered, Labelled, Recall, Remember, told};
pub use own::OwnTools;
pub use plugins::PluginTools;
pub use quotes::QuoteCheck;
pub use servers::{ServerTools, TaskHost};
pub use skills::{Skills, USE as USE_SKILL};
pub use sources::{Checked, Quote, Sources, Standing};
mod web;
pub use ask::AskUser;
pub use web::WebFetch;
