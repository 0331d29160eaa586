//! Which plugin or command is meant by a name that several carry. Names of two marketplaces are never merged: a name
//! that fits several is asked about once, and the answer is kept.

use crate::{MarketError, disk::Disk, marketplaces::write_json};
use deskhand_vocabulary::{Home, PluginId, PluginName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::PathBuf};

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This one.
    One(PluginId),
    /// One of these; the person has to say which.
    Several(Vec<PluginId>),
    /// Nothing that is there.
    Nothing,
}

impl Meaning {
    fn of(mut found: Vec<PluginId>) -> Self {
        found.sort();
        found.dedup();
        match found.len() {
            0 => Self::Nothing,
            1 => found.pop().map_or(Self::Nothing, Self::One),
            _ => Self::Several(found),
        }
    }
}

/// The plugin that `name` means, of those that are there: `plugin`, or `marketplace:plugin`.
pub fn plugin<'a>(name: &str, there: impl IntoIterator<Item = &'a PluginId>) -> Meaning {
    let fits = |id: &&PluginId| match name.parse::<PluginId>() {
        Ok(exact) => **id == exact,
        Err(_) => id.name.as_str() == name,
    };
    Meaning::of(there.into_iter().filter(fits).cloned().collect())
}

/// Whose commands the person chose for names that several plugins use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    commands: BTreeMap<PluginName, PluginId>,
}

impl Choices {
    fn path(home: &Home) -> PathBuf {
        home.plugins().join("choices.json")
    }

    /// Those of a home.
    pub fn load(home: &Home) -> Result<Self, MarketError> {
        let path = Self::path(home);
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| MarketError::Record { path, reason: error.to_string() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(MarketError::read(&path, source)),
        }
    }

    /// Keep them.
    pub fn save(&self, home: &Home) -> Result<(), MarketError> {
        let disk = Disk::real();
        disk.make_folders(&home.plugins())?;
        write_json(&disk, &Self::path(home), self)
    }

    /// From now on, `command` is that of `plugin`.
    pub fn choose(&mut self, command: PluginName, plugin: PluginId) {
        self.commands.insert(command, plugin);
    }

    /// Forget what was chosen of a plugin, as when it is uninstalled.
    pub fn forget(&mut self, plugin: &PluginId) {
        self.commands.retain(|_, chosen| chosen != plugin);
    }

    /// Whose command `name` means, of those that are there: `command`, `plugin/command`, `marketplace:command` or
    /// `marketplace:plugin/command`. The name of the command itself is what comes after the last `/` or `:`.
    pub fn command<'a>(&self, name: &str, there: impl IntoIterator<Item = (&'a PluginName, &'a PluginId)>) -> Meaning {
        let (marketplace, rest) = match name.split_once(':') {
            Some((marketplace, rest)) => (Some(marketplace), rest),
            None => (None, name),
        };
        let (plugin, command) = match rest.split_once('/') {
            Some((plugin, command)) => (Some(plugin), command),
            None => (None, rest),
        };
        let fits = |(name, id): &(&PluginName, &PluginId)| {
            name.as_str() == command
                && marketplace.is_none_or(|marketplace| id.marketplace.as_str() == marketplace)
                && plugin.is_none_or(|plugin| id.name.as_str() == plugin)
        };
        let found: Vec<PluginId> = there.into_iter().filter(fits).map(|(_, id)| id.clone()).collect();
        match Meaning::of(found) {
            Meaning::Several(several) => {
                let chosen = self.commands.iter().find(|(name, _)| name.as_str() == command).map(|(_, id)| id);
                match chosen.filter(|chosen| several.contains(chosen)) {
                    Some(chosen) => Meaning::One(chosen.clone()),
                    None => Meaning::Several(several),
                }
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(text: &str) -> PluginId {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_that_several_carry_is_asked_about_once() {
        let ids = [id("acme:organize"), id("home:organize"), id("home:tidy")];
        assert_eq!(plugin("tidy", &ids), Meaning::One(id("home:tidy")));
        assert_eq!(plugin("organize", &ids), Meaning::Several(vec![id("acme:organize"), id("home:organize")]));
        assert_eq!(plugin("acme:organize", &ids), Meaning::One(id("acme:organize")));
        assert_eq!(plugin("acme:tidy", &ids), Meaning::Nothing);

        let sort: PluginName = "sort".parse().unwrap();
        let there: Vec<_> = ids.iter().map(|id| (&sort, id)).collect();
        let mut choices = Choices::default();
        let ask = |choices: &Choices, name: &str| choices.command(name, there.iter().copied());
        assert_eq!(ask(&choices, "sort"), Meaning::Several(ids.to_vec()));
        assert_eq!(ask(&choices, "tidy/sort"), Meaning::One(id("home:tidy")));
        assert_eq!(ask(&choices, "home:organize/sort"), Meaning::One(id("home:organize")));
        assert_eq!(ask(&choices, "acme:sort"), Meaning::One(id("acme:organize")));
        choices.choose(sort.clone(), id("home:tidy"));

        let dir = tempfile::tempdir().unwrap();
        let home = Home::within(dir.path());
        choices.save(&home).unwrap();
        let mut choices = Choices::load(&home).unwrap();
        assert_eq!(ask(&choices, "sort"), Meaning::One(id("home:tidy")));
        choices.forget(&id("home:tidy"));
        assert_eq!(ask(&choices, "sort"), Meaning::Several(ids.to_vec()));
    }
}
