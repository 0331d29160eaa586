//! Reading the folders of the task. Reads see the task's pending changes.

use crate::{
    Error, Result, door,
    path::FilePath,
    time::{DateTime, Moment},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// A folder that the person gave to the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// What it is called in the task; the first name of every path in it.
    pub name: String,
    /// True if changes to it may be proposed.
    pub writable: bool,
}

impl Folder {
    /// The folder as a path.
    pub fn path(&self) -> FilePath {
        FilePath::from_host(self.name.clone())
    }
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link. It is never followed.
    Link,
    /// Something else, by the host's name for it: leave it alone.
    Other(String),
}

/// The state of a file's content, as seen. Pass it back to say what a change is meant for: the host refuses the change if
/// the file is no longer in that state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub(crate) String);

/// A file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: FilePath,
    /// What it is.
    pub kind: Kind,
    /// In bytes; 0 for what is not a file.
    pub size: u64,
    /// When its content changed last.
    pub modified: Moment,
    /// When it was made, where the file system knows.
    pub created: Option<Moment>,
    /// The same for two names of one file (hard links).
    pub file_id: String,
    /// How many names the file has.
    pub links: u32,
    /// The state of its content.
    pub version: Version,
}

impl Entry {
    /// True for a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// True for a folder.
    pub fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }
}

/// The most entries that one call of the host returns.
const PAGE: u32 = 1000;
/// The most bytes that one call of [`read`] asks for.
const PIECE: u32 = 1 << 20;

/// The folders of the task.
pub fn folders() -> Vec<Folder> {
    door::folders()
}

/// The folder of the task, where there is exactly one.
pub fn folder() -> Result<FilePath> {
    match folders().as_slice() {
        [one] => Ok(one.path()),
        [] => Err(Error::invalid("no folder was given: say which with --folder")),
        many => Err(Error::invalid(format!("{} folders were given, and this works on one", many.len()))),
    }
}

/// What lies below `root`, the whole way down unless [`Walk::depth`] says less. Iterate over it; pages are asked for as
/// they are needed. Links are listed, never followed.
pub fn walk(root: &FilePath) -> Walk {
    Walk { root: root.clone(), glob: None, depth: u32::MAX, hidden: true, page: PAGE }
}

/// A walk that has not begun; see [`walk`].
#[derive(Clone, Debug)]
pub struct Walk {
    root: FilePath,
    glob: Option<String>,
    depth: u32,
    hidden: bool,
    page: u32,
}

impl Walk {
    /// Only what matches: `*`, `?` and `[a-z]` within a name, `**` across names, `{a,b}` for either. Without a `/` the
    /// pattern is for the last name of a path, with one for the whole path below the root of the walk.
    #[must_use]
    pub fn glob(mut self, glob: impl Into<String>) -> Self {
        self.glob = Some(glob.into());
        self
    }

    /// Only so many levels: 1 for what lies directly in the root.
    #[must_use]
    pub fn depth(mut self, levels: u32) -> Self {
        self.depth = levels;
        self
    }

    /// Without names that begin with a dot, and what lies in folders of such names.
    #[must_use]
    pub fn visible(mut self) -> Self {
        self.hidden = false;
        self
    }

    /// How many entries to ask for at a time (1 to 10,000).
    #[must_use]
    pub fn page(mut self, entries: u32) -> Self {
        self.page = entries.clamp(1, 10_000);
        self
    }

    /// All of it at once.
    pub fn all(self) -> Result<Vec<Entry>> {
        self.into_iter().collect()
    }
}

impl IntoIterator for Walk {
    type Item = Result<Entry>;
    type IntoIter = Walking;

    fn into_iter(self) -> Walking {
        let options = serde_json::json!({ "deep": self.depth > 1, "hidden": self.hidden }).to_string();
        // the host knows one level and all of them
        let next = if self.depth == 0 { Next::Over } else { Next::Page(None) };
        let names = self.root.names().count().saturating_add(usize::try_from(self.depth).unwrap_or(usize::MAX));
        Walking { root: self.root, glob: self.glob, options, names, page: self.page, ready: VecDeque::new(), next }
    }
}

/// A walk under way. After an error it is over.
#[derive(Debug)]
pub struct Walking {
    root: FilePath,
    glob: Option<String>,
    options: String,
    /// The most names below the granted folder that a path may have.
    names: usize,
    page: u32,
    ready: VecDeque<Entry>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Page(Option<String>),
    Over,
}

