//! What is offered to a client, as the protocol sees it: plain data, and calls that block.

use deskhand_agent::tool::{Call, Output, Tool};
use deskhand_vocabulary::{Progress, Stop};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a client says of itself. Not trusted: it is put on record, and nothing rests on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// What it calls itself.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
}

/// Is told how far a call is. Cheap.
pub type Telling = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Something like a function that a person starts: a skill, or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What it is called; unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it takes.
    pub arguments: Vec<PromptArgument>,
}

/// A text that a prompt takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// False if it can be left out.
    pub required: bool,
}

/// A file that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Where (RFC 3986).
    pub uri: String,
    /// Its name.
    pub name: String,
    /// In bytes.
    pub size: u64,
}

/// How the addresses of what can be read are made (RFC 6570).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The pattern.
    pub uri: String,
    /// What it is called.
    pub name: String,
    /// What is there.
    pub description: String,
}

/// Some of many, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// These.
    pub items: Vec<T>,
    /// What to ask the next ones with; none at the end. Opaque.
    pub next: Option<String>,
}

/// What a resource holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What kind (RFC 6838).
    pub media_type: String,
    /// The bytes; they go out as text where they are UTF-8.
    pub bytes: Vec<u8>,
}

/// Why something is not served, in words for whoever is at the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// There is none such, or it is asked for in a wrong way.
    #[error("{0}")]
    Unknown(String),
    /// It is not allowed, waits for the person, or failed.
    #[error("{0}")]
    Failed(String),
}

/// What one session of a client is offered. All of it may block: it is called on threads that may wait, several at once.
pub trait Offer: Send + Sync {
    /// The client has said who it is.
    fn hello(&self, hello: Hello);

    /// How what is offered is best used, for the client's model.
    fn instructions(&self) -> String;

    /// The tools, always in the same order while `edition` stays.
    fn tools(&self) -> Result<Vec<Tool>, NotServed>;

    /// Call a tool. `progress` is told how far it is.
    fn call(&self, call: &Call, progress: Telling, stop: &Stop) -> Result<Output, NotServed>;

    /// The prompts, always in the same order while `edition` stays.
    fn prompts(&self) -> Result<Vec<Prompt>, NotServed>;

    /// What a prompt says.
    fn prompt(&self, name: &str, arguments: &Map<String, Value>, stop: &Stop) -> Result<String, NotServed>;

    /// Some of what can be read, after `cursor`, which is the `next` of the page before.
    fn resources(&self, cursor: Option<&str>, stop: &Stop) -> Result<Page<Resource>, NotServed>;

    /// How addresses are made.
    fn templates(&self) -> Vec<Template>;

    /// Read a resource.
    fn read(&self, uri: &str, stop: &Stop) -> Result<Content, NotServed>;

    /// A number that changes whenever tools or prompts do. Cheap.
    fn edition(&self) -> u64;

    /// The client is gone: the record of the session ends.
    fn end(&self);
}
