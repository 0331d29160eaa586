//! What a marketplace offers, read from its verified metadata alone: no component is fetched to know it.

use crate::{
    MarketError,
    error::Trouble,
    verify::{State, Target},
};
use deskhand_vocabulary::{Manifest, MarketplaceName, PluginName, Sha256, manifest};
use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The form of a version's signed record that this Deskhand writes and reads.
pub const SCHEMA: u32 = 1;
/// How a component's file is called, after its digest.
pub(crate) const FILE: &str = "plugin.wasm";

/// Whether a version is to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Yes.
    Active,
    /// Not for new installations; where it is installed it keeps running.
    Yanked,
    /// Not any more, anywhere.
    Revoked,
}

impl Status {
    /// The word that is shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Yanked => "yanked",
            Self::Revoked => "revoked",
        }
    }
}

/// What is signed about a version, beside the length and the digest of its component: the `custom` part of its target
/// in the targets metadata (TUF specification 1.0.3x, section 4.5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) schema: u32,
    /// The manifest as JSON text: signed metadata hold no fractions, and a manifest's JSON Schemas may.
    pub(crate) manifest: String,
    pub(crate) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) published: Timestamp,
}

/// A version that a marketplace offers or has offered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// What the plugin says of itself: its interface, rights, commands and dependencies.
    pub manifest: Manifest,
    /// Its component.
    pub component: Sha256,
    /// The component's length in bytes.
    pub length: u64,
    /// Whether it is to be used.
    pub status: Status,
    /// Why not, in its admin's words. Not trusted as text.
    pub reason: Option<String>,
    /// When it was published.
    pub published: Timestamp,
}

impl Published {
    /// The plugin's name.
    pub fn name(&self) -> &PluginName {
        &self.manifest.plugin.name
    }

    /// Its version.
    pub fn version(&self) -> &Version {
        &self.manifest.plugin.version
    }

    /// That a component that was fetched says the same of itself as its signed record does. `found` is the manifest
    /// that is inside of the component.
    pub fn check_manifest(&self, found: &Manifest) -> Result<(), MarketError> {
        if *found == self.manifest {
            return Ok(());
        }
        Err(MarketError::OtherManifest { plugin: self.name().clone(), version: self.version().clone() })
    }

    pub(crate) fn path(&self) -> String {
        path(self.name(), self.version())
    }

    pub(crate) fn read(path: &str, target: &Target) -> Result<Self, String> {
        let custom = target.custom.as_ref().ok_or("it has no record")?;
        let schema = custom.get("schema").and_then(Value::as_u64);
        if schema != Some(u64::from(SCHEMA)) {
            return Err("its record is of a form that this Deskhand does not know; a newer one may".to_owned());
        }
        let record: Record = serde_json::from_value(custom.clone()).map_err(|error| error.to_string())?;
        if record.manifest.len() > manifest::MAX_BYTES {
            return Err("its manifest is too large".to_owned());
        }
        let manifest: Manifest = serde_json::from_str(&record.manifest).map_err(|error| error.to_string())?;
        let component = target.sha256.ok_or("its record has no SHA-256 digest")?;
        let published = Self {
            manifest,
            component,
            length: target.length,
            status: record.status,
            reason: record.reason,
            published: record.published,
        };
        if published.path() != path {
            return Err(format!("its manifest is that of {}", published.path()));
        }
        Ok(published)
    }

    pub(crate) fn to_target(&self) -> Result<(String, Value), MarketError> {
        let unsigned =
            |error: serde_json::Error| MarketError::verify(&self.path(), Trouble::Damaged(error.to_string()));
        let record = Record {
            schema: SCHEMA,
            manifest: serde_json::to_string(&self.manifest).map_err(unsigned)?,
            status: self.status,
            reason: self.reason.clone(),
            published: self.published,
        };
        let custom = serde_json::to_value(record).map_err(unsigned)?;
        let target = serde_json::json!({
            "length": self.length,
            "hashes": {"sha256": self.component},
            "custom": custom,
        });
        Ok((self.path(), target))
    }
}

/// The path of a version's component among a marketplace's targets. Its file is beside it, with the digest before the
/// name (consistent snapshots, TUF specification 1.0.3x, section 6.2).
pub(crate) fn path(plugin: &PluginName, version: &Version) -> String {
    format!("{plugin}/{version}/{FILE}")
}

