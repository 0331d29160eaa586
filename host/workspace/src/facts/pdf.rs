//! When a PDF was written (ISO 32000-2): its Info dictionary, else its metadata stream.
//!
//! The file is read from its end: the newest cross-reference section, those before it as they are needed, and the one
//! or two objects that are asked for. An encrypted file's strings are not legible, so it has no date. A file whose
//! cross-reference is broken is not repaired.

mod syntax;

use super::{
    date::{self, Stated},
    source::{Source, find, rfind},
    xml,
    zip::inflate,
};
use syntax::{Dictionary, Parser, Value};

/// Bytes at the file's end within which `startxref` stands, and at its beginning, `%PDF-` (annex I of the 1.7
/// reference allows 1,024).
const ENDS: usize = 1024;
/// Cross-reference sections that are gone through, and parts that one may have.
const SECTIONS: usize = 64;
const PARTS: usize = 256;
/// Bytes of an object that are looked at, and of a packed stream.
const OBJECT: usize = 16 * 1024;
const STREAM: usize = 512 * 1024;
/// Bytes that all streams of a file together may unpack to: lists of 800,000 objects.
const UNPACKED: usize = 4 * 1024 * 1024;
/// References from object to object that are followed.
const DEPTH: u8 = 6;

/// When the file was written, if it says so.
pub(super) fn created(source: &mut Source<'_>) -> Option<Stated> {
    let mut file = Portable::open(source)?;
    file.info_date().or_else(|| file.metadata_date())
}

/// One cross-reference section.
enum Section {
    /// Lines of 20 bytes in the file, for `count` objects from `first` on.
    Table(Vec<Part>),
    /// Rows of three numbers each, `widths` bytes wide, for the objects in `parts`.
    Stream { widths: [usize; 3], parts: Vec<Part>, rows: Vec<u8> },
}

/// Objects in a row; `at` is where their lines begin in the file, or their row in the stream.
struct Part {
    first: u64,
    count: u64,
    at: u64,
}

/// Where an object is.
#[derive(Clone, Copy)]
enum Place {
    At(u64),
    Within { stream: u64, index: u64 },
}

struct Portable<'s, 'f> {
    source: &'s mut Source<'f>,
    /// Where `%PDF-` stands, from which offsets count.
    base: u64,
    /// Newest first.
    sections: Vec<Section>,
    info: Option<Value>,
    root: Option<Value>,
    unpacked_left: usize,
}

/// An object's dictionary, and where its stream begins if it has one.
struct Loaded {
    value: Value,
    stream_at: Option<u64>,
}

