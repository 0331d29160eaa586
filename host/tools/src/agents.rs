//! The sub-agents of installed plugins: which there are, who each says that it is, and those that run themselves. The
//! host's own loop gives work to the others.

use crate::{answers, arguments, calling::Calling, names};
use deskhand_agent::{
    budget::{Amounts, Limits},
    tool::{Outcome, Output},
};
use deskhand_permissions::{Permit, effect::StartAgent};
use deskhand_runtime::{CallError, Content, Invocation, Profile, Runtime};
use deskhand_vocabulary::{
    PluginId, PluginName, Stop,
    manifest::Tier,
    text::{in_a_line, safe, shortened},
};
use serde_json::Value;
use std::sync::Arc;

/// The most characters of what a sub-agent says of itself.
const DESCRIPTION: usize = 300;

/// A sub-agent of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct SubAgent {
    /// What a model calls it: `plugin__agent`.
    pub name: String,
    /// Whose it is.
    pub plugin: PluginId,
    /// Its own name.
    pub agent: PluginName,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of what it takes beside its task.
    pub input: Option<Value>,
    /// How able a model it needs.
    pub tier: Tier,
    /// True if it runs itself ([`SubAgents::run`]); else [`SubAgents::brief`] says who it is.
    pub own_loop: bool,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct SubAgents {
    calling: Calling,
    entries: Arc<[SubAgent]>,
}

impl std::fmt::Debug for SubAgents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubAgents").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl SubAgents {
    /// The sub-agents of all plugins that can be called.
    pub fn new(calling: Calling) -> Self {
        let mut found = Vec::new();
        let plugins = Arc::clone(&calling.plugins);
        for installed in plugins.iter() {
            let Some(agent) = installed.release.listing().ok().and_then(|listing| listing.agent.as_ref()) else {
                continue;
            };
            let input = installed.release.manifest().ok().and_then(|manifest| manifest.agent.as_ref()?.input.clone());
            found.push((installed.id.clone(), agent, input));
        }
        let names = names::on_the_wire(found.iter().map(|(plugin, agent, _)| (plugin, agent.name.as_str())));
        let entry =
            |((plugin, agent, input), name): ((PluginId, &deskhand_runtime::ListedAgent, _), String)| SubAgent {
                name,
                plugin,
                agent: agent.name.clone(),
                description: shortened(&safe(&in_a_line(&agent.description), false), DESCRIPTION),
                input,
                tier: agent.tier,
                own_loop: agent.own_loop,
            };
        let entries = found.into_iter().zip(names).map(entry).collect();
        Self { calling, entries }
    }

    /// The same sub-agents, called in another way.
    #[must_use]
    pub fn with(&self, calling: Calling) -> Self {
        Self { calling, entries: Arc::clone(&self.entries) }
    }

    /// Those that there are, in the order of their plugins.
    pub fn list(&self) -> &[SubAgent] {
        &self.entries
    }

    /// One of them, by what a model calls it, or by its own name where only one has it.
    pub fn get(&self, name: &str) -> Option<&SubAgent> {
        let exact = self.entries.iter().find(|entry| entry.name == name);
        exact.or_else(|| {
            let mut so_called = self.entries.iter().filter(|entry| entry.agent.as_str() == name);
            so_called.next().filter(|_| so_called.next().is_none())
        })
    }

    /// The sub-agent that a plugin calls so.
    pub fn of(&self, plugin: &PluginId, agent: &str) -> Option<&SubAgent> {
        self.entries.iter().find(|entry| entry.plugin == *plugin && entry.agent.as_str() == agent)
    }

    /// Who a sub-agent is and how it works on this task, and what it took to say so. Blocks; call it on a thread that may wait.
    ///
    /// # Errors
    /// What the caller is told instead.
    pub fn brief(&self, agent: &SubAgent, work: Work<'_>, stop: &Stop) -> Result<(Profile, Amounts), Box<Output>> {
        self.call(agent, work, stop, false, |runtime, invocation, permit| {
            runtime.brief_agent(invocation, permit, work.task, work.input)
        })
    }

    /// Have a sub-agent work that runs itself, over the models and the toolbox of the invocation; what it says, and what it
    /// used up. Blocks until it is done.
    ///
    /// # Errors
    /// What the caller is told instead.
    pub fn run(&self, agent: &SubAgent, work: Work<'_>, stop: &Stop) -> Result<(Vec<Content>, Amounts), Box<Output>> {
        self.call(agent, work, stop, true, |runtime, invocation, permit| {
            runtime.run_agent(invocation, permit, work.task, work.input)
        })
    }

    fn call<T>(
        &self,
        agent: &SubAgent,
        work: Work<'_>,
        stop: &Stop,
        lasting: bool,
        make: impl FnOnce(&Runtime, Invocation, Permit<StartAgent>) -> Result<T, CallError>,
    ) -> Result<(T, Amounts), Box<Output>> {
        if let Some(schema) = &agent.input
            && let Err(wrong) = arguments::fit(schema, work.input)
        {
            let reason = format!("the input of the sub-agent does not fit. {wrong}");
            return Err(Box::new(Output::not_done(Outcome::Failed, reason)));
        }
        let effect = StartAgent { plugin: agent.plugin.clone(), agent: agent.agent.to_string() };
        let permit = self.calling.permit(effect)?;
        let (invocation, meter) = self.calling.begin(work.left, stop);
        let made = make(&self.calling.runtime, invocation, permit);
        let failed = |error| Box::new(Output { spent: meter.spent(), ..answers::of_error(&error, lasting) });
        made.map(|made| (made, meter.spent())).map_err(failed)
    }
}

/// What a sub-agent is given.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// What is to be done, in words.
    pub task: &'a str,
    /// What goes with it; an object.
    pub input: &'a Value,
    /// What it may use up.
    pub left: Limits,
}
