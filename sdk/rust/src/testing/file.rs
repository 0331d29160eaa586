//! Files that a test puts on the disk.

use crate::time::{DateTime, Moment};
use serde_json::{Map, Value};

/// A file for a test, with what matters about it.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<Moment>,
    pub(crate) created: Option<Moment>,
    pub(crate) unreadable: bool,
    pub(crate) facts: Map<String, Value>,
}

impl File {
    /// A file that holds these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), ..Self::default() }
    }

    /// Of this size in bytes; what was not given reads as zeros.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Last changed then.
    #[must_use]
    pub fn modified(mut self, at: Moment) -> Self {
        self.modified = Some(at);
        self
    }

    /// Made then.
    #[must_use]
    pub fn born(mut self, at: Moment) -> Self {
        self.created = Some(at);
        self
    }

    /// Whose permissions let nobody read it.
    #[must_use]
    pub fn unreadable(mut self) -> Self {
        self.unreadable = true;
        self
    }

    /// With a kind of content, such as `image/jpeg`.
    #[must_use]
    pub fn media_type(self, media_type: &str) -> Self {
        self.fact("media-type", media_type)
    }

    /// A picture that was taken then.
    #[must_use]
    pub fn taken(self, at: DateTime) -> Self {
        self.fact("image.taken", at.to_string())
    }

    /// A document that was written then.
    #[must_use]
    pub fn written(self, at: DateTime) -> Self {
        self.fact("document.created", at.to_string())
    }

    /// Sound or film that was recorded then.
    #[must_use]
    pub fn recorded(self, at: DateTime) -> Self {
        self.fact("media.created", at.to_string())
    }

    /// With these permission bits, such as `0o755`.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        self.fact("mode", format!("{mode:04o}"))
    }

    /// A cloud's stand-in: its content is elsewhere.
    #[must_use]
    pub fn placeholder(self) -> Self {
        self.fact("placeholder", true)
    }

    /// With any fact, by the host's name.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}

impl From<&str> for File {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const N: usize> From<&[u8; N]> for File {
    fn from(bytes: &[u8; N]) -> Self {
        Self::new(bytes)
    }
}

impl From<Vec<u8>> for File {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }
}

/// The kind of content that a name stands for, for files whose test does not say.
pub(crate) fn media_type_of(extension: Option<&str>) -> &'static str {
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("txt" | "log") => "text/plain",
        Some("md") => "text/markdown",
        Some("html" | "htm") => "text/html",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("gz") => "application/gzip",
        Some("tar") => "application/x-tar",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Some("odt") => "application/vnd.oasis.opendocument.text",
        Some("ods") => "application/vnd.oasis.opendocument.spreadsheet",
        Some("epub") => "application/epub+zip",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("svg") => "image/svg+xml",
        Some("heic") => "image/heic",
        Some("mp3") => "audio/mpeg",
        Some("flac") => "audio/flac",
        Some("wav") => "audio/wav",
        Some("mp4") => "video/mp4",
        Some("mov") => "video/quicktime",
        Some("mkv") => "video/x-matroska",
        _ => "application/octet-stream",
    }
}
