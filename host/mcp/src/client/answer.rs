//! What a server answers to a call. Data of a stranger.

use super::sandbox::Wrote;
use rmcp::model::{ContentBlock, GetPromptResult, ResourceContents, Role};
use serde_json::Value;

/// The most of one answer that is kept: text, in bytes, less than a model is given at once; all else, in bytes of base64; and
/// pieces.
const TEXT: usize = 48 << 10;
const BYTES: usize = 8 << 20;
const PIECES: usize = 200;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its pieces, in order.
    pub content: Vec<Content>,
    /// Whether the server says that it could not do what it was asked.
    pub failed: bool,
    /// How many bytes were left out because there was too much.
    pub cut: u64,
    /// What came of what its program wrote to the folders of the task.
    pub wrote: Wrote,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it is, as the server says.
    pub media_type: String,
    /// The piece itself.
    pub body: Body,
}

/// What a piece holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes, in base64 as they came; perhaps not even that.
    Base64(String),
    /// The address of something that the server has.
    Address(String),
}

impl Answer {
    pub(crate) fn of(blocks: Vec<ContentBlock>, structured: Option<Value>, failed: bool) -> Self {
        let mut content: Vec<Content> = blocks.into_iter().take(PIECES).map(block).collect();
        // most tools show their structured result as well; where one does not, it is all that there is
        if content.is_empty()
            && let Some(structured) = structured
        {
            content
                .push(Content { media_type: "application/json".to_owned(), body: Body::Text(structured.to_string()) });
        }
        Self { content, failed, cut: 0, wrote: Wrote::default() }.bounded()
    }

    /// What is in a resource.
    pub(crate) fn resource(contents: Vec<ResourceContents>) -> Self {
        let content = contents.into_iter().take(PIECES).map(resource).collect();
        Self { content, failed: false, cut: 0, wrote: Wrote::default() }.bounded()
    }

    /// What a prompt says, each message with who would say it.
    pub(crate) fn prompt(prompt: GetPromptResult) -> Self {
        let messages = prompt.messages.into_iter().take(PIECES).map(|message| {
            let mut content = block(message.content);
            if let Body::Text(text) = &mut content.body {
                let who = if message.role == Role::User { "user" } else { "assistant" };
                *text = format!("{who}: {text}");
            }
            content
        });
        Self { content: messages.collect(), failed: false, cut: 0, wrote: Wrote::default() }.bounded()
    }

    /// Without what is beyond what is kept.
    fn bounded(mut self) -> Self {
        let (mut text_left, mut bytes_left) = (TEXT, BYTES);
        for Content { body, .. } in &mut self.content {
            match body {
                Body::Text(text) | Body::Address(text) => {
                    let end = text.floor_char_boundary(text_left.min(text.len()));
                    self.cut += (text.len() - end) as u64;
                    text.truncate(end);
                    text_left -= end;
                }
                // half of a picture is none
                Body::Base64(data) if data.len() > bytes_left => {
                    self.cut += data.len() as u64;
                    data.clear();
                }
                Body::Base64(data) => bytes_left -= data.len(),
            }
        }
        self
    }
}

fn block(block: ContentBlock) -> Content {
    match block {
        ContentBlock::Text(text) => Content { media_type: "text/plain".to_owned(), body: Body::Text(text.text) },
        ContentBlock::Image(image) => Content { media_type: image.mime_type, body: Body::Base64(image.data) },
        ContentBlock::Audio(audio) => Content { media_type: audio.mime_type, body: Body::Base64(audio.data) },
        ContentBlock::Resource(embedded) => resource(embedded.resource),
        ContentBlock::ResourceLink(link) => {
            let media_type = link.mime_type.unwrap_or_else(|| "something".to_owned());
            Content { media_type, body: Body::Address(link.uri) }
        }
        _ => Content { media_type: "something of an unknown kind".to_owned(), body: Body::Base64(String::new()) },
    }
}

fn resource(contents: ResourceContents) -> Content {
    match contents {
        ResourceContents::TextResourceContents { mime_type, text, .. } => {
            Content { media_type: mime_type.unwrap_or_else(|| "text/plain".to_owned()), body: Body::Text(text) }
        }
        ResourceContents::BlobResourceContents { mime_type, blob, .. } => {
            let media_type = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            Content { media_type, body: Body::Base64(blob) }
        }
        _ => Content { media_type: "something of an unknown kind".to_owned(), body: Body::Base64(String::new()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Content {
        Content { media_type: "text/plain".to_owned(), body: Body::Text(text.to_owned()) }
    }

    #[test]
    fn what_is_too_much_is_cut_and_counted() {
        let long = "ü".repeat(TEXT);
        let answer =
            Answer::of(vec![ContentBlock::text("a"), ContentBlock::text(&*long), ContentBlock::text("b")], None, false);
        // the letter across the limit is left out as a whole
        let kept = "ü".repeat(TEXT / 2 - 1);
        assert_eq!(answer.content, [text("a"), text(&kept), text("b")]);
        assert_eq!(answer.cut, (TEXT + 2) as u64);
        let picture = ContentBlock::image("A".repeat(BYTES + 1), "image/png");
        let answer = Answer::of(vec![picture], None, true);
        let nothing = Content { media_type: "image/png".to_owned(), body: Body::Base64(String::new()) };
        assert_eq!(
            answer,
            Answer { content: vec![nothing], failed: true, cut: BYTES as u64 + 1, wrote: Wrote::default() }
        );
    }

    #[test]
    fn a_result_that_is_not_shown_is_shown() {
        let structured = Some(serde_json::json!({"sum": 5}));
        let shown = Content { media_type: "application/json".to_owned(), body: Body::Text(r#"{"sum":5}"#.to_owned()) };
        assert_eq!(Answer::of(Vec::new(), structured.clone(), false).content, [shown]);
        assert_eq!(Answer::of(vec![ContentBlock::text("5")], structured, false).content, [text("5")]);
    }
}
