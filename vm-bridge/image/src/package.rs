//! Unpacking a Debian package: an archive (`ar`) in which `data.tar` has the files. Its scripts are not run.

use crate::tree::{Content, Node, Tree};
use flate2::read::GzDecoder;
use lzma_rust2::XzReader;
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Component, Path},
};

/// The most bytes that one file of a package may have.
pub(crate) const LARGEST: u64 = 512 << 20;

/// Folders that Debian has at the root and below `/usr`: one of the two is a link to the other.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// What no program of the guest reads.
const UNREAD: [&str; 9] = [
    "usr/include/",
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
    "usr/share/bash-completion/",
    "usr/share/bug/",
    "usr/src/",
];

/// And folders below the modules of Python that only their makers read.
const TESTS: (&str, &str) = ("usr/lib/python3/dist-packages/", "/tests/");

/// What tells `pip` to leave a system's modules alone (PEP 668). A guest's are for one task, and cannot be written to anyway.
const MARKER: &str = "/EXTERNALLY-MANAGED";

/// Put all files of a package for which `wanted` is true into the tree.
pub(crate) fn unpack(package: &Path, tree: &mut Tree, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
    let mut archive = ar::Archive::new(BufReader::new(File::open(package)?));
    while let Some(member) = archive.next_entry() {
        let member = member?;
        match member.header().identifier() {
            b"data.tar.xz" => return unpack_files(XzReader::new(member, false), tree, wanted),
            b"data.tar.gz" => return unpack_files(GzDecoder::new(member), tree, wanted),
            b"data.tar" => return unpack_files(member, tree, wanted),
            _ => {}
        }
    }
    Err(io::Error::other("it holds no files in a form that is known"))
}

fn unpack_files(data: impl Read, tree: &mut Tree, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
    let mut archive = tar::Archive::new(data);
    for entry in archive.entries()? {
        let entry = entry?;
        let Some(path) = place(&entry.path()?)? else { continue };
        if unread(&path) || !wanted(&path) {
            continue;
        }
        let header = entry.header();
        let node = match header.entry_type() {
            tar::EntryType::Directory => Node::Folder,
            tar::EntryType::Regular => {
                let executable = header.mode()? & 0o111 != 0;
                Node::File { content: tree.store(entry, LARGEST)?, executable }
            }
            tar::EntryType::Symlink => Node::Link(target(&entry)?),
            tar::EntryType::Link => {
                let other = entry.link_name()?.and_then(|name| place(&name).transpose()).transpose()?;
                let other = other.and_then(|other| tree.get(&other)).cloned();
                other.ok_or_else(|| io::Error::other("a link leads nowhere"))?
            }
            _ => return Err(io::Error::other("it holds something that is no file, folder or link")),
        };
        tree.put(&path, node);
    }
    Ok(())
}

fn unread(path: &str) -> bool {
    let tests = path.starts_with(TESTS.0) && path.contains(TESTS.1);
    tests || path.ends_with(MARKER) || UNREAD.iter().any(|unread| path.starts_with(unread))
}

fn target(entry: &tar::Entry<'_, impl Read>) -> io::Result<String> {
    let name = entry.link_name()?;
    let name = name.as_deref().and_then(Path::to_str).filter(|name| !name.is_empty());
    Ok(name.ok_or_else(|| io::Error::other("a link leads nowhere"))?.to_owned())
}

/// Where a path of a package goes in the tree; `None` for the root itself.
pub(crate) fn place(path: &Path) -> io::Result<Option<String>> {
    let strange = || io::Error::other("it holds a path that leads out of it");
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir | Component::RootDir => {}
            Component::Normal(name) => names.push(name.to_str().ok_or_else(strange)?),
            Component::ParentDir | Component::Prefix(_) => return Err(strange()),
        }
    }
    if names.first().is_some_and(|first| MERGED.contains(first)) {
        names.insert(0, "usr");
    }
    Ok(Some(names.join("/")).filter(|path| !path.is_empty()))
}

/// The content of a regular file of the tree.
pub(crate) fn content(tree: &Tree, path: &str) -> Option<Content> {
    match tree.get(path) {
        Some(Node::File { content, .. }) => Some(*content),
        _ => None,
    }
}
