//! The manifest: what the author writes in `plugin.toml`, what the code says of itself, and the two as one, packed into
//! the component.

use crate::{BuildError, cargo::Crate};
use deskhand_vocabulary::{
    Manifest, PluginName,
    manifest::{
        About, Agent, Command, Credential, Extractor, Limits, MAX_BYTES, Permission, SECTION, Server, Skill, Tool,
    },
};
use semver::{Version, VersionReq};
use serde::Deserialize;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, fs, path::Path};
use wasm_encoder::{CustomSection, Encode as _, Section as _};

/// `plugin.toml`, as written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who and what; what is left out is taken from `Cargo.toml`.
    #[serde(default)]
    pub plugin: SourceAbout,
    /// What it asks for.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Keys and tokens that the person connects for it.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// MCP servers that it brings.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// Other plugins that it needs.
    #[serde(default)]
    pub dependencies: BTreeMap<PluginName, VersionReq>,
    /// What it needs at most.
    #[serde(default)]
    pub limits: Limits,
    /// A JSON Schema of its configuration.
    #[serde(default)]
    pub config: Option<Value>,
}

/// `[plugin]` of `plugin.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAbout {
    /// Else the crate's name.
    pub name: Option<PluginName>,
    /// Else the crate's version.
    pub version: Option<Version>,
    /// Who made it.
    pub publisher: Option<String>,
    /// Else the crate's description.
    pub summary: Option<String>,
    /// Else that of the SDK.
    pub interface: Option<Version>,
    /// Else the crate's.
    pub license: Option<String>,
    /// Else the crate's.
    pub homepage: Option<String>,
}

/// What the code says of itself: what `plugin!` of the SDK writes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Description {
    interface: Version,
    commands: Vec<Command>,
    tools: Vec<Tool>,
    #[serde(default)]
    skill: Option<Skill>,
    #[serde(default)]
    agent: Option<Agent>,
    #[serde(default)]
    extractor: Option<Extractor>,
    #[serde(default)]
    config: Option<Value>,
}

impl Source {
    /// Read `plugin.toml` of a plugin's folder.
    ///
    /// # Errors
    /// It is not there, or cannot be understood.
    pub fn read(folder: &Path) -> Result<Self, BuildError> {
        let path = folder.join("plugin.toml");
        if !path.is_file() {
            return Err(BuildError::NotAPlugin { folder: folder.to_owned(), missing: "plugin.toml" });
        }
        let text = fs::read_to_string(&path).map_err(BuildError::file(&path, "read"))?;
        toml::from_str(&text).map_err(|error| BuildError::Written { path, reason: error.to_string() })
    }

    /// The whole manifest.
    pub(crate) fn with(self, code: Description, found: &Crate) -> Result<Manifest, BuildError> {
        let about = self.plugin;
        let name = match about.name {
            Some(name) => name,
            None => found.name.parse().map_err(|_| {
                BuildError::Manifest(format!(
                    "the crate's name `{}` cannot name a plugin (a-z, 0-9 and `-`); write `name` into plugin.toml",
                    found.name
                ))
            })?,
        };
        let version = match about.version {
            Some(version) => version,
            None => found
                .version
                .parse()
                .map_err(|error| BuildError::Manifest(format!("the crate's version is not one: {error}")))?,
        };
        let config = match (self.config, code.config) {
            (Some(_), Some(_)) => {
                return Err(BuildError::Manifest(
                    "the configuration is described in plugin.toml and in `plugin!`; keep one of them".to_owned(),
                ));
            }
            (written, from_code) => written.or(from_code),
        };
        let interface = about.interface.unwrap_or_else(|| code.interface.clone());
        if interface != code.interface {
            return Err(BuildError::Manifest(format!(
                "plugin.toml says interface {interface}, and the SDK speaks {}; leave `interface` out",
                code.interface
            )));
        }
        Ok(Manifest {
            plugin: About {
                name,
                version,
                publisher: filled(about.publisher)
                    .ok_or(BuildError::Missing { field: "publisher", cargo: "say who you are, as people know you" })?,
                summary: filled(about.summary.or_else(|| found.description.clone())).ok_or(BuildError::Missing {
                    field: "summary",
                    cargo: "into Cargo.toml as `description`: one sentence for people who look for it",
                })?,
                interface,
                license: about.license.or_else(|| found.license.clone()),
                homepage: about.homepage.or_else(|| found.homepage.clone()),
            },
            permissions: self.permissions,
            commands: code.commands,
            tools: code.tools,
            tool_catalog: false,
            skill: code.skill,
            agent: code.agent,
            extractor: code.extractor,
            credentials: self.credentials,
            servers: self.servers,
            dependencies: self.dependencies,
            config,
            limits: self.limits,
        })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

impl Description {
    pub(crate) fn read(path: &Path) -> Result<Self, BuildError> {
        let bytes = fs::read(path).map_err(|_| BuildError::NoDescription)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| BuildError::Manifest(format!("what the code says of itself does not fit: {error}")))
    }
}

/// The component with its manifest inside, as a custom section at its end.
///
/// # Errors
/// The manifest is too large.
pub fn pack(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, BuildError> {
    let json = serde_json::to_vec(manifest).map_err(|error| BuildError::Manifest(error.to_string()))?;
    if json.len() > MAX_BYTES {
        return Err(BuildError::Manifest(format!(
            "it has {} bytes, and {MAX_BYTES} are the most; shorten descriptions and schemas",
            json.len()
        )));
    }
    let section = CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Owned(json) };
    let mut packed = component.to_vec();
    packed.push(section.id());
    section.encode(&mut packed);
    Ok(packed)
}
