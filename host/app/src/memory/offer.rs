//! Which notes a task begins with: those that fit what the person asks for, then the newest, as many as the settings give
//! room for.

use crate::{desk::Desk, failure::Result, show};
use deskhand_agent::Reminder;
use deskhand_records::{Note, Within};
use deskhand_tools::told;
use deskhand_vocabulary::{Labels, Notice, Principal};
use deskhand_workspace::Workspace;
use std::collections::BTreeSet;

/// So many of each are looked at.
const LOOKED_AT: u64 = 100;
/// A token of a model is about so many bytes of text.
const TOKEN: usize = 4;

/// What a task for this request is told, and that the person is told of it; none where nothing is kept for it.
pub(crate) fn offer(desk: &Desk, workspace: &Workspace, request: &str) -> Result<Option<Reminder>> {
    let room = desk.settings.memory.tokens as usize * TOKEN;
    if room == 0 {
        return Ok(None);
    }
    let within = Within::Folders(workspace.folder_map().into_values().collect());
    let memory = desk.records()?.memory();
    let mut notes = memory.search(request, &within, LOOKED_AT)?;
    notes.extend(memory.list(&within, LOOKED_AT)?);
    let mut seen = BTreeSet::new();
    notes.retain(|note| seen.insert(note.id));
    let all = notes.len();
    let zone = desk.clock.zone();
    let (mut text, mut chosen): (String, Vec<Note>) = (String::new(), Vec::new());
    for note in notes {
        let line = told(std::slice::from_ref(&note), &zone);
        if text.len() + line.len() <= room {
            text.push_str(&line);
            chosen.push(note);
        }
    }
    if chosen.is_empty() {
        return Ok(None);
    }
    if chosen.len() < all {
        text.push_str("More are kept; find them with `recall`.");
    }
    let mut labels = Labels::default();
    chosen.iter().for_each(|note| labels.add(&note.labels));
    let reminder =
        Reminder { text: text.trim_end().to_owned(), notes: chosen.iter().map(|note| note.id).collect(), labels };
    tell(desk, &reminder.notes);
    Ok(Some(reminder))
}

fn tell(desk: &Desk, notes: &[u64]) {
    /// So many numbers are named.
    const NAMED: usize = 8;
    let mut numbers: Vec<String> = notes.iter().take(NAMED).map(ToString::to_string).collect();
    if notes.len() > NAMED {
        numbers.push(format!("{} more", notes.len() - NAMED));
    }
    let what = if notes.len() == 1 { "note" } else { "notes" };
    let text = format!(
        "the model is told {what} {} of your memory. See one with: deskhand memory show {}",
        show::list(&numbers),
        notes.first().copied().unwrap_or_default()
    );
    desk.person.tell(&Notice { origin: Principal::Person, text });
}
