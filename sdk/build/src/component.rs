//! What a component is, read from its sections. Nothing of it is compiled or run.

use crate::BuildError;
use deskhand_vocabulary::{Manifest, manifest::SECTION};
use serde::Serialize;
use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload};

/// What a component imports and exports at its top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// By full name, sorted.
    pub imports: Vec<String>,
    /// By full name, sorted.
    pub exports: Vec<String>,
}

impl Outline {
    /// The imports that are interfaces of Deskhand's, without those that hold types alone.
    pub fn deskhand_imports(&self) -> impl Iterator<Item = &str> {
        let ours = self.imports.iter().filter_map(|import| import.strip_prefix("deskhand:plugin/"));
        ours.map(|name| name.split('@').next().unwrap_or(name)).filter(|name| *name != "types")
    }
}

/// Walk the top of a component.
fn walk<'a>(bytes: &'a [u8], mut visit: impl FnMut(Payload<'a>) -> Result<(), String>) -> Result<(), BuildError> {
    let bad = |error: String| BuildError::NotAComponent(error);
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| bad(error.message().to_owned()))?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(bad("it is a core module".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth == 0 => visit(payload).map_err(bad)?,
            _ => {}
        }
    }
    Ok(())
}

/// What a component imports and exports.
///
/// # Errors
/// The bytes are no component.
pub fn outline(bytes: &[u8]) -> Result<Outline, BuildError> {
    let mut outline = Outline::default();
    walk(bytes, |payload| {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    outline.imports.push(import.map_err(|error| error.to_string())?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(|error| error.to_string())?;
                    if export.kind == ComponentExternalKind::Instance {
                        outline.exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    outline.imports.sort();
    outline.exports.sort();
    Ok(outline)
}

/// The manifest that a component carries.
///
/// # Errors
/// The bytes are no component, or carry no manifest, or more than one, or one that cannot be read.
pub fn manifest_of(bytes: &[u8]) -> Result<Manifest, BuildError> {
    let mut sections = Vec::new();
    walk(bytes, |payload| {
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            sections.push(section.data());
        }
        Ok(())
    })?;
    match sections.as_slice() {
        [] => Err(BuildError::NoManifest("carries no manifest".to_owned())),
        [one] => serde_json::from_slice(one)
            .map_err(|error| BuildError::NoManifest(format!("carries a manifest that cannot be read: {error}"))),
        _ => Err(BuildError::NoManifest("carries more than one manifest".to_owned())),
    }
}
