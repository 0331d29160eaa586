//! TIFF as EXIF uses it: in pictures of their own, in most raw formats of cameras, and as a block inside of others.
//! Only two directories are read, so there is no chain to follow and no circle to fall into.

use super::{
    date::{self, Stated},
    source::{Source, u16_be, u16_le, u32_be, u32_le},
};

const EXIF_DIRECTORY: u16 = 0x8769;
const DATE_TIME_ORIGINAL: u16 = 0x9003;
const OFFSET_TIME_ORIGINAL: u16 = 0x9011;
const FRACTION_ORIGINAL: u16 = 0x9291;
/// `DNGVersion`, Adobe DNG specification 1.7.
const DNG_VERSION: u16 = 0xC612;

/// Entries that a directory may have; more is not a picture.
const ENTRIES: u16 = 1024;
/// Characters of a date, an offset or a fraction that are looked at.
const TEXT: u32 = 64;

/// When the picture whose TIFF header stands at `at` was taken (EXIF 2.32, 4.6.5).
pub(super) fn taken(source: &mut Source<'_>, at: u64) -> Option<Stated> {
    let tiff = Tiff::open(source, at)?;
    let pointer = tiff.entries(source, tiff.first)?.into_iter().find(|entry| entry.tag == EXIF_DIRECTORY)?;
    let entries = tiff.entries(source, u64::from(tiff.number(&pointer.value)?))?;
    let text = |source: &mut Source<'_>, tag| {
        let entry = entries.iter().find(|entry| entry.tag == tag)?;
        tiff.text(source, entry)
    };
    let shown = text(source, DATE_TIME_ORIGINAL)?;
    let fraction = text(source, FRACTION_ORIGINAL);
    let offset = text(source, OFFSET_TIME_ORIGINAL);
    date::exif(&shown, fraction.as_deref(), offset.as_deref())
}

/// True for an Adobe digital negative, which is a TIFF that says so.
pub(super) fn is_negative(source: &mut Source<'_>) -> bool {
    let entries = Tiff::open(source, 0).and_then(|tiff| tiff.entries(source, tiff.first));
    entries.is_some_and(|entries| entries.iter().any(|entry| entry.tag == DNG_VERSION))
}

struct Tiff {
    at: u64,
    little: bool,
    first: u64,
}

struct Entry {
    tag: u16,
    count: u32,
    value: [u8; 4],
}

impl Tiff {
    fn open(source: &mut Source<'_>, at: u64) -> Option<Self> {
        let header = *source.exact(at, 8)?.first_chunk::<8>()?;
        // 42, and what Olympus (RO, RS) and Panasonic (U) write in its place.
        let little = match header.first_chunk::<4>()? {
            b"II*\0" | b"IIRO" | b"IIRS" | b"IIU\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let first = if little { u32_le(&header, 4) } else { u32_be(&header, 4) }?;
        Some(Self { at, little, first: u64::from(first) })
    }

    fn number(&self, value: &[u8; 4]) -> Option<u32> {
        if self.little { u32_le(value, 0) } else { u32_be(value, 0) }
    }

    fn entries(&self, source: &mut Source<'_>, directory: u64) -> Option<Vec<Entry>> {
        let short = |bytes: &[u8], at| if self.little { u16_le(bytes, at) } else { u16_be(bytes, at) };
        let at = self.at.checked_add(directory)?;
        let count = short(source.exact(at, 2)?, 0).filter(|count| *count <= ENTRIES)?;
        let bytes = source.upto(at + 2, usize::from(count) * 12)?;
        let entry = |bytes: &[u8; 12]| {
            let value = *bytes.last_chunk::<4>()?;
            let count = *bytes[4..].first_chunk::<4>()?;
            Some(Entry { tag: short(bytes, 0)?, count: self.number(&count)?, value })
        };
        Some(bytes.as_chunks::<12>().0.iter().filter_map(entry).collect())
    }

    /// The text of an ASCII entry: in the entry itself if it fits, else where the entry points to.
    fn text(&self, source: &mut Source<'_>, entry: &Entry) -> Option<Vec<u8>> {
        if entry.count <= 4 {
            return Some(entry.value[..usize::try_from(entry.count).ok()?].to_vec());
        }
        let at = self.at.checked_add(u64::from(self.number(&entry.value)?))?;
        Some(source.upto(at, usize::try_from(entry.count.min(TEXT)).ok()?)?.to_vec())
    }
}
