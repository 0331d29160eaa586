//! Reading a file that is not to be trusted, a few bytes here and there, within limits.

use std::{fs::File, io::ErrorKind, os::unix::fs::FileExt as _};

/// Bytes that one file may cost.
pub(super) const BYTES: usize = 2 * 1024 * 1024;
/// Reads that one file may cost.
pub(super) const READS: u32 = 1024;

/// Bytes read at first: enough to tell the kind, and to hold most dates.
const HEAD: usize = 8 * 1024;
/// Least bytes read at any other place.
const AHEAD: usize = 1024;

/// A file of a known size, its first bytes, and those around the place that was last asked for.
#[derive(Debug)]
pub(super) struct Source<'f> {
    file: &'f File,
    size: u64,
    head: Vec<u8>,
    window: Vec<u8>,
    window_at: u64,
    bytes_left: usize,
    reads_left: u32,
}

impl<'f> Source<'f> {
    /// Reads the head. An unreadable file is like an empty one.
    pub(super) fn new(file: &'f File, size: u64) -> Self {
        let mut source = Self {
            file,
            size,
            head: Vec::new(),
            window: Vec::new(),
            window_at: 0,
            bytes_left: BYTES,
            reads_left: READS,
        };
        source.head = source.fetch(0, HEAD);
        source
    }

    /// Bytes in the file, as its directory entry told.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes, up to 8 KiB.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Exactly `length` bytes at `offset`; none where the file or the limits end.
    pub(super) fn exact(&mut self, offset: u64, length: usize) -> Option<&[u8]> {
        self.upto(offset, length).filter(|bytes| bytes.len() == length)
    }

    /// At most `length` bytes at `offset`; none where the file or the limits end.
    pub(super) fn upto(&mut self, offset: u64, length: usize) -> Option<&[u8]> {
        if offset >= self.size {
            return None;
        }
        let length = usize::try_from(self.size - offset).map_or(length, |rest| rest.min(length));
        let within = |start: u64, held: &[u8]| {
            let from = usize::try_from(offset.checked_sub(start)?).ok()?;
            let to = from.checked_add(length)?;
            (to <= held.len()).then_some((from, to))
        };
        if let Some((from, to)) = within(0, &self.head) {
            return self.head.get(from..to);
        }
        if within(self.window_at, &self.window).is_none() {
            self.window = self.fetch(offset, length.max(AHEAD));
            self.window_at = offset;
        }
        let from = usize::try_from(offset - self.window_at).ok()?;
        let rest = self.window.get(from..)?;
        Some(&rest[..rest.len().min(length)]).filter(|bytes| !bytes.is_empty())
    }

    fn fetch(&mut self, offset: u64, length: usize) -> Vec<u8> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(rest).min(self.bytes_left);
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length && self.reads_left > 0 {
            self.reads_left -= 1;
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        bytes.truncate(filled);
        self.bytes_left -= filled;
        bytes
    }
}

/// Two bytes at `at` as a number, least significant first.
pub(super) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.first_chunk::<2>().copied()?))
}

/// Four bytes at `at` as a number, least significant first.
pub(super) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk::<4>().copied()?))
}

/// Two bytes at `at` as a number, most significant first.
pub(super) fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..)?.first_chunk::<2>().copied()?))
}

/// Four bytes at `at` as a number, most significant first.
pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk::<4>().copied()?))
}

/// Eight bytes at `at` as a number, most significant first.
pub(super) fn u64_be(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..)?.first_chunk::<8>().copied()?))
}

/// Where `needle` first stands in `bytes`.
pub(super) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// Where `needle` last stands in `bytes`.
pub(super) fn rfind(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).rposition(|window| window == needle)
}
