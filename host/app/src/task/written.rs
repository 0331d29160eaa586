//! What the files of a pending set hold that are to be written, beside what they hold now, for the person to see.

use crate::show::difference::{FILES, LONGEST, Written};
use deskhand_vocabulary::{Change, ChangeKind, Principal};
use deskhand_workspace::{Workspace, WorkspaceError};
use serde_json::json;

/// See the module: of a plan that `origin` proposes.
pub(crate) fn written(workspace: &Workspace, origin: Principal) -> Result<Vec<Written>, WorkspaceError> {
    let plan = workspace.plan("", origin, json!({}))?;
    let writes = plan.changes().filter(|change| change.kind == ChangeKind::Write).enumerate();
    // that a file is emptied is told in any case
    let told = writes.filter(|(at, change)| *at < FILES || (change.replaces && change.bytes == 0));
    Ok(told.filter_map(|(at, change)| one(workspace, change, at < FILES)).collect())
}

fn one(workspace: &Workspace, change: &Change, compared: bool) -> Option<Written> {
    // what is longer is told from what is just as long
    let most = LONGEST + 1;
    let path = change.target.clone()?;
    let over = workspace.written_over(&path).filter(|_| change.replaces);
    let before = match &over {
        _ if !compared => None,
        Some(over) => workspace.read_as_it_lies(&over.path, most).ok(),
        // what is there and is not found is not taken for nothing
        None => (!change.replaces).then(Vec::new),
    };
    let after = compared.then(|| workspace.read(&path, None, 0, most).ok()).flatten();
    Some(Written { path, over: over.map(|over| (over.path, over.size)), before, after, bytes: change.bytes })
}
