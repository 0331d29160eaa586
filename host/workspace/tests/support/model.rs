//! A file system that is a map, and random work on it and on a workspace alike.

#![allow(clippy::print_stderr)]

use crate::support::{Desk, Thing, age_all, path, set_xattr, snapshot, write};
use deskhand_vocabulary::FilePath;
use deskhand_workspace::{FileError, Workspace};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

/// A path to a file's content, or to none for a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model(pub BTreeMap<String, Option<String>>);

/// One thing to be tried; what it means depends on what is there.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    pub kind: u8,
    pub a: u8,
    pub b: u8,
    pub c: u8,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "sub", "other.txt"];

/// The tree that all work begins with.
pub fn plant(desk: &Desk) -> Model {
    let mut model = Model::default();
    for folder in ["sub", "sub/deep", "empty"] {
        fs::create_dir_all(desk.folder.join(folder)).unwrap();
        model.0.insert(folder.to_owned(), None);
    }
    for file in ["a", "b", "c", "other.txt", "sub/a", "sub/b", "sub/deep/a", "sub/deep/c"] {
        write(&desk.folder.join(file), file.as_bytes());
        model.0.insert(file.to_owned(), Some(file.to_owned()));
    }
    fs::hard_link(desk.folder.join("sub/b"), desk.folder.join("twin")).unwrap();
    model.0.insert("twin".to_owned(), Some("sub/b".to_owned()));
    fs::set_permissions(desk.folder.join("a"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(desk.folder.join("sub/deep"), fs::Permissions::from_mode(0o700)).unwrap();
    set_xattr(&desk.folder.join("b"), "user.tag", b"red");
    set_xattr(&desk.folder.join("sub"), "user.tag", b"blue");
    age_all(&desk.folder);
    model
}

/// The model of a tree that is there.
pub fn read_model(folder: &Path) -> Model {
    let line = |(path, thing): (Vec<u8>, Thing)| {
        let content = String::from_utf8(thing.content).unwrap();
        let folder = thing.mode & 0o170_000 == 0o040_000;
        (String::from_utf8(path).unwrap(), if folder { None } else { Some(content) })
    };
    Model(snapshot(folder).into_iter().filter(|(path, _)| !path.is_empty()).map(line).collect())
}

impl Model {
    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.0.get(path) == Some(&None)
    }

    fn parent(path: &str) -> &str {
        path.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    fn below(&self, path: &str) -> Vec<String> {
        let start = format!("{path}/");
        self.0.keys().filter(|other| *other == path || other.starts_with(&start)).cloned().collect()
    }

    fn take(&mut self, path: &str) -> Vec<(String, Option<String>)> {
        self.below(path).into_iter().map(|at| (at[path.len()..].to_owned(), self.0.remove(&at).unwrap())).collect()
    }

    pub fn outline(&self) -> Vec<String> {
        let line = |(path, content): (&String, &Option<String>)| match content {
            None => format!("{path}/"),
            Some(content) => format!("{path}={content}"),
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Try one thing on both. They must agree on whether it can be done, but where the workspace may refuse more.
    pub fn act(&mut self, workspace: &Workspace, op: Op, number: usize) {
        let paths: Vec<String> = self.0.keys().cloned().collect();
        let folders: Vec<String> =
            std::iter::once(String::new()).chain(paths.iter().filter(|path| self.is_folder(path)).cloned()).collect();
        let pick = |list: &[String], at: u8| list.get(usize::from(at) % list.len().max(1)).cloned();
        let Some(source) = pick(&paths, op.a) else { return };
        let folder = pick(&folders, op.b).unwrap();
        let name = NAMES[usize::from(op.c) % NAMES.len()];
        let target = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let taken = self.0.contains_key(&target);
        let over = op.b.is_multiple_of(3) && taken;
        let version = |at: &str| version(workspace, &path(at));
        if std::env::var_os("SHOW_WORK").is_some() {
            eprintln!("{number}: {} {source} {target} over={over}", op.kind % 6);
        }
        let target_version = if over { version(&target).ok() } else { None };
        match op.kind % 6 {
            0 | 1 => {
                let inside = format!("{target}/").starts_with(&format!("{source}/"));
                let files = !self.is_folder(&source) && !self.is_folder(&target);
                let result = version(&source)
                    .and_then(|v| workspace.move_(&path(&source), &v, &path(&target), target_version.as_deref()));
                if inside || (taken && !(over && files)) {
                    assert!(result.is_err(), "{source} to {target} was taken");
                } else if agreed(result, over).is_ok() {
                    let moved = self.take(&source);
                    for (rest, content) in moved {
                        self.0.insert(format!("{target}{rest}"), content);
                    }
                }
            }
            2 => {
                let result = workspace.make_folder(&path(&target));
                assert_eq!(result.is_ok(), !taken, "{target}: {result:?}");
                if result.is_ok() {
                    self.0.insert(target, None);
                }
            }
            3 => {
                let content = format!("content {number}");
                let existing = version(&target).ok();
                let result = workspace.write(&path(&target), content.as_bytes(), existing.as_deref());
                assert_eq!(result.is_ok(), !(taken && self.is_folder(&target)), "{target}: {result:?}");
                if result.is_ok() {
                    self.0.insert(target, Some(content));
                }
            }
            4 => {
                let folder = self.is_folder(&source);
                let result = version(&source)
                    .and_then(|v| workspace.copy(&path(&source), &v, &path(&target), target_version.as_deref()));
                if folder || (taken && (!over || self.is_folder(&target))) {
                    assert!(result.is_err(), "{source} to {target} was copied");
                } else if agreed(result, over).is_ok() {
                    let content = self.0[&source].clone();
                    self.0.insert(target, content);
                }
            }
            _ => {
                // a folder with pending arrivals may be refused
                let result = version(&source).and_then(|v| workspace.remove(&path(&source), &v));
                match result {
                    Ok(_) => drop(self.take(&source)),
                    Err(error) => assert!(self.is_folder(&source), "{source}: {error}"),
                }
            }
        }
        assert!(self.0.keys().all(|path| self.is_folder(Self::parent(path))));
    }
}

/// Over another name of the same file nothing is done.
fn agreed<T: std::fmt::Debug>(result: Result<T, FileError>, over: bool) -> Result<T, FileError> {
    if let Err(error) = &result {
        assert!(over && error.message.contains("same file"), "{error}");
    }
    result
}

fn version(workspace: &Workspace, at: &FilePath) -> Result<String, FileError> {
    workspace.stat(std::slice::from_ref(at)).remove(0).map(|entry| entry.version)
}

/// Numbers that look random and are the same each time (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn ops(&mut self, count: usize) -> Vec<Op> {
        let op = |n: u64| {
            let [kind, a, b, c, ..] = n.to_le_bytes();
            Op { kind, a, b, c }
        };
        (0..count).map(|_| op(self.next())).collect()
    }
}

/// Work of one kind on a task.
pub fn work(workspace: &Workspace, model: &mut Model, ops: &[Op]) {
    for (number, op) in ops.iter().enumerate() {
        model.act(workspace, *op, number);
    }
}
