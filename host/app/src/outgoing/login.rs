//! Whether something of a login may go to a host. A login is the person's own: what they agreed to for it goes out in their
//! name, also while a task is at work, and nothing else does.

use deskhand_egress::{Ask, Judge, Judged, Judgement};
use deskhand_permissions::{Context, Gate, effect::Connect};
use deskhand_vocabulary::host::is_here;
use std::sync::Arc;

/// What the person agreed to. May ask them, and take its time.
pub(crate) trait Agreement: Send + Sync {
    /// Whether something may go to this host at this port, and how far it may lead.
    fn to(&self, host: &str, port: u16) -> Judgement;
}

/// What a host is agreed to as: its name, and on this computer the port as well, since at each is another program.
pub(crate) fn site(host: &str, port: u16) -> String {
    match is_here(host) {
        true if host.contains(':') => format!("[{host}]:{port}"),
        true => format!("{host}:{port}"),
        false => host.to_owned(),
    }
}

/// See the module.
pub(super) struct AtLogin {
    pub(super) gate: Arc<Gate>,
    pub(super) context: Context,
    pub(super) agreement: Arc<dyn Agreement>,
}

impl AtLogin {
    fn decide(gate: &Gate, context: &Context, agreement: &dyn Agreement, host: &str, port: u16) -> Judgement {
        match agreement.to(host, port) {
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
        let (agreement, host, port) = (Arc::clone(&self.agreement), ask.host.clone(), ask.port);
        Box::pin(async move {
            let decide = move || Self::decide(&gate, &context, &*agreement, &host, port);
            let decided = tokio::task::spawn_blocking(decide).await;
            decided.unwrap_or_else(|error| Judgement::Refused { reason: format!("it could not be decided: {error}") })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::site;

    #[test]
    fn on_this_computer_a_port_is_a_program() {
        assert_eq!(site("localhost", 9944), "localhost:9944");
        assert_eq!(site("127.0.0.1", 80), "127.0.0.1:80");
        assert_eq!(site("::1", 9944), "[::1]:9944");
        assert_eq!(site("auth.example.com", 8443), "auth.example.com");
        assert_eq!(site("10.1.2.3", 443), "10.1.2.3");
    }
}
