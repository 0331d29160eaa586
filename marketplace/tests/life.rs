//! The life of a marketplace, from its making to its end, seen from both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use deskhand_marketplace::{MarketError, Marketplaces, NewMarketplace, Publisher, Release, Replace, Status, Trouble};
use deskhand_vocabulary::Sha256;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn a_component_comes_from_its_publisher_to_a_person_verified() {
    let stage = Stage::new();
    let outcomes = stage.publish("organize", "1.0.0", start());
    assert!(outcomes[0].new);

    let marketplace = stage.add(after_days(1));
    let mut session = marketplace.open(after_days(2)).unwrap();
    let found = session.catalogue().search("files ORGANIZE");
    assert_eq!(found.len(), 1);
    let version = found[0].clone();
    assert_eq!(version.manifest, manifest("organize", "1.0.0", &[], &["files.read"]));
    let bytes = session.download(&version).unwrap();
    assert_eq!(bytes, component("organize", "1.0.0"));
    assert_eq!(Sha256::of(&bytes), version.component);

    let file = stage.folder.join(format!("targets/organize/1.0.0/{}.plugin.wasm", version.component));
    assert_eq!(fs::read(file).unwrap(), bytes);
    version.check_manifest(&manifest("organize", "1.0.0", &[], &["files.read"])).unwrap();
    let lie = manifest("organize", "1.0.0", &[], &["files.read", "files.change"]);
    assert!(matches!(version.check_manifest(&lie), Err(MarketError::OtherManifest { .. })));
}

#[test]
fn nothing_is_trusted_for_being_the_first() {
    let stage = Stage::new();
    let wrong = Sha256::of("something else");
    let error = stage.marketplaces().add(&market("acme"), &stage.folder, wrong, start()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} is not the marketplace whose fingerprint you gave ({wrong}). Nothing was added. See that it was typed as it \
             was told to you; else have the admin tell you the fingerprint again, by another way than this folder: \
             `deskhand market list` shows it to them",
            stage.folder.display(),
        )
    );
    assert_eq!(stage.marketplaces().list().unwrap().whole, []);
    assert_eq!(Marketplaces::fingerprint(&stage.folder).unwrap(), stage.created.fingerprint);
}

#[test]
fn the_three_root_keys_go_to_three_folders_and_nobody_else_reads_them() {
    let stage = Stage::new();
    let folders: Vec<_> = stage.created.root_keys.iter().map(|place| place.path.parent().unwrap()).collect();
    assert_eq!(folders, [stage.admin.keys().join("acme"), stage.path("stick"), stage.path("safe")]);
    let keys = [&stage.created.targets_key, &stage.created.online_key];
    for place in stage.created.root_keys.iter().chain(keys) {
        assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(stage.created.together, "all of them are on one disk here, which is said");
}

#[test]
fn root_keys_that_would_lie_together_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let home = deskhand_vocabulary::Home::within(&root.join("home"));
    let folder = root.join("market");
    fs::create_dir(root.join("a")).unwrap();
    std::os::unix::fs::symlink(root.join("a"), root.join("same")).unwrap();
    let make = |places: &[&str]| {
        let places: Vec<_> = places.iter().map(|place| root.join(place)).collect();
        let new = NewMarketplace { name: &market("acme"), folder: &folder, root_keys: &places };
        Publisher::create(&home, &new, start()).map(drop).unwrap_err()
    };
    assert!(matches!(make(&["a/1", "a/2"]), MarketError::KeysTogether { folder } if folder == root.join("a")));
    assert!(matches!(make(&["a/1", "same/2"]), MarketError::KeysTogether { folder } if folder == root.join("a")));
    assert!(matches!(make(&["a/1", "b/../a/2"]), MarketError::KeysTogether { .. }));
    assert!(matches!(make(&["home/data/keys/acme/1", "b/2"]), MarketError::KeysTogether { .. }));
    assert!(matches!(make(&["a/1", "market/metadata/2"]), MarketError::KeyInMarketplace { .. }));
    assert!(matches!(make(&["a/1"]), MarketError::TooFewPlaces { given: 1 }));
    assert!(matches!(make(&[]), MarketError::TooFewPlaces { given: 0 }));
    fs::write(root.join("a/there"), "precious").unwrap();
    assert!(matches!(make(&["a/there", "b/2"]), MarketError::Write { .. }));
    assert_eq!(fs::read(root.join("a/there")).unwrap(), b"precious");
    assert!(!folder.exists() && !home.keys().join("acme").exists());
}

