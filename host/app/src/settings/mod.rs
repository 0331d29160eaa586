//! The settings: one TOML file. Every key is documented in [`DOCUMENTED`], which is what `deskhand config` prints and
//! whose every value is the default; a test holds the two together.

mod edit;
mod keys;

pub(crate) use edit::Edit;
pub(crate) use keys::{Wrong, is_name};

use deskhand_agent::budget::{Limits, Measure};
use deskhand_files::Origin;
use deskhand_mcp::client::ServerConfig;
use deskhand_models::{ModelConfig, Money};
use deskhand_vm_image::PackageName;
use keys::{KEYS, check};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// The documented settings file.
pub(crate) const DOCUMENTED: &str = include_str!("documented.toml");

/// The most bytes of a settings file.
const LARGEST: u64 = 1 << 20;

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) undo: Undo,
    pub(crate) plugins: Plugins,
    pub(crate) agent: Agent,
    pub(crate) budget: Budget,
    pub(crate) memory: Memory,
    pub(crate) tasks: Tasks,
    pub(crate) vm: Vm,
    /// The models, by what the person calls them.
    pub(crate) models: BTreeMap<String, ModelConfig>,
    /// The MCP servers, by what the person calls them.
    pub(crate) mcp: BTreeMap<String, ServerConfig>,
}

/// What undo keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// How models work on requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Agent {
    /// Which of the models; in the file, an empty name is none.
    #[serde(serialize_with = "named", deserialize_with = "name")]
    pub(crate) model: Option<String>,
    /// Which of them plugins get that ask for a fast one; without a name, the one that works on the request.
    #[serde(serialize_with = "named", deserialize_with = "name")]
    pub(crate) fast: Option<String>,
    /// The same for most work.
    #[serde(serialize_with = "named", deserialize_with = "name")]
    pub(crate) balanced: Option<String>,
    /// The same for what is hard.
    #[serde(serialize_with = "named", deserialize_with = "name")]
    pub(crate) deep: Option<String>,
}

fn named<S: Serializer>(name: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_deref().unwrap_or_default())
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(|name| Some(name).filter(|name| !name.is_empty()))
}

/// What tasks are told of earlier work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Memory {
    pub(crate) tokens: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { tokens: 1000 }
    }
}

/// What a task that a model works on may use up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Budget {
    pub(crate) tokens: u64,
    pub(crate) money: Money,
    pub(crate) seconds: u64,
    pub(crate) steps: u64,
    pub(crate) bytes_out: u64,
    pub(crate) removals: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            tokens: 5_000_000,
            money: Money(5_000_000),
            seconds: 3600,
            steps: 200,
            bytes_out: 100_000_000,
            removals: 1000,
        }
    }
}

impl Budget {
    /// The same as the loop counts it.
    pub(crate) fn limits(&self) -> Limits {
        Limits::default()
            .with(Measure::Tokens, self.tokens)
            .with(Measure::Money, self.money.0)
            .with(Measure::Time, self.seconds.saturating_mul(1000))
            .with(Measure::Steps, self.steps)
            .with(Measure::BytesOut, self.bytes_out)
            .with(Measure::Removals, self.removals)
    }
}

/// How tasks are worked on where no terminal is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tasks {
    pub(crate) at_once: u16,
    pub(crate) notify: bool,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { at_once: 4, notify: true }
    }
}

/// How large the guest of a task is, how long it stays without a job, and what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Vm {
    pub(crate) memory_mib: u32,
    pub(crate) disk_gib: u32,
    pub(crate) idle_seconds: u32,
    /// What its image has beside what every image has.
    pub(crate) packages: Vec<PackageName>,
}

impl Default for Vm {
    fn default() -> Self {
        Self { memory_mib: 1024, disk_gib: 8, idle_seconds: 600, packages: Vec::new() }
    }
}

/// Why the settings could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("the settings in {} could not be read: {error}. Mend the file, or move it away to use the defaults", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("the settings in {} could not be written: {error}. Make the file and its folder writable, or free some room on their disk", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("the settings in {} are not right:\n{error}Mend the file. See every key with: deskhand config", path.display())]
    NotToml { path: PathBuf, error: Box<toml::de::Error> },
    #[error("the settings in {} are not right: {wrong}. See every key with: deskhand config", path.display())]
    Wrong { path: PathBuf, wrong: Wrong },
    #[error("the settings in {} are not right: `plugins.{plugin}{key}`: {reason}. `deskhand plugin info` shows what a plugin takes", path.display())]
    OfPlugin { path: PathBuf, plugin: String, key: String, reason: String },
}

/// One setting as it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Held {
    /// Such as `undo.keep_days`, or `models.NAME` for all of a model and `mcp.NAME` for all of an MCP server.
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) default: Value,
    /// True if the settings file says so; else it is the default.
    pub(crate) set: bool,
}

/// What the file holds; nothing where it is not there.
fn text(path: &Path) -> Result<String, SettingsError> {
    match deskhand_files::read_text(path, Origin::Person, LARGEST) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(SettingsError::Unreadable { path: path.to_owned(), error }),
    }
}

