//! Why a call failed, in the words of `deskhand:plugin/types`.

use std::fmt;

/// A result whose error is the plugin's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure. Frozen with the interface's major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The caller's arguments are wrong; retrying unchanged cannot help.
    Invalid,
    /// The person or the organisation has not granted this.
    Denied,
    /// A question is waiting for a person who is not there.
    Parked,
    /// There is no such thing.
    NotFound,
    /// The state changed underneath the call.
    Conflict,
    /// More than the other side takes.
    TooLarge,
    /// This host, model or file cannot do this.
    Unsupported,
    /// A quota, a rate or a budget is used up.
    Exhausted,
    /// The other side is down; retrying later may help.
    Unavailable,
    /// The person or the host stopped the call.
    Cancelled,
    /// Anything else.
    Failed,
}

impl Code {
    /// The name in the interface, such as `not-found`.
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

    /// True if the same call may succeed later, with nothing else done.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::Exhausted => true,
            Self::Invalid
            | Self::Denied
            | Self::Parked
            | Self::NotFound
            | Self::Conflict
            | Self::TooLarge
            | Self::Unsupported
            | Self::Cancelled
            | Self::Failed => false,
        }
    }
}

/// Why a call failed: what the host says to a plugin, and what a plugin says to whoever called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// One sentence for the person or the model. Never a secret.
    pub message: String,
    /// Wait at least this long before trying again, in milliseconds.
    pub retry_after_ms: Option<u32>,
}

impl Error {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// The arguments are wrong: say which and what would be right.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// Something has changed since it was looked at.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// This cannot be done with what was given.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Code::Unsupported, message)
    }

    /// The person or the host stopped the call.
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "stopped")
    }

    /// Anything else.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }

    /// This error with what was being done put before its message.
    #[must_use]
    pub fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::invalid(format!("the JSON does not fit: {error}"))
    }
}

impl From<std::str::Utf8Error> for Error {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::unsupported(format!("not a text: {error}"))
    }
}

impl From<std::string::FromUtf8Error> for Error {
    fn from(error: std::string::FromUtf8Error) -> Self {
        Self::unsupported(format!("not a text: {error}"))
    }
}
