//! `deskhand instructions`

use super::{
    own::{self, Edited},
    places::{self, Place, Placed, around},
    trust,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{self, columns, line, lines},
};
use clap::{Args, Subcommand};
use deskhand_permissions::Verdict;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct InstructionsCommand {
    #[command(subcommand)]
    command: Option<Change>,
    /// The folder that a task would work on; without it, the folder that you are in
    folder: Option<PathBuf>,
    /// Print what each file says as well
    #[arg(long)]
    text: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Let the instructions in a folder and below it instruct the model, as they are now
    Trust(Folder),
    /// Let them be data again
    Distrust(Folder),
    /// Edit your own instructions for all folders
    Edit,
}

#[derive(Debug, Args)]
struct Folder {
    /// The folder
    folder: PathBuf,
}

impl InstructionsCommand {
    pub(crate) fn run(&self) -> Result {
        let desk = Desk::open(self.json)?;
        match &self.command {
            None => list(&desk, self.folder.as_deref().unwrap_or(Path::new(".")), self.text),
            Some(Change::Trust(options)) => trust(&desk, &options.folder),
            Some(Change::Distrust(options)) => distrust(&desk, &options.folder),
            Some(Change::Edit) => edit(&desk),
        }
    }
}

/// A file, and whether it instructs.
#[derive(Debug, Serialize)]
struct Row {
    path: String,
    place: Place,
    followed: bool,
    why: String,
    /// True if it is longer than what is read of it.
    cut: bool,
    /// What is read of it; where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

fn row(desk: &Desk, placed: Placed, with_text: bool) -> Result<Row> {
    let Placed { place, folder, path, content } = placed;
    let (cut, text) = content.as_ref().map_or((false, None), |text| (text.cut, Some(text.text.clone())));
    let root = trust::through(desk, Path::new(&folder))?;
    let (followed, why) = match (place, &content, root) {
        (Place::Settings, Ok(text), _) if !text.text.is_empty() => (true, "your own, for all folders".to_owned()),
        (_, Ok(text), _) if text.text.is_empty() => (false, "it says nothing".to_owned()),
        (Place::Settings, Err(reason), _) => (false, reason.clone()),
        (_, _, None) => (false, "you have not marked the folder as trusted".to_owned()),
        (_, Err(reason), Some(_)) => (false, reason.clone()),
        (_, Ok(text), Some(root)) => {
            let root = show::path(&root);
            match trust::judged(desk, &folder, &text.text)? {
                Verdict::Allow => (true, format!("you trust {root}, and agreed to it")),
                Verdict::Ask if trust::has_agreed(desk, &folder)? => {
                    (false, format!("you trust {root}, but it has changed since you agreed to it"))
                }
                Verdict::Ask => (false, format!("you trust {root}, but have not agreed to it yet")),
                Verdict::Deny => (false, "Deskhand's own folders are nobody's".to_owned()),
            }
        }
    };
    Ok(Row { path, place, followed, why, cut, text: text.filter(|_| with_text) })
}

fn rows(desk: &Desk, found: Vec<Placed>, with_text: bool) -> Result<Vec<Row>> {
    found.into_iter().map(|placed| row(desk, placed, with_text)).collect()
}

fn print_json(rows: &[Row]) {
    for row in rows {
        output::text(&format!("{}\n", serde_json::to_string(row).unwrap_or_default()));
    }
}

/// The true path of a folder.
fn true_folder(given: &Path) -> Result<PathBuf> {
    let found = given.canonicalize().ok().filter(|path| path.is_dir());
    found.ok_or_else(|| {
        Failure::usage(format!("{} is not a folder. Check the spelling, then try again", show::path(given)))
    })
}

fn list(desk: &Desk, given: &Path, with_text: bool) -> Result {
    let folder = true_folder(given)?;
    let rows = rows(desk, around(desk, std::slice::from_ref(&folder))?, with_text)?;
    if desk.json {
        print_json(&rows);
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        output::text("Nothing instructs the model here. Write your own with: deskhand instructions edit\n");
        return Ok(Exit::Done);
    }
    let heading = ["FOLLOWED", "FILE", "WHY"].map(str::to_owned).to_vec();
    let cells = |row: &Row| vec![if row.followed { "yes" } else { "no" }.to_owned(), line(&row.path), line(&row.why)];
    output::text(&columns(&std::iter::once(heading).chain(rows.iter().map(cells)).collect::<Vec<_>>()));
    for row in &rows {
        said(row);
    }
    if rows.iter().any(|row| !row.followed) {
        output::aside("What is not followed is data to the model. Agree with: deskhand instructions trust FOLDER");
    }
    Ok(Exit::Done)
}

/// What a file says, where that is shown.
fn said(row: &Row) {
    if let Some(text) = row.text.as_ref().filter(|text| !text.is_empty()) {
        let text = lines(text).replace('\n', "\n  ");
        output::text(&format!("\n{}:\n  {text}\n", line(&row.path)));
    }
    if row.cut {
        let most = show::bytes(super::file::MOST as u64);
        output::aside(&format!(
            "{} is longer than {most}, and what comes after that is not followed.",
            line(&row.path)
        ));
    }
}

fn trust(desk: &Desk, given: &Path) -> Result {
    let folder = true_folder(given)?;
    let rows = rows(desk, trust::trust(desk, &folder)?, true)?;
    if desk.json {
        print_json(&rows);
        return Ok(Exit::Done);
    }
    let shown = show::path(&folder);
    if rows.iter().any(|row| row.followed) {
        output::text(&format!("From now on the model follows what these files say, in tasks on {shown}:\n"));
    } else {
        output::text(&format!(
            "{shown} is trusted. There is nothing in it yet that instructs: write it into DESKHAND.md there.\n"
        ));
    }
    for row in &rows {
        said(row);
        if !row.followed {
            output::aside(&format!("{} is not followed: {}.", line(&row.path), line(&row.why)));
        }
    }
    output::aside(&format!("\nTake it back with: deskhand instructions distrust '{shown}'"));
    Ok(Exit::Done)
}

fn distrust(desk: &Desk, given: &Path) -> Result {
    // a folder that is gone can be distrusted as well
    let folder = given.canonicalize().or_else(|_| std::path::absolute(given)).unwrap_or_else(|_| given.to_owned());
    let was = trust::distrust(desk, &folder)?;
    let shown = show::path(&folder);
    if let Some(root) = trust::through(desk, &folder)? {
        let root = show::path(&root);
        return Err(Failure::failed(format!(
            "{shown} is still trusted, because it lies in {root}, which you trust. Take that back with: deskhand instructions distrust '{root}'"
        )));
    }
    if !was {
        return Err(Failure::failed(format!("{shown} is not marked as trusted. `deskhand grants` lists what is")));
    }
    if desk.json {
        print_json(&rows(desk, around(desk, &[folder])?, false)?);
    } else {
        output::text(&format!("The instructions in {shown} are data to the model again.\n"));
    }
    Ok(Exit::Done)
}

fn edit(desk: &Desk) -> Result {
    let path = show::path(&places::own(desk));
    match own::edit(desk)? {
        _ if desk.json => print_json(&rows(desk, around(desk, &[])?, false)?),
        Edited::Kept => output::text(&format!("Nothing was changed in {path}.\n")),
        Edited::Written => output::text(&format!("From now on the model follows {path} in all tasks.\n")),
        Edited::Removed => output::text(&format!("{path} says nothing any more, and is removed.\n")),
    }
    Ok(Exit::Done)
}
