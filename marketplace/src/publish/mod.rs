//! The side of an organisation's admin: making a marketplace, publishing to it, and keeping it alive.
//!
//! Every change is one step for those who read the marketplace: components and new metadata are written under names
//! that nobody reads yet, and the timestamp that points to them is replaced last. Nothing is signed on top of a folder
//! that does not itself verify from the admin's own copy of the first root: otherwise whoever can write to the folder
//! could have their additions signed.

pub mod canonical;
pub mod keys;
pub(crate) mod metadata;
mod new;
mod rotate;

#[cfg(test)]
mod crash_tests;

pub use metadata::lifetime;
pub use new::{Created, NewMarketplace};
pub use rotate::{Replace, Rotated};

use crate::{
    MarketError,
    catalogue::{self, Catalogue, Published, Status},
    disk::{Disk, Lock, PUBLIC, UNFINISHED},
    error::{Role, Trouble},
    marketplaces::{FIRST_ROOT, write_json},
    verify::{
        ANY_TIME, Chain, LIMITS, State,
        folder::{Folder, METADATA, TARGETS},
    },
};
use deskhand_files::{MOST, Origin};
use deskhand_vocabulary::{Home, Manifest, MarketplaceName, PluginName, Sha256};
use jiff::Timestamp;
use keys::{Key, KeyId, KeyPlace};
use metadata::Root;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const RECORD: &str = "marketplace.json";
const TRUSTED: &str = "trusted";
const LOCK: &str = ".deskhand-publishing";

/// What is kept about a marketplace that is published from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ours {
    schema: u32,
    folder: String,
    fingerprint: Sha256,
    root_keys: Vec<KeyPlace>,
}

/// A version to be published. The manifest is the one inside of the component, validated by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// What the component says of itself.
    pub manifest: &'a Manifest,
    /// The component.
    pub component: &'a [u8],
}

/// What became of a version that was to be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Which plugin.
    pub plugin: PluginName,
    /// Which version.
    pub version: Version,
    /// Its component.
    pub component: Sha256,
    /// False if the same component was published as this version before.
    pub new: bool,
}

/// A marketplace that is published from here.
#[derive(Debug)]
pub struct Publisher {
    name: MarketplaceName,
    /// Where the keys and the admin's own state are.
    keys: PathBuf,
    ours: Ours,
    disk: Disk,
}

impl Publisher {
    /// The marketplace of this name that is published from a home.
    pub fn open(home: &Home, name: &MarketplaceName) -> Result<Self, MarketError> {
        Self::open_with(home, name, Disk::real())
    }

