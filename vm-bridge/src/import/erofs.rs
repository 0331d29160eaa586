//! Writing an EROFS image, the read-only file system of Linux in which a small file lies beside its inode (`erofs_fs.h` of
//! the kernel; `Documentation/filesystems/erofs.rst`). Nothing in it is compressed.
//!
//! ```text
//! block 0          the superblock, at 1024
//! from block 1     inodes, each with the end of its content behind it where both fit into one block
//! behind them      all whole blocks of content
//! ```
//! An inode's number is its place: units of 32 bytes from block 1.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Write as _},
    os::unix::fs::FileExt as _,
};

const BLOCK: u64 = 4096;
const SUPERBLOCK: u64 = 1024;
const MAGIC: u32 = 0xE0F5_E1E2;
/// Where inodes begin, in blocks.
const INODES: u64 = 1;
/// Bytes of an inode, and of the units in which they are counted.
const INODE: u64 = 64;
const UNIT: u64 = 32;
/// Bytes of an entry of a folder, beside its name.
const ENTRY: usize = 12;

/// What is in the image, by its number here; a folder is named before what it holds. The first is the root.
#[derive(Debug)]
pub(super) struct Node<R> {
    /// The permission bits.
    pub(super) mode: u16,
    pub(super) user: u32,
    pub(super) group: u32,
    /// When its content changed: seconds since 1970-01-01 UTC, and nanoseconds.
    pub(super) modified: (u64, u32),
    pub(super) what: What<R>,
}

#[derive(Debug)]
pub(super) enum What<R> {
    /// By name, the numbers of what it holds.
    Folder(BTreeMap<Vec<u8>, usize>),
    /// A file of so many bytes, and what has them.
    File(u64, R),
    /// A link to this.
    Link(Vec<u8>),
}

impl<R> What<R> {
    /// The kind of a file in its mode, and in an entry of a folder.
    const fn kind(&self) -> (u16, u8) {
        match self {
            Self::File(..) => (0o100_000, 1),
            Self::Folder(_) => (0o040_000, 2),
            Self::Link(_) => (0o120_000, 7),
        }
    }
}

/// Where the parts of a node come to lie.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Of the inode, in units.
    number: u64,
    /// Bytes of the content.
    size: u64,
    /// Of its whole blocks, in blocks.
    blocks: u64,
    /// Bytes of the content that lie behind the inode.
    tail: u64,
}

/// Write the image: how many bytes it has.
///
/// # Errors
/// Those of the disk and of what is read; [`io::ErrorKind::UnexpectedEof`] where a file has fewer bytes than was said.
pub(super) fn write<R: Read>(nodes: Vec<Node<R>>, to: &File) -> io::Result<u64> {
    let places = lay(&nodes);
    let (end, blocks) = behind(&places);
    let mut inodes = Area { to: BufWriter::with_capacity(1 << 20, At { file: to, at: INODES * BLOCK }), at: 0 };
    let parents = parents(&nodes);
    let links: Vec<u32> = nodes.iter().map(|node| links(node, &nodes)).collect();
    let kinds: Vec<u8> = nodes.iter().map(|node| node.what.kind().1).collect();
    for (number, node) in nodes.into_iter().enumerate() {
        let place = places[number];
        inodes.pad(place.number * UNIT)?;
        inodes.add(&inode(&node, &place, links[number], end))?;
        let content = At { file: to, at: (end + place.blocks) * BLOCK };
        match node.what {
            What::Folder(entries) => {
                let parent = parents[number];
                let all = entries.iter().map(|(name, inner)| (name.as_slice(), *inner));
                let all = all.chain([(&b"."[..], number), (&b".."[..], parent)]).collect();
                let bytes = folder(all, |inner| (places[inner].number, kinds[inner]));
                copy(&bytes[..], &place, content, &mut inodes)?;
            }
            What::File(_, reader) => copy(reader, &place, content, &mut inodes)?,
            What::Link(text) => copy(&text[..], &place, content, &mut inodes)?,
        }
    }
    inodes.to.flush()?;
    to.write_all_at(&superblock(&places, end + blocks)?, SUPERBLOCK)?;
    Ok((end + blocks) * BLOCK)
}

/// Find a place for each: inodes in their order, none of them across the end of a block with what lies behind it.
fn lay<R>(nodes: &[Node<R>]) -> Vec<Place> {
    // no inode has number 0, which programs take for nothing
    let (mut at, mut blocks) = (INODE, 0);
    let mut places = Vec::with_capacity(nodes.len());
    for node in nodes {
        let size = size(node);
        let tail = Some(size % BLOCK).filter(|tail| INODE + tail <= BLOCK).unwrap_or(0);
        let left = BLOCK - at % BLOCK;
        if INODE + tail > left {
            at += left;
        }
        places.push(Place { number: at / UNIT, size, blocks, tail });
        at = (at + INODE + tail).next_multiple_of(UNIT);
        blocks += (size - tail).div_ceil(BLOCK);
    }
    places
}

/// The first block behind all inodes, and how many blocks of content there are.
fn behind(places: &[Place]) -> (u64, u64) {
    let last = places.last().copied().unwrap_or_default();
    let end = INODES + (last.number * UNIT + INODE + last.tail).div_ceil(BLOCK);
    (end, last.blocks + (last.size - last.tail).div_ceil(BLOCK))
}

