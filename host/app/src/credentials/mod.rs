//! The credentials of plugins: `deskhand plugin connect|disconnect|connections`, and what is sent for a plugin that names one.
//! The plugin never sees it. It goes to the hosts that the person connected it for, as far as the plugin still declares them.

mod connect;
mod connected;
mod disconnect;
mod list;

pub(crate) use connected::{Connected, Connection, keys};
pub(crate) use disconnect::forget;

use crate::{
    cli::Json,
    desk::Desk,
    failure::{Failure, Result},
    keys::Source,
    show::line,
};
use deskhand_runtime::Installed;
use deskhand_vocabulary::{Entry, Event, Log as _, PluginId, manifest::Credential};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Give Deskhand a key that a plugin signs in with; the plugin never sees it
    Connect(Connect),
    /// Forget a key that you connected
    Disconnect(Disconnect),
    /// List the keys that installed plugins sign in with, and which of them are connected
    Connections(Json),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Disconnect {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// What: NAME, or MARKETPLACE:NAME
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// Which of its keys, as `deskhand plugin connections` lists them; without it, the only one
    credential: Option<String>,
}

pub(crate) fn run(command: Command) -> Result {
    match command {
        Command::Connect(options) => connect::run(&options),
        Command::Disconnect(options) => disconnect::run(&options),
        Command::Connections(options) => list::run(&options),
    }
}

/// What an installed plugin is configured with, by plugin.
type Configurations = BTreeMap<PluginId, Value>;

impl Desk {
    fn configurations(&self) -> Result<Configurations> {
        let path = self.home.config_file();
        Ok(crate::configuration::configurations(&self.settings.plugins, &*self.plugins()?, &path)?)
    }

    fn record_credential(&self, plugin: &PluginId, credential: &str, change: &str, hosts: &[String]) -> Result<()> {
        let event = Event::Credential {
            plugin: plugin.clone(),
            credential: credential.to_owned(),
            change: change.to_owned(),
            hosts: hosts.to_vec(),
        };
        self.records()?.append(Entry { task: None, event, content: None })?;
        Ok(())
    }
}

/// The hosts that a credential may go to, as the plugin is configured now.
fn hosts_of(credential: &Credential, plugin: &PluginId, configurations: &Configurations) -> Vec<String> {
    let mut hosts = deskhand_runtime::hosts(&credential.hosts, configurations.get(plugin));
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The credential of a plugin that is meant.
fn declared<'a>(plugin: &'a Installed, name: Option<&str>) -> Result<&'a Credential> {
    let credentials = &plugin.release.manifest()?.credentials;
    let id = &plugin.id;
    let names = || credentials.iter().map(|one| format!("`{}`", one.name)).collect::<Vec<_>>().join(", ");
    match (&credentials[..], name) {
        ([], _) => Err(Failure::usage(format!("{id} signs in nowhere, so it has no key to be connected"))),
        ([only], None) => Ok(only),
        (_, None) => Err(Failure::usage(format!("{id} has several keys: {}. Say which one", names()))),
        (several, Some(name)) => several
            .iter()
            .find(|one| one.name.as_str() == name)
            .ok_or_else(|| Failure::usage(format!("{id} has no key `{}`. It has: {}", line(name), names()))),
    }
}
