//! A file of Deskhand's own that only its owner can read: one JSON object, by name. Keys lie in one on computers without a
//! keyring. Several processes may change it at once; each change is made to what the one before left.

use rustix::fs::{FlockOperation, flock};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fs::File,
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
        self.change(name, |_| Some(value))
    }

    /// Remove what has this name, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.change(name, |_| None)
    }

    /// Make something else, or nothing, of what has this name. Nobody else changes the file meanwhile.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(Option<T>) -> Option<T>) -> Result<()> {
        let _alone = self.alone().map_err(|error| self.unwritable(error))?;
        let mut all = self.all()?;
        let had = all.remove(name);
        let was_there = had.is_some();
        match change(had) {
            Some(value) => {
                all.insert(name.to_owned(), value);
                self.write(&all)
            }
            None if was_there => self.write(&all),
            None => Ok(()),
        }
    }

    /// Wait for whoever changes the file, which takes no longer than writing it.
    fn alone(&self) -> io::Result<File> {
        let lock = deskhand_files::open_lock(&self.path.with_extension("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        Ok(lock)
    }

    fn unwritable(&self, error: io::Error) -> PrivateFileError {
        PrivateFileError::Unwritable { path: self.path.clone(), error }
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
        write().map_err(|error: io::Error| self.unwritable(error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::PrivateFile;
    use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _, thread};

    #[test]
    fn what_several_change_at_once_is_all_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let (path, names): (_, Vec<String>) = (&path, (0..8).map(|number| format!("n{number}")).collect());
        thread::scope(|scope| {
            for name in &names {
                scope.spawn(move || {
                    for value in 0..20_u32 {
                        PrivateFile::at(path.clone()).put(name, value).unwrap();
                    }
                });
            }
        });
        let all: BTreeMap<String, u32> = PrivateFile::at(path.clone()).all().unwrap();
        assert_eq!(all, names.into_iter().map(|name| (name, 19)).collect());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn nothing_is_written_where_nothing_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = PrivateFile::<u32>::at(folder.path().join("keys.json"));
        file.remove("gone").unwrap();
        assert!(!file.path().exists());
        file.change("one", |had| Some(had.unwrap_or(0) + 1)).unwrap();
        file.change("one", |had| Some(had.unwrap_or(0) + 1)).unwrap();
        assert_eq!(file.get("one").unwrap(), Some(2));
        file.remove("one").unwrap();
        assert_eq!(file.get("one").unwrap(), None);
    }
}
