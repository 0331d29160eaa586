//! The settings: one TOML file. Every key is documented in [`DOCUMENTED`], which is what `deskhand config` prints and
//! whose every value is the default; a test holds the two together.

use serde::Deserialize;
use std::{io, path::PathBuf};

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
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plugins {
    pub(crate) memory_mib: u32,
    pub(crate) seconds: u32,
}

impl Default for Plugins {
    fn default() -> Self {
        Self { memory_mib: 512, seconds: 300 }
    }
}

/// Why the settings could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("the settings in {} could not be read: {error}. Mend the file, or move it away to use the defaults", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("the settings in {} are not right:\n{error}See every key with: deskhand config", path.display())]
    Wrong { path: PathBuf, error: Box<toml::de::Error> },
    #[error("the settings in {} are not right: `{key}` must be from {least} to {most}", path.display())]
    OutOfRange { path: PathBuf, key: &'static str, least: u32, most: u32 },
}

impl Settings {
    /// Read them; a file that is not there means the defaults.
    pub(crate) fn read(path: PathBuf) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(SettingsError::Unreadable { path, error }),
        };
        let settings: Self = match toml::from_str(&text) {
            Ok(settings) => settings,
            Err(error) => return Err(SettingsError::Wrong { path, error: Box::new(error) }),
        };
        for (key, value, least, most) in [
            ("undo.keep_days", settings.undo.keep_days, 1, 36_500),
            ("undo.keep_gib", settings.undo.keep_gib, 1, 100_000),
            ("plugins.memory_mib", settings.plugins.memory_mib, 1, 4096),
            ("plugins.seconds", settings.plugins.seconds, 1, 86_400),
        ] {
            if !(least..=most).contains(&value) {
                return Err(SettingsError::OutOfRange { path, key, least, most });
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_documented_is_the_default() {
        assert_eq!(toml::from_str::<Settings>(DOCUMENTED).unwrap(), Settings::default());
        let keys = |text: &str| {
            let table: toml::Table = toml::from_str(text).unwrap();
            table.iter().map(|(key, value)| (key.clone(), value.as_table().unwrap().len())).collect::<Vec<_>>()
        };
        assert_eq!(keys(DOCUMENTED), [("plugins".to_owned(), 2), ("undo".to_owned(), 2)]);
    }
}
