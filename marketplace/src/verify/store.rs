//! What has been verified before, kept so that a marketplace cannot be put back to an older state between two runs.
//! What is read back is verified again from the pinned root.

use crate::{
    MarketError,
    disk::{Disk, PRIVATE},
};
use deskhand_files::{MOST, Origin};
use deskhand_vocabulary::Sha256;
use sigstore_tuf::{Error, Result, cache::MetadataStore};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The most that is read back of one file, in bytes; more cannot have been written.
const LIMIT: u64 = super::LIMITS.targets;

/// Which contents each kept file may have: one, or two while it is being replaced. None stands for a file that is not
/// there yet.
type Digests = BTreeMap<String, BTreeSet<Option<Sha256>>>;

/// The file of the digests.
const DIGESTS: &str = "kept.json";

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// The current file of each top-level role, and every root on the way.
    Ours,
    /// The current file of each role, delegated ones included, and nothing else: what the conformance suite expects.
    Suite,
}

/// A folder of trusted metadata: the current file of each role, and every root on the way.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    read_only: bool,
    layout: Layout,
    failed: Arc<Mutex<Option<String>>>,
}

impl Store {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), read_only: false, layout: Layout::Ours, failed: Arc::default() }
    }

    /// One that is read and not written.
    pub(crate) fn read_only(folder: &Path) -> Self {
        Self { read_only: true, ..Self::new(folder) }
    }

    /// One that keeps the current file of each role alone.
    pub(crate) fn without_history(folder: &Path) -> Self {
        Self { layout: Layout::Suite, ..Self::new(folder) }
    }

    /// What went wrong while writing, if anything did. The verifier itself takes a failed write for a lost
    /// convenience; here it is a lost defence.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Check that what is kept is what was kept, to the last file. The verifier passes over what it cannot read, as if
    /// nothing had been verified before; then an older state could be passed off as the present one.
    pub(crate) fn check(&self) -> std::result::Result<(), MarketError> {
        let damaged =
            |file: &Path, reason: &str| MarketError::KeptDamaged { path: file.to_owned(), reason: reason.to_owned() };
        let index = self.folder.join(DIGESTS);
        let digests = match self.digests() {
            Ok(Some(digests)) => digests,
            Ok(None) => return Err(damaged(&index, "it is gone")),
            Err(reason) => return Err(damaged(&index, &reason)),
        };
        for (name, allowed) in digests {
            let path = self.path(&name).ok_or_else(|| damaged(&index, "it names what is never kept"))?;
            match self.load(&name) {
                Ok(bytes) if allowed.contains(&bytes.as_deref().map(Sha256::of)) => {}
                Ok(None) => return Err(damaged(&path, "it is gone")),
                Ok(Some(_)) => return Err(damaged(&path, "it is not what was written")),
                Err(error) => return Err(damaged(&path, &error.to_string())),
            }
        }
        Ok(())
    }

    fn digests(&self) -> std::result::Result<Option<Digests>, String> {
        match deskhand_files::read(&self.folder.join(DIGESTS), Origin::Own, MOST) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| "it is not what was written".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Write a file, and its digest with it: first both digests are allowed, then the new one alone. So wherever the
    /// machine stops, what lies there is allowed.
    fn keep(&self, name: &str, path: &Path, bytes: &[u8]) -> std::result::Result<(), MarketError> {
        let disk = Disk::real();
        if let Some(parent) = path.parent() {
            disk.make_folders(parent)?;
        }
        if self.layout == Layout::Suite {
            return disk.write(path, bytes, PRIVATE);
        }
        let index = self.folder.join(DIGESTS);
        let unread = |reason| MarketError::KeptDamaged { path: index.clone(), reason };
        let mut digests = self.digests().map_err(unread)?.unwrap_or_default();
        let write = |digests: &Digests| {
            let json = serde_json::to_vec(digests).map_err(|error| unread(error.to_string()))?;
            disk.write(&index, &json, PRIVATE)
        };
        let new = Some(Sha256::of(bytes));
        digests.entry(name.to_owned()).or_insert_with(|| BTreeSet::from([None])).insert(new);
        write(&digests)?;
        disk.write(path, bytes, PRIVATE)?;
        digests.insert(name.to_owned(), BTreeSet::from([new]));
        write(&digests)
    }

    /// The file that a name is kept in; none for what need not be kept.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let versioned = |name: &str, rest: &str| {
            name.strip_suffix(rest)
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        match (self.layout, name.strip_prefix("root_history/")) {
            (Layout::Ours, Some(root)) => versioned(root, ".root.json").then(|| self.folder.join("roots").join(root)),
            (Layout::Ours, None) => {
                let top = matches!(name, "root.json" | "timestamp.json" | "snapshot.json" | "targets.json");
                top.then(|| self.folder.join(name))
            }
            (Layout::Suite, None) => {
                let plain = !name.contains('/') && name.ends_with(".json");
                (plain && !versioned(name, ".snapshot.json")).then(|| self.folder.join(name))
            }
            (Layout::Suite, Some(_)) => None,
        }
    }
}

impl MetadataStore for Store {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        use io::Read as _;
        let Some(path) = self.path(name) else { return Ok(None) };
        let file = match deskhand_files::open(&path, Origin::Own) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("reading {}", path.display()), error)),
        };
        let mut bytes = Vec::new();
        file.take(LIMIT)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io(format!("reading {}", path.display()), error))?;
        Ok(Some(bytes))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let Some(path) = self.path(name).filter(|_| !self.read_only) else { return Ok(()) };
        if matches!(self.load(name), Ok(Some(same)) if same == bytes) {
            return Ok(());
        }
        self.keep(name, &path, bytes).map_err(|error| {
            let text = error.to_string();
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.clone());
            Error::transport(text)
        })
    }
}
