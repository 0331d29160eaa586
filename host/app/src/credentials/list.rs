//! `deskhand plugin connections`, and what is told of a credential anywhere.

use super::{Connected, Connection, hosts_of};
use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::Place,
    output,
    show::{columns, line},
};
use deskhand_vocabulary::{PluginId, manifest::Credential};
use serde::Serialize;

/// A credential, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    plugin: PluginId,
    credential: String,
    /// What it is, in the plugin's words; none of a plugin that is not there any more.
    title: Option<String>,
    connected: bool,
    /// Where its key lies.
    key: Option<String>,
    /// The hosts that it may go to: of one that is connected those that it was connected for.
    hosts: Vec<String>,
}

impl Row {
    /// Of a credential that may go to `hosts`, as its plugin says.
    pub(super) fn of(plugin: &PluginId, declared: &Credential, hosts: Vec<String>, there: Option<&Connection>) -> Self {
        Self {
            plugin: plugin.clone(),
            credential: declared.name.to_string(),
            title: Some(declared.title.clone()),
            connected: there.is_some(),
            key: there.map(|there| there.key.clone()),
            hosts: there.map_or(hosts, |there| there.hosts.clone()),
        }
    }

    fn cells(&self) -> Vec<String> {
        let key = match self.key.as_deref().map(str::parse) {
            None => "not connected".to_owned(),
            Some(Ok(Place::Keyring(_))) => "keyring".to_owned(),
            Some(Ok(Place::File(_))) => "file".to_owned(),
            Some(Ok(Place::Environment(variable))) => format!("${variable}"),
            Some(Err(_)) => "not known".to_owned(),
        };
        let hosts = self.hosts.join(", ");
        let title = self.title.as_deref().unwrap_or("its plugin is not installed");
        [&self.plugin.to_string(), &self.credential, &key, &hosts, title].map(line).to_vec()
    }
}

pub(super) fn print(row: &Row) {
    output::text(&format!("{}\n", serde_json::to_string(row).unwrap_or_default()));
}

pub(super) fn run(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let configurations = desk.configurations()?;
    let mut there = Connected::of(&desk.home).all().map_err(Failure::failed)?;
    let mut rows = Vec::new();
    for plugin in desk.plugins()?.iter() {
        for credential in &plugin.release.manifest()?.credentials {
            let connection = there.remove(&(plugin.id.clone(), credential.name.to_string()));
            let hosts = hosts_of(credential, &plugin.id, &configurations);
            rows.push(Row::of(&plugin.id, credential, hosts, connection.as_ref()));
        }
    }
    rows.extend(there.into_iter().map(|((plugin, credential), connection)| Row {
        plugin,
        credential,
        title: None,
        connected: true,
        key: Some(connection.key),
        hosts: connection.hosts,
    }));
    if desk.json {
        rows.iter().for_each(print);
    } else if rows.is_empty() {
        output::text("No installed plugin signs in anywhere, so there is no key to connect.\n");
    } else {
        let heading = ["PLUGIN", "KEY", "WHERE IT LIES", "GOES TO", "WHAT IT IS"].map(str::to_owned).to_vec();
        output::text(&columns(&std::iter::once(heading).chain(rows.iter().map(Row::cells)).collect::<Vec<_>>()));
    }
    Ok(Exit::Done)
}
