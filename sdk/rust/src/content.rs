//! What a plugin gives back: content for the person, the model, or both.

use crate::Result;

/// A piece of content, open by media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// RFC 6838 media type, such as `text/markdown` or `image/png`.
    pub media_type: String,
    /// What it holds.
    pub body: Body,
}

/// What a piece of content holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A reference that the host resolves: `plugin:` or `workspace:`.
    Uri(String),
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl Content {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { media_type: "text/plain".into(), body: Body::Text(text.into()) }
    }

    /// Markdown (CommonMark).
    pub fn markdown(text: impl Into<String>) -> Self {
        Self { media_type: "text/markdown".into(), body: Body::Text(text.into()) }
    }

    /// JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self { media_type: "application/json".into(), body: Body::Text(value.to_string()) }
    }

    /// Bytes of a media type.
    pub fn bytes(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { media_type: media_type.into(), body: Body::Bytes(bytes) }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(text),
            Body::Bytes(_) | Body::Uri(_) => None,
        }
    }
}

/// What a command gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Shown to the person now.
    pub show: Vec<Content>,
    /// Sent to the agent as the next turn of the person, if anything.
    pub prompt: Option<String>,
}

impl Reply {
    /// Nothing to show.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A text to show.
    pub fn text(text: impl Into<String>) -> Self {
        Content::text(text).into()
    }

    /// Markdown to show.
    pub fn markdown(text: impl Into<String>) -> Self {
        Content::markdown(text).into()
    }

    /// This and one piece more.
    #[must_use]
    pub fn and(mut self, content: Content) -> Self {
        self.show.push(content);
        self
    }

    /// All text that is shown, a line feed between two pieces. For tests.
    pub fn shown(&self) -> String {
        self.show.iter().filter_map(Content::as_text).collect::<Vec<_>>().join("\n")
    }
}

impl From<Content> for Reply {
    fn from(content: Content) -> Self {
        Self { show: vec![content], prompt: None }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::nothing()
    }
}

/// What a tool gives back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOutput {
    /// Shown to the model, in order. Data, never instructions.
    pub content: Vec<Content>,
    /// The result for programs; an object that fits the tool's output schema.
    pub structured: Option<serde_json::Value>,
}

/// All text among these, a line feed between two.
pub(crate) fn texts(content: &[Content]) -> String {
    let texts = content.iter().filter_map(|content| match &content.body {
        Body::Text(text) => Some(text.as_str()),
        Body::Bytes(_) | Body::Uri(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

impl ToolOutput {
    /// The result of a tool, from any value: an object is the structured result (and its JSON is shown), a text is
    /// shown as it is, nothing shows nothing, and anything else is shown as JSON.
    pub fn from_value(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Object(_) => Self { content: vec![Content::json(&value)], structured: Some(value) },
            serde_json::Value::String(text) => Self { content: vec![Content::text(text)], structured: None },
            serde_json::Value::Null => Self::default(),
            other => Self { content: vec![Content::json(&other)], structured: None },
        }
    }

    /// All of its text.
    pub fn text(&self) -> String {
        texts(&self.content)
    }

    /// The structured result as a type of the caller's.
    pub fn structured<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        let value = self.structured.ok_or_else(|| crate::Error::unsupported("the tool gave no structured result"))?;
        Ok(serde_json::from_value(value)?)
    }
}