fn size<R>(node: &Node<R>) -> u64 {
    match &node.what {
        What::File(size, _) => *size,
        What::Link(text) => text.len() as u64,
        What::Folder(entries) => {
            let names = entries.keys().map(Vec::as_slice).chain([&b"."[..], b".."]);
            let mut names: Vec<_> = names.collect();
            names.sort_unstable();
            let (mut whole, mut used) = (0, 0);
            for name in names {
                if used + ENTRY + name.len() > BLOCK as usize {
                    (whole, used) = (whole + BLOCK, 0);
                }
                used += ENTRY + name.len();
            }
            whole + used as u64
        }
    }
}

/// What a folder holds: blocks of entries in the order of their names, with the names behind them.
fn folder(mut all: Vec<(&[u8], usize)>, of: impl Fn(usize) -> (u64, u8)) -> Vec<u8> {
    all.sort_unstable();
    let mut bytes = Vec::new();
    let mut rest = &all[..];
    while !rest.is_empty() {
        let mut used = 0;
        let fits = |(name, _): &&(&[u8], usize)| {
            used += ENTRY + name.len();
            used <= BLOCK as usize
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (block, after) = rest.split_at(count);
        rest = after;
        let start = bytes.len();
        let mut name_at = count * ENTRY;
        for (name, number) in block {
            let (inode, kind) = of(*number);
            bytes.extend(inode.to_le_bytes());
            // within a block, which fits
            bytes.extend(u16::try_from(name_at).unwrap_or(0).to_le_bytes());
            bytes.extend([kind, 0]);
            name_at += name.len();
        }
        block.iter().for_each(|(name, _)| bytes.extend(*name));
        if !rest.is_empty() {
            bytes.resize(start + BLOCK as usize, 0);
        }
    }
    bytes
}

fn parents<R>(nodes: &[Node<R>]) -> Vec<usize> {
    let mut parents = vec![0; nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        if let What::Folder(entries) = &node.what {
            entries.values().for_each(|inner| parents[*inner] = number);
        }
    }
    parents
}

fn links<R>(node: &Node<R>, nodes: &[Node<R>]) -> u32 {
    let What::Folder(entries) = &node.what else { return 1 };
    let folders = entries.values().filter(|inner| matches!(nodes[**inner].what, What::Folder(_))).count();
    u32::try_from(folders + 2).unwrap_or(u32::MAX)
}

/// An inode in its long form.
fn inode<R>(node: &Node<R>, place: &Place, links: u32, end: u64) -> [u8; INODE as usize] {
    let mut bytes = [0; INODE as usize];
    // long, with the end of the content behind it or without
    let format: u16 = if place.tail > 0 { 0b101 } else { 0b001 };
    let blocks = u32::try_from(end + place.blocks).unwrap_or(u32::MAX);
    put(&mut bytes, 0, format.to_le_bytes());
    put(&mut bytes, 4, (node.what.kind().0 | node.mode & 0o7777).to_le_bytes());
    put(&mut bytes, 8, place.size.to_le_bytes());
    put(&mut bytes, 16, blocks.to_le_bytes());
    put(&mut bytes, 20, u32::try_from(place.number).unwrap_or(0).to_le_bytes());
    put(&mut bytes, 24, node.user.to_le_bytes());
    put(&mut bytes, 28, node.group.to_le_bytes());
    put(&mut bytes, 32, node.modified.0.to_le_bytes());
    put(&mut bytes, 40, node.modified.1.to_le_bytes());
    put(&mut bytes, 44, links.to_le_bytes());
    bytes
}

fn superblock(places: &[Place], blocks: u64) -> io::Result<[u8; 128]> {
    let mut bytes = [0; 128];
    let large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    let root = places.first().map_or(0, |place| place.number);
    put(&mut bytes, 0, MAGIC.to_le_bytes());
    bytes[12] = 12; // blocks of 2^12 bytes
    put(&mut bytes, 14, u16::try_from(root).map_err(large)?.to_le_bytes());
    put(&mut bytes, 16, (places.len() as u64).to_le_bytes());
    put(&mut bytes, 36, u32::try_from(blocks).map_err(large)?.to_le_bytes());
    // the first block of inodes fits
    put(&mut bytes, 40, u32::try_from(INODES).map_err(large)?.to_le_bytes());
    Ok(bytes)
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

/// Copy a content to its two places.
fn copy(content: impl Read, place: &Place, mut blocks: At<'_>, inodes: &mut Area<'_>) -> io::Result<()> {
    let mut content = content.take(place.size);
    let whole = io::copy(&mut content.by_ref().take(place.size - place.tail), &mut blocks)?;
    let mut tail = Vec::new();
    let rest = content.read_to_end(&mut tail)? as u64;
    if whole + rest < place.size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    inodes.add(&tail)
}

/// The inodes, which are written one behind the other.
struct Area<'a> {
    to: BufWriter<At<'a>>,
    at: u64,
}

impl Area<'_> {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.to.write_all(bytes)
    }

    fn pad(&mut self, until: u64) -> io::Result<()> {
        // less than a block
        let bytes = vec![0; usize::try_from(until - self.at).unwrap_or(0)];
        self.add(&bytes)
    }
}

/// A place in a file, which moves on with what is written there.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl io::Write for At<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
