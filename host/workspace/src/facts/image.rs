//! Where a picture keeps its EXIF block, by format.

use super::{
    boxes,
    date::Stated,
    source::{Source, u16_be, u32_be, u32_le},
    tiff,
};

/// Parts of a picture that are walked over in search of its EXIF block.
const PARTS: usize = 512;

/// When a picture of the media type `kind` was taken, if it says so.
pub(super) fn taken(source: &mut Source<'_>, kind: &str) -> Option<Stated> {
    let at = match kind {
        "image/jpeg" => jpeg(source)?,
        "image/png" => png(source)?,
        "image/webp" => webp(source)?,
        "image/heic" | "image/heif" | "image/avif" => boxes::exif(source)?,
        "image/tiff" => 0,
        _ if kind.starts_with("image/x-") => 0,
        _ => return None,
    };
    tiff::taken(source, at)
}

/// The TIFF header in the segment APP1 (EXIF 2.32, 4.7.2), which stands before the picture itself.
fn jpeg(source: &mut Source<'_>) -> Option<u64> {
    let mut at = 2;
    for _ in 0..PARTS {
        let segment = source.exact(at, 4)?;
        let (marker, length) = (segment[1], u16_be(segment, 2)?);
        if segment[0] != 0xFF {
            return None;
        }
        match marker {
            // Fill bytes before a marker.
            0xFF => {
                at += 1;
                continue;
            }
            // Start of scan, end of image: the picture itself begins.
            0xDA | 0xD9 => return None,
            0xE1 if source.upto(at + 4, 6)? == b"Exif\0\0" => return Some(at + 10),
            _ if length < 2 => return None,
            _ => at += 2 + u64::from(length),
        }
    }
    None
}

/// The chunk eXIf (PNG, third edition, 11.3.3.5), before or after the picture itself.
fn png(source: &mut Source<'_>) -> Option<u64> {
    let mut at = 8;
    for _ in 0..PARTS {
        let chunk = source.exact(at, 8)?;
        let length = u64::from(u32_be(chunk, 0)?);
        match &chunk[4..8] {
            b"eXIf" => return Some(at + 8),
            b"IEND" => return None,
            _ => at += 12 + length,
        }
    }
    None
}

/// The chunk EXIF (RFC 9649, 2.7.1.5), which only the extended form has, and its header announces.
fn webp(source: &mut Source<'_>) -> Option<u64> {
    const ANNOUNCED: u8 = 0b0000_1000;
    let header = source.exact(12, 9)?;
    if &header[..4] != b"VP8X" || header[8] & ANNOUNCED == 0 {
        return None;
    }
    let mut at = 12;
    for _ in 0..PARTS {
        let chunk = source.exact(at, 8)?;
        let length = u64::from(u32_le(chunk, 4)?);
        if &chunk[..4] == b"EXIF" {
            // Some writers put the prefix of a JPEG segment here too.
            let prefixed = source.upto(at + 8, 6)? == b"Exif\0\0";
            return Some(if prefixed { at + 14 } else { at + 8 });
        }
        at += 8 + length + length % 2;
    }
    None
}
