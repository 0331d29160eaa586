//! A new marketplace: its keys, each in its place, and its first metadata.

use super::{
    Ours, Publisher, RECORD, Signers, Versions,
    keys::{Key, KeyPlace},
    lower,
    metadata::{ROOT_KEYS, Root, expiry},
};
use crate::{
    MarketError,
    disk::{Disk, PRIVATE, PUBLIC},
    error::Role,
    marketplaces::{FIRST_ROOT, write_json},
    paths,
    verify::{
        Chain, State,
        folder::{Folder, METADATA, TARGETS},
    },
};
use deskhand_vocabulary::{Home, MarketplaceName, Sha256};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Map;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What a new marketplace shall be.
#[derive(Clone, Debug)]
pub struct NewMarketplace<'a> {
    /// What its admin calls it.
    pub name: &'a MarketplaceName,
    /// The empty or missing folder that will be handed out.
    pub folder: &'a Path,
    /// Where its root keys go: three files in three folders; with two given, the third goes to the key folder of the home.
    pub root_keys: &'a [PathBuf],
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Created {
    /// The folder to hand out.
    pub folder: PathBuf,
    /// What people who add it compare.
    pub fingerprint: Sha256,
    /// Where the root keys went. Any two of them can replace every other key.
    pub root_keys: Vec<KeyPlace>,
    /// Signs what is offered.
    pub targets_key: KeyPlace,
    /// Signs that it is the newest.
    pub online_key: KeyPlace,
    /// True if two or more root keys are on one disk as yet, so that who gets the disk gets the marketplace.
    pub together: bool,
    /// Versions and expiries.
    pub state: State,
}

impl Publisher {
    /// Make a marketplace. Its root needs two of three keys, which are never put into one folder.
    pub fn create(home: &Home, new: &NewMarketplace<'_>, now: Timestamp) -> Result<(Self, Created), MarketError> {
        Self::create_with(home, new, now, Disk::real())
    }

    pub(crate) fn create_with(
        home: &Home,
        new: &NewMarketplace<'_>,
        now: Timestamp,
        disk: Disk,
    ) -> Result<(Self, Created), MarketError> {
        let keys = home.keys().join(new.name.as_str());
        if keys.join(RECORD).exists() {
            return Err(MarketError::NameTaken { name: new.name.clone() });
        }
        if keys.exists() {
            return Err(MarketError::Unfinished { name: new.name.clone(), keys });
        }
        let folder = paths::absolute(new.folder)?;
        let empty = match fs::read_dir(&folder) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(source) => return Err(MarketError::read(&folder, source)),
        };
        if !empty {
            return Err(MarketError::NotEmpty { path: folder });
        }
        let places = root_places(new.root_keys, &keys, &folder)?;

        let root_keys: Vec<Key> = (0..ROOT_KEYS).map(|_| Key::generate()).collect::<Result<_, _>>()?;
        let signers = Signers { targets: Key::generate()?, online: Key::generate()? };
        let root = Root {
            version: 1,
            expires: expiry(Role::Root, now),
            keys: root_keys
                .iter()
                .chain([&signers.targets, &signers.online])
                .map(|key| (key.id().clone(), key.public().clone()))
                .collect(),
            root: root_keys.iter().map(|key| key.id().clone()).collect(),
            targets: vec![signers.targets.id().clone()],
            online: vec![signers.online.id().clone()],
        };
        let first_root = root.sign(&root_keys.iter().collect::<Vec<_>>())?;
        let fingerprint = Sha256::of(&first_root);
        let files = lower(Map::new(), Versions::FIRST, &signers, now)?;

        // Keys first: a marketplace whose keys were lost is worse than keys without a marketplace.
        let mut made = Made { keys: Vec::new(), folders: vec![keys.clone()] };
        let root_places = root_keys
            .iter()
            .zip(&places)
            .map(|(key, path)| made.key(key, path, &disk))
            .collect::<Result<Vec<_>, _>>()?;
        let targets_key = made.key(&signers.targets, &key_path(&keys, "targets", &signers.targets), &disk)?;
        let online_key = made.key(&signers.online, &key_path(&keys, "online", &signers.online), &disk)?;

