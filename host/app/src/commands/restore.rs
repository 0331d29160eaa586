//! `deskhand restore`: one file as it was before a commit.

use super::change::{Change, said};
use crate::{
    cli,
    desk::Desk,
    failure::{Failure, Result},
};
use deskhand_vocabulary::{CommitId, FilePath, RelativePath, path};
use deskhand_workspace::{History, propose};
use serde_json::json;
use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

pub(crate) fn run(options: &cli::Restore) -> Result {
    let desk = Desk::open(options.json)?;
    desk.stop_on_interrupt();
    desk.recover()?;
    let history = History::new(&desk.home);
    let file = std::path::absolute(&options.file).map_err(Failure::usage)?;
    let (change, folder, below) = find(&history, options.commit, &file)?;
    let name = file.file_name().map(std::os::unix::ffi::OsStrExt::as_bytes).unwrap_or_default();
    let (folder, below) = match &options.to {
        None => (folder, below),
        Some(to) => (to.clone(), RelativePath::from_bytes(name).map_err(Failure::usage)?),
    };
    let request = format!("restore {} {}", options.commit, path::encode(file.as_os_str().as_bytes()));
    Change::begin(&desk, &request, &[folder], options.answers.standing())?.end(|task| {
        let top = task.workspace.folders().into_iter().next();
        let top = top.ok_or_else(|| Failure::failed("the folder could not be opened"))?;
        let target = FilePath { folder: top.name, path: below };
        history.restore(&task.workspace, options.commit, change, &target).map_err(Failure::failed)?;
        let title = format!("Restore {target} as it was before commit {}", options.commit);
        let view = json!({"arrange": "tree"});
        let gate = desk.gate()?;
        let decision = propose(&task.workspace, gate, &task.context, desk.person.as_ref(), &title, view, &desk.stop);
        said(&desk, decision)
    })
}

/// The change of the commit whose old version of `file` is kept; the granted folder, and the path below it.
fn find(history: &History, commit: CommitId, file: &Path) -> Result<(u64, PathBuf, RelativePath)> {
    let (listed, changes) = history.show(commit).map_err(Failure::failed)?;
    for folder in &listed.folders {
        let Ok(below) = file.strip_prefix(folder) else { continue };
        let below = RelativePath::from_bytes(below.as_os_str().as_bytes()).map_err(Failure::usage)?;
        let about = |path: &Option<FilePath>| path.as_ref().is_some_and(|path| path.path == below);
        let found =
            changes.iter().find(|shown| shown.kept && (about(&shown.change.source) || about(&shown.change.target)));
        if let Some(shown) = found {
            return Ok((shown.change.id, folder.clone(), below));
        }
    }
    Err(Failure::failed(format!(
        "commit {commit} keeps no old version of {}. See what it keeps with: deskhand history {commit}",
        crate::show::line(&path::encode(file.as_os_str().as_bytes()))
    )))
}
