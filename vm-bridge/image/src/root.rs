//! The root image: what the packages hold, and the little that their scripts would have made.

use crate::{
    ImageError, package,
    tree::{Node, Tree},
};
use backhand::{FilesystemCompressor, FilesystemWriter, NodeHeader, compression::Compressor};
use std::{fs::File, io::BufWriter};

/// Bytes that are packed as one. Larger ones pack better, and cost more for each small file that is read.
const BLOCK: u32 = 128 << 10;

/// Folders that are there to be mounted on or written to.
const FOLDERS: [&str; 12] =
    ["dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr/local/bin", "var/tmp", "var/lib"];

/// Links where what they lead to, seen from their folder, is there.
const LINKS: [(&str, &str); 13] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("usr/bin/sh", "bash"),
    ("usr/bin/awk", "gawk"),
    ("usr/bin/python", "python3"),
    ("usr/bin/which", "which.debianutils"),
    ("usr/lib/x86_64-linux-gnu/libopenblas.so.0", "openblas-pthread/libopenblas.so.0"),
    ("usr/lib/x86_64-linux-gnu/libblas.so.3", "openblas-pthread/libblas.so.3"),
    ("usr/lib/x86_64-linux-gnu/liblapack.so.3", "openblas-pthread/liblapack.so.3"),
    ("usr/lib/x86_64-linux-gnu/libblas.so.3", "blas/libblas.so.3"),
    ("usr/lib/x86_64-linux-gnu/liblapack.so.3", "lapack/liblapack.so.3"),
];

const TEXTS: [(&str, &str); 5] = [
    ("etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:1000:1000::/home/user:/usr/bin/bash\n"),
    ("etc/group", "root:x:0:\nuser:x:1000:\n"),
    ("etc/hostname", "deskhand\n"),
    ("etc/hosts", "127.0.0.1 localhost deskhand\n::1 localhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// Where Debian has certificates, and where programs look for all of them.
const CERTIFICATES: (&str, &str) = ("usr/share/ca-certificates/mozilla/", "etc/ssl/certs/ca-certificates.crt");

/// Add what makes a root of unpacked packages.
pub(crate) fn finish(tree: &mut Tree) -> Result<(), ImageError> {
    for folder in FOLDERS {
        tree.put(folder, Node::Folder);
    }
    for (path, target) in LINKS {
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        if tree.get(&format!("{folder}{target}")).is_some() && tree.get(path).is_none() {
            tree.put(path, Node::Link(target.to_owned()));
        }
    }
    for (path, text) in TEXTS {
        tree.put_text(path, text)?;
    }
    let certificates: Vec<_> = tree.nodes().map(|(path, _)| path.to_owned()).collect();
    let mut all = Vec::new();
    for path in certificates.iter().filter(|path| path.starts_with(CERTIFICATES.0)) {
        if let Some(content) = package::content(tree, path) {
            all.extend(tree.bytes(content)?);
        }
    }
    if !all.is_empty() {
        let content = tree.store(&all[..], all.len() as u64)?;
        tree.put(CERTIFICATES.1, Node::File { content, executable: false });
    }
    Ok(())
}

/// Write the image: all of root, nothing with a time, and no program that gives its user more rights.
pub(crate) fn write(tree: &Tree, to: &File) -> Result<(), ImageError> {
    let mut writer = FilesystemWriter::default();
    writer.set_time(0);
    writer.set_block_size(BLOCK);
    writer.set_root_mode(0o755);
    writer.set_compressor(FilesystemCompressor::new(Compressor::Zstd, None)?);
    for (path, node) in tree.nodes() {
        let header = |mode| NodeHeader { permissions: mode, uid: 0, gid: 0, mtime: 0 };
        match node {
            Node::Folder => writer.push_dir(path, header(0o755))?,
            Node::File { content, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                writer.push_file(tree.reader(*content), path, header(mode))?;
            }
            Node::Link(target) => writer.push_symlink(target, path, header(0o777))?,
        }
    }
    writer.write(BufWriter::with_capacity(1 << 20, to))?;
    Ok(())
}
