//! The person's word on a plan before anything is changed.

use crate::plan::Plan;

/// What the person says of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// They agree.
    Yes,
    /// They agree to this one instead.
    Edited(Plan),
    /// They do not agree: the task ends.
    No,
    /// Nobody is there. The task waits.
    Absent,
    /// They ended the task instead of an answer.
    Stopped,
}

impl Approved {
    /// The name in the log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Yes => "agreed",
            Self::Edited(_) => "edited",
            Self::No => "declined",
            Self::Absent => "absent",
            Self::Stopped => "stopped",
        }
    }
}

/// Who is shown the plan before anything is changed.
pub trait Approval: Send + Sync {
    /// Show it, and wait for an answer. Called on a thread that may wait.
    fn approve(&self, plan: &Plan) -> Approved;
}
