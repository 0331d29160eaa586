//! What replies and calls used up, on record and in the budget.

use super::Work;
use crate::{
    agent::{Ended, Result},
    budget::{Amounts, Measure},
};
use deskhand_models::{Failure, Reply, Usage};
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
        let config = self.agent.model.config();
        let prompt = reply.usage.unwrap_or(reply.spent).prompt();
        // at the best, all of it is read from the cache
        let money = config.price.map_or(0, |price| price.of(&Usage { cache_read: prompt, ..Usage::default() }).0);
        self.last = Amounts::of(Measure::Tokens, prompt).and(Amounts::of(Measure::Money, money));
        self.record(self.scribe.replied(&config.model, reply, kept, took), false)?;
        self.spend(&before);
        Ok(())
    }

    pub(super) fn failed(&mut self, failure: &Failure, took: Duration) -> Result<()> {
        let before = *self.conversation.spent();
        if let Some(entry) = self.scribe.failed(failure, took) {
            self.record(entry, false)?;
        }
        self.spend(&before);
        Ok(())
    }

    /// Time that no entry of the log tells of.
    pub(super) fn took(&mut self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.budget.spend(Amounts::of(Measure::Time, millis));
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

    /// What the next request would use up alone: it says all that the last one said, and more.
    pub(super) fn too_little(&self) -> Option<Measure> {
        [Measure::Tokens, Measure::Money]
            .into_iter()
            .find(|measure| !self.budget.allows(*measure, self.last.get(*measure)))
    }

    /// Wait until the time of the budget is used up. Waiting for the person is no time at work.
    pub(super) async fn out_of_time(&self) {
        let Some(left) = self.budget.left().get(Measure::Time) else { return std::future::pending().await };
        let waited = || self.agent.effects.waited();
        let (begun, before) = (tokio::time::Instant::now(), waited());
        loop {
            let at_work = begun.elapsed().saturating_sub(waited().saturating_sub(before));
            match Duration::from_millis(left).checked_sub(at_work) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    pub(super) fn used_up(&self, measure: Measure) -> Ended {
        Ended::UsedUp(measure, self.budget.spent().get(measure))
    }
}
