//! Tools of several kinds as one set.

use deskhand_agent::tool::{Call, Outcome, Output, Tool, Tools};
use deskhand_vocabulary::Stop;
use std::sync::Arc;

/// Several sets of tools as one, in this order. Where two have one name, the first counts.
#[derive(Clone)]
pub struct Joined(Vec<Arc<dyn Tools>>);

impl Joined {
    /// These sets.
    pub fn new(sets: impl IntoIterator<Item = Arc<dyn Tools>>) -> Self {
        Self(sets.into_iter().collect())
    }

    fn of(&self, tool: &str) -> Option<&Arc<dyn Tools>> {
        self.0.iter().find(|set| set.tools().iter().any(|known| known.told.name == tool))
    }
}

impl Tools for Joined {
    fn tools(&self) -> Vec<Tool> {
        let mut all: Vec<Tool> = Vec::new();
        for tool in self.0.iter().flat_map(|set| set.tools()) {
            if all.iter().all(|known| known.told.name != tool.told.name) {
                all.push(tool);
            }
        }
        all
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        match self.of(&call.tool) {
            Some(set) => set.call(call, stop),
            None => Output::not_done(Outcome::Failed, format!("there is no tool `{}`", call.tool)),
        }
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        self.of(&call.tool).map_or(Ok(()), |set| set.again(call, output, stop))
    }
}
