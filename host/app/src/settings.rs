//! The settings: one TOML file. Every key is documented in [`DOCUMENTED`], which is what `deskhand config` prints and
//! whose every value is the default; a test holds the two together.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::PathBuf};

/// The documented settings file.
pub(crate) const DOCUMENTED: &str = include_str!("settings.toml");

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) undo: Undo,
    pub(crate) plugins: Plugins,
}

/// What undo keeps.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Undo {
    pub(crate) keep_days: u32,
    pub(crate) keep_gib: u32,
}

impl Default for Undo {
    fn default() -> Self {
        Self { keep_days: 90, keep_gib: 10 }
    }
}

/// What plugins may use.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Plugins {
    pub(crate) memory_mib: u32,
    pub(crate) seconds: u32,
    /// The settings of single plugins, by name or whole id, as they are written.
    #[serde(flatten)]
    pub(crate) single: BTreeMap<String, toml::Value>,
}

impl Default for Plugins {
    fn default() -> Self {
        Self { memory_mib: 512, seconds: 300, single: BTreeMap::new() }
    }
}

/// Every key: its section, its name, and from where to where it may go.
const KEYS: [(&str, &str, u32, u32); 4] = [
    ("undo", "keep_days", 1, 36_500),
    ("undo", "keep_gib", 1, 100_000),
    ("plugins", "memory_mib", 1, 4096),
    ("plugins", "seconds", 1, 86_400),
];

/// Why the settings could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("the settings in {} could not be read: {error}. Mend the file, or move it away to use the defaults", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("the settings in {} are not right:\n{error}Mend the file. See every key with: deskhand config", path.display())]
    NotToml { path: PathBuf, error: Box<toml::de::Error> },
    #[error("the settings in {} are not right: {wrong}. See every key with: deskhand config", path.display())]
    Wrong { path: PathBuf, wrong: Wrong },
    #[error("the settings in {} are not right: `plugins.{plugin}{key}`: {reason}. `deskhand plugin info` shows what a plugin takes", path.display())]
    OfPlugin { path: PathBuf, plugin: String, key: String, reason: String },
}

/// What is wrong with a setting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("there is no setting `{key}`{}", near.as_ref().map(|near| format!("; perhaps you mean `{near}`")).unwrap_or_default())]
    Unknown { key: String, near: Option<String> },
    #[error("`{key}` must be a whole number from {least} to {most}, not {found}")]
    Value { key: String, found: String, least: u32, most: u32 },
}

fn check(table: &toml::Table) -> Result<(), Wrong> {
    let named = |section: &str, key: &str| format!("{section}.{key}");
    let unknown = |key: String| {
        let known = KEYS.iter().map(|(section, key, ..)| named(section, key));
        let near = known.map(|known| (strsim::damerau_levenshtein(&known, &key), known));
        let near = near.filter(|(distance, _)| *distance <= 3).min().map(|(_, known)| known);
        Wrong::Unknown { key, near }
    };
    for (section, keys) in table {
        let Some(keys) = keys.as_table() else { return Err(unknown(section.clone())) };
        if !KEYS.iter().any(|(known, ..)| known == section) {
            return Err(unknown(keys.keys().next().map_or_else(|| section.clone(), |key| named(section, key))));
        }
        for (key, value) in keys {
            let known = KEYS.iter().find(|(of, name, ..)| of == section && name == key);
            if known.is_none() && section == "plugins" && value.is_table() {
                continue; // a plugin's own, held against its schema when it is called
            }
            let Some((.., least, most)) = known else { return Err(unknown(named(section, key))) };
            let fits = value.as_integer().and_then(|value| u32::try_from(value).ok());
            if fits.is_none_or(|value| !(*least..=*most).contains(&value)) {
                let (key, found) = (named(section, key), value.to_string());
                return Err(Wrong::Value { key, found, least: *least, most: *most });
            }
        }
    }
    Ok(())
}

/// One setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Held {
    /// Such as `undo.keep_days`.
    pub(crate) key: String,
    pub(crate) value: u32,
    pub(crate) default: u32,
    /// True if the settings file says so; else it is the default.
    pub(crate) set: bool,
}

