//! What the person has granted: kept beside the log, each change of it an event.

use deskhand_vocabulary::{
    action::Access,
    id::{PluginId, TaskId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is granted. A kind is added as an effect comes that needs it, such as a host for the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// A folder and all that lies below it.
    Folder {
        /// Canonical and absolute, as [`deskhand_vocabulary::path::encode`] writes it.
        folder: String,
        /// How far.
        access: Access,
    },
    /// A slash command that a plugin may run.
    Command {
        /// Whose command.
        plugin: PluginId,
        /// Which.
        command: String,
    },
    /// A tool that a plugin of another marketplace may call.
    Tool {
        /// Whose tool.
        plugin: PluginId,
        /// Which.
        tool: String,
    },
}

/// For how long something is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Duration {
    /// For one use: a command or tool for one call, a folder for the first task that opens it.
    Once,
    /// For one task.
    Task(TaskId),
    /// Until it is revoked.
    Always,
}

impl Duration {
    /// The name in events and lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Task(_) => "task",
            Self::Always => "always",
        }
    }
}

/// A grant that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What `deskhand revoke` takes. Counted from 1 in one Deskhand home, never used again.
    pub id: u64,
    /// What.
    pub scope: Scope,
    /// For how long.
    pub duration: Duration,
    /// Since when.
    pub since: Timestamp,
}
