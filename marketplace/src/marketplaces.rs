//! The marketplaces that the person added: where each is, the root that it was added with, and what was verified of
//! it last.

use crate::{
    Catalogue, MarketError, Published,
    disk::{Disk, Lock, PRIVATE},
    error::Trouble,
    paths,
    verify::{ANY_TIME, Chain, LIMITS, State, folder::Folder, store::Store},
};
use deskhand_files::{MOST, Origin};
use deskhand_vocabulary::{Home, MarketplaceName, Sha256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The first root metadata of a marketplace, whose digest is its fingerprint.
pub(crate) const FIRST_ROOT: &str = "1.root.json";
const SOURCE: &str = "source.json";
const TRUSTED: &str = "trusted";
const LOCK: &str = ".lock";
const UNFINISHED: &str = ".adding-";

/// Where a marketplace is, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    schema: u32,
    folder: String,
    fingerprint: Sha256,
    added: Timestamp,
}

/// All marketplaces that were added to one Deskhand home.
#[derive(Clone, Debug)]
pub struct Marketplaces {
    folder: PathBuf,
}

impl Marketplaces {
    /// Those of a home.
    pub fn of(home: &Home) -> Self {
        Self { folder: home.marketplaces() }
    }

    /// The fingerprint of the marketplace in a folder, as it is. It says nothing about who made it: compare it with
    /// one that came by another way.
    pub fn fingerprint(folder: &Path) -> Result<Sha256, MarketError> {
        first_root(&Folder::new(folder)).map(Sha256::of)
    }

    /// Trust the marketplace in `folder` from now on, if its first root metadata have this digest and all that it
    /// offers verifies from there. Nothing is kept if not.
    pub fn add(
        &self,
        name: &MarketplaceName,
        folder: &Path,
        fingerprint: Sha256,
        now: Timestamp,
    ) -> Result<(Marketplace, Catalogue), MarketError> {
        let place = self.folder.join(name.as_str());
        let taken = || MarketError::AlreadyAdded { name: name.clone() };
        if place.exists() {
            return Err(taken());
        }
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let root = first_root(&Folder::new(&folder))?;
        if Sha256::of(&root) != fingerprint {
            let folder = folder.display().to_string();
            return Err(MarketError::OtherFingerprint { folder, expected: fingerprint });
        }

        let disk = Disk::real();
        let beside = self.folder.join(format!("{UNFINISHED}{name}"));
        disk.make_folders(&self.folder)?;
        let _lock = Lock::take(&self.folder.join(LOCK)).map_err(|source| MarketError::write(&self.folder, source))?;
        if beside.exists() {
            fs::remove_dir_all(&beside).map_err(|source| MarketError::write(&beside, source))?;
        }
        disk.make_folders(&beside)?;
        let marketplace = Marketplace {
            name: name.clone(),
            place: beside.clone(),
            source: Source { schema: 1, folder: paths::encoded(&folder), fingerprint, added: now },
        };
        let added = disk
            .write(&beside.join(FIRST_ROOT), &root, PRIVATE)
            .and_then(|()| write_json(&disk, &beside.join(SOURCE), &marketplace.source))
            .and_then(|()| marketplace.verify(now).map(|session| session.catalogue));
        let added = match added {
            Ok(catalogue) if !place.exists() => {
                fs::rename(&beside, &place).map(|()| catalogue).map_err(|source| MarketError::write(&place, source))
            }
            Ok(_) => Err(taken()),
            Err(error) => Err(error),
        };
        if added.is_err() {
            let _ = fs::remove_dir_all(&beside);
        }
        Ok((Marketplace { place, ..marketplace }, added?))
    }

    /// Do not trust a marketplace any more, also where what is kept of it is damaged. What was installed from it is not
    /// touched.
    pub fn remove(&self, name: &MarketplaceName) -> Result<(), MarketError> {
        let place = self.folder.join(name.as_str());
        if !place.is_dir() {
            return Err(MarketError::NotAdded { name: name.to_string() });
        }
        // The source goes first: without it the rest is nothing.
        for path in [place.join(SOURCE), place] {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|source| MarketError::write(&path, source))?,
            }
        }
        Ok(())
    }

    /// One of them.
    pub fn get(&self, name: &MarketplaceName) -> Result<Marketplace, MarketError> {
        let place = self.folder.join(name.as_str());
        let path = place.join(SOURCE);
        let bytes = match deskhand_files::read(&path, Origin::Own, MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(MarketError::NotAdded { name: name.to_string() });
            }
            Err(source) => return Err(MarketError::read(&path, source)),
        };
        let source: Source = serde_json::from_slice(&bytes)
            .map_err(|error| MarketError::Record { path: path.clone(), reason: error.to_string() })?;
        if source.schema != 1 {
            let reason = "it was written by a newer Deskhand".to_owned();
            return Err(MarketError::Record { path, reason });
        }
        Ok(Marketplace { name: name.clone(), place, source })
    }

    /// All of them, by name.
    pub fn list(&self) -> Result<Listed, MarketError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listed::default()),
            Err(source) => return Err(MarketError::read(&self.folder, source)),
        };
        let mut names: Vec<MarketplaceName> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        names.sort();
        let mut listed = Listed::default();
        for name in names {
            match self.get(&name) {
                Ok(marketplace) => listed.whole.push(marketplace),
                Err(MarketError::NotAdded { .. }) => {}
                Err(error) => listed.damaged.push((name, error)),
            }
        }
        Ok(listed)
    }
}

