//! The tools that an agent works with: those for files, and those of plugins.

use crate::failure::Result;
use deskhand_agent::tool::Tools;
use deskhand_egress::Outlet;
use deskhand_permissions::{Context, Gate};
use deskhand_runtime::{Invocation, Runtime};
use deskhand_tools::{AskUser, Commands, Joined, OwnTools, PluginTools, QuoteCheck, Skills, Sources, WebFetch};
use deskhand_workspace::Workspace;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What tools are made from. Each agent of a task has tools of its own, because what one has seen another has not.
#[derive(Clone)]
pub(super) struct Kit {
    pub(super) workspace: Workspace,
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) runtime: Runtime,
    pub(super) invocation: Invocation,
    pub(super) sources: Arc<Sources>,
    /// The way to pages.
    pub(super) outlet: Outlet,
    pub(super) handle: Handle,
}

impl Kit {
    /// What the model calls the tools that a plugin names.
    pub(super) fn names_of(&self, tool: &str) -> Vec<String> {
        let plugins = PluginTools::new(self.runtime.clone(), self.invocation.clone());
        let of_plugins = plugins.map(|plugins| plugins.names_of(tool).into_iter().map(str::to_owned).collect());
        let own = std::iter::once(tool.to_owned());
        own.chain(of_plugins.unwrap_or_else(|_| Vec::new())).collect()
    }

    /// All tools but those that set others to work.
    pub(super) fn all(&self) -> Result<Arc<dyn Tools>> {
        let (workspace, gate, context) = (&self.workspace, &self.gate, &self.context);
        let files = OwnTools::new(workspace.clone(), Arc::clone(gate), context.clone());
        let plugins = Arc::new(PluginTools::new(self.runtime.clone(), self.invocation.clone())?);
        let skills = Skills::new(self.runtime.clone(), self.invocation.clone(), Arc::clone(&plugins))?;
        let commands = Commands::new(self.runtime.clone(), self.invocation.clone())?;
        let quotes = QuoteCheck::new(workspace.clone(), Arc::clone(gate), context.clone(), Arc::clone(&self.sources));
        let clock = Arc::clone(&self.invocation.clock);
        let web = WebFetch::new(self.outlet.clone(), self.handle.clone(), clock, Arc::clone(&self.sources));
        let ask = AskUser::new(Arc::clone(gate), context.clone(), Arc::clone(&self.invocation.person));
        let sets: [Arc<dyn Tools>; 7] = [
            Arc::new(files),
            Arc::new(web),
            Arc::new(ask),
            Arc::new(quotes),
            Arc::new(commands),
            Arc::new(skills),
            plugins,
        ];
        Ok(Arc::new(Joined::new(sets)))
    }
}