impl<'s, 'f> Portable<'s, 'f> {
    fn open(source: &'s mut Source<'f>) -> Option<Self> {
        let head = source.head();
        let base = find(&head[..head.len().min(ENDS)], b"%PDF-")? as u64;
        let tail = source.upto(source.size().saturating_sub(ENDS as u64), ENDS)?;
        let start = tail.get(rfind(tail, b"startxref")? + 9..)?;
        let start = Parser::new(start).number()?;
        let mut file = Self { source, base, sections: Vec::new(), info: None, root: None, unpacked_left: UNPACKED };
        let mut seen = Vec::new();
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            if seen.contains(&at) || seen.len() == SECTIONS {
                break;
            }
            seen.push(at);
            // What is found before a broken section counts: it is newer.
            let Some(trailer) = file.section(at) else { break };
            if trailer.contains_key(&b"Encrypt"[..]) {
                return None;
            }
            file.info = file.info.or_else(|| trailer.get(&b"Info"[..]).cloned());
            file.root = file.root.or_else(|| trailer.get(&b"Root"[..]).cloned());
            // A table may have a stream beside it (7.5.8.4), which goes before what is older.
            waiting.extend([&b"Prev"[..], b"XRefStm"].iter().filter_map(|key| trailer.get(*key)?.number()));
        }
        Some(file)
    }

    fn info_date(&mut self) -> Option<Stated> {
        let info = self.info.clone()?;
        let info = self.resolve(info, DEPTH)?.value.dictionary()?;
        let date = self.resolve(info.get(&b"CreationDate"[..])?.clone(), DEPTH)?.value;
        date::pdf(&date.text()?)
    }

    /// 14.3.2: the catalog names a stream of XMP.
    fn metadata_date(&mut self) -> Option<Stated> {
        let root = self.root.clone()?;
        let root = self.resolve(root, DEPTH)?.value.dictionary()?;
        let metadata = self.resolve(root.get(&b"Metadata"[..])?.clone(), DEPTH)?;
        let xmp = self.content(&metadata, DEPTH)?;
        date::iso(xml::property(&xmp, "CreateDate")?.as_bytes())
    }

    /// Reads the section at `at` and answers its trailer.
    fn section(&mut self, at: u64) -> Option<Dictionary> {
        let at = self.base.checked_add(at)?;
        let bytes = self.source.upto(at, ENDS)?;
        let blank = bytes.iter().take_while(|byte| syntax::is_blank(**byte)).count();
        let at = at + blank as u64;
        if bytes.get(blank..)?.starts_with(b"xref") { self.table(at + 4) } else { self.stream(at) }
    }

    /// 7.5.4: parts of `first count`, each with `count` lines of 20 bytes, which are skipped until one is needed.
    fn table(&mut self, mut at: u64) -> Option<Dictionary> {
        let mut parts = Vec::new();
        for _ in 0..PARTS {
            let mut line = Parser::new(self.source.upto(at, 64)?);
            if line.keyword(b"trailer") {
                at += line.position() as u64;
                self.sections.push(Section::Table(parts));
                return Parser::new(self.source.upto(at, OBJECT)?).value(0)?.dictionary();
            }
            let (first, count) = (line.number()?, line.number()?);
            line.blanks();
            at += line.position() as u64;
            parts.push(Part { first, count, at });
            at = at.checked_add(count.checked_mul(20)?)?;
        }
        None
    }

    /// 7.5.8: a stream whose dictionary is the trailer.
    fn stream(&mut self, at: u64) -> Option<Dictionary> {
        let loaded = self.object_at(at, None)?;
        let rows = self.content(&loaded, 0)?;
        let trailer = loaded.value.dictionary()?;
        let list = |key: &[u8]| Some(trailer.get(key)?.list()?.iter().map(Value::number).collect::<Vec<_>>());
        let mut widths = [0; 3];
        for (width, given) in widths.iter_mut().zip(list(b"W")?) {
            *width = usize::try_from(given?).ok().filter(|width| *width <= 8)?;
        }
        let pairs = list(b"Index").unwrap_or_else(|| vec![Some(0), trailer.get(&b"Size"[..]).and_then(Value::number)]);
        let (mut parts, mut at) = (Vec::new(), 0_u64);
        for pair in pairs.as_chunks::<2>().0 {
            let [first, count] = [pair[0]?, pair[1]?];
            parts.push(Part { first, count, at });
            at = at.checked_add(count)?;
        }
        self.sections.push(Section::Stream { widths, parts, rows });
        Some(trailer)
    }

    /// Where the newest section that knows of an object says it is; none if that section says it is free.
    fn place(&mut self, number: u64) -> Option<Place> {
        let part = |parts: &[Part]| {
            let part = parts.iter().find(|part| number >= part.first && number - part.first < part.count)?;
            Some((part.at, number - part.first))
        };
        for section in &self.sections {
            match section {
                Section::Table(parts) => {
                    let Some((at, index)) = part(parts) else { continue };
                    let line = self.source.exact(at.checked_add(index.checked_mul(20)?)?, 18)?;
                    let offset = Parser::new(&line[..10]).number()?;
                    // An object that only the stream beside this table has is free in the table (7.5.8.4).
                    match line[17] {
                        b'n' => return Some(Place::At(self.base.checked_add(offset)?)),
                        _ => continue,
                    }
                }
                Section::Stream { widths, parts, rows } => {
                    let Some((at, index)) = part(parts) else { continue };
                    let width = widths.iter().sum::<usize>();
                    let from = usize::try_from(at.checked_add(index)?).ok()?.checked_mul(width)?;
                    let mut row = rows.get(from..from.checked_add(width)?)?;
                    let mut field = |width: usize| {
                        let (field, rest) = row.split_at(width);
                        row = rest;
                        field.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
                    };
                    let kind = if widths[0] == 0 { 1 } else { field(widths[0]) };
                    let (second, third) = (field(widths[1]), field(widths[2]));
                    return match kind {
                        1 => Some(Place::At(self.base.checked_add(second)?)),
                        2 => Some(Place::Within { stream: second, index: third }),
                        _ => None,
                    };
                }
            }
        }
        None
    }

    /// Follows references to the object itself.
    fn resolve(&mut self, value: Value, depth: u8) -> Option<Loaded> {
        let Value::Reference(number) = value else { return Some(Loaded { value, stream_at: None }) };
        let depth = depth.checked_sub(1)?;
        let loaded = match self.place(number)? {
            Place::At(at) => self.object_at(at, Some(number))?,
            Place::Within { stream, index } => self.object_within(stream, index, number, depth)?,
        };
        match loaded.value {
            Value::Reference(_) => self.resolve(loaded.value, depth),
            _ => Some(loaded),
        }
    }

    /// The object whose `N G obj` stands at `at`; its number must be the one that was asked for.
    fn object_at(&mut self, at: u64, number: Option<u64>) -> Option<Loaded> {
        let mut object = Parser::new(self.source.upto(at, OBJECT)?);
        let found = object.number()?;
        object.number()?;
        if !object.keyword(b"obj") || number.is_some_and(|number| number != found) {
            return None;
        }
        let value = object.value(0)?;
        let stream_at = object.stream().map(|position| at + position as u64);
        Some(Loaded { value, stream_at })
    }

    /// 7.5.7: an object in a stream of objects, which begins with pairs of their numbers and places.
    fn object_within(&mut self, stream: u64, index: u64, number: u64, depth: u8) -> Option<Loaded> {
        let Place::At(at) = self.place(stream)? else { return None };
        let container = self.object_at(at, Some(stream))?;
        let bytes = self.content(&container, depth)?;
        let first = usize::try_from(container.value.dictionary()?.get(&b"First"[..])?.number()?).ok()?;
        let mut pairs = Parser::new(&bytes);
        for _ in 0..index {
            pairs.number()?;
            pairs.number()?;
        }
        let (found, offset) = (pairs.number()?, pairs.number()?);
        let from = first.checked_add(usize::try_from(offset).ok()?)?;
        let value = Parser::new(bytes.get(from..)?).value(0)?;
        (found == number).then_some(Loaded { value, stream_at: None })
    }

    /// What a stream holds: plain, or deflated with or without PNG's prediction (7.4.4).
    fn content(&mut self, object: &Loaded, depth: u8) -> Option<Vec<u8>> {
        let Value::Dictionary(dictionary) = &object.value else { return None };
        let length = match dictionary.get(&b"Length"[..])? {
            Value::Reference(_) if depth == 0 => return None,
            length => self.resolve(length.clone(), depth)?.value.number()?,
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= STREAM)?;
        let bytes = self.source.upto(object.stream_at?, length)?;
        // One filter may stand alone or as the only one of a list, and so its parameters.
        let only = |key: &[u8]| match dictionary.get(key) {
            Some(Value::List(list)) if list.len() == 1 => list.first(),
            other => other,
        };
        match only(b"Filter") {
            None => Some(bytes.to_vec()),
            Some(Value::Name(name)) if name == b"FlateDecode" => {
                let plain = inflate(flate2::read::ZlibDecoder::new(bytes), self.unpacked_left)?;
                self.unpacked_left -= plain.len();
                let parameter = |key: &[u8]| match only(b"DecodeParms") {
                    Some(Value::Dictionary(parameters)) => parameters.get(key)?.number(),
                    _ => None,
                };
                match parameter(b"Predictor") {
                    None | Some(1) => Some(plain),
                    Some(10..) => unpredict(&plain, usize::try_from(parameter(b"Columns").unwrap_or(1)).ok()?),
                    _ => None,
                }
            }
            Some(_) => None,
        }
    }
}

/// Undoes PNG's prediction (PNG, third edition, 9.2) for rows of single bytes.
fn unpredict(bytes: &[u8], columns: usize) -> Option<Vec<u8>> {
    if columns == 0 || columns > bytes.len() {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut above = vec![0_u8; columns];
    for row in bytes.chunks_exact(columns + 1) {
        let (mut left, mut above_left) = (0_u8, 0_u8);
        for (given, up) in row[1..].iter().zip(&mut above) {
            let guess = match row[0] {
                0 => 0,
                1 => left,
                2 => *up,
                3 => u8::midpoint(left, *up),
                4 => paeth(left, *up, above_left),
                _ => return None,
            };
            above_left = *up;
            left = given.wrapping_add(guess);
            *up = left;
        }
        out.extend_from_slice(&above);
    }
    Some(out)
}

fn paeth(left: u8, up: u8, above_left: u8) -> u8 {
    let [a, b, c] = [left, up, above_left].map(i16::from);
    let estimate = a + b - c;
    let [to_a, to_b, to_c] = [a, b, c].map(|each| (estimate - each).abs());
    if to_a <= to_b && to_a <= to_c {
        left
    } else if to_b <= to_c {
        up
    } else {
        above_left
    }
}
