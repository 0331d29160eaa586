//! The kind and the date of a file, as a short program would read them: the first 8 KiB tell the kind; a JPEG's EXIF
//! block, a PDF's `/CreationDate`, an Office document's `docProps/core.xml` and a film's `mvhd` box tell the date; else it
//! is the file's own time. No limits, no odd files, no time zones.

use anyhow::{Context as _, Result};
use flate2::read::DeflateDecoder;
use std::{
    fs::{File, Metadata},
    io::{BufReader, Read as _},
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
};

/// What was found.
pub(crate) struct Found {
    pub(crate) kind: &'static str,
    pub(crate) year: i64,
    pub(crate) month: u32,
    /// True if the date is the document's own.
    pub(crate) own_date: bool,
}

pub(crate) fn read(path: &Path, facts: &Metadata) -> Result<Found> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut head = [0; 8192];
    let length = file.read_at(&mut head, 0)?;
    let head = &head[..length];
    let (kind, own) = match head {
        [0xff, 0xd8, 0xff, ..] => ("Pictures", exif_date(&file)),
        [0x89, b'P', b'N', b'G', ..] => ("Pictures", None),
        [b'%', b'P', b'D', b'F', ..] => ("Documents", pdf_date(&file, facts.len())?),
        [b'P', b'K', 3, 4, ..] => ("Documents", office_date(&file, facts.len())?),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("Videos", film_date(&file, facts.len())),
        [b'I', b'D', b'3', ..] | [0xff, 0xfb, ..] => ("Music", None),
        _ => match path.extension().and_then(|extension| extension.to_str()) {
            Some("txt" | "md" | "html") => ("Documents", None),
            Some("csv" | "json") => ("Data", None),
            _ => ("Other", None),
        },
    };
    let (year, month) = own.unwrap_or_else(|| civil(facts.mtime()));
    Ok(Found { kind, year, month, own_date: own.is_some() })
}

/// Year and month in UTC of seconds since 1970: the proleptic Gregorian calendar, counted from March of year 0.
fn civil(seconds: i64) -> (i64, u32) {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let month = (5 * (day - (365 * year + year / 4 - year / 100)) + 2) / 153;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, u32::try_from(month).unwrap_or(1))
}

/// `YYYY` and `MM` with `gap` bytes between them.
fn digits(text: &[u8], gap: usize) -> Option<(i64, u32)> {
    let year = std::str::from_utf8(text.get(..4)?).ok()?.parse().ok()?;
    let month = std::str::from_utf8(text.get(4 + gap..6 + gap)?).ok()?.parse().ok()?;
    Some((year, month))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn exif_date(file: &File) -> Option<(i64, u32)> {
    let exif = exif::Reader::new().read_from_container(&mut BufReader::new(file)).ok()?;
    let field = exif.get_field(exif::Tag::DateTimeOriginal, exif::In::PRIMARY)?;
    match &field.value {
        exif::Value::Ascii(texts) => digits(texts.first()?, 1),
        _ => None,
    }
}

fn pdf_date(file: &File, size: u64) -> Result<Option<(i64, u32)>> {
    let mut text = vec![0; usize::try_from(size)?];
    file.read_exact_at(&mut text, 0)?;
    let key = b"/CreationDate (D:";
    Ok(find(&text, key).and_then(|at| digits(&text[at + key.len()..], 0)))
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + N)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

fn office_date(file: &File, size: u64) -> Result<Option<(i64, u32)>> {
    let mut archive = vec![0; usize::try_from(size)?];
    file.read_exact_at(&mut archive, 0)?;
    let core = entry(&archive, b"docProps/core.xml").unwrap_or_default();
    let created = find(&core, b"<dcterms:created").and_then(|at| {
        let text = &core[at..];
        digits(&text[find(text, b">")? + 1..], 1)
    });
    Ok(created)
}

/// A file of a ZIP archive (APPNOTE.TXT 4.3), found by the central directory.
fn entry(archive: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let mut at = number::<4>(archive, end + 16)?;
    while archive.get(at..at + 4)? == b"PK\x01\x02" {
        let (packed, method) = (number::<4>(archive, at + 20)?, number::<2>(archive, at + 10)?);
        let name = number::<2>(archive, at + 28)?;
        if archive.get(at + 46..at + 46 + name)? == wanted {
            let local = number::<4>(archive, at + 42)?;
            let data = local + 30 + number::<2>(archive, local + 26)? + number::<2>(archive, local + 28)?;
            let data = archive.get(data..data + packed)?;
            let mut out = Vec::new();
            match method {
                8 => DeflateDecoder::new(data).read_to_end(&mut out).ok()?,
                _ => {
                    out.extend_from_slice(data);
                    packed
                }
            };
            return Some(out);
        }
        at += 46 + name + number::<2>(archive, at + 30)? + number::<2>(archive, at + 32)?;
    }
    None
}

/// `moov/mvhd` of ISO 14496-12: seconds since 1904, or 0 if nobody set it.
fn film_date(file: &File, size: u64) -> Option<(i64, u32)> {
    let (mut at, mut end) = (0, size);
    while at + 8 <= end {
        let mut head = [0; 8];
        file.read_exact_at(&mut head, at).ok()?;
        let length = u64::from(u32::from_be_bytes(head[..4].try_into().ok()?));
        match &head[4..] {
            b"moov" => (at, end) = (at + 8, at + length),
            b"mvhd" => {
                let mut body = [0; 12];
                file.read_exact_at(&mut body, at + 8).ok()?;
                let time = match body[0] {
                    0 => i64::from(u32::from_be_bytes(body[4..8].try_into().ok()?)),
                    _ => i64::from_be_bytes(body[4..12].try_into().ok()?),
                };
                return (time > 0).then(|| civil(time - 2_082_844_800));
            }
            _ if length < 8 => return None,
            _ => at += length,
        }
    }
    None
}
