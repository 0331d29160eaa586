//! The tools that an agent works with: those for files, those of plugins, and those of MCP servers.

use crate::{mcp::Servers, outgoing::Outgoing};
use deskhand_agent::tool::Tools;
use deskhand_egress::Outlet;
use deskhand_permissions::{Context, Gate};
use deskhand_tools::{
    AskUser, Calling, Commands, Documents, Joined, OwnTools, PluginTools, QuoteCheck, ServerTools, Skills, Sources,
    SubAgents, WebFetch,
};
use deskhand_vocabulary::{Clock, Person};
use deskhand_workspace::Workspace;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What tools are made from. Each agent of a task has tools of its own, because what one has seen another has not; what there
/// is of plugins is the same for all.
#[derive(Clone)]
pub(super) struct Kit {
    pub(super) workspace: Workspace,
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) person: Arc<dyn Person>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sources: Arc<Sources>,
    /// The way to pages.
    pub(super) outlet: Outlet,
    pub(super) handle: Handle,
    pub(super) plugins: OfPlugins,
    /// The MCP servers that it may use. Only who works in the name of the person has any.
    pub(super) servers: Servers,
}

/// What there is of plugins.
#[derive(Clone)]
pub(super) struct OfPlugins {
    calling: Calling,
    pub(super) tools: PluginTools,
    pub(super) agents: SubAgents,
    /// What only the person's own agent has: it shows the person plans, and says how work is done.
    own: Option<(Arc<Commands>, Arc<Skills>)>,
}

impl OfPlugins {
    /// All that is installed, for the person's own agent.
    pub(super) fn new(calling: Calling) -> Self {
        let tools = PluginTools::new(calling.clone());
        let commands = Commands::new(calling.clone());
        let skills = Skills::new(calling.clone(), tools.clone());
        let agents = SubAgents::new(calling.clone());
        Self { calling, tools, agents, own: Some((Arc::new(commands), Arc::new(skills))) }
    }
}

impl Kit {
    /// What the model calls the tools that a plugin names.
    pub(super) fn names_of(&self, tool: &str) -> Vec<String> {
        let of_plugins = self.plugins.tools.names_of(tool).into_iter().map(str::to_owned);
        std::iter::once(tool.to_owned()).chain(of_plugins).collect()
    }

    /// The same for a plugin, which gives work to others: they may what it may, and see the folders as it does.
    pub(super) fn for_plugin(
        &self,
        context: Context,
        workspace: Workspace,
        outgoing: &Outgoing,
        serve: impl FnOnce(Calling) -> Calling,
    ) -> Self {
        let calling = serve(self.plugins.calling.within(context.clone(), workspace.clone()));
        let plugins = OfPlugins {
            tools: self.plugins.tools.with(calling.clone()),
            agents: self.plugins.agents.with(calling.clone()),
            calling,
            own: None,
        };
        let outlet = outgoing.pages_for(context.clone());
        Self { workspace, context, outlet, plugins, servers: Arc::new([]), ..self.clone() }
    }

    /// All tools but those that set others to work.
    pub(super) fn all(&self) -> Arc<dyn Tools> {
        let (workspace, gate, context) = (&self.workspace, &self.gate, &self.context);
        let documents = Documents::new(self.plugins.calling.clone());
        let files = OwnTools::new(workspace.clone(), Arc::clone(gate), context.clone()).reading(documents);
        let quotes = QuoteCheck::new(workspace.clone(), Arc::clone(gate), context.clone(), Arc::clone(&self.sources));
        let clock = Arc::clone(&self.clock);
        let web = WebFetch::new(self.outlet.clone(), self.handle.clone(), clock, Arc::clone(&self.sources));
        let ask = AskUser::new(Arc::clone(gate), context.clone(), Arc::clone(&self.person));
        let mut sets: Vec<Arc<dyn Tools>> = vec![Arc::new(files), Arc::new(web), Arc::new(ask), Arc::new(quotes)];
        if let Some((commands, skills)) = &self.plugins.own {
            sets.push(Arc::<Commands>::clone(commands));
            sets.push(Arc::<Skills>::clone(skills));
        }
        sets.push(Arc::new(self.plugins.tools.clone()));
        let servers = Arc::clone(&self.servers);
        sets.push(Arc::new(ServerTools::new(servers, Arc::clone(gate), context.clone(), self.handle.clone())));
        Arc::new(Joined::new(sets))
    }
}
