//! The MCP servers that there are: those of the settings, and those that installed plugins bring. A server of a plugin is called
//! `plugin/name`. Where two plugins of different marketplaces have one name, the servers of neither are there: what the person
//! allowed of one would hold for the other.

use super::given::Given;
use crate::{desk::Desk, failure::Result, keys::Place};
use deskhand_mcp::client::ServerConfig;
use deskhand_vocabulary::{PluginId, ServerName, manifest::Server};
use serde::Serialize;
use std::collections::BTreeMap;

/// Who has said that a server is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Origin {
    /// The person, in the settings.
    Settings,
    /// A plugin, in its manifest.
    Plugin(PluginId),
}

/// A server that is there.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: ServerName,
    pub(super) config: ServerConfig,
    pub(super) origin: Origin,
    /// The variables whose values the person is asked for.
    pub(super) secrets: Vec<String>,
    /// Those of them that the person has not given yet. Until then the server cannot be used.
    pub(super) lacks: Vec<String>,
}

impl Declared {
    /// The plugin that brings it, if one does.
    pub(super) const fn plugin(&self) -> Option<&PluginId> {
        match &self.origin {
            Origin::Plugin(plugin) => Some(plugin),
            Origin::Settings => None,
        }
    }
}

/// All of them, by name.
pub(super) fn all(desk: &Desk) -> Result<BTreeMap<ServerName, Declared>> {
    let of_settings = desk.settings.mcp.iter().filter_map(|(name, config)| {
        let name: ServerName = name.parse().ok()?;
        let (origin, config) = (Origin::Settings, config.clone());
        Some((name.clone(), Declared { name, config, origin, secrets: Vec::new(), lacks: Vec::new() }))
    });
    let mut all: BTreeMap<ServerName, Declared> = of_settings.collect();
    let plugins = desk.plugins()?;
    let mut bringing: Vec<(&PluginId, &[Server])> = Vec::new();
    for plugin in plugins.iter() {
        let servers = &plugin.release.listing()?.servers;
        if !servers.is_empty() {
            bringing.push((&plugin.id, servers));
        }
    }
    if bringing.is_empty() {
        return Ok(all);
    }
    let given = Given::of(&desk.home).all()?;
    for (id, servers) in bringing {
        if plugins.iter().any(|other| other.id.name == id.name && other.id != *id) {
            continue;
        }
        for server in servers {
            let brought = brought(id, server, |variable| given.get(&Given::label(id, server, variable)).cloned());
            all.insert(brought.name.clone(), brought);
        }
    }
    Ok(all)
}

/// A server as its plugin describes it, with the places of what the person gave for it.
fn brought(id: &PluginId, server: &Server, given: impl Fn(&str) -> Option<String>) -> Declared {
    let own = |name: &String| (name.clone(), Place::Environment(name.clone()).to_string());
    let mut secrets: BTreeMap<String, String> = server.env.iter().map(own).collect();
    let mut lacks = Vec::new();
    for variable in &server.secrets {
        match given(variable) {
            Some(place) => drop(secrets.insert(variable.clone(), place)),
            None => lacks.push(variable.clone()),
        }
    }
    let (command, args, url) = (server.command.clone(), server.args.clone(), server.url.clone());
    Declared {
        name: ServerName::brought(&id.name, &server.name),
        config: ServerConfig { command, args, secrets, url, ..ServerConfig::default() },
        origin: Origin::Plugin(id.clone()),
        secrets: server.secrets.clone(),
        lacks,
    }
}

/// The variables of the person's environment that servers are given.
pub(crate) fn variables(desk: &Desk) -> Vec<String> {
    // where it cannot be told, a server that needs one says so
    let all = all(desk).unwrap_or_default();
    let places = all.into_values().flat_map(|one| one.config.secrets.into_values().chain(one.config.key));
    let variable = |place: String| match place.parse() {
        Ok(Place::Environment(variable)) => Some(variable),
        _ => None,
    };
    places.filter_map(variable).collect()
}
