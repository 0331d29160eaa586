//! What a person asks for by a command of their own needs no declaration and no grant. What is asked each time is asked
//! all the same.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::Principal;

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    match &case.context.principal {
        Principal::Person => Some(Finding::new(name::PERSON, Verdict::Allow, "You ask for it yourself.")),
        Principal::Plugin(_) | Principal::Agent | Principal::Client(_) | Principal::Server(_) => None,
    }
}
