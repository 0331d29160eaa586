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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    fn hole(size: u64) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        file
    }

    #[test]
    fn bytes_are_there_or_not() {
        let file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..20_000_u32).map(|number| (number % 251) as u8).collect();
        file.write_all_at(&content, 0).unwrap();
        let mut source = Source::new(&file, 20_000);
        assert_eq!(source.head(), &content[..HEAD]);
        for (at, length) in [(0, 10), (HEAD - 5, 10), (HEAD, 1), (HEAD + 500, 5000), (19_990, 10), (3, HEAD), (9, 0)] {
            assert_eq!(source.exact(at as u64, length), Some(&content[at..at + length]), "{at} {length}");
        }
        assert_eq!(source.exact(19_990, 11), None);
        assert_eq!(source.upto(19_990, 11), Some(&content[19_990..]));
        assert_eq!(source.upto(20_000, 1), None);
        assert_eq!(source.exact(u64::MAX, usize::MAX), None);
    }

    #[test]
    fn a_file_costs_no_more_than_its_bytes_and_reads() {
        let size = 1 << 30;
        let file = hole(size);
        let mut source = Source::new(&file, size);
        let large = (0..1000).take_while(|at| source.exact(at << 16, 1 << 16).is_some()).count();
        assert_eq!(large, (BYTES - HEAD) >> 16);
        assert_eq!(source.upto(size - 1, 1), None);
        let mut source = Source::new(&file, size);
        let small = (1..10_000).take_while(|at| source.exact(at << 14, 16).is_some()).count();
        assert_eq!(small, READS as usize - 1);
        assert_eq!(file.metadata().unwrap().size(), size);
    }
}
