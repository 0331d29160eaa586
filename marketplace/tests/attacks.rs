//! The attacks that The Update Framework names (specification 1.0.3x, section 1.5.2), each by its name, by somebody who
//! can write to the marketplace's folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use deskhand_marketplace::{
    LIMITS, MarketError, Marketplace, Marketplaces, Published, ReadError, Replace, Trouble,
    publish::{canonical::canonical, keys::Key},
};
use deskhand_vocabulary::{Home, Sha256};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A marketplace with a version, which a person knows.
fn stage() -> (Stage, Marketplace) {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    let marketplace = stage.add(start());
    (stage, marketplace)
}

fn refused(marketplace: &Marketplace) -> MarketError {
    marketplace.open(after_days(1)).map(drop).unwrap_err()
}

/// Metadata as they are in the folder.
fn signed(path: &Path) -> Value {
    serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap()["signed"].take()
}

/// Sign as a thief of `keys` would.
fn write_signed(path: &Path, signed: &Value, keys: &[&Key]) -> Vec<u8> {
    let message = canonical(signed).unwrap();
    let signatures: Vec<_> = keys.iter().map(|key| json!({"keyid": key.id(), "sig": key.sign(&message)})).collect();
    let bytes = json!({"signatures": signatures, "signed": signed}).to_string().into_bytes();
    fs::write(path, &bytes).unwrap();
    bytes
}

fn pin(version: u64, bytes: &[u8]) -> Value {
    json!({"version": version, "length": bytes.len(), "hashes": {"sha256": Sha256::of(bytes)}})
}

/// The present `N.<role>.json` of the folder, by its highest number.
fn newest(stage: &Stage, role: &str) -> (u64, std::path::PathBuf) {
    let number = |name: &str| name.strip_suffix(&format!(".{role}.json"))?.parse::<u64>().ok();
    let names = fs::read_dir(stage.folder.join("metadata")).unwrap().flatten();
    let newest = names.filter_map(|entry| number(entry.file_name().to_str()?)).max().unwrap();
    (newest, stage.metadata(&format!("{newest}.{role}.json")))
}

fn offered(marketplace: &Marketplace) -> Published {
    marketplace.kept().unwrap().search("organize")[0].clone()
}

#[test]
fn arbitrary_software_installation() {
    let (stage, marketplace) = stage();
    let version = offered(&marketplace);
    // Somebody's own component, listed by metadata that they changed and could not sign.
    let (number, path) = newest(&stage, "targets");
    let text = fs::read_to_string(&path).unwrap();
    let evil = Sha256::of("evil").to_string();
    fs::write(&path, text.replace(&version.component.to_string(), &evil)).unwrap();
    fs::write(stage.folder.join(format!("targets/organize/1.0.0/{evil}.plugin.wasm")), "evil").unwrap();
    let fresh = Marketplaces::of(&Home::within(&stage.path("fresh")));
    let error = fresh.add(&market("acme"), &stage.folder, stage.created.fingerprint, start()).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::Mixed(_))), "{error}");

    // The same, with the chain down from the timestamp made to fit, signed with keys of their own.
    let own = Key::generate().unwrap();
    let targets = write_signed(&path, &signed(&path), &[&own]);
    let (_, snapshot_path) = newest(&stage, "snapshot");
    let mut snapshot = signed(&snapshot_path);
    snapshot["meta"]["targets.json"] = pin(number, &targets);
    let snapshot = write_signed(&snapshot_path, &snapshot, &[&own]);
    let mut timestamp = signed(&stage.metadata("timestamp.json"));
    timestamp["version"] = json!(100);
    timestamp["meta"]["snapshot.json"] = pin(number, &snapshot);
    write_signed(&stage.metadata("timestamp.json"), &timestamp, &[&own]);
    assert_eq!(
        refused(&marketplace).to_string(),
        "`timestamp.json` of the marketplace was refused: it has 0 valid signatures of the 1 that it needs, so it does \
         not come from this marketplace's admins, or was changed since. Nothing of it is used; ask the admin."
    );
}

#[test]
fn rollback() {
    let (stage, marketplace) = stage();
    let old = stage.path("old");
    copy(&stage.folder, &old);
    stage.publish("organize", "1.1.0", start());
    marketplace.open(start()).unwrap();
    fs::remove_dir_all(&stage.folder).unwrap();
    copy(&old, &stage.folder);
    assert_eq!(
        refused(&marketplace).to_string(),
        "`timestamp.json` of the marketplace was refused: it is version 2, older than version 3 that this computer has \
         seen already: somebody put an old state back, or the folder was restored from a backup. Nothing is installed \
         from it; the admin has to publish again from the newest state."
    );
    // The admin's own computer does not sign on top of the old state either.
    let error = stage.publish_manifest(&manifest("rename", "1.0.0", &[], &[]), start()).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::RolledBack { trusted: 3, offered: 2 })), "{error}");
}

