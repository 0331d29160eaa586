//! Which model works where: the one that was chosen for the task, and for plugins and their sub-agents, which ask for how
//! able a model they need, those that the settings name for it.

use crate::{
    desk::Desk,
    failure::Result,
    model::{self, Choice},
    outgoing::Outgoing,
};
use deskhand_models::Model;
use deskhand_vocabulary::manifest::Tier;
use std::sync::Arc;

/// See the module.
#[derive(Clone)]
pub(super) struct Tiers {
    /// The task's.
    pub(super) chosen: Arc<dyn Model>,
    fast: Arc<dyn Model>,
    balanced: Arc<dyn Model>,
    deep: Arc<dyn Model>,
}

impl Tiers {
    pub(super) fn open(desk: &Desk, choice: &Choice<'_>, outgoing: &Outgoing) -> Result<Self> {
        let chosen = model::open(desk, choice, outgoing)?;
        let named = |name: Option<&str>| match name {
            Some(name) if name != choice.name => {
                model::open(desk, &model::choose(&desk.settings, Some(name))?, outgoing)
            }
            _ => Ok(Arc::clone(&chosen)),
        };
        let agent = &desk.settings.agent;
        let (fast, balanced, deep) =
            (named(agent.fast.as_deref())?, named(agent.balanced.as_deref())?, named(agent.deep.as_deref())?);
        Ok(Self { chosen, fast, balanced, deep })
    }

    pub(super) fn of(&self, tier: Tier) -> &Arc<dyn Model> {
        match tier {
            Tier::Fast => &self.fast,
            Tier::Balanced => &self.balanced,
            Tier::Deep => &self.deep,
        }
    }
}
