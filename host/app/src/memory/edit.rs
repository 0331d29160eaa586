//! `deskhand memory add`, `edit` and `forget`

use super::{
    command::{Add, Edit, Forget},
    list::print,
    place::words,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output, person,
    show::{counted, lines},
};
use deskhand_permissions::{Context, Standing, effect};
use deskhand_records::{Draft, Note, NoteOrigin, NoteText, Within};
use deskhand_vocabulary::Labels;

fn text(words: &str) -> Result<NoteText> {
    words.parse().map_err(Failure::usage)
}

/// The lines of a note, set apart.
fn quoted(note: &Note) -> String {
    format!("  {}\n", lines(note.text.as_ref()).replace('\n', "\n  "))
}

pub(super) fn add(desk: &Desk, options: &Add) -> Result {
    let draft = Draft {
        text: text(&options.words.join(" "))?,
        scope: options.place.scope(desk)?,
        origin: NoteOrigin::Person,
        task: None,
        labels: Labels::default(),
    };
    let permit = desk.gate()?.permit(&Context::person(None, Standing::default()), effect::Remember::of(draft))?;
    let kept = desk.records()?.memory().remember(permit.redeem().into_draft())?;
    if desk.json {
        print(desk, &[kept.note]);
        return Ok(Exit::Done);
    }
    let Note { id, scope, .. } = &kept.note;
    let head = if kept.new { "Remembered" } else { "Remembered already," };
    output::text(&format!("{head} for {} (note {id}):\n{}", words(scope), quoted(&kept.note)));
    Ok(Exit::Done)
}

pub(super) fn edit(desk: &Desk, options: &Edit) -> Result {
    let memory = desk.records()?.memory();
    let before = memory.get(options.note)?;
    let after = match options.words.is_empty() {
        false => options.words.join(" "),
        true => person::edit(before.text.as_ref()).map_err(Failure::failed)?,
    };
    if after.trim().is_empty() {
        let id = before.id;
        return Err(Failure::usage(format!(
            "nothing is left of note {id}. Take it out with: deskhand memory forget {id}"
        )));
    }
    let note = memory.edit(&before, text(&after)?)?;
    if desk.json {
        print(desk, &[note]);
    } else {
        output::text(&format!("Note {} says now:\n{}", note.id, quoted(&note)));
    }
    Ok(Exit::Done)
}

pub(super) fn forget(desk: &Desk, options: &Forget) -> Result {
    let memory = desk.records()?.memory();
    let mut ids = options.notes.clone();
    if options.all {
        let count = memory.count()?;
        if count == 0 {
            output::text("Nothing is remembered.\n");
            return Ok(Exit::Done);
        }
        let question = format!("Forget {}? They cannot be brought back.", counted(count, "note"));
        if let Some(exit) = desk.confirm(question, "nothing was forgotten", options.yes)? {
            return Ok(exit);
        }
        ids = memory.list(&Within::Everything, u64::MAX)?.iter().map(|note| note.id).collect();
    }
    let forgotten = memory.forget(&ids)?;
    if desk.json {
        print(desk, &forgotten);
        return Ok(Exit::Done);
    }
    if options.all {
        output::text(&format!("Forgotten: {}.\n", counted(forgotten.len() as u64, "note")));
        return Ok(Exit::Done);
    }
    for note in &forgotten {
        output::text(&format!("Note {} is forgotten. It said:\n{}", note.id, quoted(note)));
        if let Some(task) = note.task {
            output::aside(&format!(
                "What was said in task {task} may still hold the words; destroy that with: deskhand task delete {task}"
            ));
        }
    }
    Ok(Exit::Done)
}
