//! `deskhand history`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{columns, count, counted, line},
};
use deskhand_vocabulary::{CommitId, text};
use deskhand_workspace::{History, Listed, Shown};
use serde_json::json;

pub(crate) fn run(options: &cli::History) -> Result {
    let desk = Desk::open(options.json.json)?;
    let history = History::new(&desk.home);
    match options.commit {
        None => list(&desk, &history, options.limit),
        Some(commit) => show(&desk, &history, commit),
    }
}

fn when(desk: &Desk, listed: &Listed) -> String {
    listed.at.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d %H:%M").to_string()
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
    let heading = ["NUMBER", "WHEN", "CHANGES", "STATE", "WHAT"].map(str::to_owned).to_vec();
    let row = |one: &Listed| {
        vec![
            one.commit.to_string(),
            when(desk, one),
            count(one.applied),
            one.standing.words().to_owned(),
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
    let (listed, changes) = history.show(commit).map_err(Failure::failed)?;
    if desk.json {
        output::text(&format!("{}\n", json!({"commit": listed, "changes": changes})));
        return Ok(Exit::Done);
    }
    output::text(&format!(
        "Commit {commit}, {}: {}\n{}, {}, {} refused\n\n",
        when(desk, &listed),
        line(&listed.title),
        listed.standing.words(),
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
        format!("  {:<11} {}{note}\n", change.kind.name(), paths.join(" → "))
    };
    output::text(&changes.iter().map(row).collect::<String>());
    if let Some(why) = &listed.not_undoable {
        output::text(&format!("\nIt cannot be undone: {}.\n", line(why)));
    } else {
        output::text(&format!("\nUndo with: deskhand undo {commit}\n"));
    }
    Ok(Exit::Done)
}
