//! Why a login did not come about, or is of no use any more.

use deskhand_egress::EgressError;
use std::time::Duration;

/// Why. The texts are for the person; they hold no tokens, and what a server said only where they say so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Something did not get out, or no answer came.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// Nothing says where to log in.
    #[error(
        "it does not say where to log in. If it takes a key instead, give it one with: deskhand mcp add NAME --key"
    )]
    NotOffered,
    /// Where one logs in is named, and nobody there says how.
    #[error("it has people log in at {servers}, where nothing says how. Ask whoever runs it")]
    NotDescribed {
        /// The addresses, shortened.
        servers: String,
    },
    /// It would go on elsewhere.
    #[error("{host} points to {to}, which is not followed")]
    Redirected {
        /// Who.
        host: String,
        /// Where to, shortened.
        to: String,
    },
    /// The authorization server does not say that it protects the code.
    #[error(
        "{host} does not offer to protect the login with PKCE (S256), so nothing was begun there. Ask whoever runs it to switch that on"
    )]
    NoPkce {
        /// Its host.
        host: String,
    },
    /// Something of it could be read or changed on its way.
    #[error(
        "{what} is `{address}`, which is neither an https address nor one on this computer, so nothing is sent there"
    )]
    Insecure {
        /// What, such as "where one logs in".
        what: &'static str,
        /// Its address, shortened.
        address: String,
    },
    /// What was said does not fit together: it may come from somebody else.
    #[error("{0}. Somebody may be trying to get at the login, so it was given up")]
    Confused(String),
    /// Deskhand is not known there, and cannot make itself known.
    #[error(
        "{host} does not register programs by itself. Register Deskhand there, with http://127.0.0.1/callback as its redirect address, and say what it is called there with: deskhand mcp add NAME --client-id ID"
    )]
    NoClient {
        /// Its host.
        host: String,
    },
    /// The authorization server said no.
    #[error("{host} says: {reason}")]
    Refused {
        /// Its host.
        host: String,
        /// Its own words, shortened.
        reason: String,
    },
    /// What was answered cannot be understood.
    #[error("{host} answered with what is no {what}")]
    Nonsense {
        /// Who.
        host: String,
        /// What it should have been.
        what: &'static str,
    },
    /// Nobody came back from the browser, or what they brought was not answered.
    #[error("the login was not over within {} s, and is not waited for any longer", after.as_secs())]
    Late {
        /// How long was waited.
        after: Duration,
    },
    /// There is no place for the browser to come back to.
    #[error("nothing can listen at 127.0.0.1 for the browser to come back to: {0}")]
    NoLanding(String),
    /// What is kept could not be read or written.
    #[error("{0}")]
    Store(String),
    /// The person stopped it.
    #[error("stopped by the person")]
    Stopped,
}
