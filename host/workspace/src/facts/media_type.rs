//! What kind a file is. The content decides where it tells; where it does not, as in most text, the name does.

mod names;

use super::{
    source::{Source, find},
    tiff,
    zip::Archive,
};
use names::Belief;
use std::borrow::Cow;

const UNKNOWN: &str = "application/octet-stream";
const ZIP: &str = "application/zip";
/// Bytes of a file's beginning within which the first element of an SVG or a page stands.
const OPENING: usize = 1024;

/// By what it is in the file system, for all that is no regular file (shared MIME-info specification 2.2, 2.11).
pub(super) fn of_inode(kind: u32) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        0o040_000 => "inode/directory",
        0o120_000 => "inode/symlink",
        0o010_000 => "inode/fifo",
        0o140_000 => "inode/socket",
        0o020_000 => "inode/chardevice",
        0o060_000 => "inode/blockdevice",
        _ => UNKNOWN,
    })
}

/// By the name alone, for a file of which there is nothing to read.
pub(super) fn of_name(name: &[u8]) -> Cow<'static, str> {
    Cow::Borrowed(names::by_extension(name).map_or(UNKNOWN, |(kind, _)| kind))
}

/// By the content, and by the name where the content leaves it open.
pub(super) fn of_content(source: &mut Source<'_>, name: &[u8]) -> Cow<'static, str> {
    let named = names::by_extension(name);
    let head = source.head();
    if head.is_empty() {
        return of_name(name);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return archive(source, name);
    }
    if let Some(kind) = markup(head) {
        return Cow::Borrowed(kind);
    }
    let whole = source.size() == head.len() as u64;
    let believed = named.filter(|(_, belief)| matches!(belief, Belief::Text | Belief::Any));
    if is_text(head, whole, believed.is_some()) {
        return Cow::Borrowed(match believed {
            Some((kind, _)) => kind,
            None => text(head),
        });
    }
    if let Some(kind) = picture(source, named) {
        return Cow::Borrowed(kind);
    }
    let head = source.head();
    let believed = named.filter(|(_, belief)| matches!(belief, Belief::Bytes | Belief::Any)).map(|(kind, _)| kind);
    Cow::Borrowed(container(head, named).or_else(|| magic(head)).or(believed).unwrap_or(UNKNOWN))
}

/// Formats that begin like text.
fn markup(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    if head.starts_with(b"%PDF-") {
        Some("application/pdf")
    } else if head.starts_with(b"{\\rtf") {
        Some("application/rtf")
    } else if head.starts_with(b"%!PS") {
        Some("application/postscript")
    } else {
        None
    }
}

/// True if these first bytes are text in UTF-8, UTF-16 or, where the name says text too or letters prevail, an 8-bit
/// encoding.
fn is_text(head: &[u8], whole: bool, named_so: bool) -> bool {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        // A mark of UTF-16 also begins other things; text has no NUL letter.
        return head.len() > 2 && !head[2..].as_chunks::<2>().0.contains(&[0, 0]);
    }
    if head.iter().any(|byte| matches!(byte, 0..=8 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F)) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end within a letter.
        Err(error) if error.error_len().is_none() && !whole => true,
        Err(_) => named_so || head.iter().filter(|byte| !byte.is_ascii()).count() * 10 < head.len() * 3,
    }
}

/// What kind of text it is, where the name does not say.
fn text(head: &[u8]) -> &'static str {
    let opening = &head[..head.len().min(OPENING)];
    let opening = opening.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(opening).trim_ascii_start().to_ascii_lowercase();
    let holds = |word: &[u8]| find(&opening, word).is_some();
    let begins = |words: &[&[u8]]| words.iter().any(|word| opening.starts_with(word));
    if begins(&[b"<svg"]) || begins(&[b"<?xml", b"<!doctype svg"]) && holds(b"<svg") {
        "image/svg+xml"
    } else if begins(&[b"<!doctype html", b"<html"]) || begins(&[b"<?xml"]) && holds(b"<html") {
        "text/html"
    } else if begins(&[b"<?xml"]) {
        "application/xml"
    } else if begins(&[b"begin:vcalendar"]) {
        "text/calendar"
    } else if begins(&[b"begin:vcard"]) {
        "text/vcard"
    } else if begins(&[b"#!"]) {
        script(opening.split(|byte| *byte == b'\n').next().unwrap_or_default())
    } else {
        "text/plain"
    }
}

