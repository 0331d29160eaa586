//! `deskhand restore`: one file as it was before a commit.

use super::change::{Change, said};
use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::line,
};
use deskhand_vocabulary::{CommitId, FilePath, RelativePath, path};
use deskhand_workspace::{Damaged, History, propose};
use serde_json::json;
use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

pub(crate) fn run(options: &cli::Restore) -> Result {
    let desk = Desk::open_whatever(options.json)?;
    desk.stop_on_interrupt();
    desk.recover()?;
    let history = History::new(&desk.home);
    if let Some(damaged) = history.damage_of(options.commit).map_err(Failure::failed)? {
        return of_damaged(&desk, &history, &damaged, options);
    }
    let Some(file) = &options.file else { return list(&desk, &history, options.commit) };
    let file = std::path::absolute(file).map_err(Failure::usage)?;
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
        said(&desk, decision, &[], options.answers.standing())
    })
}

/// What a commit keeps.
fn list(desk: &Desk, history: &History, commit: CommitId) -> Result {
    let (_, changes) = history.show(commit).map_err(Failure::failed)?;
    let kept: Vec<String> = changes
        .iter()
        .filter(|shown| shown.kept)
        .filter_map(|shown| shown.change.source.as_ref().or(shown.change.target.as_ref()))
        .map(ToString::to_string)
        .collect();
    if desk.json {
        output::text(&format!("{}\n", json!({"commit": commit, "kept": kept})));
    } else if kept.is_empty() {
        output::text(&format!("Commit {commit} keeps nothing: it removed and replaced nothing, or it was given up.\n"));
    } else {
        let rows: String = kept.iter().map(|path| format!("  {}\n", line(path))).collect();
        output::text(&format!("Kept of commit {commit}:\n{rows}Have one back with: deskhand restore {commit} FILE\n"));
    }
    Ok(Exit::Done)
}

/// Of a commit whose journal is damaged: what the store holds, by where it was or by its name there.
fn of_damaged(desk: &Desk, history: &History, damaged: &Damaged, options: &cli::Restore) -> Result {
    let commit = damaged.commit;
    let Some(file) = &options.file else {
        if desk.json {
            output::text(&format!("{}\n", json!(damaged)));
        } else {
            output::text(&super::history::kept(commit, &damaged.kept));
        }
        return Ok(Exit::Done);
    };
    let absolute = std::path::absolute(file).map_err(Failure::usage)?;
    let found = damaged
        .kept
        .iter()
        .find(|kept| kept.was.as_ref() == Some(&absolute) || kept.name.as_bytes() == file.as_os_str().as_bytes());
    let kept = found.ok_or_else(|| {
        Failure::failed(format!(
            "commit {commit} keeps nothing called {}. See what it keeps with: deskhand restore {commit}",
            line(&path::encode(file.as_os_str().as_bytes()))
        ))
    })?;
    let place = match &options.to {
        Some(to) => {
            let name = kept.was.as_ref().and_then(|was| was.file_name()).unwrap_or(kept.name.as_ref());
            Some((to.clone(), name.to_owned()))
        }
        None => kept.was.as_ref().and_then(|was| Some((was.parent()?.to_owned(), was.file_name()?.to_owned()))),
    };
    let (folder, name) = place.ok_or_else(|| {
        Failure::usage(format!("it is not known where {} was. Say where to put it with --to FOLDER", line(&kept.name)))
    })?;
    let request = format!("restore {commit} {}", path::encode(file.as_os_str().as_bytes()));
    Change::begin(desk, &request, &[folder], options.answers.standing())?.end(|task| {
        let top = task.workspace.folders().into_iter().next();
        let top = top.ok_or_else(|| Failure::failed("the folder could not be opened"))?;
        let below = RelativePath::from_bytes(name.as_bytes()).map_err(Failure::usage)?;
        let target = FilePath { folder: top.name, path: below };
        history.restore_kept(&task.workspace, damaged, kept, &target).map_err(Failure::failed)?;
        let title = format!("Restore {target} from what is kept of commit {commit}");
        let view = json!({"arrange": "tree"});
        let gate = desk.gate()?;
        let decision = propose(&task.workspace, gate, &task.context, desk.person.as_ref(), &title, view, &desk.stop);
        said(desk, decision, &[], options.answers.standing())
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
