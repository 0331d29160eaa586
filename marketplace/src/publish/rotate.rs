//! New keys for old ones. The root metadata that name them need two of three root keys.
//!
//! Replacing a key that signs what is published takes two new roots: the first names the old and the new key, then all
//! that is published is signed with the new one, then the second names the new one alone. At every moment between, the
//! marketplace is valid, and the old key need not be at hand.

use super::{
    KeyPlace, Publisher, Signers, Versions, entries,
    keys::{Key, KeyId},
    lower,
    metadata::{MOST_VERSION, ROOT_QUORUM, Root, expiry},
    new::{check_place, key_path},
};
use crate::{
    MarketError,
    error::Role,
    paths,
    verify::{Chain, State},
};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Which key is replaced.
#[derive(Clone, Debug)]
pub enum Replace<'a> {
    /// A root key: its id or the beginning of it, and where the new one goes.
    Root {
        /// The lost or stolen key.
        lost: &'a str,
        /// The file for the new one, in a folder that holds no other root key.
        new: &'a Path,
    },
    /// The key that signs what is offered.
    Targets,
    /// The key that signs that it is the newest.
    Online,
    /// Both of these, as after the loss of the computer that publishes.
    Publishing,
}

/// What was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The keys that sign nothing any more.
    pub retired: Vec<KeyId>,
    /// The new keys.
    pub new: Vec<KeyPlace>,
    /// Versions and expiries.
    pub state: State,
}

impl Publisher {
    /// Replace a key. `root_keys` are files with root keys beyond those that are still where they were written to.
    pub fn rotate(&self, replace: &Replace<'_>, root_keys: &[PathBuf], now: Timestamp) -> Result<Rotated, MarketError> {
        let _lock = self.lock()?;
        let chain = self.chain()?;
        let root = self.root(&chain)?;
        let (retired, new) = match replace {
            Replace::Root { lost, new } => {
                let (retired, new) = self.rotate_root(&root, lost, new, root_keys, now)?;
                (vec![retired], vec![new])
            }
            Replace::Targets => self.rotate_signers(&chain, &root, (true, false), root_keys, now)?,
            Replace::Online => self.rotate_signers(&chain, &root, (false, true), root_keys, now)?,
            Replace::Publishing => self.rotate_signers(&chain, &root, (true, true), root_keys, now)?,
        };
        let state = self.state(&self.chain()?)?;
        Ok(Rotated { retired, new, state })
    }

    /// Renew the root, with two of its keys, and all else.
    pub fn renew_root(&self, root_keys: &[PathBuf], now: Timestamp) -> Result<State, MarketError> {
        let _lock = self.lock()?;
        let chain = self.chain()?;
        let state = self.state(&chain)?;
        let root = self.root(&chain)?;
        let quorum = self.quorum(&root, root_keys, None)?;
        let renewed = next_root(&root, now)?;
        let mut files = vec![(file(&renewed), renewed.sign(&quorum.iter().collect::<Vec<_>>())?)];
        files.extend(lower(entries(&chain), Versions::after(state)?, &self.signers(&root)?, now)?);
        self.write(&files, now)?;
        self.state(&self.chain()?)
    }

    fn rotate_root(
        &self,
        root: &Root,
        lost: &str,
        new: &Path,
        root_keys: &[PathBuf],
        now: Timestamp,
    ) -> Result<(KeyId, KeyPlace), MarketError> {
        let fits: Vec<&KeyId> = root.root.iter().filter(|id| !lost.is_empty() && id.0.starts_with(lost)).collect();
        let [retired] = fits[..] else {
            let several = !fits.is_empty();
            return Err(MarketError::WhichKey { given: lost.to_owned(), several, places: self.places(root) });
        };
        let quorum = self.quorum(root, root_keys, Some(retired))?;
        let new = paths::absolute(new)?;
        let others: Vec<PathBuf> = self
            .ours
            .root_keys
            .iter()
            .filter(|place| place.id != *retired)
            .map(|place| place.path.clone())
            .chain(root_keys.iter().filter_map(|path| paths::absolute(path).ok()))
            .collect();
        check_place(&new, &others, &self.folder())?;

        let key = Key::generate()?;
        let mut next = next_root(root, now)?;
        next.root.retain(|id| id != retired);
        next.root.push(key.id().clone());
        next.keys.insert(key.id().clone(), key.public().clone());
        next.prune();
        let signers: Vec<&Key> = quorum.iter().chain([&key]).collect();
        let signed = next.sign(&signers)?;

        // Where the new key went is on record before anything needs it, the old one until nothing does.
        let place = key.write_new(&new, &self.disk)?;
        let mut ours = self.ours.clone();
        ours.root_keys.push(place.clone());
        self.keep(&ours)?;
        self.write(&[(file(&next), signed)], now)?;
        ours.root_keys.retain(|place| place.id != *retired);
        self.keep(&ours)?;
        Ok((retired.clone(), place))
    }

