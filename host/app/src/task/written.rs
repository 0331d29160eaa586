//! What the files of a pending set hold that are to be written, beside what they hold now, for the person to see.

use crate::show::difference;
use deskhand_vocabulary::{ChangeKind, Principal};
use deskhand_workspace::{Workspace, WorkspaceError};
use serde_json::json;

/// A file that is to be written: its path, what it holds now, what it is to hold.
pub(crate) type Written = (String, Option<Vec<u8>>, Option<Vec<u8>>);

/// See the module: of a plan that `origin` proposes.
pub(crate) fn written(workspace: &Workspace, origin: Principal) -> Result<Vec<Written>, WorkspaceError> {
    let plan = workspace.plan("", origin, json!({}))?;
    let written = plan.changes().filter(|change| change.kind == ChangeKind::Write);
    let files = written.filter_map(|change| change.target.as_ref()).take(difference::FILES).map(|target| {
        // what is longer is told from what is just as long
        let most = difference::LONGEST + 1;
        let before = workspace.read_as_it_lies(target, most).ok();
        (target.to_string(), before, workspace.read(target, None, 0, most).ok())
    });
    Ok(files.collect())
}
