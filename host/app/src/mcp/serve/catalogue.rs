//! What is offered of the plugins that are installed: read once for each state of their list.

use crate::{desk::Desk, failure::Result};
use deskhand_agent::tool::Tool;
use deskhand_runtime::{Edition, Plugins};
use deskhand_tools::{Commands, Described, PluginTools, Skills};
use std::sync::{Arc, Mutex, PoisonError};

/// What there is.
pub(super) struct Offered {
    pub(super) tools: Vec<Tool>,
    pub(super) commands: Vec<Described>,
    pub(super) skills: Vec<Described>,
}

impl Offered {
    fn of(plugins: &Plugins) -> Self {
        let tools = Commands::listed(plugins).into_iter().chain(PluginTools::listed(plugins)).collect();
        Self { tools, commands: Commands::described(plugins), skills: Skills::described(plugins) }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Catalogue(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// How often the list was found changed.
    count: u64,
    edition: Option<Edition>,
    offered: Option<Arc<Offered>>,
}

impl Catalogue {
    /// What is offered now.
    pub(super) fn now(&self, desk: &Desk) -> Result<Arc<Offered>> {
        let plugins = desk.plugins()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.see(plugins.edition());
        Ok(Arc::clone(known.offered.get_or_insert_with(|| Arc::new(Offered::of(&plugins)))))
    }

    /// A number that changes with the list. A list that cannot be read is told of when it is asked for.
    pub(super) fn edition(&self, desk: &Desk) -> u64 {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(plugins) = desk.plugins() {
            known.see(plugins.edition());
        }
        known.count
    }
}

impl Known {
    fn see(&mut self, edition: Edition) {
        if self.edition != Some(edition) {
            self.edition = Some(edition);
            self.count += 1;
            self.offered = None;
        }
    }
}