    pub(crate) fn open_with(home: &Home, name: &MarketplaceName, disk: Disk) -> Result<Self, MarketError> {
        let keys = home.keys().join(name.as_str());
        let path = keys.join(RECORD);
        let bytes = match deskhand_files::read(&path, Origin::Own, MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(MarketError::NotOurs { name: name.to_string(), keys });
            }
            Err(source) => return Err(MarketError::read(&path, source)),
        };
        let ours: Ours = serde_json::from_slice(&bytes)
            .map_err(|error| MarketError::Record { path: path.clone(), reason: error.to_string() })?;
        if ours.schema != 1 {
            let reason = "it was written by a newer Deskhand".to_owned();
            return Err(MarketError::Record { path, reason });
        }
        Ok(Self { name: name.clone(), keys, ours, disk })
    }

    /// All marketplaces that are published from a home, by name.
    pub fn all(home: &Home) -> Result<Vec<Self>, MarketError> {
        let entries = match fs::read_dir(home.keys()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(MarketError::read(&home.keys(), source)),
        };
        let mut names: Vec<MarketplaceName> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        names.sort();
        let open = |name: MarketplaceName| match Self::open(home, &name) {
            Err(MarketError::NotOurs { .. }) => None,
            other => Some(other),
        };
        names.into_iter().filter_map(open).collect()
    }

    /// Its name here.
    pub fn name(&self) -> &MarketplaceName {
        &self.name
    }

    /// The folder that is handed out.
    pub fn folder(&self) -> PathBuf {
        crate::paths::decoded(&self.ours.folder)
    }

    /// What people who add it compare.
    pub fn fingerprint(&self) -> Sha256 {
        self.ours.fingerprint
    }

    /// Where the root keys went.
    pub fn root_keys(&self) -> &[KeyPlace] {
        &self.ours.root_keys
    }

    /// The state of the folder, and what it offers, verified but for the time.
    pub fn look(&self) -> Result<Catalogue, MarketError> {
        let chain = self.chain()?;
        let state = self.state(&chain)?;
        Ok(Catalogue::read(self.name.clone(), state, &chain.targets()))
    }

    /// Publish new versions, all of them or none, and renew.
    pub fn publish(&self, releases: &[Release<'_>], now: Timestamp) -> Result<Vec<Outcome>, MarketError> {
        let _lock = self.lock()?;
        let chain = self.chain()?;
        let state = self.state(&chain)?;
        let catalogue = Catalogue::read(self.name.clone(), state, &chain.targets());
        let mut offered = catalogue.plugins;
        let mut outcomes = Vec::new();
        let mut written: Vec<(String, &[u8])> = Vec::new();
        for release in releases {
            let about = &release.manifest.plugin;
            let (component, size) = (Sha256::of(release.component), release.component.len() as u64);
            if size > LIMITS.component {
                let what = format!("The component of `{}` {}", about.name, about.version);
                return Err(MarketError::TooLarge { what, size, limit: LIMITS.component });
            }
            let versions = offered.entry(about.name.clone()).or_default();
            // Build metadata do not order versions (semver.org 2.0, item 10), so they do not make another one.
            let same = |version: &&Version| version.cmp_precedence(&about.version).is_eq();
            // What a newer Deskhand published is there as well, even if this one cannot read its record.
            let path = catalogue::path(&about.name, &about.version);
            let unreadable = catalogue.unreadable.iter().any(|entry| entry.path == path);
            let new = match versions.keys().find(same).and_then(|version| versions.get(version)) {
                Some(there) if there.component == component && *there.version() == about.version => false,
                there if there.is_some() || unreadable => {
                    let (plugin, version) = (about.name.clone(), about.version.clone());
                    return Err(MarketError::VersionTaken { plugin, version });
                }
                _ => true,
            };
            if new {
                let published = Published {
                    manifest: release.manifest.clone(),
                    component,
                    length: size,
                    status: Status::Active,
                    reason: None,
                    published: now,
                };
                versions.insert(about.version.clone(), published);
                written.push((catalogue::file(&about.name, &about.version, &component), release.component));
            }
            let (plugin, version) = (about.name.clone(), about.version.clone());
            outcomes.push(Outcome { plugin, version, component, new });
        }
        if written.is_empty() {
            return Ok(outcomes);
        }
        for (file, bytes) in written {
            let path = self.folder().join(TARGETS).join(file);
            path.parent().map_or(Ok(()), |parent| self.disk.make_folders(parent))?;
            self.disk.write(&path, bytes, PUBLIC)?;
        }
        let changes = offered.values().flat_map(BTreeMap::values);
        self.commit(&chain, state, changes, now)?;
        Ok(outcomes)
    }

    /// Say whether a version is to be used, and why not. Revoking is final.
    pub fn set_status(
        &self,
        plugin: &PluginName,
        version: &Version,
        status: Status,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<(), MarketError> {
        let _lock = self.lock()?;
        let chain = self.chain()?;
        let state = self.state(&chain)?;
        let catalogue = Catalogue::read(self.name.clone(), state, &chain.targets());
        let mut published = catalogue.find(plugin, version)?.clone();
        if published.status == Status::Revoked && status != Status::Revoked {
            return Err(MarketError::Final { plugin: plugin.clone(), version: version.clone() });
        }
        published.status = status;
        published.reason = reason;
        self.commit(&chain, state, std::iter::once(&published), now)
    }

    /// Renew all that expires soon and can be renewed with the keys that are here: everything but the root.
    pub fn renew(&self, now: Timestamp) -> Result<State, MarketError> {
        let _lock = self.lock()?;
        let chain = self.chain()?;
        let state = self.state(&chain)?;
        self.commit(&chain, state, std::iter::empty(), now)?;
        self.state(&self.chain()?)
    }

    /// Write targets, snapshot and timestamp anew, with `changes` in place of or beside what is offered.
    fn commit<'a>(
        &self,
        chain: &Chain,
        state: State,
        changes: impl Iterator<Item = &'a Published>,
        now: Timestamp,
    ) -> Result<(), MarketError> {
        let root = self.root(chain)?;
        let signers = self.signers(&root)?;
        let mut targets = entries(chain);
        for published in changes {
            let (path, target) = published.to_target()?;
            targets.insert(path, target);
        }
        let written = lower(targets, Versions::after(state)?, &signers, now)?;
        self.write(&written, now)
    }

    /// Write metadata files, in this order, after making sure that they verify.
    fn write(&self, files: &[(String, Vec<u8>)], now: Timestamp) -> Result<(), MarketError> {
        let pending: BTreeMap<String, Vec<u8>> = files.iter().cloned().collect();
        let folder = Folder::with_pending(&self.folder(), pending);
        let mut check = Chain::open(folder, &self.first_root()?, None)?;
        check.refresh(now).map_err(|error| MarketError::SelfCheck(Box::new(error)))?;
        let metadata = self.folder().join(METADATA);
        for (name, bytes) in files {
            self.disk.write(&metadata.join(name), bytes, PUBLIC)?;
        }
        // What was written is the least that this computer accepts from now on.
        self.chain().map(drop)
    }

    /// The folder, verified from our own copy of the first root, at any time: an expired marketplace can be renewed.
    fn chain(&self) -> Result<Chain, MarketError> {
        let kept = self.keys.join(TRUSTED);
        let mut chain = Chain::open(Folder::new(&self.folder()), &self.first_root()?, Some(&kept))?;
        chain.refresh(ANY_TIME)?;
        Ok(chain)
    }

    fn state(&self, chain: &Chain) -> Result<State, MarketError> {
        chain.state().ok_or_else(|| MarketError::verify(&self.name.to_string(), Trouble::NotOffered))
    }

    fn first_root(&self) -> Result<Vec<u8>, MarketError> {
        let path = self.keys.join(FIRST_ROOT);
        let root = deskhand_files::read(&path, Origin::Own, MOST).map_err(|source| MarketError::read(&path, source))?;
        if Sha256::of(&root) == self.ours.fingerprint {
            return Ok(root);
        }
        Err(MarketError::Record { path, reason: "its digest is not the fingerprint".into() })
    }

    fn root(&self, chain: &Chain) -> Result<Root, MarketError> {
        Root::read(chain.root_bytes())
            .ok_or_else(|| MarketError::verify("root.json", Trouble::Damaged("it is not one of Deskhand's".into())))
    }

    fn lock(&self) -> Result<Lock, MarketError> {
        let folder = self.folder();
        let path = folder.join(METADATA).join(LOCK);
        match Lock::try_take(&path) {
            Ok(Some(lock)) => {
                sweep(&folder.join(METADATA));
                sweep(&self.keys);
                Ok(lock)
            }
            Ok(None) => Err(MarketError::Busy { folder }),
            Err(source) => Err(MarketError::write(&path, source)),
        }
    }

    /// The keys in our key folder.
    fn keys_here(&self) -> Result<Vec<Key>, MarketError> {
        let entries = fs::read_dir(&self.keys).map_err(|source| MarketError::read(&self.keys, source))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        let is_key = |name: &std::ffi::OsString| {
            let name = name.to_string_lossy();
            name.ends_with(".pem") && !name.starts_with(UNFINISHED)
        };
        let mut paths: Vec<PathBuf> = names.filter(is_key).map(|name| self.keys.join(name)).collect();
        paths.sort();
        paths.iter().map(|path| Key::read(path)).collect()
    }

    fn signers(&self, root: &Root) -> Result<Signers, MarketError> {
        Ok(Signers {
            targets: self.signer(Role::Targets, &root.targets)?,
            online: self.signer(Role::Timestamp, &root.online)?,
        })
    }

    fn signer(&self, role: Role, ids: &[KeyId]) -> Result<Key, MarketError> {
        let found = self.keys_here()?.into_iter().find(|key| ids.contains(key.id()));
        let id = || ids.first().cloned().unwrap_or(KeyId(String::new()));
        found.ok_or_else(|| MarketError::KeyMissing { role, id: id(), keys: self.keys.clone() })
    }

    fn keep(&self, ours: &Ours) -> Result<(), MarketError> {
        write_json(&self.disk, &self.keys.join(RECORD), ours)
    }
}