#[test]
fn a_version_is_never_written_over() {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    let before = contents(&stage.folder);
    assert!(!stage.publish("organize", "1.0.0", after_days(1))[0].new);
    assert_eq!(contents(&stage.folder), before);

    let manifest = manifest("organize", "1.0.0", &[], &["files.read"]);
    let other = Release { manifest: &manifest, component: b"other" };
    let error = stage.publisher.publish(&[other], after_days(1)).unwrap_err();
    assert!(matches!(error, MarketError::VersionTaken { .. }), "{error}");
    let same_precedence = common::manifest("organize", "1.0.0+build.2", &[], &["files.read"]);
    let error = stage.publish_manifest(&same_precedence, after_days(1)).unwrap_err();
    assert!(matches!(error, MarketError::VersionTaken { .. }), "{error}");
    assert_eq!(contents(&stage.folder), before);
}

#[test]
fn publishing_several_is_all_or_nothing() {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    let before = contents(&stage.folder);
    let (new, taken) = (manifest("rename", "1.0.0", &[], &[]), manifest("organize", "1.0.0", &[], &[]));
    let releases = [Release { manifest: &new, component: b"a" }, Release { manifest: &taken, component: b"b" }];
    assert!(stage.publisher.publish(&releases, after_days(1)).is_err());
    assert_eq!(contents(&stage.folder), before);
}

#[test]
fn yanked_and_revoked_are_seen_by_people_with_the_reason() {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    stage.publish("organize", "1.1.0", start());
    let marketplace = stage.add(start());
    let (name, one) = (plugin("organize"), version("1.0.0"));
    let set = |status, reason: Option<&str>, days| {
        stage.publisher.set_status(&name, &one, status, reason.map(str::to_owned), after_days(days))
    };
    set(Status::Yanked, Some("loses names"), 1).unwrap();
    let session = marketplace.open(after_days(1)).unwrap();
    let seen = session.catalogue().get(&name, &one).unwrap();
    assert_eq!((seen.status, seen.reason.as_deref()), (Status::Yanked, Some("loses names")));
    assert_eq!(session.catalogue().search("organize")[0].version(), &version("1.1.0"));
    set(Status::Active, None, 2).unwrap();
    set(Status::Revoked, Some("malicious"), 3).unwrap();
    assert!(matches!(set(Status::Active, None, 4), Err(MarketError::Final { .. })));
    let seen = marketplace.open(after_days(4)).unwrap().catalogue().get(&name, &one).unwrap().clone();
    assert_eq!((seen.status, seen.reason.as_deref()), (Status::Revoked, Some("malicious")));
}

#[test]
fn an_expired_marketplace_installs_nothing_until_it_is_renewed() {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    let marketplace = stage.add(start());
    assert_eq!(marketplace.kept().unwrap().state.days_left(after_days(60)), 30);

    let error = marketplace.open(after_days(91)).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::Expired { .. })), "{error}");
    assert_eq!(
        error.to_string(),
        "`timestamp.json` of the marketplace was refused: its timestamp metadata expired on 2026-05-30: its admin has \
         not renewed it, or somebody keeps newer states from you. What is installed keeps running; nothing new is \
         installed from it until the admin runs `deskhand market renew`."
    );
    let kept = marketplace.kept().unwrap();
    assert_eq!((kept.search("").len(), kept.state.days_left(after_days(91))), (1, -1));

    stage.publisher.renew(after_days(91)).unwrap();
    let mut session = marketplace.open(after_days(91)).unwrap();
    let version = session.catalogue().search("")[0].clone();
    assert_eq!(session.download(&version).unwrap(), component("organize", "1.0.0"));
}

#[test]
fn the_root_is_renewed_with_two_of_its_keys() {
    let stage = Stage::new();
    let marketplace = stage.add(start());
    fs::remove_file(&stage.created.root_keys[0].path).unwrap();
    fs::rename(stage.path("safe/acme.pem"), stage.path("moved.pem")).unwrap();
    let error = stage.publisher.renew_root(&[], after_days(300)).unwrap_err();
    assert!(matches!(error, MarketError::TooFewRootKeys { needed: 2, found: 1, .. }), "{error}");
    let state = stage.publisher.renew_root(&[stage.path("moved.pem")], after_days(300)).unwrap();
    assert_eq!((state.root.version, state.root.expires), (2, after_days(665)));
    assert_eq!(marketplace.open(after_days(300)).unwrap().catalogue().state, state);
}