/// The marketplaces that were added. One that is damaged takes nothing from the others.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that can be looked at.
    pub whole: Vec<Marketplace>,
    /// Those of which what is kept here cannot be read.
    pub damaged: Vec<(MarketplaceName, MarketError)>,
}

fn first_root(folder: &Folder) -> Result<Vec<u8>, MarketError> {
    let unread = |error| MarketError::verify(FIRST_ROOT, Trouble::Unread(error));
    let bytes = folder.metadata(FIRST_ROOT, LIMITS.root).map_err(unread)?;
    bytes.ok_or_else(|| MarketError::verify(FIRST_ROOT, Trouble::Missing("it is not in the folder".into())))
}

pub(crate) fn write_json(disk: &Disk, path: &Path, value: &impl Serialize) -> Result<(), MarketError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| MarketError::Record { path: path.to_owned(), reason: error.to_string() })?;
    bytes.push(b'\n');
    disk.write(path, &bytes, PRIVATE)
}

/// A marketplace that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marketplace {
    name: MarketplaceName,
    place: PathBuf,
    source: Source,
}

impl Marketplace {
    /// What the person calls it.
    pub fn name(&self) -> &MarketplaceName {
        &self.name
    }

    /// Where it is, as [`deskhand_vocabulary::path::encode`] writes it.
    pub fn location(&self) -> &str {
        &self.source.folder
    }

    /// The SHA-256 of its first root metadata.
    pub fn fingerprint(&self) -> Sha256 {
        self.source.fingerprint
    }

    /// When it was added.
    pub fn added(&self) -> Timestamp {
        self.source.added
    }

    /// Verify its present state, and read what it offers. `now` is checked against every expiry.
    pub fn open(&self, now: Timestamp) -> Result<Session, MarketError> {
        let lock = self.place.join(LOCK);
        let _lock = Lock::take(&lock).map_err(|source| MarketError::write(&lock, source))?;
        Store::read_only(&self.place.join(TRUSTED)).check()?;
        self.verify(now)
    }

    fn verify(&self, now: Timestamp) -> Result<Session, MarketError> {
        let root = self.pinned_root()?;
        let folder = Folder::new(&paths::decoded(&self.source.folder));
        let mut chain = Chain::open(folder, &root, Some(&self.place.join(TRUSTED)))?;
        chain.refresh(now)?;
        let catalogue = self.catalogue(&chain)?;
        Ok(Session { chain, catalogue, now })
    }

    /// What it offered when it was verified last, without looking at it: for showing, not for installing. It may have
    /// expired since ([`State::days_left`]).
    pub fn kept(&self) -> Result<Catalogue, MarketError> {
        Store::read_only(&self.place.join(TRUSTED)).check()?;
        let mut chain = Chain::kept(&self.pinned_root()?, &self.place.join(TRUSTED))?;
        chain.refresh(ANY_TIME)?;
        self.catalogue(&chain)
    }

    fn pinned_root(&self) -> Result<Vec<u8>, MarketError> {
        let path = self.place.join(FIRST_ROOT);
        let root = deskhand_files::read(&path, Origin::Own, MOST).map_err(|source| MarketError::read(&path, source))?;
        if Sha256::of(&root) == self.source.fingerprint {
            return Ok(root);
        }
        Err(MarketError::Record { path, reason: "its digest is not the fingerprint".into() })
    }

    fn catalogue(&self, chain: &Chain) -> Result<Catalogue, MarketError> {
        let state: State = chain.state().ok_or_else(|| MarketError::verify("targets.json", Trouble::NotOffered))?;
        Ok(Catalogue::read(self.name.clone(), state, &chain.targets()))
    }
}

/// A marketplace whose state has just been verified.
#[derive(Debug)]
pub struct Session {
    chain: Chain,
    catalogue: Catalogue,
    now: Timestamp,
}

impl Session {
    /// What it offers.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The component of a version that this marketplace offers, of the length and digest in its signed record.
    /// `version` may come from an earlier look; if the marketplace says something else of it now, nothing is fetched.
    pub fn download(&mut self, version: &Published) -> Result<Vec<u8>, MarketError> {
        let offered = self.catalogue.find(version.name(), version.version())?;
        if offered != version {
            let (plugin, version) = (version.name().clone(), version.version().clone());
            return Err(MarketError::Changed { plugin, version });
        }
        let path = version.path();
        let bytes = self.chain.download(&path, self.now)?;
        // The verifier has checked it already; what is installed is named by this digest, so it is not left to it alone.
        if Sha256::of(&bytes) != version.component {
            return Err(MarketError::verify(&path, Trouble::Mixed("the digest differs".into())));
        }
        Ok(bytes)
    }
}
