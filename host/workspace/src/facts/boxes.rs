//! The ISO base media file format (ISO/IEC 14496-12): films, sound and, with items in it, HEIF pictures.

use super::{
    date::{self, Stated},
    source::{Source, u16_be, u32_be, u64_be},
};

/// Boxes that are walked over side by side, and items that a picture may list.
const BOXES: usize = 512;
/// The largest list of items that is read, in bytes.
const LIST: usize = 256 * 1024;

/// A box's content, as a range in the file.
#[derive(Clone, Copy)]
struct Range {
    from: u64,
    to: u64,
}

/// When a film or a sound of the media type `kind` was recorded (8.2.2, Movie Header Box).
pub(super) fn created(source: &mut Source<'_>, kind: &str) -> Option<Stated> {
    if !kind.starts_with("video/") && !kind.starts_with("audio/") {
        return None;
    }
    let whole = Range { from: 0, to: source.size() };
    let movie = child(source, whole, b"moov")?;
    let header = child(source, movie, b"mvhd")?;
    let bytes = source.exact(header.from, 12)?;
    date::since_1904(match bytes[0] {
        0 => u64::from(u32_be(bytes, 4)?),
        1 => u64_be(bytes, 4)?,
        _ => return None,
    })
}

/// Where the TIFF header of a picture's EXIF item stands (ISO/IEC 23008-12, A.2.1).
pub(super) fn exif(source: &mut Source<'_>) -> Option<u64> {
    let whole = Range { from: 0, to: source.size() };
    let meta = child(source, whole, b"meta")?;
    // A full box: its version and flags come first.
    let meta = Range { from: meta.from.checked_add(4)?, to: meta.to };
    let names = child(source, meta, b"iinf")?;
    let item = exif_item(list(source, names)?)?;
    let places = child(source, meta, b"iloc")?;
    let at = item_place(list(source, places)?, item)?;
    let skipped = u32_be(source.exact(at, 4)?, 0)?;
    at.checked_add(4)?.checked_add(u64::from(skipped))
}

fn list<'s>(source: &'s mut Source<'_>, range: Range) -> Option<&'s [u8]> {
    let length = usize::try_from(range.to.checked_sub(range.from)?).ok().filter(|length| *length <= LIST)?;
    source.exact(range.from, length)
}

/// The first box of `kind` directly within `parent`.
fn child(source: &mut Source<'_>, parent: Range, kind: &[u8; 4]) -> Option<Range> {
    let mut at = parent.from;
    for _ in 0..BOXES {
        if at >= parent.to {
            return None;
        }
        let header = source.upto(at, 16)?;
        let (head, length) = match u32_be(header, 0)? {
            0 => (8, parent.to - at),
            1 => (16, u64_be(header, 8)?),
            length => (8, u64::from(length)),
        };
        let to = at.checked_add(length)?.min(parent.to);
        let found = header.get(4..8)? == kind;
        if length < head {
            return None;
        }
        if found {
            return Some(Range { from: at + head, to }).filter(|range| range.from <= range.to);
        }
        at = to;
    }
    None
}

/// The number of the item of type `Exif` in an Item Information Box (8.11.6).
fn exif_item(list: &[u8]) -> Option<u32> {
    let mut at = if *list.first()? == 0 { 6 } else { 8 };
    for _ in 0..BOXES {
        let length = usize::try_from(u32_be(list, at)?).ok().filter(|length| *length >= 8)?;
        let entry = list.get(at..at.checked_add(length)?)?;
        let (item, kind) = match entry.get(8)? {
            2 => (u32::from(u16_be(entry, 12)?), entry.get(16..20)?),
            3 => (u32_be(entry, 12)?, entry.get(18..22)?),
            _ => return None,
        };
        if kind == b"Exif" {
            return Some(item);
        }
        at += length;
    }
    None
}

/// Where an item begins in the file, from an Item Location Box (8.11.3). Items in several pieces or inside other boxes
/// are not looked for: writers put EXIF in one piece.
fn item_place(list: &[u8], item: u32) -> Option<u64> {
    let version = *list.first()?;
    let sizes = u16_be(list, 4)?;
    let [offset_size, length_size, base_size, index_size] =
        [sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15].map(usize::from);
    let index_size = if version == 0 { 0 } else { index_size };
    let wide = version == 2;
    let (count, mut at) = if wide { (u32_be(list, 6)?, 10) } else { (u32::from(u16_be(list, 6)?), 8) };
    for _ in 0..count.min(u32::try_from(BOXES).ok()?) {
        let number = if wide { u32_be(list, at)? } else { u32::from(u16_be(list, at)?) };
        at += if wide { 4 } else { 2 };
        let method = if version == 0 {
            0
        } else {
            at += 2;
            u16_be(list, at - 2)? & 15
        };
        at += 2;
        let base = sized(list, at, base_size)?;
        at += base_size;
        let extents = usize::from(u16_be(list, at)?);
        at += 2;
        if number == item {
            let offset = sized(list, at + index_size, offset_size)?;
            return (method == 0 && extents == 1).then_some(base.checked_add(offset)?);
        }
        at = at.checked_add(extents * (index_size + offset_size + length_size))?;
    }
    None
}

/// A number of 0, 4 or 8 bytes.
fn sized(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    match size {
        0 => Some(0),
        4 => Some(u64::from(u32_be(bytes, at)?)),
        8 => u64_be(bytes, at),
        _ => None,
    }
}
