//! `deskhand memory export` and `import`: notes as a file. What comes from a file is somebody else's word, whatever it says
//! of itself.

use super::command::{Export, Import};
use crate::{
    desk::Desk,
    document,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{self, counted, line},
};
use deskhand_records::{Draft, NoteOrigin, NoteScope, NoteText, Within, memory::MAX_NOTES};
use deskhand_vocabulary::{Label, Labels, text::shortened};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 128 << 20;
/// So many notes are shown before they are taken in, and so much of each.
const SHOWN: usize = 20;
const TEXT: usize = 100;

/// A file of notes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// `memory`.
    deskhand: Kind,
    version: u32,
    notes: Vec<Noted>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Memory,
}

/// The version of the file.
const VERSION: u32 = 1;

/// A note in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    text: NoteText,
    scope: NoteScope,
    origin: NoteOrigin,
    labels: Labels,
    made: Timestamp,
}

pub(super) fn export(desk: &Desk, options: &Export) -> Result {
    let notes = desk.records()?.memory().list(&Within::Everything, u64::MAX)?;
    let noted = notes.into_iter().rev().map(|note| Noted {
        text: note.text,
        scope: note.scope,
        origin: note.origin,
        labels: note.labels,
        made: note.made,
    });
    let file = File { deskhand: Kind::Memory, version: VERSION, notes: noted.collect() };
    let count = file.notes.len() as u64;
    let text = serde_json::to_string_pretty(&file).map_err(Failure::failed)?;
    document::write(options.to.as_deref(), &format!("{text}\n"))?;
    if let Some(to) = &options.to {
        output::text(&format!("{} written to {}.\n", counted(count, "note"), show::path(to)));
    }
    Ok(Exit::Done)
}

/// The notes of a file, as they would be kept.
fn drafts(file: File) -> std::result::Result<Vec<(Draft, Timestamp)>, String> {
    if file.version != VERSION {
        return Err(format!("it is of version {}, and this Deskhand reads version {VERSION}", file.version));
    }
    if file.notes.len() as u64 > MAX_NOTES {
        return Err(format!("it holds more than {MAX_NOTES} notes"));
    }
    let draft = |Noted { text, scope, mut labels, made, .. }: Noted| {
        if let NoteScope::Folder { folder } = &scope
            && !(folder.starts_with('/') && folder.len() <= 4096)
        {
            return Err(format!("a note in it is for `{}`, which is no whole path", line(&shortened(folder, TEXT))));
        }
        labels.add(&Labels::of([Label::Untrusted]));
        Ok((Draft { text, scope, origin: NoteOrigin::Imported, task: None, labels }, made))
    };
    file.notes.into_iter().map(draft).collect()
}

pub(super) fn import(desk: &Desk, options: &Import) -> Result {
    let from = show::path(&options.file);
    let refused = |why: &dyn std::fmt::Display| {
        Failure::failed(format!("{from} was not imported, and nothing was kept of it: {}", line(&why.to_string())))
    };
    let text = document::read(&options.file, LARGEST)?;
    let file = serde_json::from_str(&text).map_err(|error| refused(&error))?;
    let drafts = drafts(file).map_err(|why| refused(&why))?;
    if drafts.is_empty() {
        output::text(&format!("{from} holds no notes.\n"));
        return Ok(Exit::Done);
    }
    let shown = drafts.iter().take(SHOWN).map(|(draft, _)| {
        let text = line(&shortened(&draft.text.as_ref().replace('\n', " "), TEXT));
        format!("  for {}: {text}\n", line(&draft.scope.to_string()))
    });
    let more = drafts.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("  … and {more} more\n") } else { String::new() };
    if !options.yes && !desk.json {
        output::text(&format!("{from} holds:\n{}{more}", shown.collect::<String>()));
    }
    let count = counted(drafts.len() as u64, "note");
    let question = format!("Tell later tasks of {count} from there? They bear the label of others' words.");
    if let Some(exit) = desk.confirm(question, "nothing was imported", options.yes)? {
        return Ok(exit);
    }
    let total = drafts.len() as u64;
    let new = desk.records()?.memory().import(drafts)?;
    if desk.json {
        output::text(&format!("{}\n", json!({"imported": new, "known": total - new})));
    } else {
        let known = if new < total { format!("; {} kept already", show::count(total - new)) } else { String::new() };
        output::text(&format!("{} imported{known}.\n", counted(new, "note")));
    }
    Ok(Exit::Done)
}