#[test]
fn indefinite_freeze() {
    let (_stage, marketplace) = stage();
    marketplace.open(after_days(89)).unwrap();
    let error = marketplace.open(after_days(91)).map(drop).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::Expired { expires, .. }) if *expires == after_days(90)), "{error}");
}

#[test]
fn fast_forward() {
    let (stage, marketplace) = stage();
    // A thief of the online key runs the versions up, so that the admin's next ones look old.
    let online = Key::read(&stage.created.online_key.path).unwrap();
    let most = u64::MAX - 1;
    let (_, path) = newest(&stage, "snapshot");
    let mut snapshot = signed(&path);
    snapshot["version"] = json!(most);
    let snapshot = write_signed(&stage.metadata(&format!("{most}.snapshot.json")), &snapshot, &[&online]);
    let mut timestamp = signed(&stage.metadata("timestamp.json"));
    timestamp["version"] = json!(most);
    timestamp["meta"]["snapshot.json"] = pin(most, &snapshot);
    write_signed(&stage.metadata("timestamp.json"), &timestamp, &[&online]);
    assert_eq!(marketplace.open(after_days(1)).unwrap().catalogue().state.timestamp.version, most);

    let error = stage.publish_manifest(&manifest("rename", "1.0.0", &[], &[]), after_days(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the version number of the snapshot metadata cannot rise any further: somebody who has its key ran it up. \
         Replace that key: `deskhand market rotate NAME online`"
    );
    stage.publisher.rotate(&Replace::Online, &[], after_days(1)).unwrap();
    stage.publish("rename", "1.0.0", after_days(1));
    let session = marketplace.open(after_days(1)).unwrap();
    assert_eq!((session.catalogue().plugins.len(), session.catalogue().state.timestamp.version), (2, 2));
}

#[test]
fn mix_and_match() {
    for role in ["targets", "snapshot"] {
        let (stage, marketplace) = stage();
        let old = fs::read(newest(&stage, role).1).unwrap();
        stage.publish("organize", "1.1.0", start());
        let (_, path) = newest(&stage, role);
        let good = fs::read(&path).unwrap();
        fs::write(&path, old).unwrap();
        let error = refused(&marketplace);
        assert!(matches!(error.trouble(), Some(Trouble::Mixed(_))), "{error}");
        let file = path.file_name().unwrap().to_str().unwrap();
        assert!(error.to_string().starts_with(&format!("`{file}` of the marketplace was refused: it is not the file")));
        fs::write(&path, good).unwrap();
        marketplace.open(start()).unwrap();
    }
}

#[test]
fn endless_data() {
    let (stage, marketplace) = stage();
    let version = offered(&marketplace);
    let component = stage.folder.join(format!("targets/organize/1.0.0/{}.plugin.wasm", version.component));
    let endless = |path: &Path| {
        let good = fs::read(path).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_len(1 << 40).unwrap();
        good
    };
    let good = endless(&component);
    let error = marketplace.open(start()).unwrap().download(&version).unwrap_err();
    let Some(Trouble::Unread(ReadError::TooLong { limit, .. })) = error.trouble() else { panic!("{error}") };
    assert_eq!(*limit, good.len() as u64);
    fs::write(&component, good).unwrap();

    let path = stage.metadata("timestamp.json");
    let good = endless(&path);
    let error = refused(&marketplace);
    let Some(Trouble::Unread(ReadError::TooLong { limit, .. })) = error.trouble() else { panic!("{error}") };
    assert_eq!(*limit, LIMITS.timestamp);
    fs::write(&path, good).unwrap();
    marketplace.open(start()).unwrap();
}

#[test]
fn wrong_software_installation() {
    let (stage, marketplace) = stage();
    let same_length = "\0asm component Organize 1.0.0";
    let version = offered(&marketplace);
    assert_eq!(same_length.len() as u64, version.length);
    stage.publish("rename", "1.0.0", start());
    let file = |name: &str, digest: Sha256| stage.folder.join(format!("targets/{name}/1.0.0/{digest}.plugin.wasm"));
    let mut session = marketplace.open(start()).unwrap();
    let other = session.catalogue().search("rename")[0].component;
    for swapped in [fs::read(file("rename", other)).unwrap(), same_length.into(), b"\0asm".to_vec(), Vec::new()] {
        fs::write(file("organize", version.component), &swapped).unwrap();
        let error = session.download(&version).unwrap_err();
        assert!(
            error.to_string().ends_with(
                "files of different states were mixed, or it was swapped or cut. Nothing of it is used; try again when \
                 the folder is synchronised, else ask its admin."
            ) || matches!(error.trouble(), Some(Trouble::Unread(ReadError::TooLong { .. }))),
            "{error}"
        );
    }
    fs::remove_file(file("organize", version.component)).unwrap();
    let error = session.download(&version).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::Missing(_))), "{error}");
}

