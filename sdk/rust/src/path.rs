//! Where a file is: a granted folder's name and the names below it, in the lossless text of the interface.
//!
//! File names are bytes. The text of a path is the names as UTF-8; a byte `b` that is not UTF-8 is the code point
//! U+F700 + `b`, and a genuine code point of that range is escaped byte by byte, so nothing is lost on the way
//! through a plugin. Compose paths with [`FilePath::join`] and [`FilePath::with_name`], which keep to it.

use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// A byte that is not part of valid UTF-8 travels as the code point `BYTES + byte`.
const BYTES: u32 = 0xF700;
/// The most bytes of a name and of a path below its folder (limits.h of Linux).
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4095;

/// A file or folder within a granted folder. Never an absolute path, never `..`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

impl FilePath {
    /// From the interface's text, checked and brought to the one spelling that a path has.
    pub fn new(text: &str) -> Result<Self> {
        let mut below = 0;
        for (index, name) in text.split('/').enumerate() {
            let length = name_length(name)?;
            if index > 0 {
                below += length + usize::from(index > 1);
            }
        }
        if below > PATH_MAX {
            return Err(Error::invalid(format!("a path has at most {PATH_MAX} bytes below its folder")));
        }
        Ok(Self(if is_plain(text) { text.to_owned() } else { encode(&decode(text)) }))
    }

    /// From the host, which has checked it.
    pub(crate) fn from_host(text: String) -> Self {
        Self(text)
    }

    /// The interface's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The granted folder's name.
    pub fn folder(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The granted folder itself, as a path.
    pub fn root(&self) -> Self {
        Self(self.folder().to_owned())
    }

    /// True for a granted folder itself.
    pub fn is_root(&self) -> bool {
        !self.0.contains('/')
    }

    /// What lies below the granted folder; empty for the folder itself.
    pub fn relative(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, below)| below)
    }

    /// The names below the granted folder, from the top.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.relative().split('/').filter(|name| !name.is_empty())
    }

    /// The last name; for a granted folder, the folder's.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The last name as the bytes that the file system holds.
    pub fn name_bytes(&self) -> Vec<u8> {
        decode(self.name())
    }

    /// The last name without its extension: `photo` of `photo.jpg`, `.profile` of `.profile`.
    pub fn stem(&self) -> &str {
        split_name(self.name()).0
    }

    /// The extension of the last name, without its dot: `jpg` of `photo.jpg`, none of `.profile` or `notes.`.
    pub fn extension(&self) -> Option<&str> {
        split_name(self.name()).1
    }

    /// What this lies in; none for a granted folder.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This with one or more names below it: `join("2024/March")`.
    pub fn join(&self, below: &str) -> Result<Self> {
        Self::new(&format!("{}/{below}", self.0))
    }

    /// A file beside this one.
    pub fn with_name(&self, name: &str) -> Result<Self> {
        let parent = self.parent().ok_or_else(|| Error::invalid("a granted folder cannot get another name"))?;
        name_length(name)?;
        parent.join(name)
    }

    /// True if this is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.starts_with(&other.0) && self.0.as_bytes().get(other.0.len()) == Some(&b'/'))
    }

    /// This for the eyes of a person: bytes that are not UTF-8 become U+FFFD. Not a path any more.
    pub fn display(&self) -> String {
        for_display(&self.0)
    }
}

/// A name for the eyes of a person: bytes that are not UTF-8 become U+FFFD.
pub fn for_display(name: &str) -> String {
    String::from_utf8_lossy(&decode(name)).into_owned()
}

/// A name and its extension: `("photo", Some("jpg"))`.
pub fn split_name(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => (stem, Some(extension)),
        _ => (name, None),
    }
}

/// Any text as one name that every file system of a desktop takes: `/`, NUL and control characters become `-`, spaces and
/// dots at the ends go, and it is cut at 255 bytes with its extension kept. None if nothing is left.
pub fn to_name(text: &str) -> Option<String> {
    let cleaned: String = text.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '-' } else { c }).collect();
    let trimmed = cleaned.trim().trim_end_matches('.').trim_end();
    if trimmed.is_empty() || trimmed == "." || trimmed == ".." {
        return None;
    }
    let (stem, extension) = split_name(trimmed);
    let suffix = extension.filter(|e| e.len() < 32).map(|e| format!(".{e}")).unwrap_or_default();
    let stem = if suffix.is_empty() { trimmed } else { stem };
    let mut end = stem.len();
    while decode(&stem[..end]).len() + decode(&suffix).len() > NAME_MAX {
        end = stem[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    }
    Some(format!("{}{suffix}", &stem[..end]))
}

