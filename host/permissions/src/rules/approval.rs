//! What the person is asked each time, whoever acts and whatever is granted, and what answers it in advance.

use super::{Case, Finding, Verdict, name};
use crate::kind::Asked;
use deskhand_vocabulary::Action;

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let standing = &case.context.standing;
    let ask = |reason: &str| Finding::new(name::APPROVAL, Verdict::Ask, reason);
    Some(match case.row.asked {
        Asked::Never => return None,
        Asked::OrYes if case.asks_nothing_new => {
            Finding::new(name::UPDATE, Verdict::Allow, "It asks for no more than the version that you agreed to.")
        }
        Asked::OrYes if standing.yes => {
            Finding::new(name::YES, Verdict::Allow, "You answered in advance, with `--yes`.")
        }
        Asked::OrYes => ask("You are shown it first and asked each time."),
        Asked::OrRemovals if standing.removals > 0 && case.removals <= case.removals_left => {
            let reason = format!("You allowed {} removals in advance, with `--allow-removals`.", standing.removals);
            Finding::new(name::REMOVALS, Verdict::Allow, reason)
        }
        Asked::OrRemovals if standing.removals > 0 => {
            ask("There are more removals than you allowed in advance, so you are asked.")
        }
        Asked::OrRemovals => ask("You are asked before anything is removed, whatever is granted."),
        Asked::Untrusted => match case.action {
            Action::Remember { untrusted: true, .. } => {
                ask("Others may have written what it is made from, so you are shown the note and asked.")
            }
            _ => return None,
        },
        Asked::Always => ask("It could make something run by itself, so you are always asked."),
    })
}
