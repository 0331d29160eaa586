//! Paths of the system and as they are kept.

use crate::MarketError;
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Component, Path, PathBuf},
};

/// As [`deskhand_vocabulary::path::encode`] writes it.
pub(crate) fn encoded(path: &Path) -> String {
    deskhand_vocabulary::path::encode(path.as_os_str().as_bytes())
}

/// The opposite of [`encoded`].
pub(crate) fn decoded(text: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(deskhand_vocabulary::path::decode(text)))
}

/// An absolute path without links and `..`, so that one folder has one name. Its last parts may be missing yet.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, MarketError> {
    let path = std::path::absolute(path).map_err(|source| MarketError::read(path, source))?;
    let mut found = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            found.pop();
            continue;
        }
        found.push(part);
        match std::fs::canonicalize(&found) {
            Ok(real) => found = real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(MarketError::read(&found, source)),
        }
    }
    Ok(found)
}
