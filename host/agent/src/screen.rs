//! What the person sees of a task while it runs. What stays is read from the log; this is what comes before it, or is not
//! worth keeping.

use crate::{budget::Alert, plan::Plan, tool::Outcome};
use deskhand_models::{Call, Happening};
use std::time::Duration;

/// Something to be seen. Texts of models and tools are not trusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen<'a> {
    /// A piece of a reply.
    Reply(&'a Happening<'a>),
    /// A reply is whole.
    Replied,
    /// A call begins. What is answered without a tool, such as a call whose arguments do not fit, does not.
    Calling(&'a Call),
    /// A call has ended: which, how, how long it took, what it says.
    Called(&'a Call, Outcome, Duration, &'a str),
    /// The plan is another.
    Plan(&'a Plan),
    /// The person holds the task, or lets it go on.
    Paused(bool),
    /// The person has said this to the task in another terminal.
    Told(&'a str),
    /// A budget.
    Budget(Alert),
    /// The conversation was made shorter: so many turns became a summary.
    Shorter(usize),
    /// What the host found that the model has left undone, each by itself.
    Reflected(&'a [String]),
}

/// See the module. May be called from any thread; must not block for long.
pub trait Screen: Send + Sync {
    /// Show it.
    fn show(&self, seen: Seen<'_>);
}

/// Where nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dark;

impl Screen for Dark {
    fn show(&self, _: Seen<'_>) {}
}
