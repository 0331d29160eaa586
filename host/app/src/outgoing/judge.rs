//! Whether something may go to a host: the gate says.

use deskhand_egress::{Ask, Judge, Judged, Judgement, Reach};
use deskhand_permissions::{
    Context, Gate, Refused,
    effect::{Connect, SendToModel, is_here},
};
use deskhand_vocabulary::{Stop, Unanswered};
use std::{net::IpAddr, sync::Arc};

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What a task works on, to the model at this host.
    Contents { host: String },
    /// A request with nothing of the person's files in it, to the server of a model at this host.
    Inquiry { host: String },
    /// What an MCP server at this host is asked.
    Server { host: String },
    /// A request for something that is on the web, at whichever host it is.
    Page,
}

impl Purpose {
    /// How far a host may lead. The person named the one of a model or of an MCP server, so it may be nearby; where a server sends on to is
    /// its own idea, and has to be on the internet.
    /// What the web sends on to never leads from the internet to this computer.
    fn reach(&self, ask: &Ask) -> Reach {
        let host = &ask.host;
        match self {
            Self::Page => match &ask.redirected_from {
                None if is_here(host) || host.parse::<IpAddr>().is_ok() => Reach::Local,
                Some(from) if is_here(from) && is_here(host) => Reach::Local,
                _ => Reach::Public,
            },
            Self::Contents { host: own } | Self::Inquiry { host: own } | Self::Server { host: own } if own == host => {
                Reach::Local
            }
            Self::Contents { .. } | Self::Inquiry { .. } | Self::Server { .. } => Reach::Public,
        }
    }

    fn permit(&self, gate: &Gate, context: &Context, host: &str, until: &Stop) -> Result<(), Refused> {
        match self {
            Self::Contents { .. } => {
                gate.permit_until(context, SendToModel::at(host), until).map(|permit| drop(permit.redeem()))
            }
            Self::Inquiry { .. } | Self::Server { .. } | Self::Page => {
                let effect = Connect::by(&context.principal, host);
                gate.permit_until(context, effect, until).map(|permit| drop(permit.redeem()))
            }
        }
    }

    /// True if it was allowed before in this task, and still is.
    fn is_permitted_again(&self, gate: &Gate, context: &Context, host: &str) -> bool {
        match self {
            Self::Contents { .. } => {
                gate.permit_again(context, SendToModel::at(host)).map(|permit| drop(permit.redeem())).is_some()
            }
            Self::Inquiry { .. } | Self::Server { .. } | Self::Page => gate
                .permit_again(context, Connect::by(&context.principal, host))
                .map(|permit| drop(permit.redeem()))
                .is_some(),
        }
    }
}

/// Stopped when this is dropped.
struct Until(Stop);

impl Drop for Until {
    fn drop(&mut self) {
        self.0.stop();
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
            if self.purpose.is_permitted_again(&self.gate, &self.context, &ask.host) {
                return Judgement::Allowed(self.purpose.reach(ask));
            }
            let (gate, context, purpose) = (Arc::clone(&self.gate), self.context.clone(), self.purpose.clone());
            let host = ask.host.clone();
            // once nobody waits for this any more, the person is not asked either
            let until = Until(Stop::default());
            let withdrawn = until.0.clone();
            // a person takes their time to answer, and all else goes on meanwhile
            let decided = tokio::task::spawn_blocking(move || purpose.permit(&gate, &context, &host, &withdrawn)).await;
            match decided {
                Ok(Ok(())) => Judgement::Allowed(self.purpose.reach(ask)),
                Ok(Err(refused @ Refused::Unanswered(Unanswered::Absent))) => {
                    Judgement::Waits { reason: refused.to_string() }
                }
                Ok(Err(refused)) => Judgement::Refused { reason: refused.to_string() },
                Err(error) => Judgement::Refused { reason: format!("it could not be decided: {error}") },
            }
        })
    }
}
