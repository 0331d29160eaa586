//! Why there is no reply. Which of these are worth another try is decided here, one by one.

use crate::{config::BadConfig, conversation::Misplaced, key::NoKey, money::Money, usage::Usage};
use deskhand_egress::EgressError;
use std::time::Duration;

/// Why a try failed. Texts of servers are cut to [`LONGEST`] characters, without control characters and keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The settings do not do.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// The key is not there.
    #[error("{0}")]
    Key(#[from] NoKey),
    /// The conversation cannot be sent as it is.
    #[error(transparent)]
    Conversation(#[from] Misplaced),
    /// Nothing came, or it broke off.
    #[error("{0}")]
    Egress(#[from] EgressError),
    /// The key is not accepted (401).
    #[error("the server does not accept the key: {said}. Check it")]
    BadKey {
        /// The server's words.
        said: String,
    },
    /// The key may not do this (403).
    #[error("the server does not allow this: {said}. Check what the key is allowed to use")]
    Forbidden {
        /// The server's words.
        said: String,
    },
    /// There is no credit or quota left (402, or said so).
    #[error("the account has no credit or quota left: {said}. Add credit there, or use another model")]
    NoCredit {
        /// The server's words.
        said: String,
    },
    /// There is no such model or address (404, 410).
    #[error("the server does not know the model or the address: {said}. Check them with `deskhand model list`")]
    NotFound {
        /// The server's words.
        said: String,
    },
    /// The conversation is longer than the model can hold, or larger than the server takes (413).
    #[error("the conversation is too long for the model: {said}")]
    TooLong {
        /// The server's words.
        said: String,
    },
    /// The server cannot use the request (other statuses of the client's errors).
    #[error("the server could not use the request: {said}")]
    BadRequest {
        /// The status, where it was not said within the stream.
        status: Option<u16>,
        /// The server's words.
        said: String,
    },
    /// Too many requests (429).
    #[error("the server takes no more requests for now: {said}")]
    RateLimited {
        /// The server's words.
        said: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server is overloaded (503, 529).
    #[error("the server is overloaded: {said}")]
    Overloaded {
        /// The server's words.
        said: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server failed (other 5xx, 408, 409, 425).
    #[error("the server failed: {said}")]
    ServerFault {
        /// The status, where it was not said within the stream.
        status: Option<u16>,
        /// The server's words.
        said: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The stream ended without the event that ends a reply.
    #[error("the reply ended in the middle")]
    Truncated,
    /// An event of the stream cannot be read.
    #[error("the reply could not be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is not a stream of events: something else answers at this address.
    #[error("the server answered with {kind} instead of a reply: {said}. Check the address of the model")]
    NotAStream {
        /// Its media type.
        kind: String,
        /// How it begins.
        said: String,
    },
}

/// The most characters of a server's words that are kept.
pub const LONGEST: usize = 2048;

impl ModelError {
    /// Whether another try of the same request may do.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Key(_)
            | Self::Conversation(_)
            | Self::BadKey { .. }
            | Self::Forbidden { .. }
            | Self::NoCredit { .. }
            | Self::NotFound { .. }
            | Self::TooLong { .. }
            | Self::BadRequest { .. }
            | Self::NotAStream { .. } => false,
            Self::RateLimited { .. }
            | Self::Overloaded { .. }
            | Self::ServerFault { .. }
            | Self::Truncated
            | Self::Unreadable { .. } => true,
            Self::Egress(error) => match error {
                EgressError::BadAddress { .. }
                | EgressError::BadHeader { .. }
                | EgressError::BadMethod { .. }
                | EgressError::Refused { .. }
                | EgressError::Waits { .. }
                | EgressError::Beyond { .. }
                | EgressError::NotPublic { .. }
                | EgressError::Nowhere { .. }
                | EgressError::Tls { .. }
                | EgressError::TooLarge { .. }
                | EgressError::Redirect { .. } => false,
                EgressError::NotFound { .. }
                | EgressError::NotListening { .. }
                | EgressError::NoConnection { .. }
                | EgressError::Proxy { .. }
                | EgressError::SlowConnect { .. }
                | EgressError::Silent { .. }
                | EgressError::Late { .. }
                | EgressError::Broken { .. } => true,
            },
        }
    }

    /// Whether nothing listens where the model should be.
    pub(crate) const fn is_not_listening(&self) -> bool {
        matches!(self, Self::Egress(EgressError::NotListening { .. }))
    }

    /// Whether the request was not sent because it is larger than what may still be sent.
    pub const fn is_beyond(&self) -> bool {
        matches!(self, Self::Egress(EgressError::Beyond { .. }))
    }

    /// How long the server asks to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::Overloaded { retry_after, .. }
            | Self::ServerFault { retry_after, .. } => *retry_after,
            Self::Config(_)
            | Self::Key(_)
            | Self::Conversation(_)
            | Self::Egress(_)
            | Self::BadKey { .. }
            | Self::Forbidden { .. }
            | Self::NoCredit { .. }
            | Self::NotFound { .. }
            | Self::TooLong { .. }
            | Self::BadRequest { .. }
            | Self::Truncated
            | Self::Unreadable { .. }
            | Self::NotAStream { .. } => None,
        }
    }
}

/// Why there is no reply, after all tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why the last try failed.
    pub error: ModelError,
    /// The model, as the person calls it, where that is known.
    pub name: Option<String>,
    /// The model, as its server calls it.
    pub model: String,
    /// The server's host.
    pub host: String,
    /// The server's name for the last request.
    pub request_id: Option<String>,
    /// How many tries there were.
    pub tries: u32,
    /// The time from the first failure to the last.
    pub after: Duration,
    /// What the tries used, as far as the server said.
    pub spent: Usage,
    /// What that costs; nothing where no price is known.
    pub cost: Option<Money>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {} gave no reply: {}", self.model, self.host, self.error)?;
        if let (ModelError::BadKey { .. }, Some(name)) = (&self.error, &self.name) {
            write!(f, ", and give the model `{name}` another with `deskhand model add {name}`")?;
        }
        if self.tries > 1 {
            write!(f, ". It was tried {} times in {} s", self.tries, self.after.as_secs())?;
        }
        match self.error.retry_after() {
            Some(wait) if self.error.is_retryable() => write!(f, ". The server asks to wait {} s", wait.as_secs())?,
            _ => {}
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
