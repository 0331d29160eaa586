//! What a component is, found out without compiling or running any of it.

use crate::{
    fault::PluginFault,
    imports::{self, Refusal},
    roles,
};
use deskhand_vocabulary::{
    Manifest, Sha256,
    manifest::{self, PermissionKind},
};
use serde::Serialize;
use std::{collections::BTreeSet, fmt};
use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator, WasmFeatures};

/// The most that a component may take, in bytes. The largest known plugin, with a Python interpreter in it, has 18 MiB.
pub const MAX_COMPONENT: usize = 128 << 20;

/// What a component is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// The digest of the file.
    pub component: Sha256,
    /// Its size, in bytes.
    pub bytes: u64,
    /// What it says of itself.
    pub manifest: Manifest,
    /// All that it imports, by full name, sorted.
    pub imports: Vec<String>,
    /// The interfaces that it exports, by full name, sorted.
    pub exports: Vec<String>,
    /// Why it cannot be installed; empty if it can.
    pub refused: Vec<Refused>,
    /// What its author should know.
    pub warnings: Vec<Warning>,
}

/// Why a component cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Refused {
    /// Something that it imports.
    Import(Refusal),
    /// Something that its manifest declares and that it does not export.
    Role {
        /// What the manifest declares.
        declared: String,
        /// What is missing.
        export: String,
    },
}

impl From<Refused> for PluginFault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Import(refusal) => Self::BadImport(Box::new(refusal)),
            Refused::Role { declared, export } => Self::RoleMissing { declared, export },
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PluginFault::from(self.clone()).fmt(f)
    }
}

/// What is odd about a component, and harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum Warning {
    /// It asks for a right whose interface it does not import.
    UnusedPermission {
        /// The permission.
        permission: &'static str,
    },
    /// It exports a role that its manifest does not use.
    UndeclaredRole {
        /// The export.
        export: String,
    },
    /// It exports a role that this version of Deskhand does not call.
    UncalledRole {
        /// The export.
        export: String,
    },
    /// Its manifest declares nothing that could be called.
    Empty,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusedPermission { permission } => write!(
                f,
                "it asks for `{permission}` and never uses it. People install what asks for less: take it out of `plugin.toml`"
            ),
            Self::UndeclaredRole { export } => {
                write!(f, "it exports `{export}`, and its manifest declares nothing for it, so nobody can call it")
            }
            Self::UncalledRole { export } => {
                write!(f, "it exports `{export}`, which this version of Deskhand does not call")
            }
            Self::Empty => f.write_str(
                "its manifest declares no command, no tool, no skill and no sub-agent, so nobody can call it",
            ),
        }
    }
}

/// What a component is, and whether it could be installed here. Nothing of it is compiled or run.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, PluginFault> {
    let outline = outline(bytes)?;
    validate(bytes)?;
    let manifest = outline.manifest()?;
    let mut refused: Vec<_> = outline
        .imports
        .iter()
        .filter_map(|import| imports::judge(import, &manifest).err().map(Refused::Import))
        .collect();
    refused.extend(missing_roles(&manifest, &outline.exports));
    let warnings = warnings(&manifest, &outline);
    Ok(Inspection {
        component: Sha256::of(bytes),
        bytes: bytes.len() as u64,
        manifest,
        imports: outline.imports.into_iter().collect(),
        exports: outline.exports.into_iter().collect(),
        refused,
        warnings,
    })
}

/// What a component says of itself. Microseconds: the section headers are walked, and nothing else is read.
pub fn read_manifest(bytes: &[u8]) -> Result<Manifest, PluginFault> {
    outline(bytes)?.manifest()
}

/// The manifest as it was packed.
pub(crate) fn raw_manifest(bytes: &[u8]) -> Result<&str, PluginFault> {
    let outline = outline(bytes)?;
    let raw = outline.manifest.ok_or(PluginFault::ManifestMissing)?;
    std::str::from_utf8(raw).map_err(|_| PluginFault::ManifestBad { reason: "it is not UTF-8".to_owned() })
}

/// The magic number, the version and the layer.
const HEADER: usize = 8;

struct Outline<'a> {
    manifest: Option<&'a [u8]>,
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Outline<'_> {
    fn manifest(&self) -> Result<Manifest, PluginFault> {
        let raw = self.manifest.ok_or(PluginFault::ManifestMissing)?;
        parse_manifest(raw)
    }
}

