//! Deskhand's own folders (log, grants, keys, journals, plugins) are outside every view.

use super::{Case, Finding, Verdict, name, place};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let folder = case.action.folder()?;
    let Some(path) = place(folder) else {
        let reason = "The folder is not given by its true and whole path, so it cannot be judged.";
        return Some(Finding::new(name::HOME, Verdict::Deny, reason));
    };
    case.own.hold(&path).then(|| {
        let reason = "Deskhand keeps its log, its keys and what undo needs there, and nobody is let in.";
        Finding::new(name::HOME, Verdict::Deny, reason)
    })
}