        let metadata = folder.join(METADATA);
        made.folders.extend([metadata.clone(), folder.join(TARGETS)]);
        disk.make_folders(&metadata)?;
        disk.make_folders(&folder.join(TARGETS))?;
        disk.write(&metadata.join(FIRST_ROOT), &first_root, PUBLIC)?;
        for (name, bytes) in &files {
            disk.write(&metadata.join(name), bytes, PUBLIC)?;
        }
        let mut chain = Chain::open(Folder::new(&folder), &first_root, None)?;
        chain.refresh(now).map_err(|error| MarketError::SelfCheck(Box::new(error)))?;

        let ours = Ours { schema: 1, folder: paths::encoded(&folder), fingerprint, root_keys: root_places.clone() };
        disk.write(&keys.join(FIRST_ROOT), &first_root, PRIVATE)?;
        write_json(&disk, &keys.join(RECORD), &ours)?;
        made.keep();

        let publisher = Self { name: new.name.clone(), keys, ours, disk };
        let state = publisher.state(&publisher.chain()?)?;
        let together = together(&root_places);
        Ok((
            publisher,
            Created { folder, fingerprint, root_keys: root_places, targets_key, online_key, together, state },
        ))
    }
}

/// The path of a key in the key folder: its use and the beginning of its id.
pub(crate) fn key_path(keys: &Path, role: &str, key: &Key) -> PathBuf {
    keys.join(format!("{role}-{}.pem", key.id().short()))
}

/// Three files in three folders, none of them in the marketplace.
fn root_places(given: &[PathBuf], keys: &Path, marketplace: &Path) -> Result<Vec<PathBuf>, MarketError> {
    let mut places = given.iter().map(|path| paths::absolute(path)).collect::<Result<Vec<_>, _>>()?;
    if places.len() + 1 == ROOT_KEYS {
        places.insert(0, keys.join("root.pem"));
    }
    if places.len() != ROOT_KEYS {
        return Err(MarketError::TooFewPlaces { given: given.len() });
    }
    for (index, place) in places.iter().enumerate() {
        check_place(place, &places[..index], marketplace)?;
    }
    Ok(places)
}

/// That a root key may go to `place`, beside others at `others`.
pub(crate) fn check_place(place: &Path, others: &[PathBuf], marketplace: &Path) -> Result<(), MarketError> {
    if place.starts_with(marketplace) {
        return Err(MarketError::KeyInMarketplace { path: place.to_owned() });
    }
    if place.symlink_metadata().is_ok() {
        return Err(MarketError::write(place, std::io::ErrorKind::AlreadyExists.into()));
    }
    match place.parent() {
        Some(folder) if others.iter().any(|other| other.parent() == Some(folder)) => {
            Err(MarketError::KeysTogether { folder: folder.to_owned() })
        }
        _ => Ok(()),
    }
}

fn together(places: &[KeyPlace]) -> bool {
    let mut disks: Vec<u64> =
        places.iter().filter_map(|place| fs::metadata(&place.path).ok()).map(|file| file.dev()).collect();
    disks.sort_unstable();
    disks.windows(2).any(|pair| pair[0] == pair[1])
}

/// What has been made so far, taken away again if the rest fails.
struct Made {
    keys: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn key(&mut self, key: &Key, path: &Path, disk: &Disk) -> Result<KeyPlace, MarketError> {
        let place = key.write_new(path, disk)?;
        self.keys.push(path.to_owned());
        Ok(place)
    }

    fn keep(mut self) {
        self.keys.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.folders {
            let _ = fs::remove_dir_all(folder);
        }
        for key in &self.keys {
            let _ = fs::remove_file(key);
            if let Some(folder) = key.parent() {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}
