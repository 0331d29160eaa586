//! `deskhand memory list`, `search` and `show`

use super::{
    command::{List, Search, Show},
    place::words,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{columns, line, lines},
};
use deskhand_records::Note;
use deskhand_vocabulary::text::shortened;

/// So much of a note is shown in a list, in characters.
const TEXT: usize = 60;

pub(super) fn list(desk: &Desk, options: &List) -> Result {
    let memory = desk.records()?.memory();
    let within = options.place.within(desk)?;
    // one more tells whether there is more
    let mut notes = memory.list(&within, options.limit.saturating_add(1))?;
    let more = notes.len() as u64 > options.limit;
    notes.truncate(usize::try_from(options.limit).unwrap_or(usize::MAX));
    if notes.is_empty() && !desk.json {
        output::text("Nothing is remembered yet. Keep a note with: deskhand memory add TEXT\n");
        return Ok(Exit::Done);
    }
    print(desk, &notes);
    if more && !desk.json {
        output::aside("Older notes are left out; see more with --limit, or find one: deskhand memory search WORDS");
    }
    Ok(Exit::Done)
}

pub(super) fn search(desk: &Desk, options: &Search) -> Result {
    let within = options.place.within(desk)?;
    let notes = desk.records()?.memory().search(&options.words.join(" "), &within, options.limit)?;
    if notes.is_empty() && !desk.json {
        output::text("No note holds any of these words.\n");
    }
    print(desk, &notes);
    Ok(Exit::Done)
}

pub(super) fn show(desk: &Desk, options: &Show) -> Result {
    let note = desk.records()?.memory().get(options.note)?;
    if desk.json {
        print(desk, &[note]);
        return Ok(Exit::Done);
    }
    let when = |at: jiff::Timestamp| at.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d %H:%M").to_string();
    let task = note.task.map(|task| format!(", in task {task}")).unwrap_or_default();
    let changed = if note.changed == note.made { String::new() } else { format!(", changed {}", when(note.changed)) };
    output::text(&format!(
        "Note {}, for {}\nBy {}{task}, {}{changed}\n",
        note.id,
        words(&note.scope),
        line(&note.origin.to_string()),
        when(note.made),
    ));
    if note.labels.are_untrusted() {
        output::text("Others may have written what it was made from. Edit it to make the words yours.\n");
    }
    output::text(&format!("\n{}\n", lines(note.text.as_ref())));
    Ok(Exit::Done)
}

/// Notes, a line each.
pub(super) fn print(desk: &Desk, notes: &[Note]) {
    if desk.json {
        for note in notes {
            output::text(&format!("{}\n", serde_json::to_string(note).unwrap_or_default()));
        }
        return;
    }
    if notes.is_empty() {
        return;
    }
    let heading = ["NUMBER", "CHANGED", "FOR", "BY", "NOTE"].map(str::to_owned).to_vec();
    let row = |note: &Note| {
        vec![
            note.id.to_string(),
            note.changed.to_zoned(desk.clock.zone()).strftime("%F").to_string(),
            words(&note.scope),
            line(&note.origin.to_string()),
            line(&shortened(&note.text.as_ref().replace('\n', " "), TEXT)),
        ]
    };
    output::text(&columns(&std::iter::once(heading).chain(notes.iter().map(row)).collect::<Vec<_>>()));
}
