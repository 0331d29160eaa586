//! A new plugin, from the template.

use crate::{
    BuildError,
    carried::{self, TEMPLATE, unpack_sdk},
};
use deskhand_vocabulary::PluginName;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A plugin, written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scaffold {
    /// Its folder.
    pub folder: PathBuf,
    /// The author's own files in it, in order; the SDK is not listed.
    pub files: Vec<String>,
}

/// Write a new plugin into `folder`, which must be missing or empty.
///
/// # Errors
/// Something is there, or cannot be written.
pub fn scaffold(folder: &Path, name: &PluginName, publisher: &str) -> Result<Scaffold, BuildError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(BuildError::Taken(folder.to_owned()));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(_) => return Err(BuildError::Taken(folder.to_owned())),
    }
    unpack_sdk(folder)?;
    let mut files = Vec::new();
    for (path, text) in TEMPLATE {
        // a `.in` keeps cargo and git from taking the template for the real thing
        let path = path.strip_suffix(".in").unwrap_or(path);
        let path = if path == "gitignore" { ".gitignore" } else { path };
        let text = filled(text, name, publisher);
        carried::write(&folder.join(path), &text)?;
        files.push(path.to_owned());
    }
    files.sort();
    Ok(Scaffold { folder: folder.to_owned(), files })
}

fn filled(text: &str, name: &PluginName, publisher: &str) -> String {
    let quoted = toml::Value::from(publisher).to_string();
    text.replace("{{name}}", name.as_str()).replace("\"{{publisher}}\"", &quoted)
}
