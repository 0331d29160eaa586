//! Making a conversation shorter that the model can hardly read any more.

use super::Work;
use crate::{agent::Result, screen::Seen, shorter};
use deskhand_models::Reply;

impl Work<'_> {
    /// Whether more than four fifths of what the model can read are used.
    pub(super) fn is_nearly_full(&self, reply: &Reply) -> bool {
        let prompt = reply.usage.unwrap_or(reply.spent).prompt();
        self.agent.model.config().context.is_some_and(|context| prompt.saturating_mul(5) > context.saturating_mul(4))
    }

    /// There is little room left: have the model sum up what matters, and go on from there.
    pub(super) async fn summarize(&mut self) -> Result<()> {
        self.tell_host("summary", shorter::ASK)?;
        let begun = tokio::time::Instant::now();
        let reply = match self.agent.model.reply(self.conversation.turns(), &mut |_| ()).await {
            Ok(reply) => reply,
            Err(failure) => {
                self.failed(&failure, begun.elapsed())?;
                return self.shorten(None);
            }
        };
        // it is the summary that is kept, and calls in it are not made
        self.replied(&reply, false, begun.elapsed())?;
        let text = reply.said.text();
        self.shorten(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    /// Put a summary in the place of what was said: the model's, or else the host's own notes.
    pub(super) fn shorten(&mut self, summary: Option<&str>) -> Result<()> {
        let before = self.conversation.turns().turns().len();
        let pieces = shorter::pieces(self.conversation.ledger(), self.conversation.plan(), summary);
        self.worked = false;
        self.agent.screen.show(Seen::Shorter(before));
        self.record(self.scribe.shortened(before, &pieces), true)
    }
}