#[test]
fn every_key_can_be_replaced_and_people_follow_without_doing_anything() {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    let marketplace = stage.add(start());

    let lost = stage.created.root_keys[1].clone();
    fs::remove_file(&lost.path).unwrap();
    let new = stage.path("new-stick/acme.pem");
    let replace = Replace::Root { lost: lost.id.short(), new: &new };
    let rotated = stage.publisher.rotate(&replace, &[], after_days(1)).unwrap();
    assert_eq!((rotated.retired, rotated.new[0].path.clone()), (vec![lost.id], new));
    assert_eq!(marketplace.open(after_days(1)).unwrap().catalogue().state.root.version, 2);

    // Of the other two, one is gone now: the new key counts.
    let publisher = Publisher::open(&stage.admin, &market("acme")).unwrap();
    fs::remove_file(stage.path("safe/acme.pem")).unwrap();
    for (replace, version, keys) in [(Replace::Targets, 4, 1), (Replace::Online, 6, 1), (Replace::Publishing, 8, 2)] {
        let rotated = publisher.rotate(&replace, &[], after_days(2)).unwrap();
        assert_eq!((rotated.new.len(), rotated.retired.len(), rotated.state.root.version), (keys, keys, version));
        let mut session = marketplace.open(after_days(2)).unwrap();
        let offered = session.catalogue().search("")[0].clone();
        assert_eq!(session.download(&offered).unwrap(), component("organize", "1.0.0"));
        assert!(
            stage.publish_manifest(&manifest("rename", &format!("1.{version}.0"), &[], &[]), after_days(2)).is_ok()
        );
    }
    assert_eq!(marketplace.open(after_days(2)).unwrap().catalogue().plugins[&plugin("rename")].len(), 3);

    // Whoever starts today, from the first root, gets to the same state.
    let (fresh, catalogue) = Marketplaces::of(&deskhand_vocabulary::Home::within(&stage.path("other")))
        .add(&market("acme"), &stage.folder, stage.created.fingerprint, after_days(2))
        .unwrap();
    assert_eq!(fresh.open(after_days(2)).unwrap().catalogue(), &catalogue);
}

#[test]
fn removing_a_marketplace_leaves_nothing_of_it() {
    let stage = Stage::new();
    let marketplace = stage.add(start());
    assert_eq!(stage.marketplaces().list().unwrap().whole, [marketplace]);
    assert!(matches!(
        stage.marketplaces().add(&market("acme"), &stage.folder, stage.created.fingerprint, start()),
        Err(MarketError::AlreadyAdded { .. })
    ));
    stage.marketplaces().remove(&market("acme")).unwrap();
    assert_eq!(stage.marketplaces().list().unwrap().whole, []);
    assert!(!stage.user.marketplaces().join("acme").exists());
    assert!(matches!(stage.marketplaces().remove(&market("acme")), Err(MarketError::NotAdded { .. })));
}

#[test]
fn one_that_is_damaged_takes_nothing_from_the_others() {
    let stage = Stage::new();
    let marketplace = stage.add(start());
    let torn = stage.user.marketplaces().join("torn");
    fs::create_dir(&torn).unwrap();
    for text in ["", "{", "{\"schema\":9}"] {
        fs::write(torn.join("source.json"), text).unwrap();
        let listed = stage.marketplaces().list().unwrap();
        assert_eq!(listed.whole, std::slice::from_ref(&marketplace));
        let damaged: Vec<_> = listed.damaged.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(damaged, ["torn"], "{text}");
    }
    stage.marketplaces().remove(&"torn".parse().unwrap()).unwrap();
    assert!(!torn.exists() && stage.marketplaces().list().unwrap().damaged.is_empty());
}

#[test]
fn two_cannot_publish_at_once() {
    let stage = Stage::new();
    let lock = fs::File::create(stage.metadata(".deskhand-publishing")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let error = stage.publish_manifest(&manifest("organize", "1.0.0", &[], &[]), start()).unwrap_err();
    assert!(matches!(error, MarketError::Busy { .. }), "{error}");
    drop(lock);
    stage.publish("organize", "1.0.0", start());
}
