//! `deskhand purge`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{bytes, counted},
};
use deskhand_workspace::{History, PurgeOptions, Purged, WorkspaceError};
use serde_json::json;

pub(crate) fn run(options: &cli::Purge) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.recover()?;
    let history = History::new(&desk.home);
    let mut what = desk.kept(options.older_than);
    if !options.commit.is_empty() {
        let listed = history.list().map_err(Failure::failed)?;
        if let Some(commit) = options.commit.iter().find(|commit| listed.iter().all(|one| one.commit != **commit)) {
            return Err(Failure::failed(WorkspaceError::NoCommit(commit.0)));
        }
        // these alone: nothing else is too old or too much
        what = PurgeOptions {
            quota: Some(u64::MAX),
            days: u32::MAX,
            commits: options.commit.clone(),
            names: options.names,
            ..what
        };
    }
    let purge = |dry_run| -> Result<Purged> {
        let options = PurgeOptions { dry_run, ..what.clone() };
        history.purge(desk.records()?.as_ref(), desk.clock.now(), &options).map_err(Failure::failed)
    };
    let would = purge(true)?;
    let say = |done: &Purged, verb: &str| {
        let what = counted(done.commits.len() as u64, "commit");
        if desk.json {
            output::text(&format!("{}\n", json!(done)));
        } else if !done.damaged.is_empty() && done.commits.is_empty() {
            let numbers: Vec<String> = done.damaged.iter().map(ToString::to_string).collect();
            output::text(&format!(
                "Nothing is given up while commit {} is damaged; see: deskhand doctor. What you name is given up all the same: deskhand purge --commit NUMBER\n",
                numbers.join(", ")
            ));
        } else if done.commits.is_empty() {
            output::text(&format!("There is nothing to give up; {} are kept.\n", bytes(done.kept)));
        } else {
            let given_up = if options.names { "all that is known" } else { "old versions" };
            output::text(&format!(
                "{verb} {} by giving up {given_up} of {what}; {} stay.\n",
                bytes(done.bytes),
                bytes(done.kept)
            ));
        }
    };
    if options.preview || would.commits.is_empty() {
        say(&would, "This would free");
        return Ok(Exit::Done);
    }
    let (commits, size) = (counted(would.commits.len() as u64, "commit"), bytes(would.bytes));
    let question = if options.names {
        format!(
            "Give up all that is known of {commits}: what it was for, the names of what it changed, and {size} of old versions \
             and removed files? It cannot be undone then, and nothing of it can be brought back."
        )
    } else {
        format!("Give up the old versions and removed files of {commits}, {size} in all? They cannot be brought back.")
    };
    if let Some(exit) = desk.confirm(question, "nothing was given up", options.yes)? {
        return Ok(exit);
    }
    say(&purge(false)?, "Freed");
    Ok(Exit::Done)
}
