//! What can go wrong with a marketplace, in words that say what happened, why, and what to do next.

use crate::{
    publish::{canonical::NotAnInteger, keys::KeyId},
    verify::folder::ReadError,
};
use deskhand_vocabulary::{MarketplaceName, PluginName, Sha256};
use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// The roles of a TUF repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Says who signs what.
    Root,
    /// Says what is offered.
    Targets,
    /// Says which metadata belong together.
    Snapshot,
    /// Says which state is the newest.
    Timestamp,
}

impl Role {
    /// The name in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }

    /// The role of this name; a role that is none of the others offers something.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "root" => Self::Root,
            "snapshot" => Self::Snapshot,
            "timestamp" => Self::Timestamp,
            _ => Self::Targets,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a file of a marketplace.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Not what it should look like.
    #[error(
        "it is damaged or was tampered with ({0}). Nothing of it is used; ask its admin to restore the folder from a good copy"
    )]
    Damaged(String),
    /// Signed by fewer keys than must agree.
    #[error(
        "it has {found} valid signature{} of the {threshold} that it needs, so it does not come from this marketplace's admins, or was changed since. Nothing of it is used; ask the admin",
        if *found == 1 { "" } else { "s" }
    )]
    TooFewSignatures {
        /// Valid signatures of different keys.
        found: usize,
        /// How many there must be.
        threshold: usize,
    },
    /// Older than what was seen before.
    #[error(
        "it is version {offered}, older than version {trusted} that this computer has seen already: somebody put an old state back, or the folder was restored from a backup. Nothing is installed from it; the admin has to publish again from the newest state"
    )]
    RolledBack {
        /// The version seen before.
        trusted: u64,
        /// The version found.
        offered: u64,
    },
    /// Not renewed in time.
    #[error("its {role} metadata expired on {}: its admin has not renewed it, or somebody keeps newer states from you. What is installed keeps running; nothing new is installed from it until the admin runs `deskhand market renew`", expires.strftime("%Y-%m-%d"))]
    Expired {
        /// Which role.
        role: Role,
        /// When.
        expires: Timestamp,
    },
    /// Its parts do not belong together.
    #[error(
        "it is not the file that the signed metadata describe ({0}): files of different states were mixed, or it was swapped or cut. Nothing of it is used; try again when the folder is synchronised, else ask its admin"
    )]
    Mixed(String),
    /// Not there.
    #[error("it is missing ({0}). If the folder is still being synchronised, wait and try again; else ask its admin")]
    Missing(String),
    /// Not readable.
    #[error("{0}. Check that the folder is there and readable, or ask its admin")]
    Unread(ReadError),
    /// Not on offer.
    #[error("the marketplace does not offer it")]
    NotOffered,
}

