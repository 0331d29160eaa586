//! `deskhand history`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{apart, bytes, columns, count, counted, line, path, sentence},
};
use deskhand_vocabulary::{ChangeKind, CommitId, path::encode, text};
use deskhand_workspace::{Damaged, History, Kept, Listed, Shown};
use serde_json::json;
use std::{
    collections::BTreeSet,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

pub(crate) fn run(options: &cli::History) -> Result {
    let desk = Desk::open_whatever(options.json.json)?;
    // what is shown is settled, wherever it can be
    if let Err(failure) = desk.recover() {
        output::aside(&sentence(&failure.message));
    }
    let history = History::new(&desk.home);
    match options.commit {
        None => list(&desk, &history, options.limit),
        Some(commit) => show(&desk, &history, commit),
    }
}

fn when(desk: &Desk, listed: &Listed) -> String {
    listed.at.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The folders that it was about, a line each.
pub(super) fn places(listed: &Listed) -> String {
    listed.folders.iter().map(|folder| format!("in {}\n", path(folder))).collect()
}

fn list(desk: &Desk, history: &History, limit: usize) -> Result {
    let listed = history.list().map_err(Failure::failed)?;
    if desk.json {
        for one in listed.iter().take(limit) {
            output::text(&format!("{}\n", json!(one)));
        }
        return Ok(Exit::Done);
    }
    if listed.is_empty() {
        output::text("Nothing was changed yet.\n");
        return Ok(Exit::Done);
    }
    let known: BTreeSet<&Path> = listed.iter().flat_map(|one| &one.folders).map(PathBuf::as_path).collect();
    let heading = ["NUMBER", "WHEN", "CHANGES", "STATE", "FOLDER", "WHAT"].map(str::to_owned).to_vec();
    let row = |one: &Listed| {
        vec![
            one.commit.to_string(),
            when(desk, one),
            count(one.applied),
            one.state(),
            one.folders.iter().map(|folder| apart(folder, &known)).collect::<Vec<_>>().join(", "),
            line(&text::shortened(&one.title, 60)),
        ]
    };
    let rows: Vec<_> = std::iter::once(heading).chain(listed.iter().take(limit).map(row)).collect();
    output::text(&columns(&rows));
    if listed.len() > limit {
        output::aside(&format!("… and {} older; see more with --limit", listed.len() - limit));
    }
    Ok(Exit::Done)
}

fn show(desk: &Desk, history: &History, commit: CommitId) -> Result {
    if let Some(damaged) = history.damage_of(commit).map_err(Failure::failed)? {
        return show_damaged(desk, history, &damaged);
    }
    let (listed, changes) = history.show(commit).map_err(Failure::failed)?;
    if desk.json {
        output::text(&format!("{}\n", json!({"commit": listed, "changes": changes})));
        return Ok(Exit::Done);
    }
    output::text(&format!(
        "Commit {commit}, {}: {}\n{}{}, {}, {} refused\n\n",
        when(desk, &listed),
        line(&listed.title),
        places(&listed),
        listed.state(),
        counted(listed.applied, "change"),
        count(listed.refused)
    ));
    let row = |shown: &Shown| {
        let change = &shown.change;
        let paths: Vec<String> =
            [&change.source, &change.target].into_iter().flatten().map(|path| line(&path.to_string())).collect();
        let note = match (&shown.refused, shown.undone_by) {
            (Some(reason), _) => format!("  (not made: {})", line(reason)),
            (None, Some(by)) => format!("  (undone by {by})"),
            (None, None) if shown.kept => "  (the old version is kept)".to_owned(),
            (None, None) => String::new(),
        };
        // a file or a folder that an undo has brought back was not written anew
        let did = if change.returned.is_some() { "bring back" } else { change.kind.name() };
        format!("  {did:<11} {}{note}\n", paths.join(" → "))
    };
    output::text(&changes.iter().map(row).collect::<String>());
    if let Some(why) = &listed.not_undoable {
        output::text(&format!("\nIt cannot be undone: {}.\n", line(why)));
    } else {
        let made = |shown: &&Shown| shown.refused.is_none() && shown.undone_by.is_none();
        let gone = |shown: &&Shown| (shown.change.kind == ChangeKind::Remove || shown.change.replaces) && !shown.kept;
        let (gone, rest): (Vec<&Shown>, Vec<&Shown>) = changes.iter().filter(made).partition(gone);
        output::text("\n");
        if !gone.is_empty() {
            let are = if gone.len() == 1 { "is" } else { "are" };
            let versions = counted(gone.len() as u64, "old version");
            output::text(&format!("{versions} {are} not kept any more and cannot be brought back.\n"));
        }
        if !rest.is_empty() {
            output::text(&format!("Undo with: deskhand undo {commit}\n"));
        }
    }
    Ok(Exit::Done)
}

/// What is still known of a commit whose journal is damaged or gone.
fn show_damaged(desk: &Desk, history: &History, damaged: &Damaged) -> Result {
    if desk.json {
        output::text(&format!("{}\n", json!({"damaged": damaged})));
        return Ok(Exit::Done);
    }
    let listed = history.list().map_err(Failure::failed)?;
    if let Some(listed) = listed.iter().find(|listed| listed.commit == damaged.commit) {
        output::text(&format!("Commit {}, {}: {}\n", listed.commit, when(desk, listed), line(&listed.title)));
    }
    output::text(&format!("It cannot be undone: its journal {}.\n\n", line(&damaged.why)));
    if damaged.changes.is_empty() {
        output::text("Nothing tells any more what it changed.\n");
    } else {
        output::text("What was agreed to, by the log; some of it may not have been done:\n");
        output::text(&damaged.changes.iter().map(|change| format!("  {}\n", line(change))).collect::<String>());
    }
    output::text(&format!("\n{}", kept(damaged.commit, &damaged.kept)));
    Ok(Exit::Done)
}

/// What the store holds of a damaged commit, and how to have it back.
pub(super) fn kept(commit: CommitId, kept: &[Kept]) -> String {
    if kept.is_empty() {
        return "Nothing of it is kept.\n".to_owned();
    }
    let row = |one: &Kept| {
        let size = if one.folder { "folder".to_owned() } else { bytes(one.bytes) };
        let was = match &one.was {
            Some(path) => line(&encode(path.as_os_str().as_bytes())),
            None => "(not known where it was)".to_owned(),
        };
        format!("  {:<5} {size:>9}  {was}\n", line(&one.name))
    };
    let rows: String = kept.iter().map(row).collect();
    format!(
        "Kept of it:\n{rows}Have one back with: deskhand restore {commit} NAME (by its first column or its path); --to FOLDER puts it elsewhere\n"
    )
}
