//! Taking up a task that ended, waited or broke off.

use crate::{
    agent::{Agent, Result, Task},
    conversation::Scribe,
    own::offered,
    tool::{Effect, Outcome, Output},
};
use deskhand_vocabulary::{Entry, Event};

impl Agent {
    /// Take a task up again that had ended, waited or broken off. Before [`Agent::tell`] and [`Agent::run`].
    ///
    /// Calls that a process left which is gone are answered: only then can anything else be said.
    pub fn resume(&self, task: &mut Task) -> Result<()> {
        let entry = Entry { task: Some(task.id), event: Event::TaskResumed, content: None };
        self.record(&mut task.conversation, entry, true)?;
        self.resolve(task)
    }

    /// What had begun may have happened: that is said, not guessed.
    pub(crate) fn resolve(&self, task: &mut Task) -> Result<()> {
        let open = task.conversation.open();
        if open.is_empty() {
            return Ok(());
        }
        let tools = offered(self.tools.as_ref());
        let changes = |name: &str| tools.iter().any(|tool| tool.told.name == name && tool.effect == Effect::Change);
        let scribe = Scribe(task.id);
        for (wanted, begun) in open {
            let output = if begun && changes(&wanted.name) {
                Output::not_done(
                    Outcome::Unknown,
                    "Deskhand ended while this ran: its outcome is unknown. Look whether it took effect before you make it again",
                )
            } else {
                Output::not_done(
                    Outcome::Failed,
                    "Deskhand ended before this ran: it was not done. Make it again if it is still needed",
                )
            };
            if !begun {
                self.record(&mut task.conversation, scribe.called(&wanted), false)?;
            }
            self.record(&mut task.conversation, scribe.answered(&wanted, &output, std::time::Duration::ZERO), true)?;
        }
        Ok(())
    }
}
