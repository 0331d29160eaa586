//! Tools of several kinds as one set.

use deskhand_agent::tool::{Call, Outcome, Output, Tool, Tools};
use deskhand_vocabulary::Stop;
use std::{collections::HashMap, sync::Arc};

/// Several sets of tools as one, in this order. Where two have one name, the first counts.
#[derive(Clone)]
pub struct Joined {
    tools: Vec<Tool>,
    /// Who has which, by its name.
    sets: HashMap<String, Arc<dyn Tools>>,
}

impl Joined {
    /// These sets, with the tools that they have now: a set has the same ones during all of a task.
    pub fn new(sets: impl IntoIterator<Item = Arc<dyn Tools>>) -> Self {
        let mut joined = Self { tools: Vec::new(), sets: HashMap::new() };
        for set in sets {
            for tool in set.tools() {
                if !joined.sets.contains_key(&tool.told.name) {
                    joined.sets.insert(tool.told.name.clone(), Arc::clone(&set));
                    joined.tools.push(tool);
                }
            }
        }
        joined
    }
}

impl Tools for Joined {
    fn tools(&self) -> Vec<Tool> {
        self.tools.clone()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        match self.sets.get(&call.tool) {
            Some(set) => set.call(call, stop),
            None => Output::not_done(Outcome::Failed, format!("there is no tool `{}`", call.tool)),
        }
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        self.sets.get(&call.tool).map_or(Ok(()), |set| set.again(call, output, stop))
    }
}
