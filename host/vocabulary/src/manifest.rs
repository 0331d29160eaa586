//! What a plugin says of itself: written by its author as `plugin.toml` and by the SDK's macros, packed as JSON into
//! the component's custom section [`SECTION`], signed with it, and read without running or compiling anything.

mod server;

pub use server::Server;

use crate::id::PluginName;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The custom section that holds the manifest.
pub const SECTION: &str = "deskhand:manifest";
/// The most that a packed manifest may take, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// A plugin's manifest, as packed. A field that is not known here is refused: it may be a right that this version
/// of Deskhand could not enforce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Who and what.
    pub plugin: About,
    /// What it asks for, each with a reason. Nothing else is answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// Slash commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// Tools for models and other plugins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// True if it has more tools, which depend on the account that it is connected to (`tool-catalog`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tool_catalog: bool,
    /// What it knows and lends to the agent; a plugin has one skill at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Skill>,
    /// Whom it sends to work; a plugin has one sub-agent at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// Which documents it turns into text; a plugin has one extractor at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extractor: Option<Extractor>,
    /// Keys and tokens that the person connects, and that Deskhand adds to its requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// MCP servers that it brings, each off until the person allows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// Other plugins of the same marketplace that it needs, by range.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<PluginName, VersionReq>,
    /// A JSON Schema (2020-12) of its configuration; none if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<serde_json::Value>,
    /// What it needs at most; the host may allow less.
    #[serde(default)]
    pub limits: Limits,
}

impl Manifest {
    /// All that it asks for: its permissions, and that each of its servers is there.
    pub fn asks(&self) -> Vec<Permission> {
        self.permissions.iter().cloned().chain(self.servers.iter().map(Server::right)).collect()
    }
}

/// Who and what a plugin is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Unique within a marketplace.
    pub name: PluginName,
    /// Semantic version (semver.org 2.0).
    pub version: Version,
    /// Who made it, for the person.
    pub publisher: String,
    /// One sentence for the person who looks for it.
    pub summary: String,
    /// The `deskhand:plugin` interface that it was built for.
    pub interface: Version,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
}

/// Something that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// What.
    pub kind: PermissionKind,
    /// Within which bounds. For `tools.call` the names of tools and sub-agents (`name` or `plugin/name`); for `hosts.connect`
    /// hosts (`api.example.com`), `*.example.com` for all that end so, `*` for any but this computer, and `config.KEY` for the host of the
    /// address that the person sets there; for `credentials.use` the names of credentials. Empty for the other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// Why, in the author's words, for the person who decides.
    pub reason: String,
}

/// The rights that exist. Each is the door to one interface of `deskhand:plugin`, but for `servers.bring`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PermissionKind {
    /// Read the folders of the task (`files`).
    #[serde(rename = "files.read")]
    FilesRead,
    /// Propose changes to the folders of the task (`changes`).
    #[serde(rename = "files.change")]
    FilesChange,
    /// Propose removals as well (`changes.remove`).
    #[serde(rename = "files.remove")]
    FilesRemove,
    /// Ask the person and show notices (`user`).
    #[serde(rename = "person.ask")]
    PersonAsk,
    /// Keep state of its own (`store`).
    #[serde(rename = "state.keep")]
    StateKeep,
    /// Call tools of other plugins, and give work to their sub-agents (`toolbox`).
    #[serde(rename = "tools.call")]
    ToolsCall,
    /// Send to hosts and read what they answer (`http`).
    #[serde(rename = "hosts.connect")]
    HostsConnect,
    /// Have credentials of the person added to what it sends (`credentials`).
    #[serde(rename = "credentials.use")]
    CredentialsUse,
    /// Have the model of the task work for it (`model`).
    #[serde(rename = "model.use")]
    ModelUse,
    /// Read the notes of memory (`memory.recall`).
    #[serde(rename = "memory.read")]
    MemoryRead,
    /// Ask the person to remember something, and forget notes of its own (`memory.remember`, `memory.forget`).
    #[serde(rename = "memory.keep")]
    MemoryKeep,
    /// Run programs in a place that is shut off from all else (`vm`).
    #[serde(rename = "programs.run")]
    ProgramsRun,
    /// Bring MCP servers. It is never written as a permission: it stands for what is under [`Manifest::servers`].
    #[serde(rename = "servers.bring")]
    ServersBring,
}

