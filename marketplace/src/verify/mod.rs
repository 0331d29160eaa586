//! The one path on which something from a marketplace becomes trusted: The Update Framework's client workflow
//! (TUF specification 1.0.3x, section 5), by `sigstore-tuf`. No other module names that crate.

pub(crate) mod folder;
pub(crate) mod store;

use crate::error::{MarketError, Role, Trouble};
use deskhand_vocabulary::Sha256;
use folder::{Folder, LastAsked, ReadError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sigstore_tuf::{Error as TufError, Updater, UpdaterConfig, cache::StoreRepository, metadata::Role as _};
use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    pin::pin,
    task::{Context, Poll, Waker},
};
use store::Store;

/// How large files of a marketplace may be, in bytes. Publishing keeps to it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Root metadata.
    pub root: u64,
    /// Timestamp metadata.
    pub timestamp: u64,
    /// Snapshot metadata.
    pub snapshot: u64,
    /// Targets metadata, which holds the manifests of all versions.
    pub targets: u64,
    /// A component.
    pub component: u64,
}

/// See [`Limits`].
pub const LIMITS: Limits = Limits {
    root: 512_000,
    timestamp: 16_384,
    snapshot: 2_000_000,
    targets: 32 * 1024 * 1024,
    component: 128 * 1024 * 1024,
};

/// How many times the root may have been renewed since it was seen last.
const ROOT_RENEWALS: u32 = 512;

/// A moment before every expiry: verification that is to check all but the time.
pub(crate) const ANY_TIME: Timestamp = Timestamp::UNIX_EPOCH;

/// Which version of a role's metadata is trusted, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleState {
    /// Rises with each change.
    pub version: u64,
    /// After this, nothing new is installed.
    pub expires: Timestamp,
}

/// The state of a marketplace that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Who may sign what; renewed by its admins with two of three keys.
    pub root: RoleState,
    /// What is offered.
    pub targets: RoleState,
    /// Which versions of metadata belong together.
    pub snapshot: RoleState,
    /// That this is the newest.
    pub timestamp: RoleState,
}

impl State {
    /// What expires first, and when.
    pub fn soonest(&self) -> (Role, Timestamp) {
        let roles = [
            (Role::Root, self.root.expires),
            (Role::Targets, self.targets.expires),
            (Role::Snapshot, self.snapshot.expires),
            (Role::Timestamp, self.timestamp.expires),
        ];
        roles.into_iter().min_by_key(|(_, expires)| *expires).unwrap_or(roles[0])
    }

    /// Whole days until the first role expires; negative once one has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.soonest().1.duration_since(now).as_secs().div_euclid(24 * 60 * 60)
    }
}

/// A file that a marketplace offers, as its signed metadata says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) length: u64,
    pub(crate) sha256: Option<Sha256>,
    pub(crate) custom: Option<Value>,
}

/// The chain of trust from a pinned root to what a marketplace offers.
#[derive(Debug)]
pub(crate) struct Chain {
    updater: Updater,
    last: LastAsked,
    store: Option<Store>,
}

impl Chain {
    /// Start from `root`, the bytes of a root metadata file that are trusted for another reason: their digest was
    /// given by the person, or they were here before. What was verified before is in `kept`.
    pub(crate) fn open(folder: Folder, root: &[u8], kept: Option<&Path>) -> Result<Self, MarketError> {
        let last = folder.last.clone();
        Self::start(folder, last, root, kept.map(Store::new))
    }

    /// What was verified last, without asking the marketplace.
    pub(crate) fn kept(root: &[u8], kept: &Path) -> Result<Self, MarketError> {
        let store = Store::read_only(kept);
        Self::start(StoreRepository::new(store.clone()), LastAsked::default(), root, Some(store))
    }

    pub(crate) fn start(
        repository: impl sigstore_tuf::Repository + 'static,
        last: LastAsked,
        root: &[u8],
        store: Option<Store>,
    ) -> Result<Self, MarketError> {
        last.set("root.json");
        let mut config = UpdaterConfig::default();
        config.root_max_length = LIMITS.root;
        config.timestamp_max_length = LIMITS.timestamp;
        config.snapshot_max_length = LIMITS.snapshot;
        config.targets_max_length = LIMITS.targets;
        config.target_max_length = LIMITS.component;
        config.max_root_rotations = ROOT_RENEWALS;
        let updater = Updater::new(repository, root).map_err(|error| understood(error, &last))?.with_config(config);
        let updater = match &store {
            Some(store) => updater.with_store(store.clone()),
            None => updater,
        };
        Ok(Self { updater, last, store })
    }

    /// Bring it up to date, and check that it is valid at `now`.
    pub(crate) fn refresh(&mut self, now: Timestamp) -> Result<(), MarketError> {
        let refreshed = at_once(self.updater.refresh(now), &self.last);
        match self.store.as_ref().and_then(Store::failure) {
            Some(reason) => Err(MarketError::NotKept { reason }),
            None => refreshed,
        }
    }

