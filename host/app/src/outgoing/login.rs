//! Whether something of a login may go to a host. A login is the person's own: what they agreed to for it goes out in their
//! name, also while a task is at work, and nothing else does.

use deskhand_egress::{Ask, Judge, Judged, Judgement};
use deskhand_permissions::{Context, Gate, effect::Connect};
use std::sync::Arc;

/// What the person agreed to. May ask them, and take its time.
pub(crate) trait Agreement: Send + Sync {
    /// Whether something may go to this host, and how far it may lead.
    fn to(&self, host: &str) -> Judgement;
}

/// See the module.
pub(super) struct AtLogin {
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) agreement: Arc<dyn Agreement>,
}

impl AtLogin {
    fn decide(gate: &Gate, context: &Context, agreement: &dyn Agreement, host: &str) -> Judgement {
        match agreement.to(host) {
            Judgement::Allowed(reach) => match gate.permit(context, Connect::to(host)) {
                Ok(permit) => {
                    permit.redeem();
                    Judgement::Allowed(reach)
                }
                Err(refused) => Judgement::Refused { reason: refused.to_string() },
            },
            no => no,
        }
    }
}

impl Judge for AtLogin {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        let (gate, context) = (Arc::clone(&self.gate), self.context.clone());
        let (agreement, host) = (Arc::clone(&self.agreement), ask.host.clone());
        Box::pin(async move {
            let decided = tokio::task::spawn_blocking(move || Self::decide(&gate, &context, &*agreement, &host)).await;
            decided.unwrap_or_else(|error| Judgement::Refused { reason: format!("it could not be decided: {error}") })
        })
    }
}
