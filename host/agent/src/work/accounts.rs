//! What replies and calls used up, on record and in the budget.

use super::Work;
use crate::{
    agent::{Ended, Result},
    budget::{Amounts, Measure},
};
use deskhand_models::{Failure, Reply};
use deskhand_vocabulary::LogError;
use std::{sync::Arc, time::Duration};

impl Work<'_> {
    /// Wait until all that was recorded is durable.
    pub(super) async fn kept(&self) -> Result<()> {
        let log = Arc::clone(&self.agent.log);
        let flushed = tokio::task::spawn_blocking(move || log.flush()).await;
        flushed.unwrap_or_else(|error| Err(LogError { reason: error.to_string() })).map_err(Into::into)
    }

    pub(super) fn replied(&mut self, reply: &Reply, kept: bool, took: Duration) -> Result<()> {
        let before = *self.conversation.spent();
        self.record(self.scribe.replied(&self.agent.model.config().model, reply, kept, micros(took)), false)?;
        self.spend(&before);
        Ok(())
    }

    pub(super) fn failed(&mut self, failure: &Failure, took: Duration) -> Result<()> {
        let before = *self.conversation.spent();
        if let Some(entry) = self.scribe.failed(failure, micros(took)) {
            self.record(entry, false)?;
        }
        self.spend(&before);
        Ok(())
    }

    /// What the conversation has used up since `before`, and what left the machine.
    pub(super) fn spend(&mut self, before: &Amounts) {
        for measure in Measure::ALL {
            let more = self.conversation.spent().get(measure).saturating_sub(before.get(measure));
            self.budget.spend(Amounts::of(measure, more));
        }
        self.count_bytes();
    }

    fn count_bytes(&mut self) {
        let out = self.agent.effects.bytes_out();
        self.budget.spend(Amounts::of(Measure::BytesOut, out.saturating_sub(self.bytes_out)));
        self.bytes_out = out;
    }

    pub(super) fn used_up(&self, measure: Measure) -> Ended {
        Ended::UsedUp(measure, self.budget.spent().get(measure))
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
