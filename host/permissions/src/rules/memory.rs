//! The agent keeps notes for the person, who is shown each of them as it is kept, and looks for those that are kept. Whether
//! they are asked first is said by what the note is made from.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let reason = match case.action {
        Action::Remember { .. } => "It works for you, and you are shown each note that it keeps.",
        Action::Recall => "It works for you, and what it finds stays in the task.",
        _ => return None,
    };
    (case.context.principal == Principal::Agent).then(|| Finding::new(name::MEMORY, Verdict::Allow, reason))
}
