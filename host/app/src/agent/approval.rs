//! The person's word on the plan, before anything is changed.

use deskhand_agent::{Approval, Approved, plan::Plan};
use deskhand_vocabulary::{Answer, Notice, Person, Principal, Question};
use std::sync::Arc;

/// Asks the person.
pub(super) struct ByPerson(Arc<dyn Person>);

impl ByPerson {
    pub(super) fn asking(person: Arc<dyn Person>) -> Arc<dyn Approval> {
        Arc::new(Self(person))
    }
}

impl Approval for ByPerson {
    fn approve(&self, plan: &Plan) -> Approved {
        let mut text = plan.text();
        let shown = text.clone();
        loop {
            match self.0.ask(&Question::Steps { text: text.clone() }) {
                Ok(Answer::Yes) if text == shown => return Approved::Yes,
                Ok(Answer::Yes) => match plan.edited(&text) {
                    Ok(plan) => return Approved::Edited(plan),
                    // only what makes a plan is kept as the text that is asked about
                    Err(_) => return Approved::No,
                },
                Ok(Answer::Edited(edited)) => match plan.edited(&edited) {
                    Ok(plan) => text = plan.text(),
                    Err(error) => {
                        let text = format!("Nothing of the edit was taken: {error}.");
                        self.0.tell(&Notice { origin: Principal::Person, text });
                    }
                },
                Ok(Answer::No | Answer::Chosen(_) | Answer::Filled(_)) => return Approved::No,
                Err(deskhand_vocabulary::Unanswered::Stopped) => return Approved::Stopped,
                Err(deskhand_vocabulary::Unanswered::Absent) => return Approved::Absent,
            }
        }
    }
}
