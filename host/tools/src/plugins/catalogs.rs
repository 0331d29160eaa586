//! Tools that depend on the account that a connector is connected to: only the plugin knows them, and it is asked when they
//! are first looked for. They are never listed in a request, so that it begins the same whatever an account has.

use super::{Entry, entry::Said};
use crate::{calling::Calling, names};
use deskhand_agent::{Meter, budget::Limits};
use deskhand_permissions::effect::ListTools;
use deskhand_runtime::{CatalogTool, Plugins};
use deskhand_vocabulary::{PluginId, Stop, manifest::Permission, text::shortened};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The most tools of one plugin, and the most pages that are asked for to get them.
const TOOLS: usize = 1000;
const PAGES: usize = 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Catalogs {
    /// Who has one, and what they may do.
    of: Vec<(PluginId, Arc<[Permission]>)>,
    /// What those that have answered have.
    known: Mutex<BTreeMap<PluginId, Vec<Arc<Entry>>>>,
}

/// What the catalogs have, as far as they answered.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) tools: Vec<Arc<Entry>>,
    /// Who did not, and why: a line each.
    pub(super) silent: Vec<String>,
}

impl Catalogs {
    pub(super) fn of(plugins: &Plugins) -> Self {
        let listed = plugins.iter().filter_map(|plugin| Some((plugin, plugin.release.listing().ok()?)));
        let with = listed.filter(|(_, listing)| listing.tool_catalog);
        let of = with.map(|(plugin, listing)| (plugin.id.clone(), Arc::clone(&listing.permissions))).collect();
        Self { of, known: Mutex::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// A tool that was looked for before.
    pub(super) fn known(&self, name: &str) -> Option<Arc<Entry>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().flatten().find(|entry| entry.name == name).cloned()
    }

    /// All tools that the catalogs have. Those that have not answered yet are asked; `listed` are the tools of manifests.
    pub(super) fn ask(&self, calling: &Calling, listed: &[Entry], left: Limits, stop: &Stop) -> (Asked, Meter) {
        let (mut asked, meter) = (Asked::default(), Meter::new(left));
        for (plugin, rights) in &self.of {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(plugin).cloned();
            if let Some(tools) = known {
                asked.tools.extend(tools);
                continue;
            }
            match all(calling, plugin, &meter, stop) {
                Ok(tools) => {
                    let tools = named(plugin, rights, &tools, listed);
                    asked.tools.extend(tools.iter().cloned());
                    self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(plugin.clone(), tools);
                }
                Err(why) => asked.silent.push(format!("{plugin}: {why}")),
            }
        }
        (asked, meter)
    }
}

/// All pages of a plugin's catalog, or why there is none.
fn all(calling: &Calling, plugin: &PluginId, meter: &Meter, stop: &Stop) -> Result<Vec<CatalogTool>, String> {
    let (mut tools, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let permit = calling.permit(ListTools { plugin: plugin.clone() }).map_err(|output| output.text())?;
        let (invocation, used) = calling.begin(meter.left(), stop);
        let page = calling.runtime.list_tools(invocation, permit, cursor);
        meter.spend(used.spent());
        let page = page.map_err(|error| shortened(&error.to_string(), 500))?;
        tools.extend(page.tools);
        cursor = page.next;
        if cursor.is_none() || tools.len() >= TOOLS {
            break;
        }
    }
    tools.truncate(TOOLS);
    Ok(tools)
}

/// Those that can be called, by names that no other tool has.
fn named(plugin: &PluginId, rights: &[Permission], tools: &[CatalogTool], listed: &[Entry]) -> Vec<Arc<Entry>> {
    let is_listed = |name: &str| listed.iter().any(|entry| entry.plugin == *plugin && entry.tool == name);
    let mut said: Vec<Said<'_>> = Vec::new();
    for one in tools.iter().filter_map(Said::in_catalog) {
        if !is_listed(one.name) && said.iter().all(|other| other.name != one.name) {
            said.push(one);
        }
    }
    let before = listed.iter().map(|entry| (&entry.plugin, entry.tool.as_str()));
    let names = names::on_the_wire(before.chain(said.iter().map(|one| (plugin, one.name))));
    let names = names.into_iter().skip(listed.len());
    names.zip(said).map(|(name, one)| Arc::new(Entry::new(name, plugin.clone(), one, rights))).collect()
}
