//! Facts about real files, and what broken ones may cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_workspace::facts::{Known, read};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::Write as _,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

const DATES: [&str; 3] = ["image.taken", "document.created", "media.created"];
const ALL: [&str; 8] = [
    "media-type",
    "image.taken",
    "document.created",
    "media.created",
    "file.modified",
    "mode",
    "link-target",
    "placeholder",
];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn lines(table: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(fixtures().join(table)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A fixture: its name, what stands for it in the repository, its mode, and its time.
struct Fixture {
    path: String,
    stored: PathBuf,
    mode: u32,
    modified: Timestamp,
}

impl Fixture {
    fn all() -> Vec<Self> {
        lines("times.tsv")
            .into_iter()
            .map(|line| {
                let [path, seconds, mode, stored] = line.try_into().unwrap();
                Self {
                    stored: fixtures().join("downloads").join(if stored == "-" { &path } else { &stored }),
                    path,
                    mode: 0o100_000 | u32::from_str_radix(&mode, 8).unwrap(),
                    modified: Timestamp::from_second(seconds.parse().unwrap()).unwrap(),
                }
            })
            .collect()
    }

    fn named(path: &str) -> Vec<u8> {
        let all = Self::all();
        fs::read(&all.iter().find(|fixture| fixture.path == path).unwrap().stored).unwrap()
    }

    fn facts(&self, names: &[&str]) -> Map<String, Value> {
        let file = File::open(&self.stored).unwrap();
        let size = file.metadata().unwrap().len();
        let name = self.path.rsplit('/').next().unwrap().as_bytes();
        let known = Known {
            name,
            size,
            modified: self.modified,
            mode: self.mode,
            blocks: size.div_ceil(512),
            link_target: None,
        };
        read(&file, &known, names, &berlin())
    }
}

/// Facts about bytes under a name, in a file of their own.
fn facts_of(name: &str, bytes: &[u8], names: &[&str]) -> Map<String, Value> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    facts_in(&file, name, bytes.len() as u64, names)
}

fn facts_in(file: &File, name: &str, size: u64, names: &[&str]) -> Map<String, Value> {
    let modified = Timestamp::from_second(1_400_000_000).unwrap();
    let known = Known { name: name.as_bytes(), size, modified, mode: 0o100_644, blocks: 8, link_target: None };
    read(file, &known, names, &berlin())
}

fn media_type(name: &str, bytes: &[u8]) -> String {
    facts_of(name, bytes, &["media-type"])["media-type"].as_str().unwrap().to_owned()
}

#[test]
fn every_fixture_says_what_it_is_and_when_it_came_to_be() {
    let expected: HashMap<String, Vec<String>> =
        lines("expected.tsv").into_iter().map(|line| (line[0].clone(), line)).collect();
    let fixtures = Fixture::all();
    assert_eq!(fixtures.len(), expected.len());
    let (mut wrong, zone) = (Vec::new(), berlin());
    for fixture in fixtures {
        let line = &expected[&fixture.path];
        let modified = zone.to_datetime(fixture.modified).to_string();
        let mut wanted = Map::new();
        wanted.insert("media-type".into(), json!(line[1]));
        if line[2] == "file.modified" {
            assert_eq!(line[3], modified, "{}", fixture.path);
        } else {
            wanted.insert(line[2].clone(), json!(line[3]));
        }
        wanted.insert("file.modified".into(), json!(modified));
        wanted.insert("mode".into(), json!(format!("{:04o}", fixture.mode & 0o7777)));
        wanted.insert("placeholder".into(), json!(fixture.path.ends_with(".icloud")));
        let found = fixture.facts(&ALL);
        if found != wanted {
            wrong.push(format!("{}\n  wanted {wanted:?}\n  found  {found:?}", fixture.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dates_with_an_offset_are_told_in_the_zone_that_is_given() {
    let all = Fixture::all();
    let fixture = all.iter().find(|fixture| fixture.path == "Silvester 🎆.jpg").unwrap();
    let file = File::open(&fixture.stored).unwrap();
    let size = file.metadata().unwrap().len();
    let modified = fixture.modified;
    let known = Known { name: b"a", size, modified, mode: 0o644, blocks: 8, link_target: None };
    for (zone, taken, modified) in [
        ("UTC", "2020-01-01T04:50:00", "2025-01-05T09:00:00"),
        ("America/New_York", "2019-12-31T23:50:00", "2025-01-05T04:00:00"),
        ("Asia/Kathmandu", "2020-01-01T10:35:00", "2025-01-05T14:45:00"),
    ] {
        let facts = read(&file, &known, &["image.taken", "file.modified"], &TimeZone::get(zone).unwrap());
        assert_eq!(Value::Object(facts), json!({ "image.taken": taken, "file.modified": modified }), "{zone}");
    }
}

#[test]
fn names_that_are_not_known_are_left_out() {
    assert_eq!(facts_of("a.txt", b"text", &["colour", "", "mode"]), *json!({ "mode": "0644" }).as_object().unwrap());
    assert_eq!(facts_of("a.txt", b"text", &[]), Map::new());
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    // Reading this would never end.
    let endless = File::open("/dev/zero").unwrap();
    let facts = |mode, link_target| {
        let known = Known { name: b"a.jpg", size: 9000, modified: Timestamp::UNIX_EPOCH, mode, blocks: 0, link_target };
        Value::Object(read(&endless, &known, &ALL, &TimeZone::UTC))
    };
    let expected = |kind: &str, mode: &str| json!({ "media-type": kind, "file.modified": "1970-01-01T00:00:00", "mode": mode, "placeholder": false });
    assert_eq!(facts(0o010_600, None), expected("inode/fifo", "0600"));
    assert_eq!(facts(0o140_777, None), expected("inode/socket", "0777"));
    assert_eq!(facts(0o020_666, None), expected("inode/chardevice", "0666"));
    assert_eq!(facts(0o060_660, None), expected("inode/blockdevice", "0660"));
    assert_eq!(facts(0o041_777, None), expected("inode/directory", "1777"));
    let mut link = expected("inode/symlink", "0777");
    link["link-target"] = json!("../\u{f7e9}");
    assert_eq!(facts(0o120_777, Some(b"../\xe9")), link);
}

#[test]
fn a_placeholder_is_not_read() {
    // The name's word is taken; the content says otherwise.
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&Fixture::named("rechnung-2020.pdf"), 0).unwrap();
    let facts = |name: &[u8], size, blocks| {
        let known = Known { name, size, modified: Timestamp::UNIX_EPOCH, mode: 0o644, blocks, link_target: None };
        let facts = read(&file, &known, &["media-type", "placeholder"], &TimeZone::UTC);
        (facts["media-type"].as_str().unwrap().to_owned(), facts["placeholder"].as_bool().unwrap())
    };
    assert_eq!(facts(b"a.pdf", 5000, 0), ("application/pdf".into(), true));
    assert_eq!(facts(b"a.pdf", 4095, 0), ("image/png".into(), false));
    assert_eq!(facts(b"a.pdf", 5000, 8), ("image/png".into(), false));
    assert_eq!(facts(b".a.pdf.icloud", 100, 8), ("application/pdf".into(), true));
    assert_eq!(facts(b"a.icloud", 100, 8), ("image/png".into(), false));
}

#[test]
fn an_unreadable_file_is_known_by_its_name() {
    let path = tempfile::NamedTempFile::new().unwrap();
    let closed = fs::OpenOptions::new().write(true).open(path.path()).unwrap();
    closed.write_all_at(b"\x89PNG\r\n\x1a\n", 0).unwrap();
    assert_eq!(Value::Object(facts_in(&closed, "a.mkv", 8, &ALL[..4])), json!({ "media-type": "video/matroska" }));
    let unopened = fs::OpenOptions::new().read(true).custom_flags(libc_o_path()).open(path.path()).unwrap();
    assert_eq!(Value::Object(facts_in(&unopened, "a.mkv", 8, &ALL[..4])), json!({ "media-type": "video/matroska" }));
}

fn libc_o_path() -> i32 {
    i32::try_from(rustix::fs::OFlags::PATH.bits()).unwrap()
}

#[test]
fn content_goes_before_the_name_and_the_name_before_a_guess() {
    for (name, bytes, expected) in [
        ("a.txt", &b"MZ is how this note begins\n"[..], "text/plain"),
        ("a.txt", b"BM and so on, and more of it\n", "text/plain"),
        ("a.jpg", b"<!DOCTYPE html><html>not found</html>", "text/html"),
        ("a.pdf", b"<?xml version='1.0'?><Error>expired</Error>", "application/xml"),
        ("a", b"\xEF\xBB\xBF<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        ("a", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar"),
        ("a", b"BEGIN:VCARD\r\nEND:VCARD\r\n", "text/vcard"),
        ("a", b"#!/usr/bin/env python3\n", "text/x-python"),
        ("a", b"#!/bin/sh -e\n", "application/x-sh"),
        ("a", b"#!/usr/bin/awk -f\n", "text/plain"),
        ("a.csv", b"a;\xe4;\xf6;\xfc\xdf\n", "text/csv"),
        ("a.csv", b"\xFF\xFEa\0;\0b\0", "text/csv"),
        ("a.csv", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0", "application/x-ole-storage"),
        ("a.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0", "application/msword"),
        ("a.nef", b"MM\0*\0\0\0\x08\0\0", "image/x-nikon-nef"),
        ("a.jpg", b"MM\0*\0\0\0\x08\0\0", "image/tiff"),
        ("a.iso", b"\0\0\0\0\0\0\0\0", "application/x-iso9660-image"),
        ("a.docx", b"\0\0\0\0\0\0\0\0", "application/octet-stream"),
        ("a.docx", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "application/zip"),
        ("a.m4a", b"\0\0\0\x14ftypisom\0\0\0\0isom", "audio/mp4"),
        ("a.mp4", b"\0\0\0\x14ftypisom\0\0\0\0isom", "video/mp4"),
        ("a.mp4", b"\0\0\0\x14ftypmif1\0\0\0\0heic", "image/heic"),
        ("a.mov", b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        ("a.bin", b"\x1f\x8b\x08\0", "application/gzip"),
        ("a.jpg", b"", "image/jpeg"),
        ("", b"", "application/octet-stream"),
    ] {
        assert_eq!(media_type(name, bytes), expected, "{name:?} {:?}", bytes.escape_ascii().to_string());
    }
}

#[test]
fn a_letter_cut_in_two_by_the_end_of_the_head_is_still_text() {
    let text = format!("n{}", "ä".repeat(8000));
    assert_eq!(media_type("a", text.as_bytes()), "text/plain");
    // The same bytes, and the file ends there: no text in UTF-8, and too much of it is no letter for any other.
    assert_eq!(media_type("a", &text.as_bytes()[..8192]), "application/octet-stream");
}

#[test]
fn a_type_that_an_archive_declares_is_no_way_to_write_to_the_terminal() {
    let declare = |kind: &str| {
        let length = u8::try_from(kind.len()).unwrap();
        let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([length, 0, 0, 0, length, 0, 0, 0, 8, 0, 0, 0]);
        bytes.extend(b"mimetype");
        bytes.extend(kind.as_bytes());
        media_type("a", &bytes)
    };
    assert_eq!(declare("application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text");
    assert_eq!(declare("application/\u{1b}[2Jrun"), "application/zip");
    assert_eq!(declare("application/"), "application/zip");
    assert_eq!(declare("text/html"), "application/zip");
}

/// An independent reader finds the same date in each picture that it can read.
#[test]
fn dates_of_pictures_agree_with_another_reader() {
    let mut compared = 0;
    for fixture in Fixture::all() {
        let mut file = std::io::BufReader::new(File::open(&fixture.stored).unwrap());
        let Ok(exif) = exif::Reader::new().read_from_container(&mut file) else { continue };
        let text = |tag| match &exif.get_field(tag, exif::In::PRIMARY)?.value {
            exif::Value::Ascii(lines) => Some(String::from_utf8_lossy(&lines[0]).trim().to_owned()),
            _ => None,
        };
        let Some(shown) = text(exif::Tag::DateTimeOriginal).filter(|shown| !shown.starts_with("0000")) else {
            continue;
        };
        let offset = text(exif::Tag::OffsetTimeOriginal).unwrap_or_else(|| "+01:00".into());
        let fraction = text(exif::Tag::SubSecTimeOriginal).unwrap_or_else(|| "0".into());
        let moment = Timestamp::strptime("%Y:%m:%d %H:%M:%S%.f%:z", format!("{shown}.{fraction}{offset}")).unwrap();
        let zone =
            if text(exif::Tag::OffsetTimeOriginal).is_some() { berlin() } else { TimeZone::fixed(jiff::tz::offset(1)) };
        let expected = json!({ "image.taken": zone.to_datetime(moment).to_string() });
        assert_eq!(Value::Object(fixture.facts(&["image.taken"])), expected, "{}", fixture.path);
        compared += 1;
    }
    assert!(compared >= 15, "only {compared} pictures were compared");
}

#[test]
fn a_large_file_costs_its_ends() {
    // Four gigabytes of hole between what a PDF's beginning and its end say.
    let pdf = Fixture::named("Vertrag Mietwohnung.pdf");
    let text = String::from_utf8_lossy(&pdf);
    let hole = 4_u64 << 30;
    let info = b"1 0 obj\n<</CreationDate(D:20010203040506+01'00')>>\nendobj\n";
    let table = hole + info.len() as u64;
    let rest = format!(
        "xref\n0 2\n0000000000 65535 f \n{hole:010} 00000 n \ntrailer\n<</Size 2/Info 1 0 R>>\nstartxref\n{table}\n%%EOF\n"
    );
    assert!(text.starts_with("%PDF-"));
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&pdf[..9], 0).unwrap();
    file.write_all_at(info, hole).unwrap();
    file.write_all_at(rest.as_bytes(), table).unwrap();
    let size = file.metadata().unwrap().len();
    let found = facts_in(&file, "a.pdf", size, &DATES);
    assert_eq!(Value::Object(found), json!({ "document.created": "2001-02-03T04:05:06" }));
    assert!(file.metadata().unwrap().blocks() < 200, "the hole was filled");
}

#[test]
fn a_film_whose_header_comes_after_gigabytes_has_its_date() {
    let film = Fixture::named("VID_20190101_003000.mp4");
    let at = |name: &[u8]| film.windows(4).position(|window| window == name).unwrap() - 4;
    let (data, movie) = (at(b"mdat"), at(b"moov"));
    let length = 5_u64 << 30;
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&film[..data], 0).unwrap();
    file.write_all_at(&[&1_u32.to_be_bytes()[..], b"mdat", &length.to_be_bytes()].concat(), data as u64).unwrap();
    file.write_all_at(&film[movie..], data as u64 + length).unwrap();
    let size = file.metadata().unwrap().len();
    let found = facts_in(&file, "a.mp4", size, &DATES);
    assert_eq!(Value::Object(found), json!({ "media.created": "2019-01-01T00:30:00" }));
}

#[test]
fn circles_and_lies_end() {
    let portable = |body: &str, start: usize| format!("%PDF-1.7\n{body}startxref\n{start}\n%%EOF\n").into_bytes();
    let circle = "xref\n0 0\ntrailer\n<</Prev 9/XRefStm 9/Info 1 0 R/Root 1 0 R>>\n";
    let endless = format!("xref\n{}", "0 0\n".repeat(200_000));
    let itself = "xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Info 1 0 R/Root 1 0 R>>\n";
    let nested = format!("1 0 obj\n{}\nendobj\n", "<</A".repeat(100_000));
    let mut end = b"PK\x03\x04PK\x05\x06\0\0\0\0\xff\xff\xff\xff".to_vec();
    end.extend(100_u32.to_le_bytes());
    end.extend(0_u32.to_le_bytes());
    end.extend([0, 0]);
    for (name, bytes) in [
        ("circle.pdf", portable(circle, 9)),
        ("endless.pdf", portable(&endless, 9)),
        ("itself.pdf", portable(itself, 9)),
        ("nested.pdf", portable(&nested, 9)),
        ("far.pdf", portable("", usize::MAX)),
        ("members.zip", end),
        ("chunks.png", [&b"\x89PNG\r\n\x1a\n"[..], &b"\0\0\0\0abcdcrc!".repeat(10_000)].concat()),
        ("boxes.mp4", [&b"\0\0\0\x08ftyp"[..], &b"\0\0\0\x08free".repeat(10_000)].concat()),
        ("segments.jpg", [&b"\xff\xd8"[..], &b"\xff\xe0\0\x02".repeat(10_000)].concat()),
        ("fill.jpg", [&b"\xff\xd8"[..], &b"\xff".repeat(100_000)].concat()),
        ("directory.tif", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0".to_vec()),
    ] {
        assert_eq!(facts_of(name, &bytes, &DATES), Map::new(), "{name}");
    }
}

#[test]
fn a_bomb_is_unpacked_no_further_than_a_document_needs() {
    // 300 kB that unpack to 300 MB of blanks before the date.
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let blanks = vec![b' '; 1 << 20];
    packed.write_all(b"<a>").unwrap();
    for _ in 0..200 {
        packed.write_all(&blanks).unwrap();
    }
    packed.write_all(b"</a><created>2019-01-01T00:00:00Z</created>").unwrap();
    let packed = packed.finish().unwrap();
    let name = b"docProps/core.xml";
    let length = u32::try_from(packed.len()).unwrap().to_le_bytes();
    let mut bytes = [b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(), &[0; 8], &length, &[0; 4], &[17, 0, 0, 0]].concat();
    bytes.extend(name);
    bytes.extend(&packed);
    let directory = u32::try_from(bytes.len()).unwrap();
    for member in [&b"[Content_Types].xml"[..], b"word/document.xml", name] {
        bytes.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0");
        bytes.extend([&[0; 8][..], &length, &[0; 4], &[u8::try_from(member.len()).unwrap(), 0], &[0; 16]].concat());
        bytes.extend(member);
    }
    let size = u32::try_from(bytes.len()).unwrap() - directory;
    bytes.extend(b"PK\x05\x06\0\0\0\0\x03\0\x03\0");
    bytes.extend([&size.to_le_bytes()[..], &directory.to_le_bytes(), &[0, 0]].concat());
    let found = facts_of("a.docx", &bytes, &ALL[..4]);
    let expected = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(Value::Object(found), json!({ "media-type": expected }));
}

/// A PDF of these objects, numbered from 1, a table, and this in its trailer.
fn portable(before: &str, objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut bytes = format!("{before}%PDF-1.7\n").into_bytes();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", bytes.len() - before.len());
        bytes.extend([format!("{} 0 obj\n", index + 1).as_bytes(), object, b"\nendobj\n"].concat());
    }
    let start = bytes.len() - before.len();
    bytes.extend(format!("{table}trailer\n<<{trailer}>>\nstartxref\n{start}\n%%EOF\n").as_bytes());
    bytes
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    [format!("<<{dictionary}>>\nstream\r\n").as_bytes(), content, b"\nendstream"].concat()
}

#[test]
fn portable_documents_as_they_are_found() {
    let text = |text: &str| text.as_bytes().to_vec();
    let dated = [text("<</Title(a)/CreationDate(D:20010203040506Z)>>")];
    let xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><xap:CreateDate>2001-02-03T04:05:06Z</xap:CreateDate></x:xmpmeta>";
    let squeezed = packed(xmp);
    let found = json!({ "document.created": "2001-02-03T05:05:06" });
    let nothing = json!({});
    for (case, bytes, expected) in [
        ("plain", portable("", &dated, "/Info 1 0 R"), &found),
        ("blanks before the header", portable("\n \n", &dated, "/Info 1 0 R"), &found),
        ("in the trailer itself", portable("", &[], "/Info<</CreationDate(D:20010203040506Z)>>"), &found),
        (
            "the date an object of its own, in UTF-16",
            portable(
                "",
                &[
                    text("<</CreationDate 2 0 R>>"),
                    text("<FEFF00320030003000310030003200300033003000340030003500300036005A>"),
                ],
                "/Info 1 0 R",
            ),
            &found,
        ),
        (
            "metadata, packed, its length elsewhere",
            portable(
                "",
                &[
                    text("<</Metadata 2 0 R>>"),
                    stream("/Length 3 0 R/Filter[/FlateDecode]", &squeezed),
                    text(&squeezed.len().to_string()),
                ],
                "/Root 1 0 R",
            ),
            &found,
        ),
        (
            "an Info that is broken, and metadata",
            portable(
                "",
                &[
                    text("<</CreationDate(yesterday)>>"),
                    text("<</Metadata 3 0 R>>"),
                    stream(&format!("/Length {}", xmp.len()), xmp),
                ],
                "/Info 1 0 R/Root 2 0 R",
            ),
            &found,
        ),
        ("encrypted", portable("", &[dated[0].clone(), text("<<>>")], "/Info 1 0 R/Encrypt 2 0 R"), &nothing),
        ("an object that is not there", portable("", &dated, "/Info 7 0 R"), &nothing),
        ("no Info", portable("", &dated, "/Size 2"), &nothing),
    ] {
        assert_eq!(&Value::Object(facts_of("a.pdf", &bytes, &DATES)), expected, "{case}");
    }
    // A table that points at another object than it says.
    let bytes = String::from_utf8(portable("", &dated, "/Info 1 0 R")).unwrap().replace("1 0 obj", "2 0 obj");
    assert_eq!(facts_of("a.pdf", bytes.as_bytes(), &DATES), Map::new());
}

#[test]
fn a_table_with_a_stream_beside_it_hides_objects_in_it() {
    let mut bytes = b"%PDF-1.7\n1 0 obj\n<</CreationDate(D:20010203)>>\nendobj\n".to_vec();
    let beside = bytes.len();
    bytes.extend(b"2 0 obj\n");
    bytes.extend(stream("/Type/XRef/W[1 1 0]/Index[1 1]/Length 2", &[1, 9]));
    bytes.extend(b"\nendobj\n");
    let start = bytes.len();
    let table = "xref\n0 2\n0000000000 65535 f \n0000000000 00000 f \n";
    bytes.extend(format!("{table}trailer\n<</Info 1 0 R/XRefStm {beside}>>\nstartxref\n{start}\n%%EOF").as_bytes());
    let found = facts_of("a.pdf", &bytes, &DATES);
    assert_eq!(Value::Object(found), json!({ "document.created": "2001-02-03T00:00:00" }));
}

/// Each section unpacks a thousandfold, and all together share one limit.
#[test]
fn bombs_in_a_row_are_defused_together() {
    let padding = packed(&vec![0; 1_900_000]);
    let document = |bombs: usize| {
        let mut bytes = b"%PDF-1.7\n1 0 obj\n<</CreationDate(D:20010203)>>\nendobj\n".to_vec();
        let mut start = bytes.len();
        bytes.extend(b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Info 1 0 R>>\n");
        for _ in 0..bombs {
            let length = padding.len();
            let dictionary = format!("/W[1 1 1]/Index[9 1]/Length {length}/Filter/FlateDecode/Prev {start}/Info 1 0 R");
            start = bytes.len();
            bytes.extend([b"2 0 obj\n", &stream(&dictionary, &padding)[..], b"\nendobj\n"].concat());
        }
        bytes.extend(format!("startxref\n{start}\n%%EOF\n").as_bytes());
        facts_of("a.pdf", &bytes, &DATES)
    };
    assert_eq!(Value::Object(document(2)), json!({ "document.created": "2001-02-03T00:00:00" }));
    assert_eq!(document(60), Map::new());
}

/// An archive of these members, stored, each with an extra field that would hide its content if it were taken for part of it.
fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let at = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let middle = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &length, &length, &name_length].concat();
        bytes.extend([b"PK\x03\x04", &middle[..], &[4, 0], name.as_bytes(), b"<!--", content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0", &middle[..], &[0; 12], &at, name.as_bytes()].concat());
    }
    let [at, length] = [bytes.len(), directory.len()].map(|number| u32::try_from(number).unwrap().to_le_bytes());
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    [bytes, directory, [b"PK\x05\x06\0\0\0\0", &count[..], &count, &length, &at, &[0, 0]].concat()].concat()
}

#[test]
fn a_book_is_dated_by_its_creation_and_never_by_a_change() {
    let book = |dates: &str| {
        let package = format!("<package><metadata>{dates}</metadata></package>");
        let container = "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>";
        let kind = ("mimetype", "application/epub+zip");
        let bytes = archive(&[kind, ("META-INF/container.xml", container), ("OPS/book.opf", &package)]);
        let facts = facts_of("a.epub", &bytes, &["media-type", "document.created"]);
        assert_eq!(facts["media-type"], json!("application/epub+zip"));
        facts.get("document.created").cloned()
    };
    let plain = "<dc:date>2013-09-05</dc:date>";
    let created = "<dc:date opf:event='creation'>2012-01-02</dc:date>";
    let changed = "<dc:date opf:event='modification'>2020-01-02</dc:date>";
    assert_eq!(book(plain), Some(json!("2013-09-05T00:00:00")));
    assert_eq!(book(&format!("{changed}{plain}{created}")), Some(json!("2012-01-02T00:00:00")));
    assert_eq!(book(&format!("{changed}{plain}")), Some(json!("2013-09-05T00:00:00")));
    assert_eq!(book(changed), None);
    assert_eq!(book("<dc:date>2013</dc:date>"), None);
}

#[test]
fn an_archive_with_a_program_before_it_is_read() {
    let core = "<c xmlns:d='x'><d:created>2001-02-03T04:05:06Z</d:created></c>";
    let bytes = archive(&[("[Content_Types].xml", ""), ("word/document.xml", ""), ("docProps/core.xml", core)]);
    // The program here is the first member's header once more, so that the file still begins like an archive.
    let bytes = [&bytes[..30], &bytes].concat();
    let found = facts_of("a.docx", &bytes, &["document.created"]);
    assert_eq!(Value::Object(found), json!({ "document.created": "2001-02-03T05:05:06" }));
}

#[test]
fn the_block_of_a_picture_is_found_behind_odd_lengths_and_behind_the_picture() {
    let exif = |bytes: &[u8]| {
        let at = bytes.windows(4).position(|window| matches!(window, b"MM\0*" | b"II*\0")).unwrap();
        bytes[at..].to_vec()
    };
    let block = exif(&Fixture::named("IMG_2041.JPG"));
    let expected = json!({ "image.taken": "2019-07-14T18:22:05" });
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
    for prefix in [&b""[..], b"Exif\0\0"] {
        let block = [prefix, &block].concat();
        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\0\0\0\0\0\0VP8 \x03\0\0\0abc\0EXIF".to_vec();
        webp.extend([&length(&block).to_le_bytes()[..], &block].concat());
        assert_eq!(Value::Object(facts_of("a.webp", &webp, &DATES)), expected);
    }
    let chunk = |kind: &[u8], content: &[u8]| [&length(content).to_be_bytes(), kind, content, b"crc!"].concat();
    let png = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &[0; 13]), &chunk(b"IDAT", &[7; 9]), &chunk(b"eXIf", &block)];
    assert_eq!(Value::Object(facts_of("a.png", &png.concat(), &DATES)), expected);
}

#[test]
fn a_file_that_shrank_since_it_was_seen_has_fewer_facts() {
    for fixture in Fixture::all() {
        let bytes = fs::read(&fixture.stored).unwrap();
        let half = tempfile::tempfile().unwrap();
        half.write_all_at(&bytes[..bytes.len() / 2], 0).unwrap();
        let facts = facts_in(&half, &fixture.path, bytes.len() as u64, &["file.modified", "document.created"]);
        assert_eq!(facts["file.modified"], json!("2014-05-13T18:53:20"), "{}", fixture.path);
    }
}

fn every_fact(name: &str, bytes: &[u8]) {
    let facts = facts_of(name, bytes, &ALL);
    assert!(facts.contains_key("media-type"));
    for date in DATES {
        if let Some(date) = facts.get(date) {
            date.as_str().unwrap().parse::<jiff::civil::DateTime>().unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Real files with bytes changed, cut off, and moved: any answer but a panic.
    #[test]
    fn broken_files_are_answered(
        pick in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in prop::option::of(any::<prop::sample::Index>()),
        shift in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let fixtures = Fixture::all();
        let fixture = &fixtures[pick.index(fixtures.len())];
        let mut bytes = fs::read(&fixture.stored).unwrap();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some((from, to)) = shift && !bytes.is_empty() {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            bytes[from.min(to)..].rotate_left(from.abs_diff(to));
        }
        if let Some(cut) = cut && !bytes.is_empty() {
            bytes.truncate(cut.index(bytes.len()));
        }
        every_fact(&fixture.path, &bytes);
    }

    /// Numbers, which say where things are and how long, made extreme.
    #[test]
    fn extreme_numbers_are_answered(
        pick in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        number in prop_oneof![Just([0xFF_u8; 8]), Just([0; 8]), Just([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), Just(*b"99999999")],
        width in 1_usize..=8,
    ) {
        let fixtures = Fixture::all();
        let fixture = &fixtures[pick.index(fixtures.len())];
        let mut bytes = fs::read(&fixture.stored).unwrap();
        if bytes.len() > width {
            let at = at.index(bytes.len() - width);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        every_fact(&fixture.path, &bytes);
    }

    /// Anything at all after the first bytes of each format.
    #[test]
    fn noise_is_answered(
        start in prop::sample::select(vec![
            &b""[..], b"%PDF-1.7\n1 0 obj <<", b"PK\x03\x04", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n",
            b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08",
            b"\0\0\0\x10ftypheic\0\0\0\0", b"\0\0\0\x10ftypisom\0\0\0\0", b"{\\rtf1{\\creatim", b"OggS", b"\x1A\x45\xDF\xA3",
        ]),
        noise in prop::collection::vec(any::<u8>(), 0..4096),
        end in prop::sample::select(vec![&b""[..], b"startxref\n9\n%%EOF", b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x30\0\0\0\x04\0\0\0\0\0"]),
    ) {
        every_fact("noise", &[start, &noise, end].concat());
    }
}
