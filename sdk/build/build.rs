//! Lists what a plugin's author needs of this repository, so that the crate carries it: the SDK, the interface and the
//! toolchain script, under a workspace manifest that holds what theirs inherit.
#![allow(clippy::expect_used, clippy::panic, reason = "a build script says what is wrong by stopping")]

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"));
    let root = here.join("../..");
    let mut files = BTreeSet::new();
    collect(&root, Path::new("sdk/rust/src"), &mut files);
    collect(&root, Path::new("sdk/rust/macros/src"), &mut files);
    collect(&root, Path::new("wit"), &mut files);
    files.extend(["sdk/rust/Cargo.toml", "sdk/rust/macros/Cargo.toml", "LICENSE"].map(PathBuf::from));
    // the template is listed apart: it becomes the author's own
    let mut template = BTreeSet::new();
    collect(&here, Path::new("template"), &mut template);

    let mut code = String::from("pub(crate) const CARRIED: &[(&str, &str)] = &[\n");
    for file in files.iter().filter(|file| root.join(file).is_file()) {
        entry(&mut code, &file.display().to_string(), &format!("/../../{}", file.display()));
    }
    code.push_str("];\npub(crate) const TEMPLATE: &[(&str, &str)] = &[\n");
    for file in &template {
        let name = file.strip_prefix("template").expect("it was collected there").display().to_string();
        entry(&mut code, &name, &format!("/{}", file.display()));
    }
    code.push_str("];\n");
    writeln!(code, "pub(crate) const WORKSPACE: &str = {:?};", workspace(&root)).expect("a text takes all");

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    fs::write(out.join("carried.rs"), code).expect("the list can be written");
    for watched in ["Cargo.toml", "LICENSE", "wit", "sdk/rust/src", "sdk/rust/macros/src", "sdk/build/template"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
}

fn entry(code: &mut String, name: &str, path: &str) {
    writeln!(code, "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),")
        .expect("a text takes all");
}

/// Every file below `folder`, by its path from `root`.
fn collect(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) {
    let entries = fs::read_dir(root.join(folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("the folder can be read");
        let path = folder.join(entry.file_name());
        let kind = entry.file_type().expect("the folder can be read");
        if kind.is_dir() {
            // a frozen copy of the interface is for this repository's own tests
            if entry.file_name() != "frozen" {
                collect(root, &path, files);
            }
        } else if path.extension().is_none_or(|extension| extension != "snap") {
            files.insert(path);
        }
    }
}

/// The workspace manifest of this repository, reduced to what the SDK's crates inherit from it.
fn workspace(root: &Path) -> String {
    let read = |path: &str| -> Table {
        let text = fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let mut names = BTreeSet::new();
    for manifest in ["sdk/rust/Cargo.toml", "sdk/rust/macros/Cargo.toml"] {
        inherited(&read(manifest), &mut names);
    }
    let ours = read("Cargo.toml");
    let ours = ours["workspace"].as_table().expect("it is a workspace");
    let dependencies = ours["dependencies"].as_table().expect("it has dependencies");
    let kept: Table = dependencies
        .iter()
        .filter(|(name, _)| names.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut workspace = Table::new();
    workspace.insert("resolver".into(), ours["resolver"].clone());
    workspace.insert("members".into(), Value::Array(["sdk/rust", "sdk/rust/macros"].map(Value::from).into()));
    workspace.insert("package".into(), ours["package"].clone());
    workspace.insert("dependencies".into(), kept.into());
    workspace.insert("lints".into(), ours["lints"].clone());
    let whole = Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]);
    format!("# What the crates of the SDK inherit. Written by Deskhand with them.\n{whole}")
}

/// The names of all dependencies that a manifest inherits, wherever in it they stand.
fn inherited(table: &Table, names: &mut BTreeSet<String>) {
    for (name, value) in table {
        if let Value::Table(inner) = value {
            if inner.get("workspace").is_some_and(|flag| flag.as_bool() == Some(true)) {
                names.insert(name.clone());
            }
            inherited(inner, names);
        }
    }
}
