//! What is said to a model and by it.

use crate::config::Wire;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, value::RawValue};
use std::sync::Arc;

/// The longest name of a tool, in bytes; both vendors say so.
pub const LONGEST_NAME: usize = 64;

/// Whether both wires take this as the name of a tool or the id of a call: letters, digits, `_` and `-`.
pub fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tool {
    /// Its name, as [`is_name`] has it.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// A JSON Schema of an object: its arguments. Sent as it is, its members in this order.
    pub schema: Value,
}

/// A piece of what is said to the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "piece", rename_all = "kebab-case")]
pub enum Piece {
    /// Text. Blank text is left out of requests, which may not contain it.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
}

impl Piece {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// Whether there is nothing to see in it.
    pub fn is_blank(&self) -> bool {
        matches!(self, Self::Text { text } if text.trim().is_empty())
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ToolResult {
    /// The call.
    pub call: String,
    /// What it gave.
    pub content: Vec<Piece>,
    /// Whether it failed. Chat completions have no field for it: there the text begins with "error: ".
    pub failed: bool,
}

/// Why a call's arguments cannot be used. The call must be answered with a failure all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum BadInput {
    /// They are not JSON.
    #[error("the arguments are not JSON ({reason}): {raw}")]
    NotJson {
        /// What the model wrote.
        raw: String,
        /// Where it stops being JSON.
        reason: String,
    },
    /// They are JSON, but not an object.
    #[error("the arguments are not a JSON object: {raw}")]
    NotObject {
        /// What the model wrote.
        raw: String,
    },
    /// The reply ended within the call.
    #[error("the arguments were cut off, because the reply reached its limit: {raw}")]
    CutOff {
        /// What the model wrote.
        raw: String,
    },
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id: once only in a conversation. An id that a server gave twice, or that is no [`is_name`], was replaced.
    pub id: String,
    /// The tool, as the model wrote it. There need not be one of this name.
    pub name: String,
    /// Its arguments: an object.
    pub input: Result<Value, BadInput>,
}

/// A part of what the model said, for reading. What is sent back is [`Said`]'s own record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Text for the person.
    Text(String),
    /// Thinking.
    Thinking(String),
    /// A call.
    Call(Call),
    /// Something else, such as thinking that only the vendor can read.
    Other(String),
}

/// What the model said: as its server wrote it, in order, and as parts for reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Said {
    /// The wire of the record.
    pub(crate) wire: Wire,
    /// The content (Anthropic: an array of blocks) or the message (chat), as the next request holds it.
    #[serde(deserialize_with = "json")]
    pub(crate) raw: Arc<str>,
    pub(crate) parts: Vec<Part>,
}

/// What was kept must be JSON, for it is put into requests as it is.
fn json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    let text = String::deserialize(deserializer)?;
    serde_json::from_str::<&RawValue>(&text).map_err(D::Error::custom)?;
    Ok(text.into())
}

impl Said {
    /// Its parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All of its text.
    pub fn text(&self) -> String {
        let texts =
            self.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None });
        texts.collect()
    }

    /// Its calls in order.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })
    }

    /// Whether there is neither text nor a call.
    pub fn is_empty(&self) -> bool {
        self.calls().next().is_none() && self.text().trim().is_empty()
    }

    /// The record, as JSON.
    pub fn raw(&self) -> &str {
        &self.raw
    }
}
