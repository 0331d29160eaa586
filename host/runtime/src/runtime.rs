//! The runtime itself: what is installed, and the way to call it.

use crate::{
    cache::{Cache, Components},
    call::{self, Answer, Request, Role},
    config::Config,
    fault::PluginFault,
    index::{Index, IndexError, Plugins},
    invocation::Invocation,
    limits::Allowance,
    load::{Loader, Loads},
    machine::Machine,
    reply::{CallError, Reply, ToolOutput},
    slots::Slots,
};
use deskhand_permissions::{
    Permit,
    effect::{CallTool, RunCommand},
};
use deskhand_vocabulary::{Home, PluginId};
use std::sync::{Arc, OnceLock};

/// Loads, limits and calls the installed plugins of one Deskhand home. One a process; cheap to make: nothing is read and
/// no engine started until it is needed. Clones are the same runtime.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) index: Index,
    pub(crate) cache: Cache,
    pub(crate) components: Components,
    pub(crate) loads: Loads,
    pub(crate) slots: Arc<Slots>,
    machine: OnceLock<Result<Machine, PluginFault>>,
}

impl Inner {
    pub(crate) fn machine(&self) -> Result<&Machine, PluginFault> {
        self.machine.get_or_init(|| Machine::new(&self.config)).as_ref().map_err(Clone::clone)
    }

    pub(crate) fn loader<'a>(&'a self, machine: &'a Machine) -> Loader<'a> {
        let Self { config, index, cache, components, .. } = self;
        Loader { machine, cache, components, index, config }
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Runtime {
    /// The runtime of `home`. Reads nothing yet.
    pub fn new(home: &Home, config: Config) -> Self {
        let (slots, loads) = (Slots::new(config.concurrency), Loads::new(&config));
        Self {
            inner: Arc::new(Inner {
                index: Index::new(home),
                cache: Cache::new(home),
                components: Components::new(home),
                loads,
                slots,
                machine: OnceLock::new(),
                config,
            }),
        }
    }

    /// What is installed. The first call reads one file; later ones look whether it is still the same.
    pub fn plugins(&self) -> Result<Arc<Plugins>, IndexError> {
        self.inner.index.plugins()
    }

    /// How many components are in memory.
    pub fn loaded(&self) -> usize {
        self.inner.loads.count()
    }

    /// Run the slash command that was permitted. `arguments` fit its schema; the caller has seen to that. Blocks until
    /// there is an answer: call it on a thread that may wait.
    pub fn call_command(
        &self,
        invocation: Invocation,
        permit: Permit<RunCommand>,
        arguments: &serde_json::Value,
    ) -> Result<Reply, CallError> {
        let RunCommand { plugin, command } = permit.redeem();
        match self.call(invocation, &plugin, Role::Command, command, arguments)? {
            Answer::Command(reply) => Ok(reply),
            Answer::Tool(_) => Err(mixed_up(&plugin)),
        }
    }

    /// Call the tool that was permitted. As [`Self::call_command`].
    pub fn call_tool(
        &self,
        invocation: Invocation,
        permit: Permit<CallTool>,
        arguments: &serde_json::Value,
    ) -> Result<ToolOutput, CallError> {
        let CallTool { plugin, tool } = permit.redeem();
        match self.call(invocation, &plugin, Role::Tool, tool, arguments)? {
            Answer::Tool(output) => Ok(output),
            Answer::Command(_) => Err(mixed_up(&plugin)),
        }
    }

    fn call(
        &self,
        invocation: Invocation,
        plugin: &PluginId,
        role: Role,
        name: String,
        arguments: &serde_json::Value,
    ) -> Result<Answer, CallError> {
        let machine = self.inner.machine().map_err(|fault| CallError::Fault { plugin: plugin.clone(), fault })?;
        let allowance = Allowance::new(self.inner.config.written_bytes);
        let request =
            Request { plugin: plugin.clone(), role, name, arguments: arguments.to_string(), depth: 0, allowance };
        machine.block_on(call::call(&self.inner, invocation, request))
    }
}

fn mixed_up(plugin: &PluginId) -> CallError {
    let fault = PluginFault::Host { reason: "it answered for another role than it was called in".to_owned() };
    CallError::Fault { plugin: plugin.clone(), fault }
}
