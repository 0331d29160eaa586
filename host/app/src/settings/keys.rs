//! Every key of the settings and what may stand in it. The values themselves, their defaults and their words are in
//! [`super::DOCUMENTED`].

use deskhand_mcp::client::ServerConfig;
use deskhand_models::{ModelConfig, Money};
use deskhand_vm_image::PackageName;
use deskhand_vocabulary::ServerName;
use std::fmt;

/// A key.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    form: Form,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section, self.name)
    }
}

/// What may stand in a key.
#[derive(Clone, Copy)]
enum Form {
    /// A whole number, from where to where.
    Whole(u64, u64),
    /// More than no money.
    Money,
    /// The name of a model's table, or nothing.
    Model,
    /// Yes or no.
    Switch,
    /// Names of Debian packages.
    Packages,
}

const fn whole(section: &'static str, name: &'static str, least: u64, most: u64) -> Key {
    Key { section, name, form: Form::Whole(least, most) }
}

/// The most names of packages.
const PACKAGES: usize = 64;

/// The most that can be counted without a doubt in every language that reads our JSON (RFC 8259, section 6).
const COUNTED: u64 = (1 << 53) - 1;

pub(super) const KEYS: [Key; 21] = [
    whole("undo", "keep_days", 1, 36_500),
    whole("undo", "keep_gib", 1, 100_000),
    whole("plugins", "memory_mib", 1, 4096),
    whole("plugins", "seconds", 1, 86_400),
    Key { section: "agent", name: "model", form: Form::Model },
    Key { section: "agent", name: "fast", form: Form::Model },
    Key { section: "agent", name: "balanced", form: Form::Model },
    Key { section: "agent", name: "deep", form: Form::Model },
    whole("budget", "tokens", 1, COUNTED),
    Key { section: "budget", name: "money", form: Form::Money },
    whole("budget", "seconds", 1, 31_536_000),
    whole("budget", "steps", 1, COUNTED),
    whole("budget", "bytes_out", 1, COUNTED),
    whole("budget", "removals", 0, COUNTED),
    whole("memory", "tokens", 0, 100_000),
    whole("tasks", "at_once", 1, 200),
    Key { section: "tasks", name: "notify", form: Form::Switch },
    whole("vm", "memory_mib", 512, 65_536),
    whole("vm", "disk_gib", 1, 1024),
    whole("vm", "idle_seconds", 1, 86_400),
    Key { section: "vm", name: "packages", form: Form::Packages },
];

/// What is wrong with a setting.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("there is no setting `{key}`{}", near.as_ref().map(|near| format!("; perhaps you mean `{near}`")).unwrap_or_default())]
    Unknown { key: String, near: Option<String> },
    #[error("`{key}` must be {wanted}, not {found}")]
    Value { key: String, wanted: String, found: String },
    #[error("`models.{name}`: {reason}")]
    Model { name: String, reason: String },
    #[error("`mcp.{name}`: {reason}")]
    Server { name: String, reason: String },
}

impl Form {
    fn holds(self, value: &toml::Value) -> bool {
        match self {
            Self::Whole(least, most) => value
                .as_integer()
                .and_then(|value| u64::try_from(value).ok())
                .is_some_and(|v| (least..=most).contains(&v)),
            Self::Money => value.as_str().and_then(|text| text.parse::<Money>().ok()).is_some_and(|money| money.0 > 0),
            Self::Switch => value.is_bool(),
            Self::Packages => value.as_array().is_some_and(|names| {
                let fits = |name: &toml::Value| name.as_str().is_some_and(|name| name.parse::<PackageName>().is_ok());
                names.len() <= PACKAGES && names.iter().all(fits)
            }),
            Self::Model => value.as_str().is_some_and(|name| name.is_empty() || is_name(name)),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Money => f.write_str("an amount of money above 0 in quotes, such as \"2.50\""),
            Self::Switch => f.write_str("true or false"),
            Self::Packages => {
                write!(f, "a list of at most {PACKAGES} names of Debian packages, such as [\"imagemagick\"]")
            }
            Self::Model => f.write_str("the name of a model, or \"\" for none"),
        }
    }
}

/// Whether a model can be called so. It stands in commands and as the name of a table.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with(['-', '.'])
}

/// Hold what the file says against the keys.
pub(super) fn check(table: &toml::Table) -> Result<(), Wrong> {
    for (section, keys) in table {
        let Some(keys) = keys.as_table() else { return Err(unknown(section.clone())) };
        let of_one = match section.as_str() {
            "models" => Some(model as fn(&str, &toml::Value) -> Result<(), Wrong>),
            "mcp" => Some(server as fn(&str, &toml::Value) -> Result<(), Wrong>),
            _ => None,
        };
        if let Some(check) = of_one {
            keys.iter().try_for_each(|(name, table)| check(name, table))?;
            continue;
        }
        if !KEYS.iter().any(|known| known.section == section) {
            return Err(unknown(keys.keys().next().map_or_else(|| section.clone(), |key| format!("{section}.{key}"))));
        }
        for (name, value) in keys {
            let Some(key) = KEYS.iter().find(|key| key.section == section && key.name == name) else {
                if section == "plugins" && value.is_table() {
                    continue; // a plugin's own, held against its schema when it is called
                }
                return Err(unknown(format!("{section}.{name}")));
            };
            if !key.form.holds(value) {
                return Err(Wrong::Value {
                    key: key.to_string(),
                    wanted: key.form.to_string(),
                    found: value.to_string(),
                });
            }
        }
    }
    Ok(())
}

fn unknown(key: String) -> Wrong {
    let known = KEYS.iter().map(ToString::to_string);
    let near = known.map(|known| (strsim::damerau_levenshtein(&known, &key), known));
    let near = near.filter(|(distance, _)| *distance <= 3).min().map(|(_, known)| known);
    Wrong::Unknown { key, near }
}

fn model(name: &str, table: &toml::Value) -> Result<(), Wrong> {
    let wrong = |reason: String| Wrong::Model { name: name.to_owned(), reason };
    if !is_name(name) {
        return Err(wrong("a model is called by letters, digits, `-`, `_` and `.`, at most 64 of them".to_owned()));
    }
    if !table.is_table() {
        return Err(wrong("it must be a table, as `deskhand model add` writes it".to_owned()));
    }
    let config: ModelConfig =
        table.clone().try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    config.check().map_err(|bad| wrong(bad.reason))
}

fn server(name: &str, table: &toml::Value) -> Result<(), Wrong> {
    let wrong = |reason: String| Wrong::Server { name: name.to_owned(), reason };
    let parsed = name.parse::<ServerName>().map_err(|error| wrong(error.to_string()))?;
    if parsed.plugin().is_some() {
        return Err(wrong("a name with a slash is that of a server which a plugin brings".to_owned()));
    }
    if !table.is_table() {
        return Err(wrong("it must be a table, as `deskhand mcp add` writes it".to_owned()));
    }
    let config: ServerConfig =
        table.clone().try_into().map_err(|error: toml::de::Error| wrong(error.message().to_owned()))?;
    config.check().map_err(|bad| wrong(bad.to_string()))
}
