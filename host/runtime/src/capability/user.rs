//! `user`: the person. Questions carry their origin; what is asked is shown as a plugin's words and never as Deskhand's.

use crate::{
    bindings::wit::{types, user},
    call::Call,
    reply::{Code, Refused},
};
use deskhand_vocabulary::{Answer, Notice, Principal, Question, Unanswered, person::Choice, text::shortened};

/// The most of a question or notice that is shown, in characters.
const TEXT: usize = 2000;
/// The most choices of a question, and the most characters of one.
const CHOICES: usize = 100;
const CHOICE: usize = 200;
/// The largest schema of a form, in bytes.
const SCHEMA: usize = 64 << 10;

impl Call {
    fn origin(&self) -> Principal {
        Principal::Plugin(self.plugin.clone())
    }

    fn put(&mut self, question: &Question) -> Result<Answer, Refused> {
        self.rights.ask()?;
        self.take_question()?;
        let answer = self.waiting(|call| call.invocation.person.ask(question))?;
        answer.map_err(|why| match why {
            Unanswered::Absent => {
                Refused::new(Code::Parked, "nobody is there to be asked; run it where you can answer, in a terminal")
            }
            Unanswered::Stopped => crate::call::stopped(),
        })
    }

    /// A plugin that asks without end is not served without end.
    pub(super) fn take_question(&mut self) -> Result<(), Refused> {
        self.questions = self
            .questions
            .checked_sub(1)
            .ok_or_else(|| Refused::new(Code::Exhausted, "this call has asked or told the person too often"))?;
        Ok(())
    }
}

fn unexpected() -> Refused {
    Refused::new(Code::Failed, "the answer does not fit the question")
}

impl user::Host for Call {
    fn notify(&mut self, message: String) -> Result<(), types::Error> {
        self.rights.ask()?;
        self.take_question()?;
        let notice = Notice { origin: self.origin(), text: shortened(&message, TEXT) };
        self.invocation.person.tell(&notice);
        Ok(())
    }

    fn confirm(&mut self, question: String) -> Result<bool, types::Error> {
        let question = Question::Confirm { origin: self.origin(), text: shortened(&question, TEXT) };
        match self.put(&question)? {
            Answer::Yes => Ok(true),
            Answer::No => Ok(false),
            Answer::Edited(_) | Answer::Chosen(_) | Answer::Filled(_) => Err(unexpected().into()),
        }
    }

    fn choose(&mut self, question: String, choices: Vec<user::Choice>) -> Result<String, types::Error> {
        if choices.is_empty() || choices.len() > CHOICES {
            let message = format!("a question has 1 to {CHOICES} choices, not {}", choices.len());
            return Err(Refused::new(Code::Invalid, message).into());
        }
        let ids: std::collections::BTreeSet<_> = choices.iter().map(|choice| choice.id.clone()).collect();
        if ids.len() != choices.len() {
            return Err(Refused::new(Code::Invalid, "two choices have the same id").into());
        }
        let choices = choices
            .into_iter()
            .map(|choice| Choice {
                id: choice.id,
                label: shortened(&choice.label, CHOICE),
                hint: shortened(&choice.hint, CHOICE),
            })
            .collect();
        let question = Question::Choose { origin: self.origin(), text: shortened(&question, TEXT), choices };
        match self.put(&question)? {
            Answer::Chosen(id) if ids.contains(&id) => Ok(id),
            Answer::No => Err(Refused::new(Code::Cancelled, "the person chose none").into()),
            Answer::Yes | Answer::Chosen(_) | Answer::Edited(_) | Answer::Filled(_) => Err(unexpected().into()),
        }
    }

    fn ask(&mut self, question: String, schema: String) -> Result<String, types::Error> {
        if schema.len() > SCHEMA {
            return Err(Refused::new(Code::TooLarge, format!("a form's schema has at most {SCHEMA} bytes")).into());
        }
        let schema: serde_json::Value = serde_json::from_str(&schema)
            .map_err(|error| Refused::new(Code::Invalid, format!("the form's schema is not JSON: {error}")))?;
        let question = Question::Form { origin: self.origin(), text: shortened(&question, TEXT), schema };
        match self.put(&question)? {
            Answer::Filled(value) => Ok(value.to_string()),
            Answer::No => Err(Refused::new(Code::Cancelled, "the person left the form empty").into()),
            Answer::Yes | Answer::Chosen(_) | Answer::Edited(_) => Err(unexpected().into()),
        }
    }
}
