//! What is sent to other computers.

use super::{Effect, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{
    Action, Principal,
    host::is_here,
    person::{Choice, Question},
};

/// Send something to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    host: String,
    who: Principal,
}

impl Connect {
    /// To a host, for the agent: its name or address.
    pub fn to(host: &str) -> Self {
        Self { host: host.to_lowercase(), who: Principal::Agent }
    }

    /// To a host, for whoever it is.
    pub fn by(who: &Principal, host: &str) -> Self {
        Self { host: host.to_lowercase(), who: who.clone() }
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl sealed::Sealed for Connect {}
impl Effect for Connect {
    fn actions(&self) -> Vec<Action> {
        vec![Action::Connect { host: self.host.clone(), local: is_here(&self.host) }]
    }

    fn question(&self) -> Option<Question> {
        let who = match &self.who {
            Principal::Plugin(plugin) => plugin.to_string(),
            Principal::Client(name) => format!("The client {name}"),
            Principal::Server(name) => format!("The MCP server {name}"),
            Principal::Agent | Principal::Person => "The agent".to_owned(),
        };
        Some(for_how_long(format!("{who} wants to send something to {}. Let it?", self.host)))
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Host { host: self.host.clone() })
    }
}

/// Send what a task works on to a model, which reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendToModel {
    host: String,
}

impl SendToModel {
    /// To the model at a host: its name or address.
    pub fn at(host: &str) -> Self {
        Self { host: host.to_lowercase() }
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl sealed::Sealed for SendToModel {}
impl Effect for SendToModel {
    fn actions(&self) -> Vec<Action> {
        vec![Action::SendToModel { host: self.host.clone(), local: is_here(&self.host) }]
    }

    fn question(&self) -> Option<Question> {
        Some(for_how_long(format!(
            "The model is at {}. What you ask and what the task reads goes there: names and contents of files. Agree?",
            self.host
        )))
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Model { host: self.host.clone() })
    }
}

/// The choice of a question that agrees to this one time and grants nothing.
pub const ONCE: &str = "once";
/// The choice of a question that grants for the task.
pub const THIS_TASK: &str = "task";
/// The choice of a question that grants until it is revoked.
pub const ALWAYS: &str = "always";

/// A question that is answered for the task, for good, or not at all.
pub(super) fn for_how_long(text: String) -> Question {
    let choice = |id: &str, label: &str, hint: &str| Choice { id: id.into(), label: label.into(), hint: hint.into() };
    let choices = vec![
        choice(THIS_TASK, "For this task", ""),
        choice(ALWAYS, "Always", "until you take it back with `deskhand revoke`"),
    ];
    Question::Choose { origin: Principal::Person, text, choices }
}
