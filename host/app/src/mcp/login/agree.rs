//! The hosts that a login goes to. The one of the server is what the person asked for; any other is the server's idea, so it is
//! shown to them by its name before anything is sent there or opened.

use crate::{outgoing::Agreement, show::line};
use deskhand_egress::{Judgement, Reach};
use deskhand_vocabulary::{Answer, Person, Principal, Question, ServerName, Unanswered, host::is_here};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// See the module.
pub(super) struct Agreeing {
    server: ServerName,
    own: String,
    person: Arc<dyn Person>,
    agreed: Mutex<BTreeMap<String, Reach>>,
}

impl Agreeing {
    /// For the server at the host `own`. The hosts that the person named themselves may be nearby, as they know them.
    pub(super) fn new(server: ServerName, own: String, named: &[String], person: Arc<dyn Person>) -> Self {
        let agreed = named.iter().chain([&own]).map(|host| (host.to_lowercase(), Reach::Local)).collect();
        Self { server, own, person, agreed: Mutex::new(agreed) }
    }

    /// All that they agreed to.
    pub(super) fn agreed(&self) -> BTreeMap<String, Reach> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask(&self, host: &str) -> Judgement {
        let text = format!(
            "The MCP server `{}` is at {}, and has you log in at {}, which is somewhere else. Go on there?",
            self.server,
            line(&self.own),
            line(host)
        );
        match self.person.ask(&Question::Confirm { origin: Principal::Person, text }) {
            Ok(Answer::Yes) => {
                // where a server sends on to is on the internet, unless all of it is on this computer
                let reach = if is_here(&self.own) && is_here(host) { Reach::Local } else { Reach::Public };
                Judgement::Allowed(reach)
            }
            Ok(_) => Judgement::Refused { reason: "you said no".to_owned() },
            Err(Unanswered::Absent) => Judgement::Waits {
                reason: format!(
                    "the MCP server `{}` has you log in there, which is somewhere else, and nobody is here to agree to that. If you know it, say so with: deskhand mcp login {} --at {}",
                    self.server,
                    self.server,
                    line(host)
                ),
            },
            Err(why @ Unanswered::Stopped) => Judgement::Refused { reason: why.to_string() },
        }
    }
}

impl Agreement for Agreeing {
    fn to(&self, host: &str) -> Judgement {
        // held while the person is asked, so that they are asked once
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reach) = agreed.get(host) {
            return Judgement::Allowed(*reach);
        }
        let judgement = self.ask(host);
        if let Judgement::Allowed(reach) = &judgement {
            agreed.insert(host.to_owned(), *reach);
        }
        judgement
    }
}
