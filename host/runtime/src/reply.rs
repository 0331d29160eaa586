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

/// What a skill gives to the agent that takes it up. A plugin's words: they say how work is done, and grant nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guidance {
    /// Markdown.
    pub instructions: String,
    /// What can be read on demand, by path.
    pub references: Vec<String>,
    /// Tools that it asks for, by name.
    pub tools: Vec<String>,
}

/// Who a sub-agent is and how it works, as its plugin says. Not trusted: the host's own loop does the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Who it is.
    pub system_prompt: String,
    /// What it is told first.
    pub opening: Vec<Content>,
    /// Those of the caller's tools that it is to have; empty means none.
    pub tools: Vec<String>,
    /// `fast`, `balanced` or `deep`.
    pub model: String,
    /// The most turns of the model.
    pub max_turns: u32,
    /// JSON Schema of the answer, if it is structured; a JSON document as the plugin wrote it.
    pub answer_schema: Option<String>,
}

/// A document as text. Data, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extracted {
    /// The text, with a line such as `[page 3]` where a part begins.
    pub text: String,
    /// True if the limit kept back a part of it.
    pub cut: bool,
}

/// A page of the tools that depend on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolPage {
    /// The tools.
    pub tools: Vec<CatalogTool>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// A tool that depends on an account. A plugin's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogTool {
    /// Unique within the plugin.
    pub name: String,
    /// For the person.
    pub title: String,
    /// For the model.
    pub description: String,
    /// JSON Schema of the arguments; a JSON document.
    pub input_schema: String,
    /// JSON Schema of the structured result; a JSON document.
    pub output_schema: Option<String>,
    /// `read-only`, `destructive`, `idempotent`, `open-world`; others are ignored.
    pub hints: Vec<String>,
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
    /// A refusal of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
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
        /// `command`, `tool`, and so on.
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

impl Sized for Extracted {
    fn bytes(&self) -> usize {
        self.text.len()
    }
}

impl Sized for Guidance {
    fn bytes(&self) -> usize {
        self.instructions.len() + self.references.iter().chain(&self.tools).map(String::len).sum::<usize>()
    }
}

impl Sized for Profile {
    fn bytes(&self) -> usize {
        let tools: usize = self.tools.iter().map(String::len).sum();
        let schema = self.answer_schema.as_ref().map_or(0, String::len);
        self.system_prompt.len() + self.opening.bytes() + tools + self.model.len() + schema
    }
}

impl Sized for ToolPage {
    fn bytes(&self) -> usize {
        let tool = |tool: &CatalogTool| {
            let texts = [&tool.name, &tool.title, &tool.description, &tool.input_schema];
            let texts: usize = texts.into_iter().chain(&tool.hints).chain(&tool.output_schema).map(String::len).sum();
            texts
        };
        self.tools.iter().map(tool).sum::<usize>() + self.next.as_ref().map_or(0, String::len)
    }
}

impl Sized for Content {
    fn bytes(&self) -> usize {
        let body = match &self.body {
            Body::Text(text) | Body::Uri(text) => text.len(),
            Body::Bytes(bytes) => bytes.len(),
        };
        self.media_type.len() + body
    }
}

impl Sized for Vec<Content> {
    fn bytes(&self) -> usize {
        self.iter().map(Content::bytes).sum()
    }
}

impl From<bindings::skill::exports::deskhand::plugin::skill::Guidance> for Guidance {
    fn from(guidance: bindings::skill::exports::deskhand::plugin::skill::Guidance) -> Self {
        Self { instructions: guidance.instructions, references: guidance.references, tools: guidance.tools }
    }
}

impl From<bindings::extractor::exports::deskhand::plugin::extractor::Extracted> for Extracted {
    fn from(extracted: bindings::extractor::exports::deskhand::plugin::extractor::Extracted) -> Self {
        Self { text: extracted.text, cut: extracted.cut }
    }
}

impl From<bindings::agent::exports::deskhand::plugin::agent::Profile> for Profile {
    fn from(profile: bindings::agent::exports::deskhand::plugin::agent::Profile) -> Self {
        Self {
            system_prompt: profile.system_prompt,
            opening: profile.opening.into_iter().map(Content::from).collect(),
            tools: profile.tools,
            model: profile.model,
            max_turns: profile.max_turns,
            answer_schema: profile.answer_schema,
        }
    }
}

impl From<bindings::tool_catalog::exports::deskhand::plugin::tool_catalog::Page> for ToolPage {
    fn from(page: bindings::tool_catalog::exports::deskhand::plugin::tool_catalog::Page) -> Self {
        let tools = page.tools.into_iter().map(|tool| CatalogTool {
            name: tool.name,
            title: tool.title,
            description: tool.description,
            input_schema: tool.input_schema,
            output_schema: tool.output_schema,
            hints: tool.hints,
        });
        Self { tools: tools.collect(), next: page.next }
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
