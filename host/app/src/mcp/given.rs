//! Where the values lie that the person gave for variables of servers which plugins bring. What they are lies there.

use crate::{
    failure::{Failure, Result},
    keys::{Place, PrivateFile, Stored, Whose},
};
use deskhand_egress::Secret;
use deskhand_vocabulary::{Home, PluginId, manifest::Server};
use std::collections::BTreeMap;

/// See the module.
pub(super) struct Given {
    places: PrivateFile<String>,
    keys: Stored,
}

impl Given {
    pub(super) fn of(home: &Home) -> Self {
        Self {
            places: PrivateFile::at(home.data.join("server-variables.json")),
            keys: Stored::of(home, Whose::Servers),
        }
    }

    /// What a variable of a server is called there. No name of the person's own servers has a colon.
    pub(super) fn label(plugin: &PluginId, server: &Server, variable: &str) -> String {
        Self::labelled(plugin, server.name.as_str(), variable)
    }

    fn labelled(plugin: &PluginId, server: &str, variable: &str) -> String {
        format!("{plugin}/{server}/{variable}")
    }

    /// The places, by label.
    pub(super) fn all(&self) -> Result<BTreeMap<String, String>> {
        self.places.all().map_err(Failure::failed)
    }

    /// Keep a value for a variable of `server`, which `plugin` brings.
    pub(super) fn keep(
        &self,
        (plugin, server): (&PluginId, &str),
        variable: &str,
        secret: &Secret,
        in_file: bool,
    ) -> Result<()> {
        let label = Self::labelled(plugin, server, variable);
        let place = self.keys.keep(&label, secret, in_file).map_err(Failure::failed)?;
        self.put((plugin, server), variable, &place)
    }

    /// Say where a value lies.
    pub(super) fn put(&self, (plugin, server): (&PluginId, &str), variable: &str, place: &Place) -> Result<()> {
        let label = Self::labelled(plugin, server, variable);
        self.places.put(&label, place.to_string()).map_err(Failure::failed)
    }

    /// Forget all that was given for servers of a plugin; how many values.
    pub(super) fn forget(&self, plugin: &PluginId) -> Result<usize> {
        let mut forgotten = 0;
        for (label, place) in self.all()? {
            if label.split_once('/').is_none_or(|(id, _)| id != plugin.to_string()) {
                continue;
            }
            if let Ok(place) = place.parse::<Place>() {
                self.keys.remove(&place).map_err(Failure::failed)?;
            }
            self.places.remove(&label).map_err(Failure::failed)?;
            forgotten += 1;
        }
        Ok(forgotten)
    }
}
