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
    /// It wants to know who asks.
    #[error("the MCP server `{server}` wants a login. Log in with: deskhand mcp login {server}")]
    LoginWanted {
        /// The server.
        server: ServerName,
    },
    /// It wants to know who asks, and the key that it was given does not do.
    #[error(
        "the MCP server `{server}` does not take the key that it was given. Give it another with: deskhand mcp add {server} --key"
    )]
    KeyRefused {
        /// The server.
        server: ServerName,
    },
    /// The login does not go so far.
    #[error(
        "the MCP server `{server}` wants a login that may do more. Log in again with: deskhand mcp login {server}{scope}"
    )]
    ScopeWanted {
        /// The server.
        server: ServerName,
        /// What it should be allowed, as an option of the command, after a space; empty where it does not say.
        scope: String,
    },
    /// The login is over, and could not be renewed just now.
    #[error("the MCP server `{server}` was not asked: its login could not be renewed: {reason}")]
    NotRenewed {
        /// The server.
        server: ServerName,
        /// Why.
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
            | Self::LoginWanted { .. }
            | Self::KeyRefused { .. }
            | Self::ScopeWanted { .. }
            | Self::NotRenewed { .. }
            | Self::Late { .. }
            | Self::Refused { .. }
            | Self::Nonsense { .. }
            | Self::Closed { .. }
            | Self::Waits { .. }
            | Self::Stopped => false,
        }
    }

    /// Whether it is for the person to log in.
    pub(crate) const fn wants_login(&self) -> bool {
        matches!(self, Self::LoginWanted { .. } | Self::ScopeWanted { .. })
    }

    /// Whether a call that ended so may have had its effect.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::Late { .. } | Self::Died { .. } | Self::Nonsense { .. } | Self::Stopped => true,
            Self::NoProgram { .. }
            | Self::NotStarted { .. }
            | Self::NoSecret { .. }
            | Self::LoginWanted { .. }
            | Self::KeyRefused { .. }
            | Self::ScopeWanted { .. }
            | Self::NotRenewed { .. }
            | Self::Refused { .. }
            | Self::Closed { .. }
            | Self::Waits { .. } => false,
        }
    }
}
