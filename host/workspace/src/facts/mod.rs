//! Well-known facts about one file, read from its first and last bytes: what kind it is and when it came to be.
//!
//! Files are not to be trusted and are parsed in the host, so every reader here is bounded: a file costs at most
//! `source::BYTES` read and `source::READS` calls, nothing is loaded whole, nothing is followed, nothing recurses
//! without a limit, and whatever is broken, encrypted or odd is a fact left out, never an error.

mod boxes;
mod date;
mod document;
mod image;
mod media_type;
mod pdf;
mod source;
mod tiff;
mod xml;
mod zip;

use date::Stated;
use deskhand_vocabulary::path;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use source::Source;
use std::fs::File;

/// The bits of a mode that say what kind of file it is, and the value for a regular one (inode(7)).
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// From this size on, in bytes, a file without a single block is elsewhere: file systems keep smaller ones in the
/// directory entry itself.
const INLINE: u64 = 4096;

/// What is known of a file before it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its last name, as the file system holds it.
    pub name: &'a [u8],
    /// Bytes.
    pub size: u64,
    /// When its content last changed.
    pub modified: jiff::Timestamp,
    /// `st_mode`, or the permission bits alone if it is a regular file.
    pub mode: u32,
    /// `st_blocks`: units of 512 bytes that the file system gave it.
    pub blocks: u64,
    /// Where it leads, if it is a symbolic link.
    pub link_target: Option<&'a [u8]>,
}

/// The facts of `names` that this file has:
///
/// - `media-type`: text such as `image/jpeg`, from the content where that tells, else from the name
/// - `image.taken`: when a picture was taken (EXIF DateTimeOriginal)
/// - `document.created`: when a document was written (PDF, Office Open XML, OpenDocument, EPUB, RTF)
/// - `media.created`: when sound or film was recorded (QuickTime, MP4)
/// - `file.modified`: the file's own time
/// - `mode`: permission bits as octal text, `0644`
/// - `link-target`: where a symbolic link leads, as `vocabulary::path::encode` writes it
/// - `placeholder`: true if the content is not on this disk (a cloud's stand-in)
///
/// Dates are civil ISO 8601 date-times as a clock in `zone` showed them, without an offset; a fraction is there if the
/// file states one. A date that states no offset is taken as it stands. Names that are not known and facts that the
/// file does not have are left out. The content of a placeholder is not read, for reading would fetch it; nor is that
/// of anything but a regular file.
pub fn read(file: &File, known: &Known<'_>, names: &[&str], zone: &TimeZone) -> Map<String, Value> {
    let placeholder = is_placeholder(known);
    let mut content = Content { file, known, readable: !placeholder && is_regular(known), source: None, kind: None };
    let mut facts = Map::new();
    for name in names {
        let fact = match *name {
            "media-type" => Some(Value::from(content.kind())),
            "image.taken" => content.date(image::taken).map(|date| civil(date, zone)),
            "document.created" => content.date(document::created).map(|date| civil(date, zone)),
            "media.created" => content.date(boxes::created).map(|date| civil(date, zone)),
            "file.modified" => Some(Value::from(zone.to_datetime(known.modified).to_string())),
            "mode" => Some(Value::from(format!("{:04o}", known.mode & 0o7777))),
            "link-target" => known.link_target.map(|target| Value::from(path::encode(target))),
            "placeholder" => Some(Value::from(placeholder)),
            _ => None,
        };
        if let Some(fact) = fact {
            facts.insert((*name).to_owned(), fact);
        }
    }
    facts
}

/// The content, opened when a fact first needs it.
struct Content<'a> {
    file: &'a File,
    known: &'a Known<'a>,
    readable: bool,
    source: Option<Source<'a>>,
    kind: Option<String>,
}

impl<'a> Content<'a> {
    fn source(&mut self) -> &mut Source<'a> {
        let size = if self.readable { self.known.size } else { 0 };
        self.source.get_or_insert_with(|| Source::new(self.file, size))
    }

    fn kind(&mut self) -> String {
        if let Some(kind) = &self.kind {
            return kind.clone();
        }
        let name = self.known.name;
        let kind = match self.known.mode & KIND {
            0 | REGULAR if self.readable => media_type::of_content(self.source(), name),
            0 | REGULAR => media_type::of_name(visible_name(name)),
            other => media_type::of_inode(other),
        }
        .into_owned();
        self.kind.insert(kind).clone()
    }

    fn date(&mut self, reader: fn(&mut Source<'a>, &str) -> Option<Stated>) -> Option<Stated> {
        if !self.readable {
            return None;
        }
        let kind = self.kind();
        reader(self.source(), &kind)
    }
}

fn civil(date: Stated, zone: &TimeZone) -> Value {
    Value::from(date.within(zone).to_string())
}

fn is_regular(known: &Known<'_>) -> bool {
    known.link_target.is_none() && matches!(known.mode & KIND, 0 | REGULAR)
}

fn is_placeholder(known: &Known<'_>) -> bool {
    is_regular(known) && (known.size >= INLINE && known.blocks == 0 || visible_name(known.name) != known.name)
}

/// The name that a person sees for what iCloud left as `.name.icloud` when it took the content away.
fn visible_name(name: &[u8]) -> &[u8] {
    let inner = name.strip_prefix(b".").and_then(|name| name.strip_suffix(b".icloud"));
    inner.filter(|inner| !inner.is_empty()).unwrap_or(name)
}
