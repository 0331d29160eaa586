//! What a server may want of whoever uses it, and what is recorded of it.

use super::sandbox::Wrote;
use deskhand_vocabulary::ServerName;
use serde_json::Value;
use std::time::Duration;

/// What the person answered to a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Elicited {
    /// A form filled in.
    Filled(Value),
    /// No.
    Declined,
    /// Nobody was there, or the person stopped the task.
    Nobody,
}

/// What has become of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is ready.
    Started,
    /// It could not be started, for this reason.
    Failed(String),
    /// It was stopped because nobody needed it.
    Stopped,
    /// It ended by itself.
    Died(String),
    /// It says that it has other tools, resources or prompts now.
    Offer,
    /// It wants the person to log in, or to allow more, in these words.
    Login(String),
}

impl Change {
    /// The name in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
            Self::Died(_) => "died",
            Self::Offer => "changed",
            Self::Login(_) => "wants-login",
        }
    }
}

/// Whoever uses the servers. Every method may be called from any thread.
pub trait Host: Send + Sync {
    /// Put a form of a server to the person: its words and a flat JSON Schema, both not trusted. Blocks until there is an
    /// answer.
    fn ask(&self, server: &ServerName, text: &str, schema: &Value) -> Elicited;

    /// How far a server is with what it was asked. Cheap; may be called often.
    fn progress(&self, server: &ServerName, text: &str, done: u64, total: Option<u64>);

    /// A line that a server wrote to its log: how grave, and what. Not trusted, and not many.
    fn log(&self, server: &ServerName, level: &str, message: &str);

    /// What has become of a server, and how long that took, or how long it ran.
    fn changed(&self, server: &ServerName, change: &Change, took: Duration);

    /// What came of what the program of a server wrote to the folders of the task, where there is something to tell.
    fn wrote(&self, server: &ServerName, wrote: &Wrote);

    /// The folders that programs on this computer are told to work in, as `file:` addresses with their names.
    fn roots(&self) -> Vec<(String, String)>;
}