/// The file below `targets/` that holds a component.
pub(crate) fn file(plugin: &PluginName, version: &Version, component: &Sha256) -> String {
    format!("{plugin}/{version}/{component}.{FILE}")
}

/// An entry of a marketplace that cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its path.
    pub path: String,
    /// Why. Not trusted as text.
    pub reason: String,
}

/// All that a marketplace offers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Catalogue {
    /// What the person calls the marketplace.
    pub marketplace: MarketplaceName,
    /// The verified state that it was read from.
    pub state: State,
    /// Versions of each plugin.
    pub plugins: BTreeMap<PluginName, BTreeMap<Version, Published>>,
    /// Entries that cannot be used here; the rest can.
    pub unreadable: Vec<Unreadable>,
}

impl Catalogue {
    pub(crate) fn read(marketplace: MarketplaceName, state: State, targets: &BTreeMap<String, Target>) -> Self {
        let mut catalogue = Self { marketplace, state, plugins: BTreeMap::new(), unreadable: Vec::new() };
        for (path, target) in targets {
            match Published::read(path, target) {
                Ok(published) => {
                    let versions = catalogue.plugins.entry(published.name().clone()).or_default();
                    versions.insert(published.version().clone(), published);
                }
                Err(reason) => catalogue.unreadable.push(Unreadable { path: path.clone(), reason }),
            }
        }
        catalogue
    }

    /// A version, if it is there.
    pub fn get(&self, plugin: &PluginName, version: &Version) -> Option<&Published> {
        self.plugins.get(plugin)?.get(version)
    }

    /// A version, or what to say when it is not there.
    pub fn find(&self, plugin: &PluginName, version: &Version) -> Result<&Published, MarketError> {
        let versions = self.versions(plugin)?;
        versions.get(version).ok_or_else(|| MarketError::NoSuchVersion {
            plugin: plugin.clone(),
            version: version.clone(),
            offered: versions.keys().map(Version::to_string).collect(),
        })
    }

    /// The versions of a plugin, or what to say when there is none.
    pub fn versions(&self, plugin: &PluginName) -> Result<&BTreeMap<Version, Published>, MarketError> {
        self.plugins.get(plugin).ok_or_else(|| MarketError::NoSuchPlugin {
            marketplace: self.marketplace.to_string(),
            plugin: plugin.to_string(),
            nearest: nearest(plugin.as_str(), self.plugins.keys().map(PluginName::as_str)),
        })
    }

    /// The newest version of each plugin that can be installed and holds every word of `query` in its name, summary,
    /// publisher, commands or triggers; all of them for an empty query. Those whose name fits come first.
    pub fn search(&self, query: &str) -> Vec<&Published> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<(bool, &Published)> = Vec::new();
        for versions in self.plugins.values() {
            let active = |published: &&Published| published.status == Status::Active;
            let stable = versions.values().rev().filter(active).find(|published| published.version().pre.is_empty());
            let Some(newest) = stable.or_else(|| versions.values().rev().find(active)) else { continue };
            let text = searchable(&newest.manifest);
            if words.iter().all(|word| text.contains(word)) {
                let named = words.iter().any(|word| newest.name().as_str().contains(word));
                found.push((!named, newest));
            }
        }
        found.sort_by(|a, b| (a.0, a.1.name()).cmp(&(b.0, b.1.name())));
        found.into_iter().map(|(_, published)| published).collect()
    }
}

fn searchable(manifest: &Manifest) -> String {
    let about = &manifest.plugin;
    let mut text = vec![about.name.as_str(), about.summary.as_str(), about.publisher.as_str()];
    for command in &manifest.commands {
        text.extend([command.name.as_str(), command.summary.as_str()]);
        text.extend(command.triggers.iter().map(String::as_str));
    }
    for tool in &manifest.tools {
        text.extend([tool.name.as_str(), tool.title.as_str(), tool.description.as_str()]);
    }
    text.join("\n").to_lowercase()
}

/// Up to three of `names` that begin or end like `name` or are one slip of a key away from it.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let close = |other: &&str| {
        other.contains(name) || name.contains(other) || distance_is_small(name.as_bytes(), other.as_bytes())
    };
    names.filter(close).take(3).map(str::to_owned).collect()
}

/// At most two insertions, removals or replacements apart (Levenshtein).
fn distance_is_small(a: &[u8], b: &[u8]) -> bool {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()] <= 2
}
