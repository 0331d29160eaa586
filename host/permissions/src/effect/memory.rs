//! What is kept in memory, looked for there, and taken out.

use super::{ALWAYS, Effect, sealed};
use deskhand_records::{Draft, NoteOrigin};
use deskhand_vocabulary::{
    Action, Principal,
    person::{Choice, Question},
    text::safe,
};

/// Keep a note that later tasks are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remember {
    draft: Draft,
}

impl Remember {
    /// This one.
    pub const fn of(draft: Draft) -> Self {
        Self { draft }
    }

    /// The note.
    pub fn into_draft(self) -> Draft {
        self.draft
    }
}

impl sealed::Sealed for Remember {}
impl Effect for Remember {
    fn actions(&self) -> Vec<Action> {
        vec![Action::Remember { note: self.draft.digest(), untrusted: self.draft.labels.are_untrusted() }]
    }

    fn question(&self) -> Option<Question> {
        let Draft { text, scope, origin, .. } = &self.draft;
        // set apart, so that it cannot pass for a part of the question
        let text = text.as_ref().replace('\n', "\n  | ");
        let scope = safe(&scope.to_string(), false);
        let why = match origin {
            NoteOrigin::Plugin { plugin } => format!("The plugin {plugin} wants a note to be remembered"),
            NoteOrigin::Person | NoteOrigin::Model { .. } | NoteOrigin::Imported => {
                "The agent wants to remember a note, in a task that has read what others may have written".to_owned()
            }
        };
        let text =
            format!("{why}. Later tasks would be told it, for {scope}:\n\n  | {text}\n\nIs it to be remembered?");
        let choice =
            |id: &str, label: &str, hint: &str| Choice { id: id.into(), label: label.into(), hint: hint.into() };
        let choices =
            vec![choice(ALWAYS, "Remember it", "until you forget it"), choice("no", "Leave it out", "nothing is kept")];
        Some(Question::Choose { origin: Principal::Person, text, choices })
    }
}

/// Look for notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall;

impl sealed::Sealed for Recall {}
impl Effect for Recall {
    fn actions(&self) -> Vec<Action> {
        vec![Action::Recall]
    }
}

/// Take out a note of a plugin's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForgetNote {
    /// Its number.
    pub note: u64,
}

impl sealed::Sealed for ForgetNote {}
impl Effect for ForgetNote {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ForgetNote { note: self.note }]
    }
}
