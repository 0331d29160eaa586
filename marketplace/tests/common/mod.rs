//! What the tests of marketplaces share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use deskhand_marketplace::{
    Created, MarketError, Marketplace, Marketplaces, NewMarketplace, Outcome, Publisher, Release,
};
use deskhand_vocabulary::{Home, Manifest, MarketplaceName, PluginName};
use jiff::{SignedDuration, Timestamp};
use semver::Version;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A moment from which tests count.
pub fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub fn after_days(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days)
}

pub fn market(name: &str) -> MarketplaceName {
    name.parse().unwrap()
}

pub fn plugin(name: &str) -> PluginName {
    name.parse().unwrap()
}

pub fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A manifest: name, version, dependencies, permissions.
pub fn manifest(name: &str, version: &str, needs: &[(&str, &str)], permissions: &[&str]) -> Manifest {
    let permissions: Vec<_> =
        permissions.iter().map(|kind| serde_json::json!({"kind": kind, "reason": format!("to {kind}")})).collect();
    let needs: BTreeMap<_, _> = needs.iter().copied().collect();
    serde_json::from_value(serde_json::json!({
        "plugin": {
            "name": name, "version": version, "publisher": "Example Ltd", "summary": format!("What {name} does"),
            "interface": "0.1.0",
        },
        "permissions": permissions,
        "dependencies": needs,
        "commands": [{
            "name": name, "summary": "Do it", "triggers": [format!("please {name} my files")],
            "arguments": {"type": "object", "properties": {"ratio": {"type": "number", "multipleOf": 0.25}}},
        }],
    }))
    .unwrap()
}

/// Bytes that stand for a component; the marketplace looks at none of them.
pub fn component(name: &str, version: &str) -> Vec<u8> {
    format!("\0asm component {name} {version}").into_bytes()
}

/// An admin, a user, and a marketplace between them.
pub struct Stage {
    pub dir: TempDir,
    pub admin: Home,
    pub user: Home,
    pub folder: PathBuf,
    pub created: Created,
    pub publisher: Publisher,
}

impl Stage {
    pub fn new() -> Self {
        Self::at(start())
    }

    pub fn at(now: Timestamp) -> Self {
        // In memory where that can be: all that is published is synced.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = dir.path().canonicalize().unwrap();
        let admin = Home::within(&root.join("admin"));
        let user = Home::within(&root.join("user"));
        let folder = root.join("market");
        let places = [root.join("stick/acme.pem"), root.join("safe/acme.pem")];
        let new = NewMarketplace { name: &market("acme"), folder: &folder, root_keys: &places };
        let (publisher, created) = Publisher::create(&admin, &new, now).unwrap();
        Self { dir, admin, user, folder, created, publisher }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(below)
    }

    pub fn publish(&self, name: &str, version: &str, now: Timestamp) -> Vec<Outcome> {
        self.publish_manifest(&manifest(name, version, &[], &["files.read"]), now).unwrap()
    }

    pub fn publish_manifest(&self, manifest: &Manifest, now: Timestamp) -> Result<Vec<Outcome>, MarketError> {
        let about = &manifest.plugin;
        let bytes = component(about.name.as_str(), &about.version.to_string());
        self.publisher.publish(&[Release { manifest, component: &bytes }], now)
    }

    pub fn marketplaces(&self) -> Marketplaces {
        Marketplaces::of(&self.user)
    }

    pub fn add(&self, now: Timestamp) -> Marketplace {
        self.marketplaces().add(&market("acme"), &self.folder, self.created.fingerprint, now).unwrap().0
    }

    pub fn metadata(&self, name: &str) -> PathBuf {
        self.folder.join("metadata").join(name)
    }
}

/// A copy of a folder and all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// All files below a folder, with what is in them.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
