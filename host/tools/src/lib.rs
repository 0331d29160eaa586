//! The model's own tools: few, for the work that every task needs. They see the task's folders through its workspace, so
//! what one writes the next reads, and nothing touches the disk before the person has agreed to it.
//!
//! This room imports the rooms that it makes usable (the workspace) and the agent, whose [`deskhand_agent::tool::Tools`] it
//! implements. Its main type is [`OwnTools`].

mod arguments;
mod files;
mod joined;
mod own;
mod place;

pub use joined::Joined;
pub use own::OwnTools;
