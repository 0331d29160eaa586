//! What is connected: for each credential of a plugin where its key lies, and the hosts that the person gave it for.

use crate::keys::{PrivateFile, PrivateFileError, Stored, Whose};
use deskhand_egress::Secret;
use deskhand_models::Keys as _;
use deskhand_runtime::{Credentials, NoCredential};
use deskhand_vocabulary::{Home, PluginId, host};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One that is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// Where its key lies, such as `keyring:NAME`.
    pub(crate) key: String,
    /// The hosts that the person gave it for. A plugin that declares more later does not get it sent there.
    pub(crate) hosts: Vec<String>,
}

/// See the module.
pub(crate) struct Connected {
    file: PrivateFile<Connection>,
    keys: Stored,
}

impl Connected {
    pub(crate) fn of(home: &Home) -> Self {
        Self { file: PrivateFile::at(home.data.join("connections.json")), keys: Stored::of(home, Whose::Plugins) }
    }

    /// The keys themselves.
    pub(super) fn keys(&self) -> &Stored {
        &self.keys
    }

    pub(super) fn connection(&self, plugin: &PluginId, name: &str) -> Result<Option<Connection>, PrivateFileError> {
        self.file.get(&label(plugin, name))
    }

    pub(super) fn keep(&self, plugin: &PluginId, name: &str, connection: Connection) -> Result<(), PrivateFileError> {
        self.file.put(&label(plugin, name), connection)
    }

    pub(super) fn remove(&self, plugin: &PluginId, name: &str) -> Result<(), PrivateFileError> {
        self.file.remove(&label(plugin, name))
    }

    /// All of them, by plugin and name.
    pub(crate) fn all(&self) -> Result<BTreeMap<(PluginId, String), Connection>, PrivateFileError> {
        let named = |(label, connection): (String, Connection)| {
            let (plugin, name) = label.split_once('/')?;
            Some(((plugin.parse().ok()?, name.to_owned()), connection))
        };
        Ok(self.file.all()?.into_iter().filter_map(named).collect())
    }
}

/// The keys of all credentials that are connected, as far as they can be read now.
pub(crate) fn keys(home: &Home) -> Vec<Secret> {
    let connected = Connected::of(home);
    let all = connected.all().unwrap_or_default();
    all.values().filter_map(|connection| connected.keys.key(&connection.key).ok()).collect()
}

/// What a credential is called where keys lie.
pub(super) fn label(plugin: &PluginId, name: &str) -> String {
    format!("{plugin}/{name}")
}

impl Credentials for Connected {
    fn is_connected(&self, plugin: &PluginId, name: &str) -> bool {
        self.connection(plugin, name).is_ok_and(|connection| connection.is_some())
    }

    fn get(&self, plugin: &PluginId, name: &str, to: &str) -> Result<Secret, NoCredential> {
        let connection = self.connection(plugin, name).map_err(|error| NoCredential::Unreadable(error.to_string()))?;
        let connection = connection.ok_or(NoCredential::NotConnected)?;
        if !connection.hosts.iter().any(|pattern| host::covers(pattern, to)) {
            return Err(NoCredential::Elsewhere(connection.hosts));
        }
        self.keys.key(&connection.key).map_err(|error| NoCredential::Unreadable(error.reason))
    }
}
