//! Whether something may go to a host: the gate says.

use deskhand_egress::{Ask, Judge, Judged, Judgement, Reach};
use deskhand_permissions::{
    Context, Gate, Refused,
    effect::{Connect, SendToModel},
};
use std::sync::Arc;

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What a task works on, to the model at this host.
    Contents { host: String },
    /// A request with nothing of the person's files in it, to the server of a model at this host.
    Inquiry { host: String },
}

impl Purpose {
    /// How far a host may lead. The person named the one of a model, so it may be nearby; where a server sends on to is
    /// its own idea, and has to be on the internet.
    fn reach(&self, host: &str) -> Reach {
        match self {
            Self::Contents { host: own } | Self::Inquiry { host: own } if own == host => Reach::Local,
            Self::Contents { .. } | Self::Inquiry { .. } => Reach::Public,
        }
    }

    fn permit(&self, gate: &Gate, context: &Context, host: &str) -> Result<(), Refused> {
        match self {
            Self::Contents { .. } => gate.permit(context, SendToModel::at(host)).map(|permit| drop(permit.redeem())),
            Self::Inquiry { .. } => gate.permit(context, Connect::to(host)).map(|permit| drop(permit.redeem())),
        }
    }
}

/// See the module.
pub(super) struct AtGate {
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) purpose: Purpose,
}

impl Judge for AtGate {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        Box::pin(async move {
            let (gate, context, purpose) = (Arc::clone(&self.gate), self.context.clone(), self.purpose.clone());
            let host = ask.host.clone();
            // a person takes their time to answer, and all else goes on meanwhile
            let decided = tokio::task::spawn_blocking(move || purpose.permit(&gate, &context, &host)).await;
            match decided {
                Ok(Ok(())) => Judgement::Allowed(self.purpose.reach(&ask.host)),
                Ok(Err(refused)) => Judgement::Refused { reason: refused.to_string() },
                Err(error) => Judgement::Refused { reason: format!("it could not be decided: {error}") },
            }
        })
    }
}
