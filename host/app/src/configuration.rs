//! The settings of single plugins, `[plugins.NAME]` in the settings file, held against the schema that each declares.

use crate::settings::{Plugins as Written, SettingsError};
use deskhand_runtime::{Installed, Plugins};
use deskhand_vocabulary::PluginId;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path};

/// What every installed plugin is configured with. A table of a plugin that is not installed waits for it; one that is
/// named by its whole id is taken before one by its name alone.
pub(crate) fn configurations(
    written: &Written,
    plugins: &Plugins,
    path: &Path,
) -> Result<BTreeMap<PluginId, Value>, SettingsError> {
    let mut configurations = BTreeMap::new();
    if written.single.is_empty() {
        return Ok(configurations);
    }
    for plugin in plugins.iter() {
        let whole = plugin.id.to_string();
        let name =
            [whole.as_str(), plugin.id.name.as_str()].into_iter().find(|name| written.single.contains_key(*name));
        if let Some((name, table)) = name.and_then(|name| Some((name, written.single.get(name)?))) {
            let value = json(table);
            check(plugin, &value).map_err(|(key, reason)| SettingsError::OfPlugin {
                path: path.to_owned(),
                plugin: name.to_owned(),
                key,
                reason,
            })?;
            configurations.insert(plugin.id.clone(), value);
        }
    }
    Ok(configurations)
}

/// Whether a configuration is what the plugin takes; else the key that is wrong, with a dot before it, and why.
fn check(plugin: &Installed, value: &Value) -> Result<(), (String, String)> {
    let manifest = plugin.release.manifest().map_err(|fault| (String::new(), fault.to_string()))?;
    let Some(schema) = &manifest.config else {
        return Err((String::new(), format!("{} has no settings", plugin.id)));
    };
    let schema = jsonschema::draft202012::options()
        .build(schema)
        .map_err(|error| (String::new(), format!("the plugin's own schema is wrong: {error}")))?;
    schema.validate(value).map_err(|error| {
        let key = error.instance_path().to_string().replace('/', ".");
        (key, error.to_string())
    })
}

/// The same in JSON; a date or time as its text (RFC 3339).
fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => {
            table.iter().map(|(key, value)| (key.clone(), json(value))).collect::<Map<_, _>>().into()
        }
    }
}
