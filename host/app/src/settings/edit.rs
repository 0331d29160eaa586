//! The settings file changed as a person would change it: whatever else stands in it stays, comments included.

use super::{Settings, SettingsError};
use deskhand_mcp::client::ServerConfig;
use deskhand_models::ModelConfig;
use serde::Serialize;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// See the module.
pub(crate) struct Edit {
    path: PathBuf,
    document: DocumentMut,
}

impl Edit {
    /// Of the file at `path`, which need not be there, and must be right.
    pub(crate) fn of(path: PathBuf) -> Result<Self, SettingsError> {
        let text = super::text(&path)?;
        Settings::of(&text, path.clone())?;
        // what one reader of TOML has taken, the other takes too; if not, nothing is written
        let document =
            text.parse().map_err(|error: toml_edit::TomlError| unwritable(&path, io::Error::other(error)))?;
        Ok(Self { path, document })
    }

    /// Set a model, or change it: what is the same stays as it is written.
    pub(crate) fn set_model(&mut self, name: &str, config: &ModelConfig) -> Result<(), SettingsError> {
        self.set_one("models", name, config)
    }

    /// Set an MCP server, or change it, likewise.
    pub(crate) fn set_server(&mut self, name: &str, config: &ServerConfig) -> Result<(), SettingsError> {
        self.set_one("mcp", name, config)
    }

