//! The question that is asked before anything leaves.

use std::{future::Future, pin::Pin};

/// What is about to leave, one hop of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The method, such as `POST`.
    pub method: String,
    /// `https` or `http`.
    pub scheme: String,
    /// The host: a name in lower case without a closing dot, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How many bytes go there: head and body.
    pub bytes: u64,
    /// Whether a credential goes with it.
    pub credential: bool,
    /// The host that answered with a redirect to this one.
    pub redirected_from: Option<String>,
    /// The host of the proxy that it goes through; that proxy resolves the name, so its address cannot be checked here.
    pub proxy: Option<String>,
}

/// How far a host may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// To the internet. A name or address that leads to this machine or its networks is refused.
    Public,
    /// To this machine and its networks as well: the host was granted as a local one.
    Local,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It may leave.
    Allowed(Reach),
    /// It may not.
    Refused {
        /// Why, and what to do about it, in words for the person.
        reason: String,
    },
    /// Nobody is there to decide it; it may once somebody is.
    Waits {
        /// Why, in words for the person.
        reason: String,
    },
}

/// A decision on the way; it may wait for the person.
pub type Judged<'a> = Pin<Box<dyn Future<Output = Judgement> + Send + 'a>>;

/// Who decides: the gate, for one task and principal. Asked once for each hop, before it. The deadlines of a request
/// stand still meanwhile.
pub trait Judge: Send + Sync {
    /// Decide. Whoever cannot decide refuses.
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a>;
}