/// Why something with a marketplace did not work.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// What a marketplace holds cannot be trusted or read.
    #[error("`{file}` of the marketplace was refused: {trouble}.")]
    Verify {
        /// Which file.
        file: String,
        /// What is wrong with it.
        trouble: Box<Trouble>,
    },
    /// What was verified could not be kept.
    #[error(
        "what was verified could not be kept ({reason}), and without that an older state could be put back unnoticed, so nothing was done. Make room or check the permissions, then try again"
    )]
    NotKept {
        /// Why.
        reason: String,
    },
    /// A fingerprint that is not the one of this marketplace. What it is is not said: whoever copied it from the message
    /// would trust whatever lies there.
    #[error(
        "{folder} is not the marketplace whose fingerprint you gave ({expected}). Nothing was added. See that it was typed as it was told to you; else have the admin tell you the fingerprint again, by another way than this folder: `deskhand market list` shows it to them"
    )]
    OtherFingerprint {
        /// Where.
        folder: String,
        /// What you gave.
        expected: Sha256,
    },
    /// A marketplace of this name is there already.
    #[error(
        "a marketplace called `{name}` is added already. Choose another name, or remove that one first: `deskhand market remove {name}`"
    )]
    AlreadyAdded {
        /// The name.
        name: MarketplaceName,
    },
    /// No marketplace of this name.
    #[error("no marketplace called `{name}` is added. `deskhand market list` shows those that are")]
    NotAdded {
        /// The name.
        name: String,
    },
    /// No marketplace of this name is published from here.
    #[error("no marketplace called `{name}` is published from this computer ({} holds no keys for it). Make one with `deskhand market init`", keys.display())]
    NotOurs {
        /// The name.
        name: String,
        /// Where its keys would be.
        keys: PathBuf,
    },
    /// What was verified before is damaged, and with it the defence against an older state.
    #[error(
        "what was verified of this marketplace before is damaged: {} ({reason}). An older state could be passed off as the \
         present one, so nothing is taken from it; what is installed keeps running. To start anew, ask its admin for the \
         fingerprint by another way, then run: deskhand market remove NAME, and: deskhand market add NAME FOLDER \
         --fingerprint HEX",
        path.display()
    )]
    KeptDamaged {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A record of ours that cannot be read.
    #[error("{} is damaged ({reason}). Restore it from a backup, or remove the marketplace and add it again", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A plugin that is not on offer.
    #[error("the marketplace `{marketplace}` offers no plugin called `{plugin}`.{}", crate::error::hint(nearest))]
    NoSuchPlugin {
        /// Where.
        marketplace: String,
        /// What was asked for.
        plugin: String,
        /// What sounds like it.
        nearest: Vec<String>,
    },
    /// A version that is not on offer.
    #[error("the marketplace offers no version {version} of `{plugin}`. It offers: {}", crate::error::listed(offered))]
    NoSuchVersion {
        /// The plugin.
        plugin: PluginName,
        /// What was asked for.
        version: Version,
        /// What there is.
        offered: Vec<String>,
    },
    /// No set of versions fits.
    #[error(
        "this cannot be installed:\n{explanation}\nAsk for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    )]
    NoSolution {
        /// Why, a sentence a line.
        explanation: String,
    },
    /// The state changed between what was shown and what would be fetched.
    #[error(
        "the marketplace changed while you were deciding: `{plugin}` {version} is not the same any more. Nothing was installed; look again"
    )]
    Changed {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        version: Version,
    },
    /// A component that says something else than its signed record.
    #[error(
        "`{plugin}` {version} was refused: its own manifest is not the one in the marketplace's signed record. Tell the marketplace's admin"
    )]
    OtherManifest {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        version: Version,
    },

    /// No key could be made or written.
    #[error("a signing key could not be made: {0}")]
    NoKey(String),
    /// A key file that cannot be read.
    #[error("the key file {} cannot be read: {source}. If it is on a stick or a share, connect that first", path.display())]
    KeyUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not a key.
    #[error("{} is not a signing key (a P-256 key in PKCS#8 PEM, as `deskhand market init` writes it)", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Too few root keys at hand.
    #[error("this needs {needed} root keys, and {found} {} at hand. Connect the place of another one and name it with --root-key; the root keys went to:\n{}", if *found == 1 { "is" } else { "are" }, crate::error::places(places))]
    TooFewRootKeys {
        /// How many there must be.
        needed: usize,
        /// How many were found.
        found: usize,
        /// Where they were written.
        places: Vec<(KeyId, PathBuf)>,
    },
    /// A key that signs for a role is not here.
    #[error("the key that signs {role} metadata (id {}) is not in {}. Restore it from a backup, or replace it: `deskhand market rotate NAME {}`", id.short(), keys.display(), rotation(*role))]
    KeyMissing {
        /// Which role.
        role: Role,
        /// Which key.
        id: KeyId,
        /// Where it should be.
        keys: PathBuf,
    },
    /// An id that fits no root key or several.
    #[error("`{given}` names {} of this marketplace's root keys. They are:\n{}", if *several { "more than one" } else { "none" }, crate::error::places(places))]
    WhichKey {
        /// What was given.
        given: String,
        /// More than one fits.
        several: bool,
        /// All of them.
        places: Vec<(KeyId, PathBuf)>,
    },
    /// Two root keys in one folder.
    #[error("two of the three root keys would be in {}. Whoever gets that folder could replace every other key, so each root key needs a place of its own: another disk, a stick, a colleague's computer", folder.display())]
    KeysTogether {
        /// The folder.
        folder: PathBuf,
    },
    /// A key in the folder that is handed out.
    #[error("{} is inside the marketplace's folder, which everybody can read. Put the key elsewhere", path.display())]
    KeyInMarketplace {
        /// The key file.
        path: PathBuf,
    },
    /// A root key at a place that is gone or that exists.
    #[error("three root keys need three places, and {given} {} given. Name {} with --root-key-out, each in a folder of its own that is not on this disk if you can: a stick, a share of a colleague. (With two given, the third goes to Deskhand's own key folder.)", if *given == 1 { "is" } else { "are" }, if *given == 0 { "at least two" } else { "another one" })]
    TooFewPlaces {
        /// How many were given.
        given: usize,
    },
    /// The folder holds something already.
    #[error("{} is not empty. A new marketplace needs an empty folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The name is taken on the publishing side.
    #[error("a marketplace called `{name}` is published from this computer already. Choose another name")]
    NameTaken {
        /// The name.
        name: MarketplaceName,
    },
    /// An earlier beginning of this marketplace.
    #[error("an earlier `deskhand market init` of `{name}` did not finish. Nothing uses the keys that it left in {}: remove that folder, empty the marketplace's folder, and start again", keys.display())]
    Unfinished {
        /// The name.
        name: MarketplaceName,
        /// Where its keys are.
        keys: PathBuf,
    },
    /// Somebody else is publishing.
    #[error("somebody else is publishing to {} at this moment. Try again when they are done", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// A version that exists and is something else.
    #[error(
        "`{plugin}` {version} is published already and holds something else. A version is never replaced: raise the version in the plugin's manifest, build it, and publish that"
    )]
    VersionTaken {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        version: Version,
    },
    /// A component that is too large.
    #[error("{what} would be {size} bytes, more than the {limit} that a marketplace may hold in one file")]
    TooLarge {
        /// What.
        what: String,
        /// How large.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// A status that cannot follow another.
    #[error("`{plugin}` {version} is revoked, which is final. Publish a new version instead")]
    Final {
        /// The plugin.
        plugin: PluginName,
        /// Its version.
        version: Version,
    },
    /// What we signed does not verify.
    #[error("what was about to be published does not verify, so nothing was changed: {0}")]
    SelfCheck(Box<MarketError>),
    /// A version number that cannot rise.
    #[error("the version number of the {role} metadata cannot rise any further: somebody who has its key ran it up. Replace that key: `deskhand market rotate NAME {}`", rotation(*role))]
    Exhausted {
        /// Which role.
        role: Role,
    },
    /// A number that signed metadata cannot hold.
    #[error("the metadata could not be signed: {0}")]
    Canonical(#[from] NotAnInteger),
    /// A file that could not be written.
    #[error("{} could not be written: {source}. Nobody sees anything half done; make room or check the permissions, then try again", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that could not be read.
    #[error("{} could not be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl MarketError {
    pub(crate) fn verify(file: &str, trouble: Trouble) -> Self {
        Self::Verify { file: file.to_owned(), trouble: Box::new(trouble) }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// What is wrong with a file of the marketplace, if that is what this is about.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Verify { trouble, .. } => Some(trouble),
            _ => None,
        }
    }

    /// True if the marketplace could not be reached, which says nothing against it.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.trouble(), Some(Trouble::Unread(ReadError::Unreachable { .. } | ReadError::NoMarketplace { .. })))
    }
}

fn rotation(role: Role) -> &'static str {
    match role {
        Role::Root => "root",
        Role::Targets => "targets",
        Role::Snapshot | Role::Timestamp => "online",
    }
}

pub(crate) fn listed(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

fn hint(nearest: &[String]) -> String {
    if nearest.is_empty() {
        " `deskhand plugin search` shows what there is".to_owned()
    } else {
        format!(" Did you mean {}?", nearest.join(" or "))
    }
}

fn places(places: &[(KeyId, PathBuf)]) -> String {
    let lines: Vec<String> = places.iter().map(|(id, path)| format!("  {}  {}", id.short(), path.display())).collect();
    lines.join("\n")
}