#[test]
fn a_root_signed_by_too_few_keys() {
    let (stage, marketplace) = stage();
    let thief = Key::generate().unwrap();
    let stolen = Key::read(&stage.created.root_keys[1].path).unwrap();
    let mut root = signed(&stage.metadata("1.root.json"));
    root["version"] = json!(2);
    root["keys"][&thief.id().0] = thief.public().clone();
    root["roles"]["root"] = json!({"keyids": [thief.id()], "threshold": 1});
    write_signed(&stage.metadata("2.root.json"), &root, &[&thief, &stolen]);
    assert_eq!(
        refused(&marketplace).to_string(),
        "`2.root.json` of the marketplace was refused: it has 1 valid signature of the 2 that it needs, so it does not \
         come from this marketplace's admins, or was changed since. Nothing of it is used; ask the admin."
    );
    // The same key twice is not two keys.
    write_signed(&stage.metadata("2.root.json"), &root, &[&stolen, &stolen, &thief]);
    assert!(matches!(refused(&marketplace).trouble(), Some(Trouble::Damaged(_))));
}

#[test]
fn key_compromise_and_recovery() {
    let (stage, marketplace) = stage();
    // A thief of everything on the publishing computer publishes something.
    let thief = deskhand_marketplace::Publisher::open(&stage.admin, &market("acme")).unwrap();
    let stolen_keys = stage.path("stolen");
    copy(&stage.admin.keys(), &stolen_keys);
    let evil = manifest("organize", "9.0.0", &[], &["files.read", "files.change", "files.remove"]);
    thief.publish(&[deskhand_marketplace::Release { manifest: &evil, component: b"evil" }], start()).unwrap();
    assert_eq!(
        offered(&{
            marketplace.open(start()).unwrap();
            marketplace.clone()
        })
        .version(),
        &version("9.0.0")
    );

    // The admin replaces the keys with two root keys that were elsewhere, and revokes what is not theirs.
    let lost = stage.created.root_keys[0].id.clone();
    let new = stage.path("new/acme.pem");
    stage.publisher.rotate(&Replace::Root { lost: &lost.0, new: &new }, &[], start()).unwrap();
    let publisher = deskhand_marketplace::Publisher::open(&stage.admin, &market("acme")).unwrap();
    publisher.rotate(&Replace::Publishing, &[], start()).unwrap();
    let revoked = deskhand_marketplace::Status::Revoked;
    publisher.set_status(&plugin("organize"), &version("9.0.0"), revoked, Some("not ours".into()), start()).unwrap();
    assert_eq!(
        offered(&{
            marketplace.open(start()).unwrap();
            marketplace.clone()
        })
        .version(),
        &version("1.0.0")
    );

    // The thief's keys sign nothing any more.
    let (number, path) = newest(&stage, "snapshot");
    let stolen = |word: &str| {
        let mut files = fs::read_dir(stolen_keys.join("acme")).unwrap().flatten().map(|entry| entry.path());
        Key::read(&files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(word)).unwrap()).unwrap()
    };
    let mut timestamp = signed(&stage.metadata("timestamp.json"));
    timestamp["version"] = json!(1000);
    timestamp["meta"]["snapshot.json"] = pin(number, &fs::read(path).unwrap());
    write_signed(&stage.metadata("timestamp.json"), &timestamp, &[&stolen("online"), &stolen("targets")]);
    let error = refused(&marketplace);
    assert!(matches!(error.trouble(), Some(Trouble::TooFewSignatures { found: 0, threshold: 1 })), "{error}");
}

