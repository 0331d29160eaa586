//! Files that instruct the model beside the person's own words. Which do is decided by whoever uses this room; here they are
//! told under a mark of their own, once, and kept when a conversation is made shorter.

use crate::{
    agent::{Agent, Result, Task},
    conversation::{Ledger, Scribe},
    prompt,
};
use deskhand_models::Piece;
use deskhand_vocabulary::{Entry, Event};
use serde_json::{Value, json};

/// As whom such files speak, in the record.
const BY: &str = "instructions";

/// What a file says that instructs the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The file, as a person is shown it.
    pub from: String,
    /// What it says.
    pub text: String,
}

impl Agent {
    /// Have just these files instruct the model, the nearest last. What it was told already is not said again, so the prompt
    /// stays as it is; what it was told and does not hold any more is taken back. After [`Agent::resume`], and before
    /// [`Agent::tell`].
    pub fn instruct(&self, task: &mut Task, instructions: &[Instruction]) -> Result<()> {
        let scribe = Scribe(task.id);
        let told = task.conversation.ledger().instructions.clone();
        for (from, _) in told.iter().filter(|(from, _)| instructions.iter().all(|one| one.from != *from)) {
            let piece = prompt::instructions(from, prompt::WITHDRAWN);
            self.record(&mut task.conversation, scribe.instructed(from, false, &piece), true)?;
        }
        for Instruction { from, text } in instructions {
            let piece = prompt::instructions(from, text);
            if told.iter().any(|(known, said)| known == from && said.as_slice() == std::slice::from_ref(&piece)) {
                continue;
            }
            self.record(&mut task.conversation, scribe.instructed(from, true, &piece), true)?;
        }
        Ok(())
    }
}

impl Scribe {
    /// What a file says that instructs; or, where it does not hold, that it does not any more.
    fn instructed(self, from: &str, holds: bool, piece: &Piece) -> Entry {
        let content = json!({ "pieces": [piece], "from": from, "holds": holds });
        Entry { task: Some(self.0), event: Event::Told { by: BY.to_owned() }, content: Some(content) }
    }
}

impl Ledger {
    /// Take in what was said to the model, if a file said it. True if one did.
    pub(crate) fn instructed(&mut self, by: &str, content: &Value, pieces: &[Piece]) -> bool {
        if by != BY {
            return false;
        }
        let from = content["from"].as_str().unwrap_or_default();
        self.instructions.retain(|(known, _)| known != from);
        if content["holds"] == true {
            self.instructions.push((from.to_owned(), pieces.to_vec()));
        }
        true
    }
}
