//! What rooms above the runtime do for plugins: the application hands it in, as far as there is any.

use crate::reply::{Content, Refused, ToolOutput};
use deskhand_egress::{Egress, Outlet, Recorder, Secret};
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::{
    FilePath, Log, PluginId, Stop,
    manifest::{Permission, Tier},
};
use deskhand_workspace::Workspace;
use serde_json::Value;
use std::{ffi::OsString, fmt, sync::Arc, time::Duration};
use tokio::runtime::Handle;

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
    /// Places for programs.
    pub places: Option<Arc<dyn Places>>,
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

/// Whoever has places in which programs of plugins run, shut off from all else.
pub trait Places: Send + Sync {
    /// A place for the programs of one call. Nothing is started before the first of them.
    ///
    /// # Errors
    /// Why there is none.
    fn open(&self, caller: Caller) -> Result<Box<dyn Place>, Refused>;
}

/// Whose programs they are, and what they work with.
#[derive(Clone)]
pub struct Caller {
    /// The plugin, in its task and with its rights.
    pub context: Context,
    /// What decides whether they run.
    pub gate: Arc<Gate>,
    /// Where each is put on the record.
    pub log: Arc<dyn Log>,
    /// The folders as the plugin sees them, with its own changes. That it may read each of them is decided, as far as it
    /// declares that; what programs write is added to them.
    pub workspace: Workspace,
    /// Their only network: what decides on each host for the plugin, and brings there what is sent.
    pub outlet: Outlet,
    /// Of a runtime with time and network.
    pub handle: Handle,
    /// Whether the person has stopped the task.
    pub stop: Stop,
}

/// The place of a call. Dropped, all in it is ended.
pub trait Place: Send + Sync {
    /// Start a program, once it is decided that it may run. Another one has ended before. Blocks while the person is asked.
    ///
    /// # Errors
    /// Why it may not run.
    fn start(&mut self, program: Program) -> Result<Box<dyn Process>, Refused>;

    /// Whether no program runs, and what the last one wrote is taken.
    fn is_at_rest(&self) -> bool;
}

/// A program to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program, and what it is given; at least the program, and no zero byte.
    pub words: Vec<OsString>,
    /// Where it starts; none for the home of the place.
    pub folder: Option<FilePath>,
    /// How long it has.
    pub time: Duration,
}

/// A program that was started. Dropped, it is ended, and that is waited for.
pub trait Process: Send + Sync {
    /// What it says that was not read yet, at most so many bytes in all. Waits a short while where there is nothing.
    ///
    /// # Errors
    /// Where it could not be run.
    fn read(&self, most: usize) -> Result<Said, Refused>;

    /// Give it something to read.
    ///
    /// # Errors
    /// Where it reads nothing any more, or was given too much.
    fn write(&self, bytes: &[u8]) -> Result<(), Refused>;

    /// It is given nothing more.
    fn close_stdin(&self);

    /// Wait for its end: how it ended and what it used, an object as the interface says it.
    ///
    /// # Errors
    /// Where it could not be run.
    fn wait(&self) -> Result<Value, Refused>;

    /// Have it ended.
    fn kill(&self);
}

/// What a program said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// On its standard output.
    pub stdout: Vec<u8>,
    /// On its standard error.
    pub stderr: Vec<u8>,
    /// True once it has ended and all was read.
    pub ended: bool,
}