impl Settings {
    /// Read them; a file that is not there means the defaults.
    pub(crate) fn read(path: PathBuf) -> Result<Self, SettingsError> {
        Self::read_with(path).map(|(settings, _)| settings)
    }

    /// The settings, and the table that the file holds.
    fn read_with(path: PathBuf) -> Result<(Self, toml::Table), SettingsError> {
        Self::of(&text(&path)?, path)
    }

    /// The same of a text that stands in `path`, or is about to.
    pub(crate) fn of(text: &str, path: PathBuf) -> Result<(Self, toml::Table), SettingsError> {
        let table: toml::Table = match toml::from_str(text) {
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

    /// Every setting as it holds, with where it comes from; the models and the MCP servers after all else.
    pub(crate) fn held(path: PathBuf) -> Result<Vec<Held>, SettingsError> {
        let (settings, table) = Self::read_with(path)?;
        let value = |settings: &Self| serde_json::to_value(settings).unwrap_or_default();
        let (holds, defaults) = (value(&settings), value(&Self::default()));
        let of = |all: &Value, section: &str, name: &str| all[section][name].clone();
        let keys = KEYS.iter().map(|key| Held {
            key: key.to_string(),
            value: of(&holds, key.section, key.name),
            default: of(&defaults, key.section, key.name),
            set: table.get(key.section).and_then(|keys| keys.get(key.name)).is_some(),
        });
        let whole = |section: &str, name: &String| Held {
            key: format!("{section}.{name}"),
            value: of(&holds, section, name),
            default: Value::Null,
            set: true,
        };
        let models = settings.models.keys().map(|name| whole("models", name));
        let servers = settings.mcp.keys().map(|name| whole("mcp", name));
        Ok(keys.chain(models).chain(servers).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_key_is_checked_and_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "[undo]\nkeep_gib = 3\n[plugins]\nmemory_mib = 7\nseconds = 300\n[agent]\nmodel = 'fast'\n\
                    [budget]\nmoney = '0.50'\n[models.fast]\nwire = 'chat'\nurl = 'http://localhost:1/v1'\nmodel = 'm'\n";
        std::fs::write(&path, text).unwrap();
        let held = Settings::held(path).unwrap();
        let held = held.into_iter().map(|one| (one.key, one.value, one.default, one.set)).collect::<Vec<_>>();
        let model = json!({"wire": "chat", "url": "http://localhost:1/v1", "model": "m"});
        let expected = [
            ("undo.keep_days", json!(90), json!(90), false),
            ("undo.keep_gib", json!(3), json!(10), true),
            ("plugins.memory_mib", json!(7), json!(512), true),
            ("plugins.seconds", json!(300), json!(300), true),
            ("agent.model", json!("fast"), json!(""), true),
            ("agent.fast", json!(""), json!(""), false),
            ("agent.balanced", json!(""), json!(""), false),
            ("agent.deep", json!(""), json!(""), false),
            ("budget.tokens", json!(5_000_000), json!(5_000_000), false),
            ("budget.money", json!("0.50"), json!("5.00"), true),
            ("budget.seconds", json!(3600), json!(3600), false),
            ("budget.steps", json!(200), json!(200), false),
            ("budget.bytes_out", json!(100_000_000), json!(100_000_000), false),
            ("budget.removals", json!(1000), json!(1000), false),
            ("memory.tokens", json!(1000), json!(1000), false),
            ("tasks.at_once", json!(4), json!(4), false),
            ("tasks.notify", json!(true), json!(true), false),
            ("vm.memory_mib", json!(1024), json!(1024), false),
            ("vm.disk_gib", json!(8), json!(8), false),
            ("vm.idle_seconds", json!(600), json!(600), false),
            ("vm.packages", json!([]), json!([]), false),
            ("models.fast", model, json!(null), true),
        ];
        assert_eq!(held, expected.map(|(key, value, default, set)| (key.to_owned(), value, default, set)));
    }

    #[test]
    fn what_is_documented_is_every_key_with_its_default() {
        assert_eq!(Settings::of(DOCUMENTED, PathBuf::new()).unwrap().0, Settings::default());
        let table: toml::Table = toml::from_str(DOCUMENTED).unwrap();
        let keys = table
            .iter()
            .flat_map(|(section, keys)| keys.as_table().unwrap().keys().map(move |name| format!("{section}.{name}")));
        let mut known: Vec<String> = KEYS.iter().map(ToString::to_string).collect();
        known.sort();
        assert_eq!(keys.collect::<Vec<_>>(), known);
    }

    /// What is documented of a model, taken as it stands there, is a model with every key.
    #[test]
    fn what_is_documented_of_a_model_is_every_key() {
        let (_, text) = DOCUMENTED.split_once("# [models.NAME]\n").unwrap();
        let text: String = text.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap())).collect();
        let (settings, _) = Settings::of(&format!("[models.NAME]\n{text}"), PathBuf::new()).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let whole = serde_json::to_value(&settings.models["NAME"]).unwrap();
        // the last is unknown, and the message of it names all that are known
        let error = toml::from_str::<ModelConfig>("xyz = 1").unwrap_err();
        let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        let documented: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(documented, known);
        assert_eq!(table.len(), known.len());
        assert_eq!(whole["price"]["cache_write"], "3.75");
    }

    /// What is documented of an MCP server, taken as it stands there, is every key.
    #[test]
    fn what_is_documented_of_a_server_is_every_key() {
        let (_, text) = DOCUMENTED.split_once("# [mcp.NAME]\n").unwrap();
        let lines = text.lines().map_while(|line| line.strip_prefix("# "));
        let documented: Vec<&str> =
            lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split(' ').next()).collect();
        let error = toml::from_str::<ServerConfig>("xyz = 1").unwrap_err();
        let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
        assert_eq!(documented, known);
    }

