//! Whatever is changed in a file of a marketplace, nothing panics, and nothing that was changed is ever believed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use deskhand_marketplace::{Catalogue, Marketplaces};
use deskhand_vocabulary::Home;
use proptest::prelude::*;
use std::{fs, path::PathBuf};

/// What a stranger sees who adds the marketplace, and what they then download; `None` if anything was refused.
fn seen(stage: &Stage) -> Option<(Catalogue, Vec<Vec<u8>>)> {
    let fresh = stage.path("fresh");
    let _ = fs::remove_dir_all(&fresh);
    let marketplaces = Marketplaces::of(&Home::within(&fresh));
    let fingerprint = stage.created.fingerprint;
    let (marketplace, catalogue) = marketplaces.add(&market("acme"), &stage.folder, fingerprint, start()).ok()?;
    let mut session = marketplace.open(start()).ok()?;
    let versions: Vec<_> = catalogue.plugins.values().flat_map(|versions| versions.values().cloned()).collect();
    let components = versions.iter().map(|version| session.download(version).ok()).collect::<Option<_>>()?;
    Some((catalogue, components))
}

/// Files that a stranger reads.
fn files(stage: &Stage) -> Vec<PathBuf> {
    let read = ["1.root.json", "2.root.json", "timestamp.json", "3.snapshot.json", "3.targets.json"];
    let mut files: Vec<PathBuf> = read.iter().map(|name| stage.metadata(name)).collect();
    files.extend(
        contents(&stage.folder.join("targets")).into_keys().map(|path| stage.folder.join("targets").join(path)),
    );
    files
}

fn prepared() -> Stage {
    let stage = Stage::new();
    stage.publish("organize", "1.0.0", start());
    stage.publisher.renew_root(&[], start()).unwrap();
    stage
}

#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, u8),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<usize>().prop_map(Change::Remove),
    ]
}

fn changed(bytes: &[u8], change: &Change) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    match *change {
        Change::Flip(at, bit) => bytes[at % length] ^= 1 << bit,
        Change::Cut(at) => bytes.truncate(at % length),
        Change::Insert(at, byte) => bytes.insert(at % length, byte),
        Change::Remove(at) => drop(bytes.remove(at % length)),
    }
    bytes
}

#[test]
fn a_changed_file_is_refused_or_means_the_same() {
    let stage = prepared();
    let good = seen(&stage).expect("it is good before it is changed");
    let files = files(&stage);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&(0..files.len(), change()), |(file, change)| {
            let path = &files[file];
            let original = fs::read(path).unwrap();
            fs::write(path, changed(&original, &change)).unwrap();
            let outcome = seen(&stage);
            fs::write(path, &original).unwrap();
            // White space and the case of hexadecimal digits can change and mean the same.
            if let Some(outcome) = outcome {
                prop_assert_eq!(&outcome, &good, "{}", path.display());
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(seen(&stage), Some(good));
}

#[test]
fn any_bytes_at_all_are_refused() {
    let stage = prepared();
    let files = files(&stage);
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\":,0-9a-z]{0,200}".prop_map(String::into_bytes),
        (0usize..20_000).prop_map(|depth| "[".repeat(depth).into_bytes()),
        Just(br#"{"signed":{},"signatures":[]}"#.to_vec()),
        Just(br#"{"signed":{"_type":"root","spec_version":"1.0.0","version":1e99},"signatures":[{}]}"#.to_vec()),
    ];
    runner
        .run(&(0..files.len(), bytes), |(file, bytes)| {
            let path = &files[file];
            let original = fs::read(path).unwrap();
            fs::write(path, &bytes).unwrap();
            let outcome = seen(&stage);
            fs::write(path, &original).unwrap();
            prop_assert!(outcome.is_none(), "{}", path.display());
            Ok(())
        })
        .unwrap();
}
