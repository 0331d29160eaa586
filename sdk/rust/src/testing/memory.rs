//! The notes of the test host.

use super::state::State;
use crate::{
    Code, Error, Result,
    memory::{Note, Scope},
};

/// `memory`. The person is asked as by `user`.
impl State {
    pub(crate) fn remember(&mut self, text: &str, scope: &Scope) -> Result<Note> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 2000 {
            return Err(Error::invalid("a note takes 1 to 2000 characters"));
        }
        let known = match scope {
            Scope::All | Scope::Plugin => true,
            Scope::Folder(name) => self.folders().iter().any(|folder| folder.name == *name),
            Scope::OtherFolder => false,
        };
        if !known {
            return Err(Error::invalid(format!("there is no scope `{scope}`")));
        }
        if !self.confirm(&format!("remember for {scope}: {text}"))? {
            return Err(Error::new(Code::Denied, "you declined, and nothing was done"));
        }
        let id = self.notes.last().and_then(|note| note.id.parse::<u64>().ok()).unwrap_or(0) + 1;
        let note = Note { id: id.to_string(), text: text.to_owned(), scope: scope.clone(), at: self.now };
        self.notes.push(note.clone());
        Ok(note)
    }

    pub(crate) fn recall(&self, query: &str, limit: u32) -> Vec<Note> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let fits = |note: &&Note| words.iter().all(|word| note.text.to_lowercase().contains(word));
        self.notes.iter().rev().filter(fits).take(limit as usize).cloned().collect()
    }

    pub(crate) fn forget(&mut self, id: &str) -> Result<()> {
        let before = self.notes.len();
        self.notes.retain(|note| note.id != id);
        if self.notes.len() == before {
            return Err(Error::not_found("this plugin keeps no such note"));
        }
        Ok(())
    }
}
