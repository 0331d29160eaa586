//! The runtime itself: what is installed, and the way to call it.

use crate::{
    cache::{Cache, Components},
    call::{self, Request},
    config::Config,
    fault::PluginFault,
    index::{Index, IndexError, Plugins},
    invocation::Invocation,
    limits::Allowance,
    load::{Loader, Loads},
    machine::Machine,
    reply::{CallError, Content, Extracted, Guidance, Profile, Reply, ToolOutput, ToolPage},
    roles::{self, Ask},
    slots::Slots,
};
use deskhand_permissions::{
    Permit,
    effect::{CallTool, ExtractText, ListTools, RunCommand, StartAgent, UseSkill},
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

    /// Begin to load a component whose call is to come, on a thread of its own, beside what has to be done before that: the
    /// gate's decision waits for a disk. Nothing of it runs. Its call waits for this one load, and tells what went wrong.
    pub fn load_ahead(&self, plugin: &PluginId) {
        let (inner, plugin) = (Arc::clone(&self.inner), plugin.clone());
        let load = move || {
            let Ok(Some(installed)) = inner.index.plugin(&plugin) else { return };
            // to make what is missing is left to the call
            if let (true, Ok(machine)) = (installed.release.is_compiled(), inner.machine()) {
                let _ = inner.loads.get(&plugin, &installed.release, &inner.loader(machine));
            }
        };
        // without a thread, all of it is left to the call
        let _ = std::thread::Builder::new().name("deskhand-load".to_owned()).spawn(load);
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
        self.call(invocation, plugin, roles::RunCommand { command, arguments: arguments.to_string() })
    }

    /// Call the tool that was permitted. As [`Self::call_command`].
    pub fn call_tool(
        &self,
        invocation: Invocation,
        permit: Permit<CallTool>,
        arguments: &serde_json::Value,
    ) -> Result<ToolOutput, CallError> {
        let CallTool { plugin, tool } = permit.redeem();
        self.call(invocation, plugin, roles::CallTool { tool, arguments: arguments.to_string() })
    }

    /// A page of the tools that depend on the plugin's account, from where the page before ended. As [`Self::call_command`].
    pub fn list_tools(
        &self,
        invocation: Invocation,
        permit: Permit<ListTools>,
        cursor: Option<String>,
    ) -> Result<ToolPage, CallError> {
        let ListTools { plugin } = permit.redeem();
        self.call(invocation, plugin, roles::ListTools { cursor })
    }

    /// Take up the skill that was permitted, for a task in the words of who has it. `input` fits its schema. As
    /// [`Self::call_command`].
    pub fn open_skill(
        &self,
        invocation: Invocation,
        permit: Permit<UseSkill>,
        task: &str,
        input: &serde_json::Value,
    ) -> Result<Guidance, CallError> {
        let UseSkill { plugin, skill } = permit.redeem();
        self.call(invocation, plugin, roles::OpenSkill { skill, task: task.to_owned(), input: input.to_string() })
    }

    /// Read a reference of the skill that was permitted. As [`Self::call_command`].
    pub fn read_skill(
        &self,
        invocation: Invocation,
        permit: Permit<UseSkill>,
        path: &str,
    ) -> Result<Content, CallError> {
        let UseSkill { plugin, skill } = permit.redeem();
        self.call(invocation, plugin, roles::ReadSkill { skill, path: path.to_owned() })
    }

    /// Have the extractor that was permitted turn a document of this media type into at most `limit` bytes of text. It is
    /// given the document itself. As [`Self::call_command`].
    pub fn extract_text(
        &self,
        invocation: Invocation,
        permit: Permit<ExtractText>,
        media_type: &str,
        document: Vec<u8>,
        limit: usize,
    ) -> Result<Extracted, CallError> {
        let ExtractText { plugin } = permit.redeem();
        self.call(invocation, plugin, roles::ExtractText { media_type: media_type.to_owned(), document, limit })
    }

    /// Ask the sub-agent that was permitted who it is and how it works on this task; the host's own loop does the rest.
    /// `input` fits its schema. As [`Self::call_command`].
    pub fn brief_agent(
        &self,
        invocation: Invocation,
        permit: Permit<StartAgent>,
        task: &str,
        input: &serde_json::Value,
    ) -> Result<Profile, CallError> {
        let StartAgent { plugin, agent } = permit.redeem();
        self.call(invocation, plugin, roles::BriefAgent { agent, task: task.to_owned(), input: input.to_string() })
    }

    /// Have the sub-agent that was permitted work in its own loop, over the models and tools of the invocation. As
    /// [`Self::brief_agent`].
    pub fn run_agent(
        &self,
        invocation: Invocation,
        permit: Permit<StartAgent>,
        task: &str,
        input: &serde_json::Value,
    ) -> Result<Vec<Content>, CallError> {
        let StartAgent { plugin, agent } = permit.redeem();
        self.call(invocation, plugin, roles::RunAgent { agent, task: task.to_owned(), input: input.to_string() })
    }

    fn call<A: Ask>(&self, invocation: Invocation, plugin: PluginId, ask: A) -> Result<A::Answer, CallError> {
        let machine = self.inner.machine().map_err(|fault| CallError::Fault { plugin: plugin.clone(), fault })?;
        let allowance = Allowance::new(self.inner.config.written_bytes);
        machine.block_on(call::call(&self.inner, invocation, Request { plugin, ask, depth: 0, allowance }))
    }
}
