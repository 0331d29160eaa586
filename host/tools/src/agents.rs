//! The sub-agents of installed plugins: which there are, who each says that it is, and those that run themselves. The
//! host's own loop gives work to the others.

use crate::{answers, names, plugins};
use deskhand_agent::tool::{Outcome, Output};
use deskhand_permissions::{Context, Permit, effect::StartAgent};
use deskhand_runtime::{Content, IndexError, Invocation, Profile, Runtime};
use deskhand_vocabulary::{
    PluginId, PluginName, Stop,
    manifest::Tier,
    text::{safe, shortened},
};
use serde_json::Value;

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

/// See the module.
pub struct SubAgents {
    runtime: Runtime,
    invocation: Invocation,
    entries: Vec<SubAgent>,
}

impl std::fmt::Debug for SubAgents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubAgents").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl SubAgents {
    /// The sub-agents of all plugins that are installed now, for the task of this invocation.
    ///
    /// # Errors
    /// The list of what is installed cannot be read.
    pub fn new(runtime: Runtime, invocation: Invocation) -> Result<Self, IndexError> {
        let plugins = runtime.plugins()?;
        let mut found = Vec::new();
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
                description: shortened(
                    &safe(&agent.description.split_whitespace().collect::<Vec<_>>().join(" "), false),
                    DESCRIPTION,
                ),
                input,
                tier: agent.tier,
                own_loop: agent.own_loop,
            };
        let entries = found.into_iter().zip(names).map(entry).collect();
        Ok(Self { runtime, invocation, entries })
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

    /// Who a sub-agent is and how it works on this task. Blocks; call it on a thread that may wait.
    ///
    /// # Errors
    /// What the caller is told instead.
    pub fn brief(&self, agent: &SubAgent, task: &str, input: &Value, stop: &Stop) -> Result<Profile, Box<Output>> {
        let (invocation, permit) = self.permitted(agent, input, stop)?;
        let profile = self.runtime.brief_agent(invocation, permit, task, input);
        profile.map_err(|error| Box::new(answers::of_error(&error, false)))
    }

    /// Have a sub-agent work that runs itself, over the models and the toolbox of the invocation. Blocks until it is done.
    ///
    /// # Errors
    /// What the caller is told instead.
    pub fn run(&self, agent: &SubAgent, task: &str, input: &Value, stop: &Stop) -> Result<Vec<Content>, Box<Output>> {
        let (invocation, permit) = self.permitted(agent, input, stop)?;
        let said = self.runtime.run_agent(invocation, permit, task, input);
        said.map_err(|error| Box::new(answers::of_error(&error, true)))
    }

    fn permitted(
        &self,
        agent: &SubAgent,
        input: &Value,
        stop: &Stop,
    ) -> Result<(Invocation, Permit<StartAgent>), Box<Output>> {
        if let Some(schema) = &agent.input
            && let Err(wrong) = plugins::fit(schema, input)
        {
            let reason = format!("the input of the sub-agent does not fit. {wrong}");
            return Err(Box::new(Output::not_done(Outcome::Failed, reason)));
        }
        let invocation = Invocation { stop: stop.clone(), ..self.invocation.clone() };
        let context = Context::agent(invocation.task, invocation.standing);
        let effect = StartAgent { plugin: agent.plugin.clone(), agent: agent.agent.to_string() };
        let permit =
            invocation.gate.permit(&context, effect).map_err(|refused| Box::new(answers::of_gate(&refused)))?;
        Ok((invocation, permit))
    }
}
