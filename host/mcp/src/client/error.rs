//! Why a server did not do what it should.

use deskhand_vocabulary::ServerName;
use std::time::Duration;

/// Why. The texts are for the person and for the model, name the server, and hold what it said only where they say so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    /// Its program is not there.
    #[error(
        "the MCP server `{server}` could not be started: there is no program `{program}`. Install it, or change the server with: deskhand mcp add {server}"
    )]
    NoProgram {
        /// The server.
        server: ServerName,
        /// What is not there.
        program: String,
    },
    /// It could not be started.
    #[error("the MCP server `{server}` could not be started: {reason}. Try it with: deskhand mcp test {server}")]
    NotStarted {
        /// The server.
        server: ServerName,
        /// Why, with the last that it wrote to its standard error.
        reason: String,
    },
    /// Something of what it is to be given is not there.
    #[error("the MCP server `{server}` was not started: {reason}")]
    NoSecret {
        /// The server.
        server: ServerName,
        /// What, and what to do.
        reason: String,
    },
    /// It took too long.
    #[error("the MCP server `{server}` did not {what} within {} s, and is not waited for any longer", after.as_secs())]
    Late {
        /// The server.
        server: ServerName,
        /// What it should have done.
        what: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// It ended, or the connection to it broke, before there was an answer.
    #[error("the MCP server `{server}` ended in the middle of its work: {reason}")]
    Died {
        /// The server.
        server: ServerName,
        /// What is known of it.
        reason: String,
    },
    /// It answered with an error.
    #[error("the MCP server `{server}` says: {reason}")]
    Refused {
        /// The server.
        server: ServerName,
        /// Its own words, shortened.
        reason: String,
    },
    /// What it answered cannot be understood.
    #[error("the MCP server `{server}` answered with what is no {what}")]
    Nonsense {
        /// The server.
        server: ServerName,
        /// What it should have been.
        what: &'static str,
    },
    /// The way to it is closed.
    #[error("the MCP server `{server}` was not asked: {reason}")]
    Closed {
        /// The server.
        server: ServerName,
        /// Why.
        reason: String,
    },
    /// It is decided by a person, who is not there.
    #[error("the MCP server `{server}` was not asked: {reason}")]
    Waits {
        /// The server.
        server: ServerName,
        /// Why.
        reason: String,
    },
    /// The person stopped it.
    #[error("stopped by the person")]
    Stopped,
}

impl McpError {
    /// Whether starting it or asking it for a list may well go better at once. A call is never made again.
    pub(crate) const fn is_worth_another_try(&self) -> bool {
        match self {
            Self::Died { .. } | Self::NotStarted { .. } => true,
            Self::NoProgram { .. }
            | Self::NoSecret { .. }
            | Self::Late { .. }
            | Self::Refused { .. }
            | Self::Nonsense { .. }
            | Self::Closed { .. }
            | Self::Waits { .. }
            | Self::Stopped => false,
        }
    }

    /// Whether a call that ended so may have had its effect.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::Late { .. } | Self::Died { .. } | Self::Nonsense { .. } | Self::Stopped => true,
            Self::NoProgram { .. }
            | Self::NotStarted { .. }
            | Self::NoSecret { .. }
            | Self::Refused { .. }
            | Self::Closed { .. }
            | Self::Waits { .. } => false,
        }
    }
}
