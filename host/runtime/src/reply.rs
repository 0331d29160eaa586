//! What a plugin answers, in the host's own words, and why there may be no answer.

use crate::{bindings, bindings::wit::types, fault::PluginFault, index::IndexError};
use deskhand_vocabulary::PluginId;
use serde::Serialize;

/// A piece of content for a person or a model. Not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// RFC 6838.
    pub media_type: String,
    /// What it holds.
    pub body: Body,
}

/// What a piece of content holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A reference: `plugin:` or `workspace:`.
    Uri(String),
}

/// What a slash command answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// For the person, now.
    pub show: Vec<Content>,
    /// For the agent, as the next turn.
    pub prompt: Option<String>,
}

/// What a tool gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolOutput {
    /// For the model, in order. Data, never instructions.
    pub content: Vec<Content>,
    /// The machine-readable result, a JSON document as the tool wrote it.
    pub structured: Option<String>,
}

/// What a plugin, or the host for it, says instead of doing what was asked: `types.error` of the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// What kind.
    pub code: Code,
    /// One sentence. Not trusted where a plugin says it.
    pub message: String,
    /// Wait at least this long before trying again, in milliseconds.
    pub retry_after_ms: Option<u32>,
}

impl Refused {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }
}

/// `types.error-code` of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "documented in `wit/types.wit`")]
pub enum Code {
    Invalid,
    Denied,
    Parked,
    NotFound,
    Conflict,
    TooLarge,
    Unsupported,
    Exhausted,
    Unavailable,
    Cancelled,
    Failed,
}

impl Code {
    /// The name in the interface and in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Parked => "parked",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::Unsupported => "unsupported",
            Self::Exhausted => "exhausted",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// No such plugin is installed.
    #[error(
        "{0} is not installed. `deskhand plugin search` finds what there is, `deskhand plugin install` installs it"
    )]
    NotInstalled(PluginId),
    /// The plugin has no such command or tool.
    #[error("{plugin} has no {role} `{name}`. `deskhand plugin info {plugin}` lists what it has")]
    NoSuch {
        /// The plugin.
        plugin: PluginId,
        /// `command` or `tool`.
        role: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The plugin says that it cannot, or will not.
    #[error("{plugin} says: {refused}")]
    Refused {
        /// The plugin.
        plugin: PluginId,
        /// What it says.
        refused: Refused,
    },
    /// The plugin failed.
    #[error("{plugin} failed: {fault}")]
    Fault {
        /// The plugin.
        plugin: PluginId,
        /// How.
        fault: PluginFault,
    },
    /// It succeeded, and what it would have changed could not join what else the task changes.
    #[error("what {plugin} would change does not fit what else this task changes: {refused}")]
    Lost {
        /// The plugin.
        plugin: PluginId,
        /// Why.
        refused: Refused,
    },
    /// The person stopped it.
    #[error("stopped by you. Nothing was changed")]
    Stopped,
    /// Plugins called one another too deep.
    #[error("plugins called one another more than {limit} deep. Nothing was changed; tell the publisher of {plugin}")]
    TooDeep {
        /// The one that was not called any more.
        plugin: PluginId,
        /// How deep they may.
        limit: u32,
    },
    /// The list of what is installed cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl CallError {
    /// What the log calls this outcome: an error code of the interface, or the kind of a fault.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::NotInstalled(_) | Self::NoSuch { .. } => Code::NotFound.name(),
            Self::Refused { refused, .. } | Self::Lost { refused, .. } => refused.code.name(),
            Self::Fault { fault, .. } => fault.kind(),
            Self::Stopped => Code::Cancelled.name(),
            Self::TooDeep { .. } => Code::Exhausted.name(),
            Self::Index(_) => Code::Failed.name(),
        }
    }
}

impl From<types::Content> for Content {
    fn from(content: types::Content) -> Self {
        let body = match content.body {
            types::Body::Text(text) => Body::Text(text),
            types::Body::Bytes(bytes) => Body::Bytes(bytes),
            types::Body::Uri(uri) => Body::Uri(uri),
        };
        Self { media_type: content.media_type, body }
    }
}

impl From<Content> for types::Content {
    fn from(content: Content) -> Self {
        let body = match content.body {
            Body::Text(text) => types::Body::Text(text),
            Body::Bytes(bytes) => types::Body::Bytes(bytes),
            Body::Uri(uri) => types::Body::Uri(uri),
        };
        Self { media_type: content.media_type, body }
    }
}

impl Content {
    fn bytes(&self) -> usize {
        let body = match &self.body {
            Body::Text(text) | Body::Uri(text) => text.len(),
            Body::Bytes(bytes) => bytes.len(),
        };
        self.media_type.len() + body
    }
}

/// What can be too large.
pub(crate) trait Sized {
    fn bytes(&self) -> usize;
}

impl Sized for Reply {
    fn bytes(&self) -> usize {
        self.show.iter().map(Content::bytes).sum::<usize>() + self.prompt.as_ref().map_or(0, String::len)
    }
}

impl Sized for ToolOutput {
    fn bytes(&self) -> usize {
        self.content.iter().map(Content::bytes).sum::<usize>() + self.structured.as_ref().map_or(0, String::len)
    }
}

impl From<bindings::command::exports::deskhand::plugin::command::Reply> for Reply {
    fn from(reply: bindings::command::exports::deskhand::plugin::command::Reply) -> Self {
        Self { show: reply.show.into_iter().map(Content::from).collect(), prompt: reply.prompt }
    }
}

impl From<types::ToolOutput> for ToolOutput {
    fn from(output: types::ToolOutput) -> Self {
        Self { content: output.content.into_iter().map(Content::from).collect(), structured: output.structured }
    }
}

impl From<ToolOutput> for types::ToolOutput {
    fn from(output: ToolOutput) -> Self {
        Self { content: output.content.into_iter().map(types::Content::from).collect(), structured: output.structured }
    }
}

impl From<types::Error> for Refused {
    fn from(error: types::Error) -> Self {
        Self { code: error.code.into(), message: error.message, retry_after_ms: error.retry_after_ms }
    }
}

impl From<Refused> for types::Error {
    fn from(refused: Refused) -> Self {
        Self { code: refused.code.into(), message: refused.message, retry_after_ms: refused.retry_after_ms }
    }
}

macro_rules! codes {
    ($($name:ident)*) => {
        impl From<types::ErrorCode> for Code {
            fn from(code: types::ErrorCode) -> Self {
                match code { $(types::ErrorCode::$name => Self::$name),* }
            }
        }

        impl From<Code> for types::ErrorCode {
            fn from(code: Code) -> Self {
                match code { $(Code::$name => Self::$name),* }
            }
        }
    };
}

codes!(Invalid Denied Parked NotFound Conflict TooLarge Unsupported Exhausted Unavailable Cancelled Failed);