impl Iterator for Walking {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                if entry.path.names().count() <= self.names {
                    return Some(Ok(entry));
                }
                continue;
            }
            let Next::Page(cursor) = std::mem::replace(&mut self.next, Next::Over) else { return None };
            match door::walk(&self.root, self.glob.as_deref(), &self.options, cursor.as_deref(), self.page) {
                Ok(page) => {
                    self.ready = page.entries.into();
                    if let Some(cursor) = page.next {
                        self.next = Next::Page(Some(cursor));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A page of a walk.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Option<String>,
}

/// What lies at a path.
pub fn stat(path: &FilePath) -> Result<Entry> {
    one(door::stat(std::slice::from_ref(path)))
}

/// What lies at each path, in one call.
pub fn stat_all(paths: &[FilePath]) -> Vec<Result<Entry>> {
    door::stat(paths)
}

/// True if something lies at a path.
pub fn exists(path: &FilePath) -> Result<bool> {
    match stat(path) {
        Ok(_) => Ok(true),
        Err(error) if error.code == crate::Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A piece of a file: up to `length` bytes from `offset`, fewer only at its end. With `if_version`, only while the file is
/// in that state; else the error is a conflict.
pub fn read_at(path: &FilePath, if_version: Option<&Version>, offset: u64, length: u32) -> Result<Vec<u8>> {
    door::read(path, if_version.map(|version| version.0.as_str()), offset, length)
}

/// A whole file of at most `limit` bytes, all of it from one state of the file.
pub fn read(path: &FilePath, limit: u64) -> Result<Vec<u8>> {
    let entry = stat(path)?;
    if entry.size > limit {
        return Err(Error::new(
            crate::Code::TooLarge,
            format!("`{}` has {} bytes, more than the {limit} that are read", path.display(), entry.size),
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0));
    while (bytes.len() as u64) < entry.size {
        let missing = entry.size - bytes.len() as u64;
        let length = u32::try_from(missing).unwrap_or(PIECE).min(PIECE);
        let piece = read_at(path, Some(&entry.version), bytes.len() as u64, length)?;
        if piece.is_empty() {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// A whole text file (UTF-8) of at most `limit` bytes.
pub fn read_text(path: &FilePath, limit: u64) -> Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| Error::unsupported(format!("`{}` is not a text in UTF-8", path.display())))
}

/// The SHA-256 of a file, in hexadecimal. The host computes it.
pub fn digest(path: &FilePath) -> Result<String> {
    one(door::digest(std::slice::from_ref(path)))
}

/// The SHA-256 of each file, in one call.
pub fn digests(paths: &[FilePath]) -> Vec<Result<String>> {
    door::digest(paths)
}

/// Facts that the host reads out of a file; ask for those that you need with [`Fact`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Map<String, Value>);

/// A fact that the host can read out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// What kind of content it is, by its first bytes and its name: RFC 6838, such as `image/jpeg`.
    MediaType,
    /// When a picture was taken (EXIF), as the camera's clock showed it.
    Taken,
    /// When a document was written (PDF, OOXML), as the person's clock shows it.
    Created,
    /// When sound or film was recorded (QuickTime, MP4), as the person's clock shows it.
    Recorded,
    /// The file's own time, as the person's clock shows it.
    Modified,
    /// POSIX permission bits.
    Mode,
    /// What a link names.
    LinkTarget,
    /// Whether the content is elsewhere (a cloud's stand-in for a file), so that reading it would fetch it.
    Placeholder,
}

impl Fact {
    /// The name in the interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MediaType => "media-type",
            Self::Taken => "image.taken",
            Self::Created => "document.created",
            Self::Recorded => "media.created",
            Self::Modified => "file.modified",
            Self::Mode => "mode",
            Self::LinkTarget => "link-target",
            Self::Placeholder => "placeholder",
        }
    }
}

impl Attributes {
    /// The kind of content.
    pub fn media_type(&self) -> Option<&str> {
        self.get(Fact::MediaType.name()).and_then(Value::as_str)
    }

    /// When a picture was taken.
    pub fn taken(&self) -> Option<DateTime> {
        self.date(Fact::Taken)
    }

    /// When a document was written.
    pub fn created(&self) -> Option<DateTime> {
        self.date(Fact::Created)
    }

    /// When sound or film was recorded.
    pub fn recorded(&self) -> Option<DateTime> {
        self.date(Fact::Recorded)
    }

    /// The file's own time.
    pub fn modified(&self) -> Option<DateTime> {
        self.date(Fact::Modified)
    }

    /// The date that belongs to the content, of those that were asked for: when a picture was taken, a document written,
    /// or sound or film recorded; else the file's own time.
    pub fn date_of_content(&self) -> Option<DateTime> {
        self.taken().or_else(|| self.created()).or_else(|| self.recorded()).or_else(|| self.modified())
    }

    /// POSIX permission bits.
    pub fn mode(&self) -> Option<u32> {
        match self.get(Fact::Mode.name())? {
            // octal digits, as `ls` and `chmod` write them
            Value::String(octal) => u32::from_str_radix(octal, 8).ok(),
            number => number.as_u64().and_then(|mode| u32::try_from(mode).ok()),
        }
    }

    /// True if the content is elsewhere.
    pub fn is_placeholder(&self) -> bool {
        self.get(Fact::Placeholder.name()) == Some(&Value::Bool(true))
    }

    /// What a link names, as it is written in the link.
    pub fn link_target(&self) -> Option<&str> {
        self.get(Fact::LinkTarget.name()).and_then(Value::as_str)
    }

    /// Any fact, by the host's name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn date(&self, fact: Fact) -> Option<DateTime> {
        self.get(fact.name()).and_then(Value::as_str).and_then(|text| text.parse().ok())
    }
}

/// Facts of one file.
pub fn attributes(path: &FilePath, facts: &[Fact]) -> Result<Attributes> {
    one(attributes_all(std::slice::from_ref(path), facts))
}

/// Facts of each file, in one call. What a file does not have is left out of its facts.
pub fn attributes_all(paths: &[FilePath], facts: &[Fact]) -> Vec<Result<Attributes>> {
    attributes_as(paths, facts).into_iter().map(|facts| facts.map(Attributes)).collect()
}

/// Facts of each file, read as a type whose fields have their names ([`Fact::name`]): for thousands of files, where what is
/// not kept need not be made.
pub fn attributes_as<T: DeserializeOwned>(paths: &[FilePath], facts: &[Fact]) -> Vec<Result<T>> {
    let names: Vec<&str> = facts.iter().map(|fact| fact.name()).collect();
    door::attributes(paths, &names).into_iter().map(|json| Ok(serde_json::from_str(&json?)?)).collect()
}

/// The one answer to a question about one path.
fn one<T>(answers: Vec<Result<T>>) -> Result<T> {
    answers.into_iter().next().unwrap_or_else(|| Err(Error::failed("the host gave no answer")))
}
