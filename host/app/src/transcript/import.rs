//! A task of another computer: read whole or not at all, and kept as a thing to look at. What it says was done was not done
//! here, and nothing is.

use super::{Transcript, VERSION, command::Import};
use crate::{
    desk::Desk,
    document,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{self, line},
};
use deskhand_records::ImportedId;
use deskhand_vocabulary::text::shortened;
use serde_json::json;

/// The largest document, in bytes, and the most parts of one, those of its sub-agents included.
const LARGEST: u64 = 64 << 20;
const PARTS: usize = 200_000;
/// So much of a request is shown, in characters.
const REQUEST: usize = 60;

/// What is said of an imported task before anything in it.
pub(super) const NOTICE: &str =
    "Imported from another computer. Nothing in it was checked, nothing of it was done here, and it cannot go on.";

fn parts(transcript: &Transcript) -> usize {
    transcript.parts.len() + transcript.agents.iter().map(parts).sum::<usize>()
}

fn parsed(text: &str) -> std::result::Result<Transcript, String> {
    let transcript: Transcript = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if transcript.version != VERSION {
        return Err(format!("it is of version {}, and this Deskhand reads version {VERSION}", transcript.version));
    }
    if parts(&transcript) > PARTS {
        return Err(format!("it has more than {PARTS} parts"));
    }
    Ok(transcript)
}

pub(super) fn import(desk: &Desk, options: &Import) -> Result {
    let from = show::path(&options.file);
    let text = document::read(&options.file, LARGEST)?;
    let transcript = parsed(&text).map_err(|why| {
        Failure::failed(format!("{from} was not imported, and nothing was kept of it: {}", line(&shortened(&why, 300))))
    })?;
    // what is kept is what was understood, and nothing beside it
    let document = serde_json::to_string(&transcript).map_err(Failure::failed)?;
    let id = desk.records()?.import_task(document)?;
    if desk.json {
        output::text(&format!("{}\n", json!({"imported": id.to_string(), "request": transcript.request})));
    } else {
        output::text(&format!(
            "Imported as {id}: {}\nIt is there to be looked at, and cannot go on. See it with: deskhand task show {id}\n",
            line(&shortened(&transcript.request, REQUEST))
        ));
    }
    Ok(Exit::Done)
}

/// An imported task.
pub(super) fn imported(desk: &Desk, id: ImportedId) -> Result<Transcript> {
    let known = desk.records()?.imported_task(id)?;
    let known = known.ok_or_else(|| {
        Failure::usage(format!("there is no imported task {id}. `deskhand task imported` lists them"))
    })?;
    parsed(&known.document)
        .map_err(|why| Failure::failed(format!("the imported task {id} cannot be read: {}", line(&why))))
}

/// `deskhand task imported`
pub(super) fn list(desk: &Desk) -> Result {
    let ids = desk.records()?.imported_tasks()?;
    if ids.is_empty() && !desk.json {
        output::text("No task was imported. Import one with: deskhand task import FILE\n");
    }
    for id in ids {
        let request = imported(desk, id).map_or_else(|failure| failure.message, |transcript| transcript.request);
        if desk.json {
            output::text(&format!("{}\n", json!({"imported": id.to_string(), "request": request})));
        } else {
            output::text(&format!("{id}  {}\n", line(&shortened(&request, REQUEST))));
        }
    }
    Ok(Exit::Done)
}
