//! Everything that can be done to the outside, as plain data. The gate judges it; nothing else may.

use crate::{
    digest::Sha256,
    id::{ClientName, PluginId, ServerName},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who wants to act.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// The person, by a command of `deskhand`.
    Person,
    /// A plugin.
    Plugin(PluginId),
    /// The agent: a model that works on a task, with the tools of Deskhand.
    Agent,
    /// A program of the person's that Deskhand serves over the Model Context Protocol.
    Client(ClientName),
    /// An MCP server that the person added.
    Server(ServerName),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("you"),
            Self::Plugin(id) => id.fmt(f),
            Self::Agent => f.write_str("the agent"),
            Self::Client(name) => write!(f, "the client {name}"),
            Self::Server(name) => write!(f, "the MCP server {name}"),
        }
    }
}

/// How far a folder is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Its files may be read.
    Read,
    /// Changes to it may be proposed as well.
    Write,
}

/// An effect on something outside of Deskhand, or on what Deskhand may do. Paths are absolute, as
/// [`crate::path::encode`] writes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// See names, facts and contents of files below a folder.
    ReadFolder {
        /// The folder.
        folder: String,
    },
    /// Apply a plan of changes to a folder, removals not included.
    ChangeFolder {
        /// The folder.
        folder: String,
        /// The plan that the person was shown.
        plan: Sha256,
        /// How many changes.
        changes: u64,
    },
    /// Move files of a folder to the recoverable store.
    RemoveFiles {
        /// The folder.
        folder: String,
        /// The plan that the person was shown.
        plan: Sha256,
        /// How many files and folders.
        count: u64,
    },
    /// Make changes that can make something run: dotfiles that shells read, hooks, autostart entries, executable bits.
    ChangeSensitive {
        /// The folder.
        folder: String,
        /// The plan that the person was shown.
        plan: Sha256,
        /// How many changes.
        count: u64,
    },
    /// Let a text that lies in a folder instruct the model.
    FollowInstructions {
        /// The folder.
        folder: String,
        /// The text, as the model is given it.
        text: Sha256,
    },
    /// Run a slash command of a plugin.
    RunCommand {
        /// The plugin.
        plugin: PluginId,
        /// The command.
        command: String,
    },
    /// Call a tool of a plugin.
    CallTool {
        /// The plugin.
        plugin: PluginId,
        /// The tool.
        tool: String,
    },
    /// Ask a plugin which tools it has for the account that it is connected to.
    ListTools {
        /// The plugin.
        plugin: PluginId,
    },
    /// Take up what a plugin knows, for the agent.
    UseSkill {
        /// The plugin.
        plugin: PluginId,
        /// The skill.
        skill: String,
    },
    /// Give work to a plugin's sub-agent.
    StartAgent {
        /// The plugin.
        plugin: PluginId,
        /// The sub-agent.
        agent: String,
    },
    /// Have a plugin turn a document into text.
    ExtractText {
        /// The plugin.
        plugin: PluginId,
    },
    /// Run the program of an MCP server with the rights of the person.
    StartServer {
        /// The server.
        server: ServerName,
        /// The program, what it is given, and what is in its environment.
        setup: Sha256,
    },
    /// Run the program of an MCP server in a sandbox.
    ConfineServer {
        /// The server.
        server: ServerName,
        /// The program, what it is given, and what is in its environment.
        setup: Sha256,
    },
    /// Call a tool of an MCP server.
    CallServerTool {
        /// The server.
        server: ServerName,
        /// The tool.
        tool: String,
        /// What the server says of the tool: its name, its description and its schema.
        offer: Sha256,
        /// What it is called with.
        arguments: Sha256,
    },
    /// Read what an MCP server has beside its tools: resources and prompts.
    ReadServer {
        /// The server.
        server: ServerName,
    },
    /// Run commands and code in a sandbox of this computer.
    RunInSandbox,
    /// Run commands and code in a virtual machine of the task.
    RunInGuest,
    /// Send a credential that the person connected, with a request of a plugin.
    UseCredential {
        /// Which of the plugin's.
        credential: String,
        /// The host that it goes to.
        host: String,
    },
    /// Have the model of the task work for a plugin.
    UseModel,
    /// Send something to a host, and read what it answers.
    Connect {
        /// The host's name or address, in lower case.
        host: String,
        /// True for a host on this very computer.
        local: bool,
    },
    /// Send what a task works on to a model, which reads it.
    SendToModel {
        /// The host of the model's server, in lower case.
        host: String,
        /// True for a host on this very computer.
        local: bool,
    },
    /// Ask the person something.
    AskPerson,
    /// Keep state from one call to the next.
    KeepState,
    /// Keep a note that later tasks are told.
    Remember {
        /// The digest of the note and of what it holds for.
        note: Sha256,
        /// True where others may have written what it was made from.
        untrusted: bool,
    },
    /// Look for notes that are kept.
    Recall,
    /// Take out a note of a plugin's own.
    ForgetNote {
        /// Its number.
        note: u64,
    },
    /// Install a plugin or a new version of it, with these rights.
    InstallPlugin {
        /// The plugin.
        plugin: PluginId,
        /// The version.
        version: String,
        /// The component.
        component: Sha256,
        /// The names of its rights.
        permissions: Vec<String>,
    },
    /// Trust a marketplace.
    AddMarketplace {
        /// Where it is.
        location: String,
        /// The SHA-256 of its root metadata.
        fingerprint: Sha256,
    },
}

