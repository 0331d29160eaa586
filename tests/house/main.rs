//! The house: which rooms there are, and which way they look.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_tests::root;
use std::{collections::BTreeMap, fs};

/// From the bottom to the top: a crate uses only what stands before it.
const ORDER: [&str; 14] = [
    "deskhand-files",
    "deskhand-vocabulary",
    "deskhand-records",
    "deskhand-permissions",
    "deskhand-egress",
    "deskhand-workspace",
    "deskhand-confine",
    "deskhand-runtime",
    "deskhand-models",
    "deskhand-agent",
    "deskhand-mcp",
    "deskhand-tools",
    "deskhand-tasks",
    "deskhand",
];

/// Crates beside the rooms, and all of ours that they may use.
const BESIDE: [(&str, &[&str]); 6] = [
    ("deskhand-marketplace", &["deskhand-files", "deskhand-vocabulary"]),
    ("deskhand-vm-bridge", &["deskhand-files", "deskhand-vm-image", "deskhand-vm-protocol", "deskhand-vocabulary"]),
    ("deskhand-vm-image", &["deskhand-files", "deskhand-vocabulary"]),
    ("deskhand-vm-protocol", &[]),
    ("deskhand-guest", &["deskhand-vm-protocol"]),
    ("deskhand-build", &["deskhand-vocabulary"]),
];

fn uses(manifest: &str) -> (String, Vec<String>) {
    let manifest: toml::Table = manifest.parse().unwrap();
    let name = manifest["package"]["name"].as_str().unwrap().to_owned();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    let ours = dependencies.into_iter().flat_map(|table| table.keys()).filter(|name| name.starts_with("deskhand"));
    (name, ours.cloned().collect())
}

#[test]
fn a_room_imports_only_rooms_below_it() {
    let folders = [
        "host/files",
        "host/vocabulary",
        "host/records",
        "host/permissions",
        "host/egress",
        "host/workspace",
        "host/confine",
        "host/runtime",
        "host/models",
        "host/agent",
        "host/mcp",
        "host/tools",
        "host/tasks",
        "host/app",
        "marketplace",
        "sdk/build",
        "vm-bridge",
        "vm-bridge/guest",
        "vm-bridge/image",
        "vm-bridge/protocol",
    ];
    let rooms: BTreeMap<String, Vec<String>> = folders
        .iter()
        .map(|folder| uses(&fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap()))
        .collect();
    let place = |name: &str| ORDER.iter().position(|room| *room == name);
    for (room, used) in &rooms {
        for other in used {
            let beside = BESIDE.iter().find(|(name, _)| name == room);
            let allowed = match (beside, place(room), place(other)) {
                (Some((_, allowed)), ..) => allowed.contains(&other.as_str()),
                (None, Some(_), None) => room == "deskhand" && BESIDE.iter().any(|(name, _)| name == other),
                (None, Some(room), Some(other)) => other < room,
                (None, None, _) => false,
            };
            assert!(allowed, "{room} uses {other}");
        }
    }
    assert_eq!(rooms.len(), ORDER.len() + BESIDE.len());
}

#[test]
fn a_plugin_stands_on_the_sdk_alone() {
    let mut plugins = Vec::new();
    for kind in ["agents", "commands", "connectors", "extractors", "skills"] {
        for entry in fs::read_dir(root().join("plugins").join(kind)).unwrap() {
            let folder = entry.unwrap().path();
            let (name, used) = uses(&fs::read_to_string(folder.join("Cargo.toml")).unwrap());
            for other in &used {
                assert!(["deskhand-sdk", "deskhand-filing"].contains(&other.as_str()), "{name} uses {other}");
            }
            for file in ["plugin.toml", "README.md"] {
                assert!(folder.join(file).is_file(), "{name} has no {file}");
            }
            plugins.push(name);
        }
    }
    plugins.sort();
    let expected = ["documents", "duplicates", "file-keeper", "organize", "reader", "rename", "research", "websearch"];
    assert_eq!(plugins, expected.map(|name| format!("deskhand-{name}")));
}

#[test]
fn only_the_runtime_sees_wasmtime() {
    for folder in [
        "host/files",
        "host/vocabulary",
        "host/records",
        "host/permissions",
        "host/egress",
        "host/mcp",
        "host/workspace",
        "host/models",
        "host/agent",
        "host/mcp",
        "host/tools",
        "host/tasks",
        "host/app",
        "marketplace",
        "sdk/build",
        "sdk/rust",
        "vm-bridge",
        "vm-bridge/guest",
        "vm-bridge/image",
        "vm-bridge/protocol",
    ] {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("wasmtime"), "{folder}");
    }
}

#[test]
fn the_top_level_is_what_the_layout_says() {
    let tracked =
        std::process::Command::new("git").args(["ls-tree", "--name-only", "-d", "HEAD"]).current_dir(root()).output();
    let names = String::from_utf8(tracked.unwrap().stdout).unwrap();
    for name in names.lines().filter(|name| !name.starts_with('.')) {
        assert!(
            ["docs", "host", "marketplace", "plugins", "sdk", "tests", "vm-bridge", "wit"].contains(&name),
            "{name}"
        );
    }
}
