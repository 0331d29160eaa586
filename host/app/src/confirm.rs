//! The question before what cannot be taken back.

use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
};
use deskhand_vocabulary::{Answer, Principal, Question, Unanswered};

impl Desk {
    /// Ask, unless the answer was given in advance by `yes`. The exit of the command where the person declined; `not_done`
    /// says what was then not done, such as `nothing was given up`.
    pub(crate) fn confirm(&self, question: String, not_done: &str, yes: bool) -> Result<Option<Exit>> {
        if yes {
            return Ok(None);
        }
        match self.person.ask(&Question::Confirm { origin: Principal::Person, text: question }) {
            Ok(Answer::Yes) => Ok(None),
            Ok(_) => {
                output::text(&format!("{}\n", crate::show::sentence(not_done)));
                Ok(Some(Exit::Declined))
            }
            Err(why @ Unanswered::Stopped) => Err(Failure::new(Exit::Stopped, why)),
            Err(why) => Err(Failure::new(Exit::Unanswered, format!("{why}, and {not_done}. Add --yes"))),
        }
    }
}