impl Action {
    /// The folder that it is about, if it is about one: absolute, as [`crate::path::encode`] writes it.
    pub fn folder(&self) -> Option<&str> {
        match self {
            Self::ReadFolder { folder }
            | Self::ChangeFolder { folder, .. }
            | Self::RemoveFiles { folder, .. }
            | Self::ChangeSensitive { folder, .. }
            | Self::FollowInstructions { folder, .. } => Some(folder),
            Self::RunCommand { .. }
            | Self::CallTool { .. }
            | Self::ListTools { .. }
            | Self::UseSkill { .. }
            | Self::StartAgent { .. }
            | Self::ExtractText { .. }
            | Self::StartServer { .. }
            | Self::ConfineServer { .. }
            | Self::CallServerTool { .. }
            | Self::ReadServer { .. }
            | Self::RunInSandbox
            | Self::RunInGuest
            | Self::UseCredential { .. }
            | Self::UseModel
            | Self::Connect { .. }
            | Self::SendToModel { .. }
            | Self::AskPerson
            | Self::KeepState
            | Self::Remember { .. }
            | Self::Recall
            | Self::ForgetNote { .. }
            | Self::InstallPlugin { .. }
            | Self::AddMarketplace { .. } => None,
        }
    }

    /// The same, to be taken out and put back.
    pub fn folder_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::ReadFolder { folder }
            | Self::ChangeFolder { folder, .. }
            | Self::RemoveFiles { folder, .. }
            | Self::ChangeSensitive { folder, .. }
            | Self::FollowInstructions { folder, .. } => Some(folder),
            Self::RunCommand { .. }
            | Self::CallTool { .. }
            | Self::ListTools { .. }
            | Self::UseSkill { .. }
            | Self::StartAgent { .. }
            | Self::ExtractText { .. }
            | Self::StartServer { .. }
            | Self::ConfineServer { .. }
            | Self::CallServerTool { .. }
            | Self::ReadServer { .. }
            | Self::RunInSandbox
            | Self::RunInGuest
            | Self::UseCredential { .. }
            | Self::UseModel
            | Self::Connect { .. }
            | Self::SendToModel { .. }
            | Self::AskPerson
            | Self::KeepState
            | Self::Remember { .. }
            | Self::Recall
            | Self::ForgetNote { .. }
            | Self::InstallPlugin { .. }
            | Self::AddMarketplace { .. } => None,
        }
    }
}
