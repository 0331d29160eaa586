//! Who acts, in what, and what was said in advance.

use deskhand_vocabulary::{ClientName, PluginId, Principal, ServerName, TaskId, manifest::Permission};
use std::sync::Arc;

/// What the person said in advance, by options of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// `--yes`: apply plans and install without a question. Never covers a removal or a sensitive change.
    pub yes: bool,
    /// `--allow-removals N`: at most so many files and folders in all, over the whole task.
    pub removals: u64,
}

/// Who acts, and in what.
#[derive(Clone, Debug)]
pub struct Context {
    /// The task, if it is part of one.
    pub task: Option<TaskId>,
    /// Who acts.
    pub principal: Principal,
    /// The rights that the acting plugin declares; ignored for the person.
    pub rights: Arc<[Permission]>,
    /// What was said in advance.
    pub standing: Standing,
}

impl Context {
    /// The person, by a command of their own.
    pub fn person(task: Option<TaskId>, standing: Standing) -> Self {
        Self { task, principal: Principal::Person, rights: Arc::new([]), standing }
    }

    /// The agent in a task.
    pub fn agent(task: TaskId, standing: Standing) -> Self {
        Self { task: Some(task), principal: Principal::Agent, rights: Arc::new([]), standing }
    }

    /// A client of the person's in a task.
    pub fn client(task: TaskId, client: ClientName, standing: Standing) -> Self {
        Self { task: Some(task), principal: Principal::Client(client), rights: Arc::new([]), standing }
    }

    /// An MCP server, outside of any task.
    pub fn of_server(server: ServerName) -> Self {
        Self { task: None, principal: Principal::Server(server), rights: Arc::new([]), standing: Standing::default() }
    }

    /// A plugin in a task, with the rights of its manifest.
    pub const fn plugin(task: TaskId, plugin: PluginId, rights: Arc<[Permission]>, standing: Standing) -> Self {
        Self { task: Some(task), principal: Principal::Plugin(plugin), rights, standing }
    }
}