impl Settings {
    /// Read them; a file that is not there means the defaults.
    pub(crate) fn read(path: PathBuf) -> Result<Self, SettingsError> {
        Self::read_with(path).map(|(settings, _)| settings)
    }

    /// The settings, and the table that the file holds.
    fn read_with(path: PathBuf) -> Result<(Self, toml::Table), SettingsError> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(SettingsError::Unreadable { path, error }),
        };
        let table: toml::Table = match toml::from_str(&text) {
            Ok(table) => table,
            Err(error) => return Err(SettingsError::NotToml { path, error: Box::new(error) }),
        };
        if let Err(wrong) = check(&table) {
            return Err(SettingsError::Wrong { path, wrong });
        }
        match table.clone().try_into() {
            Ok(settings) => Ok((settings, table)),
            Err(error) => Err(SettingsError::NotToml { path, error: Box::new(error) }),
        }
    }

    /// Every setting as it holds, with where it comes from.
    pub(crate) fn held(path: PathBuf) -> Result<Vec<Held>, SettingsError> {
        let (settings, table) = Self::read_with(path)?;
        let value = |settings: &Self, section: &str, key: &str| match (section, key) {
            ("undo", "keep_days") => settings.undo.keep_days,
            ("undo", _) => settings.undo.keep_gib,
            (_, "memory_mib") => settings.plugins.memory_mib,
            _ => settings.plugins.seconds,
        };
        let held = |(section, key, ..): &(&str, &str, u32, u32)| Held {
            key: format!("{section}.{key}"),
            value: value(&settings, section, key),
            default: value(&Self::default(), section, key),
            set: table.get(*section).and_then(|keys| keys.get(*key)).is_some(),
        };
        Ok(KEYS.iter().map(held).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_key_is_checked_and_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "[undo]\nkeep_gib = 3\n[plugins]\nmemory_mib = 7\nseconds = 300\n").unwrap();
        let held = Settings::held(path).unwrap();
        let held: Vec<_> = held.iter().map(|one| (one.key.as_str(), one.value, one.default, one.set)).collect();
        assert_eq!(
            held,
            [
                ("undo.keep_days", 90, 90, false),
                ("undo.keep_gib", 3, 10, true),
                ("plugins.memory_mib", 7, 512, true),
                ("plugins.seconds", 300, 300, true),
            ]
        );
        let documented: toml::Table = toml::from_str(DOCUMENTED).unwrap();
        let keys: usize = documented.values().map(|keys| keys.as_table().unwrap().len()).sum();
        assert_eq!((keys, check(&documented).is_ok()), (KEYS.len(), true));
    }

    #[test]
    fn what_is_documented_is_the_default() {
        assert_eq!(toml::from_str::<Settings>(DOCUMENTED).unwrap(), Settings::default());
        let keys = |text: &str| {
            let table: toml::Table = toml::from_str(text).unwrap();
            table.iter().map(|(key, value)| (key.clone(), value.as_table().unwrap().len())).collect::<Vec<_>>()
        };
        assert_eq!(keys(DOCUMENTED), [("plugins".to_owned(), 2), ("undo".to_owned(), 2)]);
    }

    fn read(text: &str) -> Result<Settings, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let shown = file.path().display().to_string();
        Settings::read(file.path().to_owned()).map_err(|error| error.to_string().replace(&shown, "FILE"))
    }

    #[test]
    fn a_plugin_has_a_table_of_its_own_and_nothing_else_stands_there() {
        let settings = read("[plugins]\nseconds = 5\n[plugins.organize]\ndepth = 2\n").unwrap();
        assert_eq!(settings.plugins.seconds, 5);
        assert_eq!(settings.plugins.single["organize"]["depth"].as_integer(), Some(2));
        assert_eq!(
            read("[plugins]\nsecond = 5\n"),
            Err("the settings in FILE are not right: there is no setting `plugins.second`; perhaps you mean `plugins.seconds`. See every key with: deskhand config".to_owned())
        );
    }
}
