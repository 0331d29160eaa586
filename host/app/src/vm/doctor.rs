//! What the doctor says of where commands run.

use super::info::Facts;
use crate::{commands::doctor::Check, desk::Desk};

pub(crate) fn doctor(desk: &Desk) -> Check {
    let what = "commands";
    match Facts::of(desk) {
        Err(failure) => Check::note(what, failure.message, ""),
        Ok(facts) => {
            let found = facts.commands;
            match facts.backend {
                Some(_) => Check::works(what, found),
                None => Check::note(what, found, "More with: deskhand vm info"),
            }
        }
    }
}