    fn rotate_signers(
        &self,
        chain: &Chain,
        root: &Root,
        (targets, online): (bool, bool),
        root_keys: &[PathBuf],
        now: Timestamp,
    ) -> Result<(Vec<KeyId>, Vec<KeyPlace>), MarketError> {
        let quorum = self.quorum(root, root_keys, None)?;
        let quorum: Vec<&Key> = quorum.iter().collect();
        let state = self.state(chain)?;
        // Who had the keys can have run up the version numbers that they sign. The numbers fall with the keys: what is
        // signed by a key that the root does not name any more is no floor for anybody.
        let versions = match Versions::after(state) {
            Err(_) if targets && online => Versions::FIRST,
            Err(_) if online && state.targets.version < MOST_VERSION => {
                Versions { targets: state.targets.version + 1, ..Versions::FIRST }
            }
            versions => versions?,
        };

        let signers = Signers {
            targets: if targets { Key::generate()? } else { self.signer(Role::Targets, &root.targets)? },
            online: if online { Key::generate()? } else { self.signer(Role::Timestamp, &root.online)? },
        };
        let mut both = next_root(root, now)?;
        let mut retired = Vec::new();
        let mut new = Vec::new();
        let replaced = [(targets, &signers.targets, &mut both.targets), (online, &signers.online, &mut both.online)];
        for (word, (_, key, ids)) in ["targets", "online"].iter().zip(replaced).filter(|(_, (replaced, ..))| *replaced)
        {
            new.push(key.write_new(&key_path(&self.keys, word, key), &self.disk)?);
            retired.extend(ids.iter().cloned());
            ids.push(key.id().clone());
            both.keys.insert(key.id().clone(), key.public().clone());
        }
        let mut alone = next_root(&both, now)?;
        alone.targets.retain(|id| !retired.contains(id));
        alone.online.retain(|id| !retired.contains(id));
        alone.prune();

        let published = lower(entries(chain), versions, &signers, now)?;
        let (both, alone) = ((file(&both), both.sign(&quorum)?), (file(&alone), alone.sign(&quorum)?));
        let files: Vec<_> = [both].into_iter().chain(published).chain([alone]).collect();
        self.write(&files, now)?;
        for id in &retired {
            self.retire(id);
        }
        Ok((retired, new))
    }

    /// Set a key file aside that signs nothing any more.
    fn retire(&self, id: &KeyId) {
        for word in ["targets", "online"] {
            let path = self.keys.join(format!("{word}-{}.pem", id.short()));
            let _ = std::fs::rename(&path, path.with_extension("retired"));
        }
    }

    /// As many root keys as must agree, from the files given, the key folder, and the places that they were written to.
    fn quorum(&self, root: &Root, given: &[PathBuf], without: Option<&KeyId>) -> Result<Vec<Key>, MarketError> {
        let mut keys: Vec<Key> = Vec::new();
        for path in given {
            keys.push(Key::read(path)?);
        }
        keys.extend(self.keys_here()?);
        keys.extend(self.ours.root_keys.iter().filter_map(|place| Key::read(&place.path).ok()));
        let mut quorum: Vec<Key> = Vec::new();
        for key in keys {
            let counts = root.root.contains(key.id()) && without != Some(key.id());
            if counts && !quorum.iter().any(|other| other.id() == key.id()) {
                quorum.push(key);
            }
        }
        if (quorum.len() as u64) < ROOT_QUORUM {
            let (needed, found) = (ROOT_QUORUM as usize, quorum.len());
            return Err(MarketError::TooFewRootKeys { needed, found, places: self.places(root) });
        }
        Ok(quorum)
    }

    /// The root keys, and where they were written to.
    fn places(&self, root: &Root) -> Vec<(KeyId, PathBuf)> {
        let path = |id: &KeyId| {
            let place = self.ours.root_keys.iter().find(|place| place.id == *id);
            place.map_or_else(|| PathBuf::from("(a place that is not known here)"), |place| place.path.clone())
        };
        root.root.iter().map(|id| (id.clone(), path(id))).collect()
    }
}

fn next_root(root: &Root, now: Timestamp) -> Result<Root, MarketError> {
    let version = super::metadata::next(Role::Root, root.version)?;
    Ok(Root { version, expires: expiry(Role::Root, now), ..root.clone() })
}

fn file(root: &Root) -> String {
    format!("{}.root.json", root.version)
}
