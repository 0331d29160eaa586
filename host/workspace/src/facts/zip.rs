//! ZIP archives (PKWARE APPNOTE 6.3.10), as far as documents in them need: the central directory, and one small member.
//!
//! Not the `zip` crate: it makes room for as many members as the archive claims to have before it reads one, and a file
//! full of holes can claim billions.

use super::source::{Source, rfind, u16_le, u32_le};
use std::io::Read as _;

/// The largest central directory that is read, in bytes: about 8,000 members.
const DIRECTORY: usize = 512 * 1024;
/// The most that a member may hold, packed or not, in bytes.
const MEMBER: usize = 256 * 1024;

/// Bytes at the end that are read first: most documents' whole directory.
const TAIL: usize = 4 * 1024;
/// The end record, with the longest comment.
const LONGEST_END: usize = 22 + 0xFFFF;
const CENTRAL: usize = 46;
const LOCAL: usize = 30;

/// The central directory of an archive.
pub(super) struct Archive {
    directory: Vec<u8>,
    /// What stands before the archive in the file, as in a self-extracting one.
    before: u64,
}

/// A member's line in the central directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// Its name, as the archive writes it.
    pub(super) name: &'a [u8],
    encrypted: bool,
    method: u16,
    packed: u32,
    at: u32,
}

impl Archive {
    /// Reads the central directory; none for archives that are broken, split, ZIP64 or large beyond a document's need.
    pub(super) fn open(source: &mut Source<'_>) -> Option<Self> {
        let (end_at, size, offset) = end(source)?;
        if size > DIRECTORY {
            return None;
        }
        let at = end_at.checked_sub(size as u64)?;
        let before = at.checked_sub(offset)?;
        let directory = if size == 0 { Vec::new() } else { source.exact(at, size)?.to_vec() };
        Some(Self { directory, before })
    }

    /// The members, as far as the directory can be read.
    pub(super) fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let mut rest = self.directory.as_slice();
        std::iter::from_fn(move || {
            let (line, after) = rest.split_at_checked(CENTRAL)?;
            if !line.starts_with(b"PK\x01\x02") {
                return None;
            }
            let [name, extra, comment] = [28, 30, 32].map(|at| u16_le(line, at).map_or(0, usize::from));
            let (name, after) = after.split_at_checked(name)?;
            rest = after.get(extra + comment..)?;
            Some(Member {
                name,
                encrypted: u16_le(line, 8)? & 1 == 1,
                method: u16_le(line, 10)?,
                packed: u32_le(line, 20)?,
                at: u32_le(line, 42)?,
            })
        })
    }

    /// True if a member has this name.
    pub(super) fn holds(&self, name: &[u8]) -> bool {
        self.members().any(|member| member.name == name)
    }

    /// The content of the member with this name: unpacked, at most `MEMBER` bytes of it.
    pub(super) fn read(&self, source: &mut Source<'_>, name: &[u8]) -> Option<Vec<u8>> {
        let member = self.members().find(|member| member.name == name && !member.encrypted)?;
        let packed = usize::try_from(member.packed).ok().filter(|packed| *packed <= MEMBER)?;
        let at = self.before.checked_add(u64::from(member.at))?;
        let local = source.exact(at, LOCAL)?;
        if !local.starts_with(b"PK\x03\x04") {
            return None;
        }
        let skipped = LOCAL as u64 + u64::from(u16_le(local, 26)?) + u64::from(u16_le(local, 28)?);
        let bytes = if packed == 0 { &[] } else { source.exact(at.checked_add(skipped)?, packed)? };
        match member.method {
            0 => Some(bytes.to_vec()),
            8 => inflate(flate2::read::DeflateDecoder::new(bytes), MEMBER),
            _ => None,
        }
    }
}

/// What a decoder gives until it ends, fails or has given `limit` bytes.
pub(super) fn inflate(decoder: impl std::io::Read, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    // A stream that breaks off may have given what is looked for.
    let _ = decoder.take(limit as u64).read_to_end(&mut out);
    (!out.is_empty()).then_some(out)
}

/// Where the end record stands, and the size and offset of the central directory that it gives.
fn end(source: &mut Source<'_>) -> Option<(u64, usize, u64)> {
    let size = source.size();
    for tail in [TAIL, LONGEST_END] {
        let at = size.saturating_sub(tail as u64);
        let bytes = source.upto(at, tail)?;
        let Some(found) = rfind(bytes, b"PK\x05\x06") else { continue };
        let record = &bytes[found..];
        let [length, offset] = [u32_le(record, 12)?, u32_le(record, 16)?];
        return Some((at + found as u64, usize::try_from(length).ok()?, u64::from(offset)));
    }
    None
}