#[test]
fn extraneous_dependencies() {
    let (stage, marketplace) = stage();
    let (_, path) = newest(&stage, "targets");
    let text = fs::read_to_string(&path).unwrap();
    let added = text.replace(r#"\"commands\""#, r#"\"dependencies\":{\"evil\":\"*\"},\"commands\""#);
    assert_ne!(text, added);
    fs::write(&path, added).unwrap();
    let fresh = Marketplaces::of(&Home::within(&stage.path("fresh")));
    let error = fresh.add(&market("acme"), &stage.folder, stage.created.fingerprint, start()).unwrap_err();
    assert!(matches!(error.trouble(), Some(Trouble::Mixed(_))), "{error}");
    marketplace.kept().unwrap();
}

#[test]
fn slow_retrieval_and_what_is_not_a_file() {
    let (stage, marketplace) = stage();
    let path = stage.metadata("timestamp.json");
    let good = stage.path("good.json");
    fs::rename(&path, &good).unwrap();
    let not_a_file = |what: &str| {
        let error = refused(&marketplace);
        let Some(Trouble::Unread(ReadError::NotAFile { what: found, .. })) = error.trouble() else { panic!("{error}") };
        assert_eq!(*found, what);
    };
    // A pipe that nobody writes to would be waited for forever.
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    not_a_file("a pipe");
    fs::remove_file(&path).unwrap();
    // A link may lead anywhere, even where the good file is.
    std::os::unix::fs::symlink(&good, &path).unwrap();
    not_a_file("a symbolic link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    not_a_file("a folder");
    fs::remove_dir(&path).unwrap();
    let metadata = stage.folder.join("metadata");
    fs::rename(&good, &path).unwrap();
    fs::rename(&metadata, stage.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(stage.path("elsewhere"), &metadata).unwrap();
    not_a_file("a symbolic link");
}

#[test]
fn malicious_mirrors_that_withhold() {
    let (stage, marketplace) = stage();
    for name in ["timestamp.json", "2.snapshot.json", "2.targets.json"] {
        let fresh = Marketplaces::of(&Home::within(&stage.path("fresh")));
        fs::rename(stage.metadata(name), stage.path("away")).unwrap();
        let error = fresh.add(&market("acme"), &stage.folder, stage.created.fingerprint, start()).unwrap_err();
        assert!(matches!(error.trouble(), Some(Trouble::Missing(_))), "{error}");
        fs::rename(stage.path("away"), stage.metadata(name)).unwrap();
    }
    fs::rename(&stage.folder, stage.path("away")).unwrap();
    let error = refused(&marketplace);
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(offered(&marketplace).version(), &version("1.0.0"));
}

#[test]
fn what_a_newer_deskhand_published_is_passed_over_and_kept() {
    let (stage, marketplace) = stage();
    let key = |place: &deskhand_marketplace::KeyPlace| Key::read(&place.path).unwrap();
    let (targets_key, online) = (key(&stage.created.targets_key), key(&stage.created.online_key));
    let path = newest(&stage, "targets").1;
    let mut targets = signed(&path);
    targets["version"] = json!(3);
    let entry = json!({"length": 1, "hashes": {"sha256": Sha256::of("x")}, "custom": {"schema": 2, "more": [1]}});
    targets["targets"]["organize/2.0.0/plugin.wasm"] = entry.clone();
    let targets = write_signed(&stage.metadata("3.targets.json"), &targets, &[&targets_key]);
    let mut snapshot = signed(&newest(&stage, "snapshot").1);
    snapshot["version"] = json!(3);
    snapshot["meta"]["targets.json"] = pin(3, &targets);
    let snapshot = write_signed(&stage.metadata("3.snapshot.json"), &snapshot, &[&online]);
    let mut timestamp = signed(&stage.metadata("timestamp.json"));
    timestamp["version"] = json!(3);
    timestamp["meta"]["snapshot.json"] = pin(3, &snapshot);
    write_signed(&stage.metadata("timestamp.json"), &timestamp, &[&online]);

    let error = stage.publish_manifest(&manifest("organize", "2.0.0", &[], &[]), start()).unwrap_err();
    assert!(matches!(error, MarketError::VersionTaken { .. }), "{error}");
    stage.publish("organize", "1.1.0", start());
    let session = marketplace.open(start()).unwrap();
    assert_eq!(session.catalogue().plugins[&plugin("organize")].len(), 2);
    assert_eq!(session.catalogue().unreadable[0].path, "organize/2.0.0/plugin.wasm");
    assert_eq!(signed(&newest(&stage, "targets").1)["targets"]["organize/2.0.0/plugin.wasm"], entry);
}