    fn set_one(&mut self, kind: &str, name: &str, config: &impl Serialize) -> Result<(), SettingsError> {
        let text = toml::to_string(config).map_err(|error| unwritable(&self.path, io::Error::other(error)))?;
        let wanted: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| unwritable(&self.path, io::Error::other(error)))?;
        let Some(all) = section(&mut self.document, kind) else { return Ok(()) };
        let one = all.entry(name).or_insert_with(|| Item::Table(Table::new()));
        let Some(one) = one.as_table_like_mut() else { return Ok(()) };
        let gone: Vec<String> =
            one.iter().map(|(key, _)| key.to_owned()).filter(|key| !wanted.contains_key(key)).collect();
        for key in gone {
            one.remove(&key);
        }
        for (key, item) in wanted.iter() {
            let same = one.get(key).is_some_and(|had| plain(had) == plain(item));
            if !same && let Ok(item) = item.clone().into_value() {
                set(one, key, item);
            }
        }
        Ok(())
    }

    /// Remove a model.
    pub(crate) fn remove_model(&mut self, name: &str) {
        self.remove_one("models", name);
    }

    /// Remove an MCP server.
    pub(crate) fn remove_server(&mut self, name: &str) {
        self.remove_one("mcp", name);
    }

    fn remove_one(&mut self, kind: &str, name: &str) {
        let Some(all) = self.document.get_mut(kind).and_then(Item::as_table_like_mut) else { return };
        all.remove(name);
        if all.is_empty() {
            self.document.remove(kind);
        }
    }

    /// Choose the model that is used, or none.
    pub(crate) fn use_model(&mut self, name: Option<&str>) {
        match (section(&mut self.document, "agent"), name) {
            (Some(agent), Some(name)) => set(agent, "model", name.into()),
            (Some(agent), None) => {
                agent.remove("model");
                if agent.is_empty() {
                    self.document.remove("agent");
                }
            }
            (None, _) => {}
        }
    }

    /// Write the file, if it is right, as a whole or not at all. Its mode and the link that it may be stay.
    pub(crate) fn save(self) -> Result<(), SettingsError> {
        let text = self.document.to_string();
        Settings::of(&text, self.path.clone())?;
        write(&self.path, &text).map_err(|error| unwritable(&self.path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> SettingsError {
    SettingsError::Unwritable { path: path.to_owned(), error }
}

/// A section, made where it is not there.
fn section<'a>(document: &'a mut DocumentMut, name: &str) -> Option<&'a mut dyn TableLike> {
    let made = || {
        let mut table = Table::new();
        // a section of tables alone needs no heading of its own
        table.set_implicit(true);
        Item::Table(table)
    };
    document.entry(name).or_insert_with(made).as_table_like_mut()
}

/// Set a key. What stands around its value, such as a comment behind it, stays.
fn set(table: &mut dyn TableLike, key: &str, mut new: toml_edit::Value) {
    if let Some(Item::Value(had)) = table.get_mut(key) {
        *new.decor_mut() = had.decor().clone();
        *had = new;
    } else {
        table.insert(key, value(new));
    }
}

/// What a value is, without how it is written.
fn plain(item: &Item) -> Option<toml::Value> {
    let value = item.clone().into_value().ok()?;
    let table: toml::Table = toml::from_str(&format!("it = {}", value.to_string().trim())).ok()?;
    table.get("it").cloned()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    if let Ok(facts) = path.metadata() {
        file.as_file().set_permissions(facts.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Edit;
    use deskhand_models::{ModelConfig, Wire};
    use std::{fs, os::unix::fs::PermissionsExt as _};

    fn edited(before: &str, edit: impl FnOnce(&mut Edit)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        if !before.is_empty() {
            fs::write(&path, before).unwrap();
        }
        let mut editing = Edit::of(path.clone()).unwrap();
        edit(&mut editing);
        editing.save().unwrap();
        fs::read_to_string(path).unwrap()
    }

    fn fast() -> ModelConfig {
        let mut config = ModelConfig::new(Wire::Chat, "http://localhost:1/v1", "m");
        config.price = toml::from_str("input = '1'\noutput = '2'").unwrap();
        config
    }

    #[test]
    fn a_new_file_holds_the_model_alone() {
        let text = edited("", |edit| {
            edit.set_model("fast", &fast()).unwrap();
            edit.use_model(Some("fast"));
        });
        assert_eq!(
            text,
            "[models.fast]\nwire = \"chat\"\nurl = \"http://localhost:1/v1\"\nmodel = \"m\"\n\
             price = { input = \"1.00\", output = \"2.00\" }\n\n[agent]\nmodel = \"fast\"\n"
        );
    }

    #[test]
    fn what_the_person_wrote_stays() {
        let before = "# mine\n[undo]\nkeep_days = 30 # a month\n\n[models.fast] # the quick one\n# here\nwire = 'chat'\n\
                      url = 'http://localhost:1/v1'   # at home\nmodel = 'old' # for now\nsilence = 5\n\n[agent]\n# chosen\nmodel = \"\"\n";
        let after = "# mine\n[undo]\nkeep_days = 30 # a month\n\n[models.fast] # the quick one\n# here\nwire = 'chat'\n\
                     url = 'http://localhost:1/v1'   # at home\nmodel = \"m\" # for now\nprice = { input = \"1.00\", output = \"2.00\" }\n\n[agent]\n# chosen\nmodel = \"fast\"\n";
        let text = edited(before, |edit| {
            edit.set_model("fast", &fast()).unwrap();
            edit.use_model(Some("fast"));
        });
        assert_eq!(text, after);
        let again = edited(&text, |edit| edit.set_model("fast", &fast()).unwrap());
        assert_eq!(again, after);
        let removed = edited(&text, |edit| {
            edit.remove_model("fast");
            edit.use_model(None);
        });
        assert_eq!(removed, "# mine\n[undo]\nkeep_days = 30 # a month\n");
    }

    #[test]
    fn a_link_and_a_mode_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("config.toml"));
        fs::write(&real, "[undo]\nkeep_days = 3\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut edit = Edit::of(link.clone()).unwrap();
        edit.set_model("fast", &fast()).unwrap();
        edit.save().unwrap();
        assert!(link.is_symlink());
        assert!(fs::read_to_string(&real).unwrap().starts_with("[undo]\nkeep_days = 3\n\n[models.fast]\n"));
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_file_that_is_wrong_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[undo]\nkeep_dys = 3\n").unwrap();
        assert!(Edit::of(path.clone()).is_err());
        fs::write(&path, "").unwrap();
        let mut edit = Edit::of(path.clone()).unwrap();
        edit.set_model("fast", &ModelConfig::new(Wire::Chat, "nowhere", "m")).unwrap();
        assert!(edit.save().unwrap_err().to_string().contains("is not an address that can be used"));
        assert_eq!(fs::read_to_string(path).unwrap(), "");
    }
}