    #[test]
    fn a_server_that_cannot_be_used_is_named() {
        for (text, reason) in [
            ("[mcp.git]\ncommand = 'a'\nurl = 'b'", "`mcp.git`: a server has either a `command` or a `url`"),
            ("[mcp.git]\ncomand = 'a'", "`mcp.git`: unknown field `comand`"),
            (
                "[mcp.Git]\ncommand = 'a'",
                "`mcp.Git`: `Git` is not a name here: 1 to 64 of a-z, 0-9 and `-`, starting with a letter",
            ),
            ("[mcp]\ngit = 3", "`mcp.git`: it must be a table, as `deskhand mcp add` writes it"),
        ] {
            assert!(wrong(text).starts_with(reason), "{}", wrong(text));
        }
        assert_eq!(read("[mcp.git]\ncommand = 'a'").unwrap().mcp["git"].command.as_deref(), Some("a"));
    }

    fn read(text: &str) -> Result<Settings, String> {
        Settings::of(text, "FILE".into()).map(|(settings, _)| settings).map_err(|error| error.to_string())
    }

    fn wrong(text: &str) -> String {
        let error = read(text).unwrap_err();
        let reason = error.strip_prefix("the settings in FILE are not right: ").unwrap();
        reason.strip_suffix(". See every key with: deskhand config").unwrap().to_owned()
    }

    #[test]
    fn a_plugin_has_a_table_of_its_own_and_nothing_else_stands_there() {
        let settings = read("[plugins]\nseconds = 5\n[plugins.organize]\ndepth = 2\n").unwrap();
        assert_eq!(settings.plugins.seconds, 5);
        assert_eq!(settings.plugins.single["organize"]["depth"].as_integer(), Some(2));
        assert_eq!(
            wrong("[plugins]\nsecond = 5\n"),
            "there is no setting `plugins.second`; perhaps you mean `plugins.seconds`"
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let model =
            |more: &str| format!("[models.fast]\nwire = 'chat'\nurl = 'http://localhost:1'\nmodel = 'm'\n{more}");
        for (text, reason) in [
            (
                "[budget]\nmoney = 5",
                "`budget.money` must be an amount of money above 0 in quotes, such as \"2.50\", not 5",
            ),
            (
                "[budget]\nmoney = '0'",
                "`budget.money` must be an amount of money above 0 in quotes, such as \"2.50\", not \"0\"",
            ),
            ("[tasks]\nnotify = 1", "`tasks.notify` must be true or false, not 1"),
            (
                "[vm]\npackages = ['figlet', 'No']",
                "`vm.packages` must be a list of at most 64 names of Debian packages, such as [\"imagemagick\"], not [\"figlet\", \"No\"]",
            ),
            ("[budget]\nsteps = 0", "`budget.steps` must be a whole number from 1 to 9007199254740991, not 0"),
            ("[budget]\nbytesout = 0", "there is no setting `budget.bytesout`; perhaps you mean `budget.bytes_out`"),
            ("[agent]\nmodel = 'a b'", "`agent.model` must be the name of a model, or \"\" for none, not \"a b\""),
            ("[models]\nfast = 3", "`models.fast`: it must be a table, as `deskhand model add` writes it"),
            ("[models.fast]\nwire = 'chat'", "`models.fast`: missing field `url`"),
            (
                "[models.'a b']\n",
                "`models.a b`: a model is called by letters, digits, `-`, `_` and `.`, at most 64 of them",
            ),
            (&model("url2 = 1"), ""),
            (
                &model("[models.fast.options]\nstream = true"),
                "`models.fast`: stream cannot be set as an option, because Deskhand sets it itself",
            ),
        ] {
            if reason.is_empty() {
                assert!(
                    wrong(text).starts_with("`models.fast`: unknown field `url2`, expected one of `wire`"),
                    "{}",
                    wrong(text)
                );
            } else {
                assert_eq!(wrong(text), reason);
            }
        }
    }

    #[test]
    fn a_budget_is_what_the_loop_counts() {
        let budget = read("[budget]\nmoney = '0.25'\nseconds = 2\n").unwrap().budget.limits();
        let counted = Measure::ALL.map(|measure| budget.get(measure));
        assert_eq!(counted, [5_000_000, 250_000, 2000, 200, 100_000_000, 1000].map(Some));
    }
}
