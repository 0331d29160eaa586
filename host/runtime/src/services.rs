//! What rooms above the runtime do for plugins: the application hands it in, as far as there is any.

use crate::reply::{Content, Refused, ToolOutput};
use deskhand_egress::{Egress, Recorder, Secret};
use deskhand_vocabulary::{
    PluginId, Stop,
    manifest::{Permission, Tier},
};
use deskhand_workspace::Workspace;
use serde_json::Value;
use std::{fmt, sync::Arc};

/// What a call can be served with. What is missing here is refused to plugins, with the code `unsupported`.
#[derive(Clone, Default)]
pub struct Services {
    /// The way to a network.
    pub network: Option<Network>,
    /// The credentials that the person connected.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// The models of the task.
    pub models: Option<Arc<dyn Models>>,
    /// Sub-agents.
    pub agents: Option<Arc<dyn Agents>>,
}

/// The way to a network, and who keeps and counts what went it.
#[derive(Clone)]
pub struct Network {
    /// The way.
    pub egress: Egress,
    /// Told of each hop of each request.
    pub recorder: Arc<dyn Recorder>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("network", &self.network.is_some()).finish_non_exhaustive()
    }
}

/// The credentials that the person connected. What a plugin may do with one is decided before this is asked.
pub trait Credentials: Send + Sync {
    /// Whether the person has connected the credential of a plugin that its manifest calls by this name.
    fn is_connected(&self, plugin: &PluginId, name: &str) -> bool;

    /// The credential, to be sent to this host.
    ///
    /// # Errors
    /// [`NoCredential`] where it is not connected, not for this host, or cannot be read.
    fn get(&self, plugin: &PluginId, name: &str, host: &str) -> Result<Secret, NoCredential>;
}

/// Why a credential is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCredential {
    /// The person has not connected it.
    NotConnected,
    /// The person has connected it for these hosts, and not for the one that is asked for.
    Elsewhere(Vec<String>),
    /// It could not be read, for this reason.
    Unreadable(String),
}

/// Who gives work to sub-agents. Blocks until the work is done; the budget comes out of that of the task.
pub trait Agents: Send + Sync {
    /// Have a sub-agent work. That the caller may is decided already; what the sub-agent may is at most what the caller may.
    ///
    /// # Errors
    /// What the caller is told instead of an answer.
    fn delegate(&self, work: &Work, stop: &Stop) -> Result<ToolOutput, Refused>;
}

/// Work for a sub-agent.
#[derive(Clone, Debug)]
pub struct Work {
    /// The plugin that gives it.
    pub caller: PluginId,
    /// What the caller may. The sub-agent may no more.
    pub rights: Arc<[Permission]>,
    /// The folders as the caller sees them, with its own changes; what the sub-agent changes is added to them.
    pub workspace: Workspace,
    /// The plugin whose sub-agent is to do it.
    pub plugin: PluginId,
    /// The sub-agent.
    pub agent: String,
    /// What is to be done, in words. Not trusted.
    pub task: String,
    /// What goes with it; an object.
    pub input: Value,
    /// How much it may use, such as `{"tokens": 10000}`; an object, and the rest is what is left of the task's.
    pub budget: Value,
}

/// The models of a task, at its expense and under its rules.
pub trait Models: Send + Sync {
    /// Begin a conversation.
    ///
    /// # Errors
    /// Where no model is set up.
    fn start(&self, opening: &Opening) -> Result<Box<dyn Talk>, Refused>;
}

/// How a conversation of a plugin with a model begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Who speaks to it.
    pub plugin: PluginId,
    /// How able a model is wanted.
    pub tier: Tier,
    /// Who the model is. A plugin's words.
    pub system: String,
    /// The tools that the model is told of, as `marketplace:plugin/tool`.
    pub tools: Vec<String>,
    /// What else the plugin wishes; an object.
    pub options: Value,
}

/// A conversation with a model. Each method blocks until it is done; the history stays on this side.
pub trait Talk: Send + Sync {
    /// Say something to the model.
    ///
    /// # Errors
    /// Where it does not fit where the conversation is.
    fn say(&mut self, content: Vec<Content>) -> Result<(), Refused>;

    /// Answer a call that the model made.
    ///
    /// # Errors
    /// As [`Self::say`].
    fn answer(&mut self, tool_use: &str, output: Result<ToolOutput, Refused>) -> Result<(), Refused>;

    /// The model's next turn.
    ///
    /// # Errors
    /// Where there is none: the model cannot be reached, the budget is used up, the person stopped it.
    fn next(&mut self, stop: &Stop) -> Result<ModelReply, Refused>;

    /// The next piece of text of the turn under way; none at its end, after which [`Self::next`] returns the whole.
    ///
    /// # Errors
    /// As [`Self::next`].
    fn piece(&mut self, stop: &Stop) -> Result<Option<String>, Refused>;
}

/// A turn of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelReply {
    /// What it says. Not trusted.
    pub content: Vec<Content>,
    /// The calls that it makes.
    pub calls: Vec<ModelCall>,
    /// `end`, `length`, `tool-use` or `refused`; others may follow.
    pub stop: String,
    /// Tokens read.
    pub input_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
}

/// A call that a model makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCall {
    /// Its name in the conversation.
    pub id: String,
    /// Which tool.
    pub tool: String,
    /// A JSON document.
    pub arguments: String,
}
