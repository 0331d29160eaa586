//! The interface of plugins against its last release: a component that was built for `wit/frozen` must run on the host that
//! is built from `wit`. The check itself is put to the test on changed copies, those that break and those that do not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// The version of the last released interface.
const RELEASED: &str = "0.1.0";

/// The text of an interface: its files as one, in one package.
fn interface(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wit"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    let mut text = String::new();
    for (at, file) in files.iter().enumerate() {
        let content = fs::read_to_string(file).unwrap();
        let (header, rest) = content.split_once(";\n").unwrap();
        assert!(header.starts_with("package deskhand:plugin@"), "{}: {header}", file.display());
        if at == 0 {
            text = format!("{header};\n");
        }
        text.push_str(rest);
    }
    text
}

fn current() -> String {
    interface("wit")
}

fn frozen() -> String {
    interface(&format!("wit/frozen/{RELEASED}"))
}

/// `text` as a package of another version, so that two can stand beside each other.
fn versioned(text: &str, version: &str) -> String {
    let (header, rest) = text.split_once(";\n").unwrap();
    let (name, _) = header.split_once('@').unwrap();
    format!("{name}@{version};\n{rest}")
}

/// What of `new` would break a component that was built for `old`; nothing if all is well.
fn breaks(old: &str, new: &str) -> Vec<String> {
    let mut resolve = Resolve::default();
    let old = resolve.push_str("old.wit", &versioned(old, "0.0.1")).unwrap();
    let new = resolve.push_str("new.wit", &versioned(new, "0.0.2")).unwrap();
    let mut found = Vec::new();
    for (name, old_world) in &resolve.packages[old].worlds {
        let Some(new_world) = resolve.packages[new].worlds.get(name) else {
            found.push(format!("the world `{name}` is gone"));
            continue;
        };
        if let Err(error) = wit_component::semver_check(resolve.clone(), *old_world, *new_world) {
            found.push(format!("{name}: {error:#}"));
        }
        // the check lets exports go, and a component without one does not have the role that it had
        let (before, after) = (exports(&resolve, *old_world), exports(&resolve, *new_world));
        if before != after {
            found.push(format!("{name}: exported {before:?}, and now {after:?}"));
        }
        for interface in before {
            let (before, after) =
                (functions(&resolve, *old_world, &interface), functions(&resolve, *new_world, &interface));
            if before != after {
                found.push(format!("{name}/{interface}: had {before:?}, and now {after:?}"));
            }
        }
    }
    found
}

fn name(resolve: &Resolve, key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(id) => resolve.interfaces[*id].name.clone().unwrap(),
    }
}

fn exports(resolve: &Resolve, world: WorldId) -> BTreeSet<String> {
    resolve.worlds[world].exports.keys().map(|key| name(resolve, key)).collect()
}

/// The functions of an exported interface.
fn functions(resolve: &Resolve, world: WorldId, interface: &str) -> BTreeSet<String> {
    let items = &resolve.worlds[world].exports;
    let found = items.iter().find(|(key, _)| name(resolve, key) == interface);
    match found {
        Some((_, WorldItem::Interface { id, .. })) => resolve.interfaces[*id].functions.keys().cloned().collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn the_interface_keeps_what_it_released() {
    assert_eq!(breaks(&frozen(), &current()), Vec::<String>::new());
}

#[test]
fn the_version_says_whether_it_is_the_released_one() {
    let version = |text: &str| text.split_once('@').unwrap().1.split_once(';').unwrap().0.to_owned();
    assert_eq!(version(&frozen()), RELEASED);
    // comments may be bettered at any time; anything else takes a new version
    let code = |text: &str| {
        let lines = text.lines().map(|line| line.split("//").next().unwrap().trim());
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    if version(&current()) == RELEASED {
        assert_eq!(code(&current()), code(&frozen()), "wit/ differs from the release of the same version");
    }
}

/// A copy of the released interface with `from`, which occurs in it, made `to`.
fn changed(from: &str, to: &str) -> String {
    let text = frozen();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// What keeps every compiled plugin: an imported interface gains a function or a type, a new interface is imported, a new
/// role exists.
#[test]
fn growth_of_what_plugins_import_is_compatible() {
    let cases = [
        ("    cancelled: func() -> bool;", "    cancelled: func() -> bool;\n    deadline: func() -> u64;"),
        (
            "    record folder { name: string, writable: bool }",
            "    record folder { name: string, writable: bool }\n    record quota { bytes: u64 }",
        ),
        ("    import memory;", "    import memory;\n    import clipboard;"),
        (
            "world with-skill { export skill; }",
            "world with-skill { export skill; }\nworld with-clipboard { export clipboard; }",
        ),
    ];
    for (from, to) in cases {
        let new = changed(from, to) + "\ninterface clipboard { copy: func(text: string); }\n";
        assert_eq!(breaks(&frozen(), &new), Vec::<String>::new(), "{to}");
    }
}

/// What breaks compiled plugins.
#[test]
fn everything_else_is_found() {
    let run = "    run: func(name: string, arguments: json) -> result<reply, error>;";
    let cases = [
        (
            "an exported function more",
            run,
            "    run: func(name: string, arguments: json) -> result<reply, error>;\n    stop: func();",
        ),
        ("an exported function less", "    read: func(path: string) -> result<content, error>;\n}", "}"),
        (
            "an export more",
            "world command-plugin { include host; export command; }",
            "world command-plugin { include host; export command; export skill; }",
        ),
        (
            "an export less",
            "world command-plugin { include host; export command; }",
            "world command-plugin { include host; }",
        ),
        ("an export for another", "world with-tools { export tools; }", "world with-tools { export command; }"),
        ("a world less", "world with-events { export events; }", ""),
        (
            "a field more",
            "    record folder { name: string, writable: bool }",
            "    record folder { name: string, writable: bool, hidden: bool }",
        ),
        ("a field less", "    record folder { name: string, writable: bool }", "    record folder { name: string }"),
        (
            "a case more",
            "    enum level { debug, info, warn, error }",
            "    enum level { debug, info, warn, error, fatal }",
        ),
        ("a case of a variant more", "        uri(string),\n", "        uri(string),\n        json(json),\n"),
        (
            "a case elsewhere",
            "        not-found,\n        /// The state changed underneath the call.\n        conflict,",
            "        conflict,\n        not-found,",
        ),
        ("a parameter more", "    cancelled: func() -> bool;", "    cancelled: func(why: bool) -> bool;"),
        (
            "a parameter of another type",
            "    explain: func(change: u64, reason: string)",
            "    explain: func(change: u32, reason: string)",
        ),
        (
            "a parameter of another name",
            "    explain: func(change: u64, reason: string)",
            "    explain: func(id: u64, reason: string)",
        ),
        ("another result", "    cancelled: func() -> bool;", "    cancelled: func() -> option<bool>;"),
        ("an imported function less", "    cancelled: func() -> bool;", ""),
        ("an imported interface less", "    import memory;", ""),
        ("a function that waits", run, "    run: async func(name: string, arguments: json) -> result<reply, error>;"),
    ];
    for (what, from, to) in cases {
        assert_ne!(breaks(&frozen(), &changed(from, to)), Vec::<String>::new(), "{what}");
    }
}
