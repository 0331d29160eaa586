//! What instructs a model beside the person's own words.

use super::{ALWAYS, Effect, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{
    Action, Principal, Sha256,
    person::{Choice, Question},
};

/// Let a text that lies in a folder instruct the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowInstructions {
    folder: String,
    file: String,
    text: String,
    changed: bool,
}

impl FollowInstructions {
    /// The text of `file` in `folder`, both as [`deskhand_vocabulary::path::encode`] writes them, as the model is given
    /// it. `changed` where the person had agreed to another text of the folder.
    pub fn of(folder: &str, file: &str, text: &str, changed: bool) -> Self {
        Self { folder: folder.to_owned(), file: file.to_owned(), text: text.to_owned(), changed }
    }

    fn digest(&self) -> Sha256 {
        Sha256::of(&self.text)
    }

    /// The file, and its text.
    pub fn into_text(self) -> (String, String) {
        (self.file, self.text)
    }
}

impl sealed::Sealed for FollowInstructions {}
impl Effect for FollowInstructions {
    fn actions(&self) -> Vec<Action> {
        vec![Action::FollowInstructions { folder: self.folder.clone(), text: self.digest() }]
    }

    fn question(&self) -> Option<Question> {
        let Self { file, text, .. } = self;
        // set apart, so that it cannot pass for a part of the question
        let text = text.replace('\n', "\n  | ");
        let why = if self.changed {
            "has changed since you agreed to follow it"
        } else {
            "is new in a folder that you trust"
        };
        let text = format!("{file} {why}. It says:\n\n  | {text}\n\nIs the model to follow it?");
        let choice =
            |id: &str, label: &str, hint: &str| Choice { id: id.into(), label: label.into(), hint: hint.into() };
        let choices = vec![
            choice(ALWAYS, "Follow it", "until it changes"),
            choice("no", "Leave it out", "you are asked again next time"),
        ];
        Some(Question::Choose { origin: Principal::Person, text, choices })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::InstructionText { folder: self.folder.clone(), text: self.digest() })
    }
}
