//! A file of Deskhand's own that only its owner can read: one JSON object, by name. Keys lie in one on computers without a
//! keyring.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    marker::PhantomData,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// See the module. What is in it are `T`s.
pub(crate) struct PrivateFile<T> {
    path: PathBuf,
    holds: PhantomData<T>,
}

/// Why the file could not be used. The reasons hold no secrets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivateFileError {
    #[error("{} could not be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} cannot be understood. Move it away, and give Deskhand the keys again", path.display())]
    NotOurs { path: PathBuf },
    #[error("others can read {}. Close it with: chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf },
    #[error("{} could not be written: {error}. Make its folder writable, or free some room on its disk", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
}

type Result<T> = std::result::Result<T, PrivateFileError>;

impl<T: Serialize + DeserializeOwned> PrivateFile<T> {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, holds: PhantomData }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What has this name, if it is there.
    pub(crate) fn get(&self, name: &str) -> Result<Option<T>> {
        Ok(self.all()?.remove(name))
    }

    /// Keep something, in place of what has its name.
    pub(crate) fn put(&self, name: &str, value: T) -> Result<()> {
        let mut all = self.all()?;
        all.insert(name.to_owned(), value);
        self.write(&all)
    }

    /// Remove what has this name, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let mut all = self.all()?;
        if all.remove(name).is_some() { self.write(&all) } else { Ok(()) }
    }

    /// All that is in it; nothing where there is no file.
    pub(crate) fn all(&self) -> Result<BTreeMap<String, T>> {
        let path = || self.path.clone();
        let unreadable = |error| PrivateFileError::Unreadable { path: path(), error };
        let bytes = match deskhand_files::read(&self.path, deskhand_files::Origin::Own, deskhand_files::MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(unreadable(error)),
        };
        if self.path.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
            return Err(PrivateFileError::Open { path: path() });
        }
        serde_json::from_slice(&bytes).map_err(|_| PrivateFileError::NotOurs { path: path() })
    }

    fn write(&self, all: &BTreeMap<String, T>) -> Result<()> {
        let write = || {
            // a temporary file is its owner's alone (0600), and stays so
            let mut file = tempfile::NamedTempFile::new_in(self.path.parent().unwrap_or(Path::new(".")))?;
            file.write_all(&serde_json::to_vec_pretty(all)?)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error: io::Error| PrivateFileError::Unwritable { path: self.path.clone(), error })
    }
}
