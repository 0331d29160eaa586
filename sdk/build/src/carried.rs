//! What is carried for authors: the SDK, the interface, the toolchain script and the template.

use crate::BuildError;
use std::{fs, path::Path};

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// Where a plugin keeps its copy of the SDK. It lies in the plugin's own folder and is committed with it, so that the
/// plugin builds the same way on every machine, with the SDK it was written for, whatever version of Deskhand is there.
pub const SDK_FOLDER: &str = ".deskhand/sdk";

/// The script that makes the toolchain for components.
pub(crate) const TOOLCHAIN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../toolchain.sh"));

/// The files of the SDK, by their path in [`SDK_FOLDER`].
fn sdk() -> impl Iterator<Item = (&'static str, &'static str)> {
    CARRIED.iter().copied().chain([("Cargo.toml", WORKSPACE)])
}

/// Write the SDK into a plugin's folder, over what is there.
///
/// # Errors
/// A file cannot be written.
pub fn unpack_sdk(plugin: &Path) -> Result<(), BuildError> {
    let folder = plugin.join(SDK_FOLDER);
    for (name, text) in sdk() {
        write(&folder.join(name), text)?;
    }
    Ok(())
}

/// Write a file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(BuildError::file(parent, "made"))?;
    }
    fs::write(path, text).map_err(BuildError::file(path, "written"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_carried_names_no_machine() {
        let here = env!("CARGO_MANIFEST_DIR").trim_end_matches("/sdk/build");
        for (name, text) in sdk().chain(TEMPLATE.iter().copied()).chain([("toolchain.sh", TOOLCHAIN)]) {
            assert!(!text.contains(here), "{name}");
        }
    }

    #[test]
    fn the_carried_workspace_holds_what_the_sdk_inherits() {
        let workspace: toml::Table = WORKSPACE.parse().unwrap();
        let dependencies = workspace["workspace"]["dependencies"].as_table().unwrap();
        for name in ["deskhand-sdk-macros", "serde", "schemars", "wit-bindgen", "syn", "quote"] {
            assert!(dependencies.contains_key(name), "{name}");
        }
        assert!(!dependencies.contains_key("wasmtime"));
        let names: Vec<&str> = sdk().map(|(name, _)| name).collect();
        for name in ["wit/worlds.wit", "sdk/rust/src/lib.rs", "sdk/rust/macros/Cargo.toml", "Cargo.toml"] {
            assert!(names.contains(&name), "{name}");
        }
    }
}
