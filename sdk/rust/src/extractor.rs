//! An extractor: turns documents into text, for models and plugins that cannot read their bytes. It is given the document
//! itself, so its plugin needs no right to any folder.

use crate::{Error, Result};
use serde::Deserialize;

/// A document as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// The text, with a line such as `[page 3]` where a part begins.
    pub text: String,
    /// True if the limit kept back a part of it.
    pub cut: bool,
}

/// Which documents a plugin reads, and how.
///
/// ```
/// use deskhand_sdk::prelude::*;
///
/// pub const LETTERS: Extractor = Extractor::new(&["application/x-letter"], |_, document, limit| {
///     let mut text = String::from_utf8(document).map_err(|_| Error::invalid("the letter is damaged"))?;
///     let cut = text.len() > limit;
///     text.truncate(text.floor_char_boundary(limit));
///     Ok(Extracted { text, cut })
/// });
///
/// deskhand_sdk::plugin! { extractor: LETTERS }
/// # fn main() {
/// let read = LETTERS.extract("application/x-letter", b"Dear Ada".to_vec(), r#"{"limit": 4}"#).unwrap();
/// assert_eq!(read, Extracted { text: "Dear".to_owned(), cut: true });
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Extractor {
    media_types: &'static [&'static str],
    extract: Extract,
}

/// What turns a document of a media type into at most so many bytes of text.
pub type Extract = fn(media_type: &str, document: Vec<u8>, limit: usize) -> Result<Extracted>;

/// The most text if the caller does not say, in bytes.
const USUAL: usize = 1 << 20;

#[derive(Deserialize)]
struct Options {
    #[serde(default = "usual")]
    limit: usize,
}

const fn usual() -> usize {
    USUAL
}

impl Extractor {
    /// What reads documents of these media types (RFC 6838, in lower case and without parameters).
    pub const fn new(media_types: &'static [&'static str], extract: Extract) -> Self {
        Self { media_types, extract }
    }

    /// A document as text. `options` is as the interface has it.
    ///
    /// # Errors
    /// It is of another media type, or cannot be read.
    pub fn extract(&self, media_type: &str, document: Vec<u8>, options: &str) -> Result<Extracted> {
        if !self.media_types.contains(&media_type) {
            return Err(Error::unsupported(format!("this plugin reads no documents of the type {media_type}")));
        }
        let Options { limit } = serde_json::from_str(options)?;
        (self.extract)(media_type, document, limit)
    }

    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    #[doc(hidden)]
    pub fn describe(&self) -> crate::plugin::description::Extractor {
        let media_types = self.media_types.iter().map(|name| (*name).to_owned()).collect();
        crate::plugin::description::Extractor { media_types }
    }
}