    /// The state, once it was refreshed.
    pub(crate) fn state(&self) -> Option<State> {
        let trusted = self.updater.trusted();
        let root = trusted.root();
        let (timestamp, snapshot) = (trusted.timestamp()?, trusted.snapshot()?);
        let targets = trusted.targets_role("targets")?;
        Some(State {
            root: RoleState { version: root.version, expires: root.expires },
            targets: RoleState { version: targets.version(), expires: targets.expires },
            snapshot: RoleState { version: snapshot.version(), expires: snapshot.expires },
            timestamp: RoleState { version: timestamp.version(), expires: timestamp.expires },
        })
    }

    /// The trusted root metadata.
    pub(crate) fn root_bytes(&self) -> &[u8] {
        self.updater.trusted().root_bytes()
    }

    /// What is offered, by path.
    pub(crate) fn targets(&self) -> BTreeMap<String, Target> {
        let Some(targets) = self.updater.trusted().targets_role("targets") else { return BTreeMap::new() };
        let target = |file: &sigstore_tuf::TargetFile| Target {
            length: file.length,
            sha256: file.hashes.get("sha256").and_then(|digest| digest.parse().ok()),
            custom: file.custom.clone(),
        };
        targets.targets.iter().map(|(path, file)| (path.clone(), target(file))).collect()
    }

    /// What is offered, as the metadata have it.
    pub(crate) fn targets_json(&self) -> Map<String, Value> {
        let targets = self.updater.trusted().targets_role("targets").map(|targets| &targets.targets);
        match targets.map(serde_json::to_value) {
            Some(Ok(Value::Object(targets))) => targets,
            _ => Map::new(),
        }
    }

    /// The length and the SHA-256 of a target, wherever it is listed.
    pub(crate) fn info(&mut self, path: &str, now: Timestamp) -> Result<Option<(u64, Option<Sha256>)>, MarketError> {
        let info = at_once(self.updater.get_target_info(path, now), &self.last)?;
        let sha256 = |info: &sigstore_tuf::TargetFile| info.hashes.get("sha256").and_then(|digest| digest.parse().ok());
        Ok(info.map(|info| (info.length, sha256(&info))))
    }

    /// A file that is offered, with the length and the digest that the metadata says.
    pub(crate) fn download(&mut self, path: &str, now: Timestamp) -> Result<Vec<u8>, MarketError> {
        let info = at_once(self.updater.get_target_info(path, now), &self.last)?;
        let info = info.ok_or_else(|| MarketError::verify(path, Trouble::NotOffered))?;
        at_once(self.updater.download_target(&info, path), &self.last)
    }
}

/// The outcome of a future over transports that never wait.
pub(crate) fn at_once<T>(
    future: impl Future<Output = Result<T, TufError>>,
    last: &LastAsked,
) -> Result<T, MarketError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.map_err(|error| understood(error, last)),
        Poll::Pending => Err(MarketError::verify(&last.get(), Trouble::Damaged("the read did not end".into()))),
    }
}

/// The verifier's error in the words of a person.
fn understood(error: TufError, last: &LastAsked) -> MarketError {
    let file = last.get();
    let trouble = match error {
        TufError::Json(error) => Trouble::Damaged(error.to_string()),
        TufError::Malformed(reason) => Trouble::Damaged(reason),
        TufError::NonIntegerNumber => Trouble::Damaged("it holds a number that is not an integer".into()),
        TufError::UnusableKey { key_id, .. } | TufError::DuplicateSignature { key_id, .. } => {
            Trouble::Damaged(format!("key {key_id} cannot be used"))
        }
        TufError::UnsupportedScheme { scheme, .. } => {
            Trouble::Damaged(format!("signature scheme `{scheme}` is not known"))
        }
        TufError::UnknownRole(role) => Trouble::Damaged(format!("its root names no keys for `{role}`")),
        TufError::ThresholdNotMet { found, threshold, .. } => Trouble::TooFewSignatures { found, threshold },
        TufError::Rollback { trusted, new, .. } => Trouble::RolledBack { trusted, offered: new },
        TufError::BadRootVersion { trusted, new } => {
            Trouble::RolledBack { trusted: trusted.saturating_add(1), offered: new }
        }
        TufError::EqualVersion { version, .. } => Trouble::RolledBack { trusted: version, offered: version },
        TufError::Expired { role, expires } => Trouble::Expired { role: Role::named(&role), expires },
        TufError::IntegrityMismatch(reason) => Trouble::Mixed(reason),
        TufError::NotRefreshed => Trouble::Damaged("it is not complete".into()),
        TufError::TargetNotFound(_) => Trouble::NotOffered,
        TufError::Transport { message, source } => match source.map(|source| source.downcast::<ReadError>()) {
            Some(Ok(read)) => Trouble::Unread(*read),
            Some(Err(source)) => Trouble::Missing(source.to_string()),
            None => Trouble::Missing(message),
        },
        TufError::Crypto(error) => Trouble::Damaged(error.to_string()),
        TufError::Io { source, .. } => Trouble::Unread(ReadError::Io { name: file.clone(), source }),
        other => Trouble::Damaged(other.to_string()),
    };
    MarketError::verify(&file, trouble)
}
