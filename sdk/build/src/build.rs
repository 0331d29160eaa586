//! From a plugin's folder to one file.

use crate::{
    BuildError, Finding, Outline, SDK_FOLDER, Source, Toolchain, cargo,
    component::outline,
    examine::examine,
    manifest::{Description, pack},
    toolchain::native,
    unpack_sdk,
};
use deskhand_vocabulary::{Manifest, Sha256};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A plugin, made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Built {
    /// The file that is published and installed.
    pub file: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The digest of the file.
    pub component: Sha256,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What it imports and exports.
    pub outline: Outline,
    /// What its author should know.
    pub findings: Vec<Finding>,
}

/// Make the plugin in a folder: ask its native build what it says of itself, compile the component, pack the manifest. What
/// the compilers say is shown on standard error.
///
/// # Errors
/// The folder is no plugin, or does not compile, or its manifest cannot be made.
pub fn build(folder: &Path, toolchain: &Toolchain) -> Result<Built, BuildError> {
    let folder = folder.canonicalize().map_err(BuildError::file(folder, "opened"))?;
    if !folder.join("Cargo.toml").is_file() {
        return Err(BuildError::NotAPlugin { folder, missing: "Cargo.toml" });
    }
    let source = Source::read(&folder)?;
    restore_sdk(&folder)?;
    let found = cargo::describe(&folder, native(toolchain))?;
    if found.library.is_none() {
        return Err(BuildError::NotACdylib(found.name));
    }

    let description = cargo::description_path(&found);
    let out = found.target.join("plugin");
    fs::create_dir_all(&out).map_err(BuildError::file(&out, "made"))?;
    // an old answer must not pass for a new one
    if description.exists() {
        fs::remove_file(&description).map_err(BuildError::file(&description, "removed"))?;
    }
    cargo::extract(&found, native(toolchain), &description)?;
    let manifest = source.with(Description::read(&description)?, &found)?;

    let compiled = cargo::compile(&found, toolchain)?;
    let bare = fs::read(&compiled).map_err(BuildError::file(&compiled, "read"))?;
    let packed = pack(&bare, &manifest)?;
    let outline = outline(&packed)?;
    let file = out.join(format!("{}.wasm", manifest.plugin.name.as_str()));
    fs::write(&file, &packed).map_err(BuildError::file(&file, "written"))?;
    let findings = examine(&manifest);
    Ok(Built { bytes: packed.len() as u64, component: Sha256::of(&packed), file, manifest, outline, findings })
}

/// Put the SDK back where a plugin made by `deskhand plugin new` looks for it, if it is gone.
fn restore_sdk(folder: &Path) -> Result<(), BuildError> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(BuildError::file(&manifest, "read"))?;
    if text.contains(SDK_FOLDER) && !folder.join(SDK_FOLDER).join("Cargo.toml").is_file() {
        unpack_sdk(folder)?;
    }
    Ok(())
}