/// How many bytes a name has, if it is one.
fn name_length(name: &str) -> Result<usize> {
    let bytes = decoded(name);
    let why = match bytes.as_ref() {
        b"" => "a path needs a name between any two `/`",
        b"." | b".." => "a path may not contain `.` or `..`",
        bytes if bytes.len() > NAME_MAX => "a name has at most 255 bytes",
        bytes if bytes.contains(&0) || bytes.contains(&b'/') => "a name may not contain NUL or `/`",
        bytes => return Ok(bytes.len()),
    };
    Err(Error::invalid(format!("`{}` is not a name: {why}", for_display(name))))
}

/// Bytes of a name as the interface's text.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let escape = |out: &mut String, bytes: &[u8]| {
        out.extend(bytes.iter().filter_map(|byte| char::from_u32(BYTES + u32::from(*byte))));
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if (BYTES..=BYTES + 0xFF).contains(&u32::from(c)) {
                escape(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                out.push(c);
            }
        }
        escape(&mut out, chunk.invalid());
    }
    out
}

/// True if a text stands for its own bytes: nothing in it is of the escaping range, whose code points all begin with the
/// bytes EF 9C to EF 9F.
fn is_plain(text: &str) -> bool {
    text.is_ascii() || !text.as_bytes().windows(2).any(|pair| pair[0] == 0xEF && (0x9C..=0x9F).contains(&pair[1]))
}

/// As [`decode`], without a copy of what needs none.
fn decoded(text: &str) -> Cow<'_, [u8]> {
    if is_plain(text) { Cow::Borrowed(text.as_bytes()) } else { Cow::Owned(decode(text)) }
}

/// The bytes that [`encode`] made a text of.
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(BYTES).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for FilePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl TryFrom<String> for FilePath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::new(&text)
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_name_survives_the_trip() {
        for bytes in
            [&b"a\xffb"[..], "\u{f7ff}".as_bytes(), "\u{f700}x".as_bytes(), b"\xf0\x9f", "日本".as_bytes(), b"a\nb"]
        {
            assert_eq!(decode(&encode(bytes)), bytes, "{bytes:?}");
            let path = FilePath::new("F").unwrap().join(&encode(bytes)).unwrap();
            assert_eq!(path.name_bytes(), bytes);
        }
    }

    #[test]
    fn a_path_cannot_leave_its_folder() {
        for text in ["", "/etc", "f//x", "f/../x", "f/.", "f/x/", "f/a\0b", "f/\u{f72e}\u{f72e}/x", "f\u{f72f}g/x"] {
            assert_eq!(FilePath::new(text).unwrap_err().code, crate::Code::Invalid, "{text:?}");
        }
        assert!(FilePath::new("f").unwrap().with_name("x").is_err());
        assert!(FilePath::new("f/a").unwrap().with_name("x/y").is_err());
        assert!(FilePath::new(&format!("f/{}", "x".repeat(256))).is_err());
    }

    #[test]
    fn one_path_has_one_spelling() {
        assert_eq!(FilePath::new("f/\u{f761}").unwrap(), FilePath::new("f/a").unwrap());
    }

    #[test]
    fn names_and_extensions() {
        let path = FilePath::new("Downloads/2024/photo.tar.gz").unwrap();
        assert_eq!((path.folder(), path.relative()), ("Downloads", "2024/photo.tar.gz"));
        assert_eq!((path.stem(), path.extension()), ("photo.tar", Some("gz")));
        assert_eq!(path.names().collect::<Vec<_>>(), ["2024", "photo.tar.gz"]);
        assert_eq!(path.parent().unwrap().as_str(), "Downloads/2024");
        assert_eq!(split_name(".profile"), (".profile", None));
        assert_eq!(split_name("notes."), ("notes.", None));
        assert!(path.is_within(&path.root()) && !FilePath::new("Downloads2/x").unwrap().is_within(&path.root()));
    }

    #[test]
    fn any_text_becomes_a_name() {
        assert_eq!(to_name("a/b\nc.txt").as_deref(), Some("a-b-c.txt"));
        assert_eq!(to_name("  .. "), None);
        assert_eq!(to_name(""), None);
        let long = to_name(&format!("{}.pdf", "ü".repeat(200))).unwrap();
        assert_eq!((long.len(), long.ends_with("ü.pdf")), (254, true));
    }
}
