//! Having the person agree to the plan before anything is changed.

use super::Work;
use crate::{
    agent::{Ended, Result},
    approval::{Approval, Approved},
    plan::Plan,
    prompt,
    tool::{Outcome, Output},
};
use std::sync::Arc;

impl Work<'_> {
    /// Who is to agree to the plan, if that is still to be done.
    pub(super) fn unapproved(&self) -> Option<Arc<dyn Approval>> {
        self.agent.approval.clone().filter(|_| !self.conversation.is_approved())
    }

    /// Show the plan to the person, and keep to what they say.
    pub(super) async fn approve(&mut self, approval: Arc<dyn Approval>, plan: Plan) -> Result<Output> {
        let shown = plan.clone();
        let said = tokio::task::spawn_blocking(move || approval.approve(&shown)).await.unwrap_or(Approved::Absent);
        self.record(self.scribe.decided(&said), true)?;
        Ok(match said {
            Approved::Yes => Output::done("The plan is set, and the person agrees to it."),
            Approved::Edited(plan) => {
                self.set_plan(&plan, true)?;
                Output::done(prompt::edited(&plan))
            }
            Approved::No => {
                self.ending = Some(Ended::Cancelled);
                Output::not_done(Outcome::Denied, "The person declined the plan.")
            }
            Approved::Absent => {
                let waits = vec!["the plan waits for you to agree to it".to_owned()];
                self.ending = Some(Ended::Parked { text: String::new(), waits });
                Output::not_done(Outcome::Parked, "Nobody is there to agree to the plan.")
            }
        })
    }
}
