//! Having the person agree: to the plan before anything is changed, and to what was changed at the end.

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
        let said = self.asking(move || approval.approve(&shown)).await;
        let said = said.unwrap_or(Approved::Absent);
        self.record(self.scribe.decided(&said), true)?;
        Ok(match said {
            Approved::Yes => Output::done("The plan is set, and the person agrees to it."),
            Approved::Edited(plan) => {
                self.set_plan("person", &plan)?;
                Output::done(prompt::edited(&plan))
            }
            Approved::No => {
                self.ending = Some(Ended::Cancelled);
                Output::not_done(Outcome::Denied, "The person declined the plan.")
            }
            Approved::Stopped => {
                self.ending = Some(Ended::Cancelled);
                Output::not_done(Outcome::Stopped, "The person ended the task before they had agreed to the plan.")
            }
            Approved::Absent => {
                let waits = vec!["the plan waits for you to agree to it".to_owned()];
                self.ending = Some(Ended::Parked { text: String::new(), waits });
                Output::not_done(Outcome::Parked, "Nobody is there to agree to the plan.")
            }
        })
    }

    /// What somebody says who may ask the person. A question that stands is taken back where the task is ended from elsewhere.
    pub(super) async fn asking<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> T + Send + 'static,
    ) -> std::result::Result<T, tokio::task::JoinError> {
        let mut asking = tokio::task::spawn_blocking(ask);
        tokio::select! {
            biased;
            said = &mut asking => said,
            () = self.agent.steering.cancelled() => {
                self.agent.effects.withdraw();
                asking.await
            }
        }
    }
}
