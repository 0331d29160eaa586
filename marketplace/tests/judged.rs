//! Outside judges: python-tuf, the reference implementation of The Update Framework, as a client of everything that we
//! sign, and its own client tests with our verifier in the place of its client.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use deskhand_marketplace::{KeyId, Publisher, Replace, Status};
use deskhand_vocabulary::{Clock, SystemClock};
use semver::Version;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/marketplace")
}

/// The folder of python-tuf, made at the first use.
fn python_tuf() -> PathBuf {
    let made = Command::new(tools().join("python-tuf.sh")).stderr(Stdio::inherit()).output().unwrap();
    assert!(made.status.success(), "python-tuf could not be installed");
    PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
}

/// python-tuf, ready to be a client.
struct Judge {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    fn new() -> Self {
        let python = python_tuf().join("bin/python");
        let mut child = Command::new(python)
            .arg(tools().join("judge_signer.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, answers }
    }

    /// Refresh as the client whose things are in `client`, and download all of `targets`.
    fn visit(&mut self, stage: &Stage, client: &Path, targets: &[&String]) -> Value {
        let root = stage.metadata("1.root.json");
        let request = json!({"client": client, "folder": stage.folder, "root": root, "targets": targets});
        writeln!(self.ask, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn python_tuf_accepts_whatever_we_sign() {
    const SEQUENCES: u64 = 40;
    const LENGTH: u64 = 7;
    let mut judge = Judge::new();
    let now = SystemClock.now();
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..SEQUENCES {
        let mut random = Random(seed);
        let stage = Stage::at(now);
        let ours = stage.add(now);
        let mut published: Vec<(Version, String)> = Vec::new();
        let mut offered: BTreeMap<String, String> = BTreeMap::new();
        let mut root_keys: Vec<KeyId> = stage.created.root_keys.iter().map(|place| place.id.clone()).collect();
        for step in 0..LENGTH {
            let publisher = Publisher::open(&stage.admin, &market("acme")).unwrap();
            let what = match random.below(7) {
                0 | 1 => {
                    let name = ["organize", "rename", "umlaut"][usize::try_from(random.below(3)).unwrap()];
                    let number = format!("1.{step}.0");
                    let outcome = &stage.publish(name, &number, now)[0];
                    offered.insert(format!("{name}/{number}/plugin.wasm"), outcome.component.to_string());
                    published.push((version(&number), name.to_owned()));
                    "publish"
                }
                2 => {
                    publisher.renew(now).unwrap();
                    "renew"
                }
                3 => {
                    publisher.renew_root(&[], now).unwrap();
                    "renew the root"
                }
                4 => {
                    let replace = [Replace::Targets, Replace::Online, Replace::Publishing];
                    publisher.rotate(&replace[usize::try_from(random.below(3)).unwrap()], &[], now).unwrap();
                    "replace a publishing key"
                }
                5 => {
                    let lost = root_keys.remove(usize::try_from(random.below(3)).unwrap());
                    let new = stage.path(&format!("place-{step}/key.pem"));
                    let rotated = publisher.rotate(&Replace::Root { lost: &lost.0, new: &new }, &[], now).unwrap();
                    root_keys.push(rotated.new[0].id.clone());
                    "replace a root key"
                }
                _ => match published.last() {
                    None => "nothing",
                    Some((number, name)) => {
                        let reason = Some("line\nbreak, \"quotes\", \\ and ü 写".to_owned());
                        publisher.set_status(&plugin(name), number, Status::Yanked, reason, now).unwrap();
                        "yank"
                    }
                },
            };
            *done.entry(what).or_default() += 1;
            let paths: Vec<&String> = offered.keys().collect();
            let verdict = judge.visit(&stage, &stage.path("python"), &paths);
            let state = ours.open(now).unwrap().catalogue().state;
            let expected = json!({
                "versions": {
                    "root": state.root.version,
                    "targets": state.targets.version,
                    "snapshot": state.snapshot.version,
                    "timestamp": state.timestamp.version,
                },
                "digests": offered,
            });
            assert_eq!(verdict, expected, "seed {seed}, step {step}: {what}");
        }
        let paths: Vec<&String> = offered.keys().collect();
        let verdict = judge.visit(&stage, &stage.path("python-fresh"), &paths);
        assert_eq!(verdict["digests"], json!(offered), "seed {seed}, a fresh client");
    }
    assert!(done.len() >= 6, "{done:?}");
}

#[test]
fn python_tuf_refuses_what_was_changed() {
    // The judge itself works: it does not accept everything.
    let stage = Stage::at(SystemClock.now());
    let mut judge = Judge::new();
    let path = stage.metadata("1.targets.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("1.0.31", "1.0.32")).unwrap();
    let verdict = judge.visit(&stage, &stage.path("python"), &[]);
    assert!(verdict["error"].as_str().unwrap().contains("LengthOrHashMismatchError"), "{verdict}");
}

#[test]
fn our_verifier_passes_the_client_tests_of_python_tuf() {
    let place = python_tuf();
    let judged = Command::new(place.join("bin/python"))
        .arg(tools().join("judge_verifier.py"))
        .arg(place.join("source/tuf-7.0.0"))
        .arg(env!("CARGO_BIN_EXE_deskhand-tuf-conformance"))
        .output()
        .unwrap();
    let (out, log) = (String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success(), "{out}{log}");
    let words: Vec<&str> = out.split_whitespace().collect();
    let ["passed", passed, "failed", "0", "skipped", _] = words[..] else { panic!("{out}{log}") };
    // A few of them set the clock, for which they need Debian's `faketime`.
    assert!(passed.parse::<u32>().unwrap() >= 36, "{out}{log}");
}