fn script(line: &[u8]) -> &'static str {
    let program = line.rsplit(|byte| matches!(byte, b'/' | b' ')).find(|word| !word.starts_with(b"-"));
    match program.map(<[u8]>::trim_ascii_end).unwrap_or_default() {
        b"sh" | b"bash" | b"dash" | b"zsh" | b"ksh" => "application/x-sh",
        program if program.starts_with(b"python") => "text/x-python",
        b"perl" => "text/x-perl",
        b"ruby" => "text/x-ruby",
        b"node" => "text/javascript",
        _ => "text/plain",
    }
}

/// TIFF, and the raw pictures that are TIFF: those are told apart by their marks or, for want of one, their names.
fn picture(source: &mut Source<'_>, named: Option<(&'static str, Belief)>) -> Option<&'static str> {
    let head = source.head();
    match head.first_chunk::<4>()? {
        b"IIRO" | b"IIRS" => return Some("image/x-olympus-orf"),
        b"IIU\0" => return Some("image/x-panasonic-rw2"),
        b"II*\0" if head.get(8..10) == Some(b"CR") => return Some("image/x-canon-cr2"),
        b"II*\0" | b"MM\0*" => {}
        _ => return None,
    }
    match named {
        Some((kind, Belief::Raw)) => Some(kind),
        _ if tiff::is_negative(source) => Some("image/x-adobe-dng"),
        _ => Some("image/tiff"),
    }
}

/// Formats that hold one of several things, so that their magic bytes alone do not tell.
fn container(head: &[u8], named: Option<(&'static str, Belief)>) -> Option<&'static str> {
    let at = |from: usize, bytes: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(bytes));
    let named = named.map_or("", |(kind, _)| kind);
    if at(4, b"ftyp") {
        Some(boxes(head, named))
    } else if [&b"moov"[..], b"mdat", b"wide", b"free", b"skip", b"pnot"].iter().any(|kind| at(4, kind))
        && named.starts_with("video/")
    {
        Some("video/quicktime")
    } else if at(0, b"RIFF") {
        match head.get(8..12)? {
            b"WAVE" => Some("audio/wav"),
            b"AVI " => Some("video/x-msvideo"),
            b"WEBP" => Some("image/webp"),
            _ => None,
        }
    } else if at(0, b"OggS") {
        // The first page's packet names its codec (RFC 3533, RFC 5334).
        Some(if at(28, b"\x80theora") || named == "video/ogg" { "video/ogg" } else { "audio/ogg" })
    } else if at(0, b"\x1A\x45\xDF\xA3") {
        let opening = &head[..head.len().min(64)];
        Some(match named {
            _ if find(opening, b"webm").is_some() => {
                if named == "audio/webm" {
                    "audio/webm"
                } else {
                    "video/webm"
                }
            }
            "audio/matroska" => "audio/matroska",
            _ => "video/matroska",
        })
    } else if at(0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        let known = ["application/msword", "application/vnd.ms-", "application/x-msi", "application/vnd.visio"];
        Some(if known.iter().any(|start| named.starts_with(start)) { named } else { "application/x-ole-storage" })
    } else {
        None
    }
}

/// ISO/IEC 14496-12, 4.3: the major brand, then what else the file is compatible with.
fn boxes(head: &[u8], named: &str) -> &'static str {
    let length = head.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let brands =
        head.get(8..usize::try_from(length).unwrap_or(0).min(head.len())).unwrap_or_default().as_chunks::<4>().0;
    let major = brands.first().copied().unwrap_or_default();
    match &major {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => "image/heic",
        b"avif" | b"avis" => "image/avif",
        b"mif1" | b"msf1" if brands.contains(b"avif") => "image/avif",
        b"mif1" | b"msf1" if brands.contains(b"heic") => "image/heic",
        b"mif1" | b"msf1" => "image/heif",
        b"crx " => "image/x-canon-cr3",
        b"jp2 " => "image/jp2",
        b"qt  " => "video/quicktime",
        b"M4A " | b"M4B " | b"M4P " => "audio/mp4",
        [b'3', b'g', b'2', _] => "video/3gpp2",
        [b'3', b'g', _, _] => "video/3gpp",
        _ if named == "audio/mp4" => "audio/mp4",
        _ => "video/mp4",
    }
}