/// The keys that sign each publication.
#[derive(Debug)]
struct Signers {
    targets: Key,
    online: Key,
}

/// The version numbers of the lower roles.
#[derive(Clone, Copy, Debug)]
struct Versions {
    targets: u64,
    snapshot: u64,
    timestamp: u64,
}

impl Versions {
    const FIRST: Self = Self { targets: 1, snapshot: 1, timestamp: 1 };

    fn after(state: State) -> Result<Self, MarketError> {
        Ok(Self {
            targets: metadata::next(Role::Targets, state.targets.version)?,
            snapshot: metadata::next(Role::Snapshot, state.snapshot.version)?,
            timestamp: metadata::next(Role::Timestamp, state.timestamp.version)?,
        })
    }
}

/// Targets, snapshot and timestamp metadata, in the order in which they must be written.
fn lower(
    offered: Map<String, Value>,
    versions: Versions,
    signers: &Signers,
    now: Timestamp,
) -> Result<Vec<(String, Vec<u8>)>, MarketError> {
    let targets = metadata::targets(versions.targets, now, offered, &signers.targets)?;
    let snapshot = metadata::snapshot(versions.snapshot, now, (versions.targets, &targets), &signers.online)?;
    let timestamp = metadata::timestamp(versions.timestamp, now, (versions.snapshot, &snapshot), &signers.online)?;
    let size = targets.len() as u64;
    if size > LIMITS.targets {
        let what = "The list of all versions".to_owned();
        return Err(MarketError::TooLarge { what, size, limit: LIMITS.targets });
    }
    Ok(vec![
        (format!("{}.targets.json", versions.targets), targets),
        (format!("{}.snapshot.json", versions.snapshot), snapshot),
        ("timestamp.json".to_owned(), timestamp),
    ])
}

/// What is offered, as it is in the metadata: an entry that this Deskhand cannot read stays as it is.
fn entries(chain: &Chain) -> Map<String, Value> {
    chain.targets_json()
}

/// Remove what a crash left half written.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