/// Read a packed manifest.
pub(crate) fn parse_manifest(raw: &[u8]) -> Result<Manifest, PluginFault> {
    let bad = |reason: String| PluginFault::ManifestBad { reason };
    if raw.len() > manifest::MAX_BYTES {
        return Err(bad(format!("it has {} bytes, and {} is the most", raw.len(), manifest::MAX_BYTES)));
    }
    let manifest: Manifest = serde_json::from_slice(raw).map_err(|error| bad(error.to_string()))?;
    if !imports::compatible(&manifest.plugin.interface) {
        return Err(PluginFault::BadImport(Box::new(Refusal::Version {
            import: imports::PACKAGE.to_owned(),
            wanted: Some(manifest.plugin.interface),
            offered: imports::INTERFACE,
        })));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = manifest.commands.iter().map(|command| &command.name).find(|name| !names.insert(*name)) {
        return Err(bad(format!("it declares the command `{twice}` twice")));
    }
    names.clear();
    if let Some(twice) = manifest.tools.iter().map(|tool| &tool.name).find(|name| !names.insert(*name)) {
        return Err(bad(format!("it declares the tool `{twice}` twice")));
    }
    names.clear();
    if let Some(twice) = manifest.credentials.iter().map(|one| &one.name).find(|name| !names.insert(*name)) {
        return Err(bad(format!("it declares the credential `{twice}` twice")));
    }
    let mut kinds = BTreeSet::new();
    if let Some(twice) = manifest.permissions.iter().find(|permission| !kinds.insert(permission.kind)) {
        return Err(bad(format!("it asks for `{}` twice", twice.kind.name())));
    }
    if kinds.contains(&PermissionKind::ServersBring) {
        return Err(
            bad("`servers.bring` is no permission to be asked for: it names its servers themselves".to_owned()),
        );
    }
    names.clear();
    if let Some(twice) = manifest.servers.iter().map(|server| &server.name).find(|name| !names.insert(*name)) {
        return Err(bad(format!("it brings the MCP server `{twice}` twice")));
    }
    for server in &manifest.servers {
        server.check().map_err(|reason| bad(format!("the MCP server `{}` cannot be used: {reason}", server.name)))?;
    }
    Ok(manifest)
}

fn outline(bytes: &[u8]) -> Result<Outline<'_>, PluginFault> {
    if bytes.len() > MAX_COMPONENT {
        return Err(PluginFault::TooLarge { bytes: bytes.len() as u64, limit: MAX_COMPONENT as u64 });
    }
    let truncated = || PluginFault::Truncated { bytes: bytes.len() as u64 };
    let mut found = Outline { manifest: None, imports: BTreeSet::new(), exports: BTreeSet::new() };
    let mut twice = false;
    let mut parser = Parser::new(0);
    let mut rest = bytes;
    if !bytes.is_empty() && !b"\0asm".starts_with(&bytes[..bytes.len().min(4)]) {
        return Err(PluginFault::NotAComponent { reason: "it does not begin as one".to_owned() });
    }
    if bytes.len() < HEADER {
        return Err(truncated());
    }
    loop {
        let malformed = |error: wasmparser::BinaryReaderError| match error.offset() >= bytes.len() as u64 {
            true => truncated(),
            false => PluginFault::NotAComponent { reason: error.message().to_owned() },
        };
        let (consumed, payload) = match parser.parse(rest, true).map_err(malformed)? {
            wasmparser::Chunk::NeedMoreData(_) => return Err(truncated()),
            wasmparser::Chunk::Parsed { consumed, payload } => (consumed, payload),
        };
        rest = rest.get(consumed..).ok_or_else(truncated)?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                let reason = "it is a core module; build for the target `wasm32-wasip2`".to_owned();
                return Err(PluginFault::NotAComponent { reason });
            }
            Payload::CustomSection(section) if section.name() == manifest::SECTION => {
                let before = found.manifest.replace(section.data());
                twice |= before.is_some();
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(malformed)?;
                    found.imports.insert(import.name.full_name().into_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    if export.kind == ComponentExternalKind::Instance {
                        found.exports.insert(export.name.full_name().into_owned());
                    }
                }
            }
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                let length = usize::try_from(unchecked_range.end.saturating_sub(unchecked_range.start));
                rest = length.ok().and_then(|length| rest.get(length..)).ok_or_else(truncated)?;
            }
            Payload::End(_) => break,
            _ => {}
        }
    }
    if twice {
        return Err(PluginFault::ManifestBad { reason: "there are two of them".to_owned() });
    }
    Ok(found)
}

fn validate(bytes: &[u8]) -> Result<(), PluginFault> {
    let features = WasmFeatures::default() - WasmFeatures::CM_ASYNC - WasmFeatures::THREADS;
    match Validator::new_with_features(features).validate_all(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(PluginFault::NotAComponent { reason: error.message().to_owned() }),
    }
}

fn exported<'a>(exports: &'a BTreeSet<String>, role: &str) -> impl Iterator<Item = &'a String> {
    let name = format!("{}/{role}", imports::PACKAGE);
    exports.iter().filter(move |export| imports::split(export).0 == name)
}

fn missing_roles(manifest: &Manifest, exports: &BTreeSet<String>) -> Vec<Refused> {
    let mut missing = Vec::new();
    for (declared, role) in roles::declared(manifest) {
        let fits = |export: &&String| imports::split(export).1.is_some_and(|version| imports::compatible(&version));
        if exported(exports, role).find(fits).is_none() {
            let export = format!("{}/{role}@{}", imports::PACKAGE, imports::INTERFACE);
            missing.push(Refused::Role { declared, export });
        }
    }
    missing
}

fn warnings(manifest: &Manifest, outline: &Outline<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let imported = |interface: &str| {
        let name = format!("{}/{interface}", imports::PACKAGE);
        outline.imports.iter().any(|import| imports::split(import).0 == name)
    };
    for kind in PermissionKind::ALL {
        let declared = manifest.permissions.iter().any(|permission| permission.kind == kind);
        // a credential is named in a request; whether it is connected need not be looked up
        let used =
            kind.interface().is_some_and(imported) || (kind == PermissionKind::CredentialsUse && imported("http"));
        if declared && !used {
            warnings.push(Warning::UnusedPermission { permission: kind.name() });
        }
    }
    let declared = roles::declared(manifest);
    for role in roles::CALLED.into_iter().filter(|role| declared.iter().all(|(_, other)| other != role)) {
        warnings
            .extend(exported(&outline.exports, role).map(|export| Warning::UndeclaredRole { export: export.clone() }));
    }
    for role in roles::UNCALLED {
        warnings
            .extend(exported(&outline.exports, role).map(|export| Warning::UncalledRole { export: export.clone() }));
    }
    if declared.is_empty() {
        warnings.push(Warning::Empty);
    }
    warnings
}
