//! The power fails at every step of every change to a marketplace. Whoever reads it afterwards, with or without
//! knowing it from before, finds the old state or the new one; and the admin can simply do it again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::{Marketplaces, NewMarketplace, Replace};
use std::fs;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn name() -> MarketplaceName {
    "acme".parse().unwrap()
}

fn manifest(version: &str) -> Manifest {
    serde_json::from_value(serde_json::json!({"plugin": {
        "name": "organize", "version": version, "publisher": "Example", "summary": "Sorts", "interface": "0.1.0",
    }}))
    .unwrap()
}

fn publish(publisher: &Publisher, version: &str) -> Result<(), MarketError> {
    let release = Release { manifest: &manifest(version), component: version.as_bytes() };
    publisher.publish(&[release], now()).map(drop)
}

/// A folder in memory where there is one: these tests sync some thousand times.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            drop(fs::copy(entry.path(), target))
        }
    }
}

struct Scene {
    dir: tempfile::TempDir,
    template: tempfile::TempDir,
    admin: Home,
    user: Home,
    fingerprint: Sha256,
    root_id: String,
}

impl Scene {
    /// A marketplace with one version, which a person has added.
    fn new() -> Self {
        let dir = folder();
        let at = |below: &str| dir.path().join(below);
        let (admin, user) = (Home::within(&at("admin")), Home::within(&at("user")));
        let new =
            NewMarketplace { name: &name(), folder: &at("market"), root_keys: &[at("stick/key"), at("safe/key")] };
        let (publisher, created) = Publisher::create(&admin, &new, now()).unwrap();
        publish(&publisher, "1.0.0").unwrap();
        Marketplaces::of(&user).add(&name(), &at("market"), created.fingerprint, now()).unwrap();
        let root_id = created.root_keys[1].id.0.clone();
        let template = folder();
        copy(dir.path(), template.path());
        Self { dir, template, admin, user, fingerprint: created.fingerprint, root_id }
    }

    /// As it was at first.
    fn restore(&self) {
        for entry in fs::read_dir(self.dir.path()).unwrap().flatten() {
            fs::remove_dir_all(entry.path()).unwrap();
        }
        copy(self.template.path(), self.dir.path());
    }

    fn dying_after(&self, steps: usize) -> Publisher {
        Publisher::open_with(&self.admin, &name(), Disk::dying_after(steps)).unwrap()
    }

    /// What those see who know it from before, and those who do not; they must agree, and all that is offered must
    /// be there.
    fn seen(&self) -> Catalogue {
        let known = Marketplaces::of(&self.user).get(&name()).unwrap();
        let mut session = known.open(now()).unwrap();
        let catalogue = session.catalogue().clone();
        for version in catalogue.plugins.values().flat_map(BTreeMap::values) {
            session.download(version).unwrap();
        }
        let stranger = folder();
        let stranger = Marketplaces::of(&Home::within(stranger.path()));
        let (_, fresh) = stranger.add(&name(), &self.dir.path().join("market"), self.fingerprint, now()).unwrap();
        assert_eq!(catalogue, fresh);
        catalogue
    }
}

/// Let `change` die at every step; then let it be done by `again`, which is told at which step it died.
fn every_step(
    change: impl Fn(&Publisher, &Scene) -> Result<(), MarketError>,
    again: impl Fn(&Publisher, &Scene) -> Result<(), MarketError>,
    done: impl Fn(&Catalogue) -> bool,
) {
    let scene = Scene::new();
    let before = scene.seen();
    let mut steps = 0;
    loop {
        scene.restore();
        let outcome = change(&scene.dying_after(steps), &scene);
        let after = scene.seen();
        assert!(after.plugins == before.plugins || done(&after), "step {steps}: {after:?}");
        if outcome.is_ok() {
            assert!(done(&after), "it said that it was done");
            break;
        }
        again(&Publisher::open(&scene.admin, &name()).unwrap(), &scene).unwrap();
        assert!(done(&scene.seen()), "step {steps}");
        let left = fs::read_dir(scene.dir.path().join("market/metadata")).unwrap();
        let unfinished = |name: &str| name.starts_with(crate::disk::UNFINISHED);
        assert!(left.flatten().all(|entry| !unfinished(&entry.file_name().to_string_lossy())));
        steps += 1;
    }
    assert!(steps >= 5, "only {steps} steps were tried");
}

#[test]
fn publishing_dies_at_every_step() {
    let change = |publisher: &Publisher, _: &Scene| publish(publisher, "2.0.0");
    every_step(change, change, |seen| seen.plugins[&"organize".parse().unwrap()].len() == 2);
}

#[test]
fn revoking_dies_at_every_step() {
    let (plugin, version): (PluginName, Version) = ("organize".parse().unwrap(), "1.0.0".parse().unwrap());
    let change = |publisher: &Publisher, _: &Scene| {
        publisher.set_status(&plugin, &version, Status::Revoked, Some("bad".into()), now())
    };
    every_step(change, change, |seen| seen.get(&plugin, &version).unwrap().status == Status::Revoked);
}

#[test]
fn renewing_the_root_dies_at_every_step() {
    let change = |publisher: &Publisher, _: &Scene| publisher.renew_root(&[], now()).map(drop);
    every_step(change, change, |seen| seen.state.root.version >= 2);
}

#[test]
fn replacing_the_publishing_keys_dies_at_every_step() {
    for replace in [Replace::Targets, Replace::Online, Replace::Publishing] {
        let change = |publisher: &Publisher, _: &Scene| publisher.rotate(&replace, &[], now()).map(drop);
        every_step(change, change, |seen| seen.state.root.version >= 3);
    }
}

#[test]
fn replacing_a_root_key_dies_at_every_step() {
    let rotate = |publisher: &Publisher, scene: &Scene, new: &str| {
        let new = scene.dir.path().join(new);
        publisher.rotate(&Replace::Root { lost: &scene.root_id, new: &new }, &[], now()).map(drop)
    };
    let change = |publisher: &Publisher, scene: &Scene| rotate(publisher, scene, "new/key");
    let again = |publisher: &Publisher, scene: &Scene| match rotate(publisher, scene, "newer/key") {
        // It was done but for what is said of it.
        Err(MarketError::WhichKey { several: false, .. }) => Ok(()),
        other => other,
    };
    every_step(change, again, |seen| seen.state.root.version == 2);
}

#[test]
fn making_a_marketplace_fails_whole_at_every_step() {
    let mut steps = 0;
    loop {
        let dir = folder();
        let at = |below: &str| dir.path().join(below);
        let home = Home::within(&at("admin"));
        let new =
            NewMarketplace { name: &name(), folder: &at("market"), root_keys: &[at("stick/key"), at("safe/key")] };
        if Publisher::create_with(&home, &new, now(), Disk::dying_after(steps)).is_ok() {
            break;
        }
        Publisher::create(&home, &new, now()).unwrap_or_else(|error| panic!("step {steps}: {error}"));
        steps += 1;
    }
    assert!(steps > 40, "only {steps} steps were tried");
}
