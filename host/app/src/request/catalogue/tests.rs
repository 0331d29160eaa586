#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::request::slash::tests::candidate;
use serde_json::json;
use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

fn table() -> Table {
    let sorter = candidate(
        "home:sorter",
        json!({
            "name": "sort", "summary": "Sort files.", "arguments": {"type": "object"},
            "triggers": ["sort the files in this folder by type", "plan my birthday party with \"cake\""],
            "not_for": ["sort the lines of a text"]
        }),
    );
    Table::of([&sorter.command].into_iter())
}

fn document() -> Document {
    Document { places: vec![Place { plugin: 0, command: 0, name: "sort".to_owned() }], table: table() }
}

fn origin() -> Origin {
    Origin { format: FORMAT, plugins: Edition::default(), program: (1, 2, 3) }
}

#[test]
fn what_is_kept_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests");
    keep(&path, &origin(), &document()).unwrap();
    assert_eq!(load(&path, &origin()), Some(document()));
}

#[test]
fn what_is_of_another_list_or_program_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests");
    assert_eq!(load(&path, &origin()), None);
    keep(&path, &origin(), &document()).unwrap();
    for other in [
        Origin { program: (1, 2, 4), ..origin() },
        Origin { format: *b"dskhrq00", ..origin() },
        Origin {
            plugins: serde_json::from_value(json!({"inode": 1, "bytes": 0, "modified": [0, 0], "changed": [0, 0]}))
                .unwrap(),
            ..origin()
        },
    ] {
        assert_eq!(load(&path, &other), None, "{other:?}");
    }
}

#[test]
fn what_is_damaged_or_open_to_others_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests");
    keep(&path, &origin(), &document()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).unwrap();
        assert_eq!(load(&path, &origin()), None, "at {at}");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(load(&path, &origin()), None, "cut at {at}");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(load(&path, &origin()), Some(document()));
    std::fs::set_permissions(&path, Permissions::from_mode(0o620)).unwrap();
    assert_eq!(load(&path, &origin()), None);
}

/// Put a list of plugins in place as the runtime does: whole, under another inode.
fn install(home: &Home, names: &[&str]) {
    let rows: Vec<_> = names
        .iter()
        .map(|name| {
            json!({"id": format!("home:{name}"), "current": {"component": Sha256::of(name).to_string(), "bytes": 1, "manifest": {
                "plugin": {"name": name, "version": "1.0.0", "publisher": "P", "summary": "S.", "interface": "0.1.0"},
                "commands": [{"name": format!("{name}-it"), "summary": format!("Does {name}."), "arguments": {"type": "object"},
                    "triggers": [format!("{name} the files in this folder"), format!("{name} all of my files")]}]
            }}})
        })
        .collect();
    std::fs::create_dir_all(home.plugins()).unwrap();
    std::fs::create_dir_all(&home.cache).unwrap();
    let draft = home.plugins().join("draft");
    std::fs::write(&draft, json!({"format": 1, "plugins": rows}).to_string()).unwrap();
    std::fs::rename(draft, home.plugins().join("index.json")).unwrap();
}

/// As the next start of the program finds it.
fn opened(home: &Home) -> Catalogue {
    let runtime = deskhand_runtime::Runtime::new(home, deskhand_runtime::Config::default());
    Catalogue::open(runtime.plugins().unwrap(), home).unwrap()
}

fn names(catalogue: &Catalogue) -> Vec<String> {
    catalogue.names().iter().map(|(plugin, name)| format!("{plugin}/{name}")).collect()
}

#[test]
fn a_change_of_the_list_is_seen_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::within(folder.path());
    assert_eq!(names(&opened(&home)), [""; 0]);
    install(&home, &["sort"]);
    let first = opened(&home);
    assert_eq!(names(&first), ["home:sort/sort-it"]);
    assert_eq!(first.candidate(0).unwrap().command.summary, "Does sort.");
    install(&home, &["burn", "sort"]);
    let second = opened(&home);
    assert_eq!(names(&second), ["home:burn/burn-it", "home:sort/sort-it"]);
    assert_eq!(second.candidate(0).unwrap().command.summary, "Does burn.");
    install(&home, &[]);
    assert_eq!(names(&opened(&home)), [""; 0]);
}

#[test]
fn what_was_kept_is_what_would_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::within(folder.path());
    install(&home, &["burn", "sort"]);
    let made = opened(&home);
    let kept = std::fs::metadata(file(&home)).unwrap().ino();
    let found = opened(&home);
    assert_eq!((found.table(), found.names()), (made.table(), made.names()));
    assert_eq!(std::fs::metadata(file(&home)).unwrap().ino(), kept, "it was looked up, not made again");
    for request in ["please sort the files in this folder", "burn all of my files", "what is the weather"] {
        let chosen = |catalogue: &Catalogue| crate::request::choose(request, catalogue).unwrap();
        assert_eq!(chosen(&found), chosen(&made), "{request}");
    }
    // a cache that cannot be written to is done without
    std::fs::remove_dir_all(&home.cache).unwrap();
    assert_eq!(names(&opened(&home)), names(&made));
}
