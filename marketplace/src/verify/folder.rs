//! A folder as the place that a marketplace is read from. Nothing in it is trusted: no link is followed, nothing but
//! regular files is read, and never more of them than asked for.

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};
use sigstore_tuf::{
    Error,
    transport::{FetchFuture, Repository},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The folder of metadata in a marketplace.
pub(crate) const METADATA: &str = "metadata";
/// The folder of components in a marketplace.
pub(crate) const TARGETS: &str = "targets";

/// Why something could not be read from a place.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The place itself cannot be reached.
    #[error("{place} cannot be reached: {source}")]
    Unreachable {
        /// The folder or the address.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// The place has no metadata.
    #[error("{place} holds no marketplace: it has no folder `{METADATA}`")]
    NoMarketplace {
        /// The folder.
        place: String,
    },
    /// A name that leads elsewhere.
    #[error("`{name}` is not a name of a file within the marketplace")]
    Name {
        /// The name.
        name: String,
    },
    /// Not a regular file.
    #[error("`{name}` is {what}, not a plain file; links and devices in a marketplace are not followed")]
    NotAFile {
        /// The name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// More bytes than there may be.
    #[error("`{name}` is larger than it may be ({limit} bytes)")]
    TooLong {
        /// The name.
        name: String,
        /// The most that it may hold, in bytes.
        limit: u64,
    },
    /// Anything else.
    #[error("`{name}` could not be read: {source}")]
    Io {
        /// The name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What has been asked of a place last, for the message when it turns out to be wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastAsked(Arc<Mutex<String>>);

impl LastAsked {
    pub(crate) fn set(&self, name: &str) {
        name.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A folder that holds a marketplace.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Metadata that is about to be written; it is seen in place of what the folder holds.
    pending: BTreeMap<String, Vec<u8>>,
    pub(crate) last: LastAsked,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), pending: BTreeMap::new(), last: LastAsked::default() }
    }

    /// The folder as it will be once `pending` is written.
    pub(crate) fn with_pending(path: &Path, pending: BTreeMap<String, Vec<u8>>) -> Self {
        Self { pending, ..Self::new(path) }
    }

    /// A metadata file, if it is there.
    pub(crate) fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(bytes) = self.pending.get(name) {
            return Ok(Some(bytes.clone()));
        }
        self.read(METADATA, name, limit)
    }

    /// A component, if it is there.
    pub(crate) fn target(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.read(TARGETS, name, limit)
    }

    fn read(&self, below: &'static str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let wrong_name = || ReadError::Name { name: name.to_owned() };
        let mut parts: Vec<&str> = name.split('/').collect();
        let plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains(['\0', '\\']);
        if !parts.iter().all(plain) {
            return Err(wrong_name());
        }
        let file_name = parts.pop().ok_or_else(wrong_name)?;

        let place = || self.path.display().to_string();
        let folder_flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = openat(CWD, &self.path, folder_flags, Mode::empty())
            .map_err(|source| ReadError::Unreachable { place: place(), source: source.into() })?;
        for part in std::iter::once(below).chain(parts) {
            folder = match openat(&folder, part, folder_flags | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) if part == METADATA => return Err(ReadError::NoMarketplace { place: place() }),
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(refused(&folder, part, name, error)),
            };
        }
        // Without NONBLOCK, opening a FIFO would wait for its writer.
        let file_flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match openat(&folder, file_name, file_flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(refused(&folder, file_name, name, error)),
        };
        let io = |source| ReadError::Io { name: name.to_owned(), source };
        let kind = FileType::from_raw_mode(fstat(&file).map_err(|error| io(error.into()))?.st_mode);
        if kind != FileType::RegularFile {
            return Err(ReadError::NotAFile { name: name.to_owned(), what: words(kind) });
        }
        let mut bytes = Vec::new();
        File::from(file).take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLong { name: name.to_owned(), limit });
        }
        Ok(Some(bytes))
    }
}

fn refused(folder: &OwnedFd, part: &str, name: &str, error: Errno) -> ReadError {
    let kind = statat(folder, part, AtFlags::SYMLINK_NOFOLLOW).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match (error, kind) {
        (Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::ISDIR, Ok(kind)) => {
            ReadError::NotAFile { name: name.to_owned(), what: words(kind) }
        }
        _ => ReadError::Io { name: name.to_owned(), source: error.into() },
    }
}

fn words(kind: FileType) -> &'static str {
    match kind {
        FileType::Symlink => "a symbolic link",
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::RegularFile => "a file where a folder should be",
        _ => "something else",
    }
}

/// A failed read as the verifier carries it.
pub(crate) fn carried(error: ReadError) -> Error {
    Error::transport_with_source("reading the marketplace", error)
}

impl Repository for Folder {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.last.set(name);
        let read = self.metadata(name, max_length).map_err(carried);
        Box::pin(std::future::ready(read))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        self.last.set(path);
        let read = self.target(path, max_length).map_err(carried);
        Box::pin(std::future::ready(read))
    }
}
