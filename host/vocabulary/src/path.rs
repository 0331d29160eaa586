//! Where a file is: a granted folder's name and the names below it. Never an absolute path, never `..`.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, ffi::OsStr, fmt, os::unix::ffi::OsStrExt as _, str::FromStr, sync::Arc};

/// A byte that is not part of valid UTF-8 travels as the code point `BYTES + byte`.
const BYTES: u32 = 0xF700;

/// Why a path was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAPath {
    /// Nothing, or nothing between two `/`.
    #[error("a path needs a name between any two `/`")]
    Empty,
    /// `.` or `..`.
    #[error("a path may not contain `.` or `..`")]
    Dots,
    /// A NUL byte, or `/` within one name.
    #[error("a name may not contain NUL or `/`")]
    Forbidden,
    /// Over 255 bytes in a name or 4,095 in all (the limits of Linux, limits.h).
    #[error("a name has at most 255 bytes and a path 4,095")]
    TooLong,
}

/// Names below a folder, joined by `/`, as the bytes that the file system holds. Empty for the folder itself. Cheap to
/// clone: a plan of many thousand changes holds each path many times.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RelativePath(Option<Arc<[u8]>>);

impl RelativePath {
    /// The folder itself.
    pub const fn root() -> Self {
        Self(None)
    }

    /// Of names that were looked at before; empty is the folder itself.
    fn of(bytes: &[u8]) -> Self {
        Self((!bytes.is_empty()).then(|| Arc::from(bytes)))
    }

    /// From bytes as the file system gives them; empty is the folder itself.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, NotAPath> {
        let bytes = bytes.into();
        if bytes.len() > 4095 {
            return Err(NotAPath::TooLong);
        }
        if !bytes.is_empty() {
            for name in bytes.split(|b| *b == b'/') {
                check_name(name)?;
            }
        }
        Ok(Self::of(&bytes))
    }

    /// The bytes, for the file system.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path, for the file system; `.` for the folder itself.
    pub fn as_path(&self) -> &std::path::Path {
        std::path::Path::new(OsStr::from_bytes(self.0.as_deref().unwrap_or(b".")))
    }

    /// True for the folder itself.
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The last name; none for the folder itself.
    pub fn name(&self) -> Option<&[u8]> {
        self.names().next_back()
    }

    /// The names from the top.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.as_bytes().split(|b| *b == b'/').filter(|name| !name.is_empty())
    }

    /// What this lies in; none for the folder itself.
    pub fn parent(&self) -> Option<Self> {
        let bytes = self.0.as_deref()?;
        let cut = bytes.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(Self::of(&bytes[..cut]))
    }

    /// This with one name more.
    pub fn join(&self, name: &[u8]) -> Result<Self, NotAPath> {
        if name.contains(&b'/') {
            return Err(NotAPath::Forbidden);
        }
        check_name(name)?;
        let Some(above) = self.0.as_deref() else { return Ok(Self::of(name)) };
        if above.len() + 1 + name.len() > 4095 {
            return Err(NotAPath::TooLong);
        }
        Ok(Self(Some(above.iter().chain(b"/").chain(name).copied().collect())))
    }

    /// True if `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        let (bytes, above) = (self.as_bytes(), other.as_bytes());
        other.is_root() || bytes == above || (bytes.starts_with(above) && bytes.get(above.len()) == Some(&b'/'))
    }
}

fn check_name(name: &[u8]) -> Result<(), NotAPath> {
    match name {
        b"" => Err(NotAPath::Empty),
        b"." | b".." => Err(NotAPath::Dots),
        _ if name.len() > 255 => Err(NotAPath::TooLong),
        _ if name.contains(&0) => Err(NotAPath::Forbidden),
        _ => Ok(()),
    }
}

/// The lossless text of a path: see `types.path` in `wit/types.wit`.
impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encoded(self.as_bytes()))
    }
}

impl fmt::Debug for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", encode(self.as_bytes()))
    }
}

impl FromStr for RelativePath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        Self::from_bytes(decode(text))
    }
}

/// True if a text stands for its own bytes: nothing in it is of the escaping range, whose code points all begin with the
/// bytes EF 9C to EF 9F.
fn is_plain(text: &str) -> bool {
    text.is_ascii() || !text.as_bytes().windows(2).any(|pair| pair[0] == 0xEF && (0x9C..=0x9F).contains(&pair[1]))
}

/// As [`encode`], without a copy of what needs none.
fn encoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => Cow::Borrowed(text),
        _ => Cow::Owned(encode(bytes)),
    }
}

/// Bytes as text, losslessly: a byte that is not UTF-8 is U+F700 + byte, and a genuine code point of that range is
/// escaped byte by byte.
pub fn encode(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && is_plain(text)
    {
        return text.to_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    let escape = |out: &mut String, bytes: &[u8]| {
        out.extend(bytes.iter().filter_map(|b| char::from_u32(BYTES + u32::from(*b))));
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

/// The bytes that `encode` made a text of.
pub fn decode(text: &str) -> Vec<u8> {
    if is_plain(text) {
        return text.as_bytes().to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(BYTES).and_then(|b| u8::try_from(b).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// What a granted folder is called in a task: one name, unique within the task.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FolderName(Arc<str>);

impl FolderName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FolderName {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Self, NotAPath> {
        let bytes = decode(&text);
        if bytes.contains(&b'/') {
            return Err(NotAPath::Forbidden);
        }
        check_name(&bytes)?;
        Ok(Self(text.into()))
    }
}

impl FromStr for FolderName {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        text.to_owned().try_into()
    }
}

impl From<FolderName> for String {
    fn from(name: FolderName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A file or folder within a granted folder: `<folder>/<relative path>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath {
    /// The granted folder.
    pub folder: FolderName,
    /// What lies below it.
    pub path: RelativePath,
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() { self.folder.fmt(f) } else { write!(f, "{}/{}", self.folder, self.path) }
    }
}

impl FromStr for FilePath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let (folder, path) = text.split_once('/').map_or((text, None), |(folder, path)| (folder, Some(path)));
        let path = match path {
            None => RelativePath::root(),
            Some("") => return Err(NotAPath::Empty),
            Some(path) => path.parse()?,
        };
        Ok(Self { folder: folder.parse()?, path })
    }
}

impl TryFrom<String> for FilePath {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Self, NotAPath> {
        text.parse()
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.to_string()
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
        }
    }

    #[test]
    fn a_path_cannot_leave_its_folder() {
        let refused = |text: &str| text.parse::<FilePath>().unwrap_err();
        assert_eq!(refused("f/../x"), NotAPath::Dots);
        assert_eq!(refused("f//x"), NotAPath::Empty);
        assert_eq!(refused("/etc"), NotAPath::Empty);
        assert_eq!(refused("f/a\0b"), NotAPath::Forbidden);
        // an escaped `/` or `.` decodes to the real thing, and is judged as it
        assert_eq!(refused("f/\u{f72e}\u{f72e}/x"), NotAPath::Dots);
        assert_eq!(refused("f\u{f72f}g/x"), NotAPath::Forbidden);
    }

    #[test]
    fn within_ends_at_a_name() {
        let path = |text: &str| text.parse::<RelativePath>().unwrap();
        assert!(path("a/b").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(RelativePath::root()));
    }
}