/// What `infer` finds, under the names that IANA lists where it lists one.
fn magic(head: &[u8]) -> Option<&'static str> {
    Some(match infer::get(head)?.mime_type() {
        "application/font-sfnt" if head.starts_with(b"OTTO") => "font/otf",
        "application/font-sfnt" if head.starts_with(b"ttcf") => "font/collection",
        // Its mark is the number 65,536; the name of its first table tells it from other files that begin so.
        "application/font-sfnt" if head.get(12..16)?.iter().all(u8::is_ascii_graphic) => "font/ttf",
        "application/font-sfnt" => return None,
        "application/font-woff" if head.starts_with(b"wOF2") => "font/woff2",
        "application/font-woff" => "font/woff",
        "audio/x-flac" => "audio/flac",
        "audio/x-wav" => "audio/wav",
        "audio/m4a" => "audio/mp4",
        // Two bytes are too few for these; so they begin by chance.
        "application/x-compress" | "application/octet-stream" => return None,
        other => other,
    })
}

/// What an archive holds makes it a document, a book, a program, or an archive.
fn archive(source: &mut Source<'_>, name: &[u8]) -> Cow<'static, str> {
    let named = names::by_extension(name).map_or("", |(kind, _)| kind);
    if let Some(kind) = declared(source.head()) {
        return Cow::Owned(kind);
    }
    let among = |kinds: &[&str]| kinds.contains(&named).then_some(named);
    let Some(archive) = Archive::open(source) else {
        // Cut off, or too large: the first members are at its beginning.
        let kind = infer::get(source.head()).map(|kind| kind.mime_type());
        let kind = kind.filter(|kind| kind.starts_with("application/vnd.openxmlformats"));
        return Cow::Borrowed(kind.or_else(|| among(names::ZIPPED)).unwrap_or(ZIP));
    };
    let below = |folder: &[u8]| archive.members().any(|member| member.name.starts_with(folder));
    Cow::Borrowed(if archive.holds(b"[Content_Types].xml") {
        if below(b"word/") {
            among(names::WORD).unwrap_or(names::WORD[0])
        } else if below(b"xl/") {
            among(names::CELLS).unwrap_or(names::CELLS[0])
        } else if below(b"ppt/") {
            among(names::SLIDES).unwrap_or(names::SLIDES[0])
        } else if below(b"visio/") {
            "application/vnd.ms-visio.drawing"
        } else {
            among(names::ZIPPED).unwrap_or(ZIP)
        }
    } else if archive.holds(b"AndroidManifest.xml") {
        "application/vnd.android.package-archive"
    } else if archive.holds(b"META-INF/MANIFEST.MF") {
        "application/java-archive"
    } else {
        among(names::ZIPPED).unwrap_or(ZIP)
    })
}

/// OpenDocument 1.3 part 2, 3.3, and EPUB OCF 3.3, 4.3.2: the first member is named `mimetype` and stored plain.
fn declared(head: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes(*head.get(22..)?.first_chunk::<2>()?));
    let extra = usize::from(u16::from_le_bytes(*head.get(28..)?.first_chunk::<2>()?));
    let rest = head.get(30..)?.strip_prefix(b"mimetype")?.get(extra..)?;
    if head.get(8..10)? != b"\0\0" || head.get(26..28)? != b"\x08\0" {
        return None;
    }
    // Its length is not there if the archive was written in one go; then the next record's mark ends it.
    let length = if length == 0 { find(&rest[..rest.len().min(OPENING)], b"PK")? } else { length };
    let kind = std::str::from_utf8(rest.get(..length)?).ok()?.trim_ascii();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte);
    let subtype = kind.strip_prefix("application/").or_else(|| kind.strip_prefix("image/"))?;
    (subtype.len() <= 100 && !subtype.is_empty() && subtype.bytes().all(plain)).then(|| kind.to_owned())
}