impl PermissionKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::FilesRead,
        Self::FilesChange,
        Self::FilesRemove,
        Self::PersonAsk,
        Self::StateKeep,
        Self::ToolsCall,
        Self::HostsConnect,
        Self::CredentialsUse,
        Self::ModelUse,
        Self::MemoryRead,
        Self::MemoryKeep,
        Self::ProgramsRun,
        Self::ServersBring,
    ];

    /// The name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FilesRead => "files.read",
            Self::FilesChange => "files.change",
            Self::FilesRemove => "files.remove",
            Self::PersonAsk => "person.ask",
            Self::StateKeep => "state.keep",
            Self::ToolsCall => "tools.call",
            Self::HostsConnect => "hosts.connect",
            Self::CredentialsUse => "credentials.use",
            Self::ModelUse => "model.use",
            Self::MemoryRead => "memory.read",
            Self::MemoryKeep => "memory.keep",
            Self::ProgramsRun => "programs.run",
            Self::ServersBring => "servers.bring",
        }
    }

    /// The interface of `deskhand:plugin` that a component imports to use it; none for what it does not do itself.
    pub const fn interface(self) -> Option<&'static str> {
        Some(match self {
            Self::FilesRead => "files",
            Self::FilesChange | Self::FilesRemove => "changes",
            Self::PersonAsk => "user",
            Self::StateKeep => "store",
            Self::ToolsCall => "toolbox",
            Self::HostsConnect => "http",
            Self::CredentialsUse => "credentials",
            Self::ModelUse => "model",
            Self::MemoryRead | Self::MemoryKeep => "memory",
            Self::ProgramsRun => "vm",
            Self::ServersBring => return None,
        })
    }

    /// What it lets a plugin do, for the person: completes "It may …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::FilesRead => "read the folders that you give to a task",
            Self::FilesChange => "propose changes to those folders, which you see before they are made",
            Self::FilesRemove => "propose removals, each of which you are asked about",
            Self::PersonAsk => "ask you questions while it works",
            Self::StateKeep => "keep notes of its own on this computer",
            Self::ToolsCall => "use tools of other plugins",
            Self::HostsConnect => "send what it works on to hosts of the network",
            Self::CredentialsUse => "sign in there with keys that you give to Deskhand, without seeing them",
            Self::ModelUse => "let your model work for it, out of the budget of your task",
            Self::MemoryRead => "read the notes that Deskhand keeps for you, as far as a task is told them",
            Self::MemoryKeep => "propose notes to be remembered, each of which you are asked about",
            Self::ProgramsRun => "run programs in a virtual machine or a sandbox of its own, once you say so",
            Self::ServersBring => "bring an MCP server, which is off until you allow it",
        }
    }
}

/// A slash command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What the person types after `/`.
    pub name: PluginName,
    /// One sentence.
    pub summary: String,
    /// JSON Schema (2020-12) of the arguments: an object whose properties are booleans, integers, strings, enums of
    /// strings, or arrays of one of the last two.
    pub arguments: serde_json::Value,
    /// How the arguments are written in words, such as `by {by}` or `to {pattern}`: literal words, and properties in
    /// braces. Each form is a clause; clauses come in any order, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<String>,
    /// Requests in plain words that this command serves, such as `sort the files of a folder by type`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
    /// Requests in plain words that sound alike and that it does not serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for: Vec<String>,
}

/// A tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Unique within the plugin.
    pub name: PluginName,
    /// For the person.
    pub title: String,
    /// For the model.
    pub description: String,
    /// JSON Schema (2020-12) of the arguments, an object.
    pub input: serde_json::Value,
    /// JSON Schema of the structured result, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// True if it only reads. Believed by nobody: what it does is checked at each call.
    #[serde(default)]
    pub read_only: bool,
}

/// A skill: how a kind of work is done, for the agent that takes it up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// What the agent and the person call it.
    pub name: PluginName,
    /// What it is for and when to take it up, in one or two sentences: all that the agent reads before it does.
    pub description: String,
    /// Requests in plain words that it serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
    /// JSON Schema of what it takes, an object; none if it takes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
}

/// A sub-agent: who works on a part of a task, apart from the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// What callers call it.
    pub name: PluginName,
    /// What it does, for the agent that gives it work.
    pub description: String,
    /// JSON Schema of what it takes beside its task, an object; none if it takes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// How able a model it needs.
    #[serde(default)]
    pub tier: Tier,
    /// True if it runs a loop of its own (`agent-loop`); else Deskhand's loop works as it says (`agent`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_loop: bool,
}

/// What turns documents into text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extractor {
    /// The media types (RFC 6838) of the documents that it reads, in lower case and without parameters.
    pub media_types: Vec<String>,
}

/// How able a model is: never a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// For many small things.
    Fast,
    /// For most work.
    #[default]
    Balanced,
    /// For what is hard.
    Deep,
}

impl Tier {
    /// The name in manifests and in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Deep => "deep",
        }
    }
}

/// A key or token that the person connects. The plugin names it and never sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Unique within the plugin.
    pub name: PluginName,
    /// What it is and where it is to be had, for the person who connects it.
    pub title: String,
    /// The hosts that it may go to, and no others; as in the scope of `hosts.connect`, without `*`.
    pub hosts: Vec<String>,
    /// The header that carries it.
    pub header: String,
    /// What stands before it in the header, such as `Bearer `.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// What a plugin needs at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Linear memory, in MiB.
    pub memory_mib: u32,
    /// Time of its own in one call, in seconds; waiting for the person or for the host does not count.
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_mib: 64, seconds: 30 }
    }
}
