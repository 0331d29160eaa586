//! Keys in a file of Deskhand's own that only its owner can read, for computers without a keyring.

use deskhand_egress::Secret;
use deskhand_vocabulary::Home;
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// See the module.
pub(super) struct KeyFile {
    path: PathBuf,
}

/// Why the file could not be used. The reasons hold no secrets.
#[derive(Debug, thiserror::Error)]
pub(in crate::model) enum KeyFileError {
    #[error("{} could not be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} holds something else than keys. Move it away, and add the keys again", path.display())]
    NotKeys { path: PathBuf },
    #[error("others can read {}. Close it with: chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf },
    #[error("{} could not be written: {error}. Make its folder writable, or free some room on its disk", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
}

type Result<T> = std::result::Result<T, KeyFileError>;

impl KeyFile {
    pub(super) fn of(home: &Home) -> Self {
        Self { path: home.data.join("model-keys.json") }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The key of this name, if it is there.
    pub(super) fn get(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.all()?.get(name).map(|key| Secret::new(key)))
    }

    /// Keep a key, in place of the one that has its name.
    pub(super) fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        let mut all = self.all()?;
        all.insert(name.to_owned(), secret.reveal().to_owned());
        self.write(&all)
    }

    /// Remove a key, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let mut all = self.all()?;
        if all.remove(name).is_some() { self.write(&all) } else { Ok(()) }
    }

    fn all(&self) -> Result<BTreeMap<String, String>> {
        let path = || self.path.clone();
        let unreadable = |error| KeyFileError::Unreadable { path: path(), error };
        let bytes = match deskhand_files::read(&self.path, deskhand_files::Origin::Own, deskhand_files::MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(unreadable(error)),
        };
        if self.path.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Open { path: path() });
        }
        serde_json::from_slice(&bytes).map_err(|_| KeyFileError::NotKeys { path: path() })
    }

    fn write(&self, all: &BTreeMap<String, String>) -> Result<()> {
        let write = || {
            // a temporary file is its owner's alone (0600), and stays so
            let mut file = tempfile::NamedTempFile::new_in(self.path.parent().unwrap_or(Path::new(".")))?;
            file.write_all(&serde_json::to_vec_pretty(all)?)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error: io::Error| KeyFileError::Unwritable { path: self.path.clone(), error })
    }
}
