//! What comes of a request to a model, in the end and on the way.

use crate::{content::Said, error::ModelError, money::Money, usage::Usage};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a reply ended. Only [`Outcome::Finished`] is a success of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The model has said what it wanted to say.
    Finished,
    /// It calls tools; each call must be answered.
    Calls,
    /// It reached the limit of one reply.
    CutOff {
        /// Whether within a call. That call's arguments are [`crate::BadInput::CutOff`].
        in_call: bool,
    },
    /// The context is full: what it said may be incomplete, and nothing can be added.
    ContextFull,
    /// It, or its server, declines. Calls in what it said are not to be made, and what it said is better not kept.
    Refused {
        /// Why, as far as the server says.
        reason: String,
    },
    /// The server paused a long turn (Anthropic). Keep it, and tell the model to go on.
    Paused,
    /// There is neither text nor a call.
    Empty,
    /// The server gives a reason that is not known here.
    Other {
        /// The reason.
        reason: String,
    },
}

/// A whole reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What the model said.
    pub said: Said,
    /// How it ended.
    pub outcome: Outcome,
    /// What this reply used; nothing where the server did not say.
    pub usage: Option<Usage>,
    /// What all tries of it used together, as far as the servers said.
    pub spent: Usage,
    /// What that costs; nothing where no price is known.
    pub cost: Option<Money>,
    /// The server's name for the request.
    pub request_id: Option<String>,
    /// How many tries it took.
    pub tries: u32,
}

/// What happens on the way. The text of a try is void once it is tried again.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening<'a> {
    /// A try was answered, and the reply begins.
    Began {
        /// Which try, from 1.
        attempt: u32,
        /// The server's name for the request.
        request_id: Option<&'a str>,
    },
    /// More text.
    Text(&'a str),
    /// More thinking.
    Thinking(&'a str),
    /// A call begins.
    Call {
        /// The tool.
        name: &'a str,
    },
    /// More of that call's arguments.
    Input(&'a str),
    /// A try failed and is made again. What it said so far is void.
    Retrying {
        /// Which try failed, from 1.
        attempt: u32,
        /// How many tries there are at most.
        tries: u32,
        /// Why.
        error: &'a ModelError,
        /// How long until the next one.
        wait: Duration,
        /// What the failed one used, as far as the server said.
        used: Usage,
    },
    /// The server sent something that is not known here. It is passed over, or kept and sent back unread.
    Unknown {
        /// Which kind of thing and its name.
        what: &'a str,
    },
    /// The server gave a call an id that cannot be used, such as one that was there before.
    Renamed {
        /// The server's id.
        from: &'a str,
        /// The id now.
        to: &'a str,
    },
}
