//! What is sent to other computers.

use super::{Effect, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{
    Action, Principal,
    person::{Choice, Question},
};

/// Send something to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    host: String,
}

impl Connect {
    /// To a host: its name or address.
    pub fn to(host: &str) -> Self {
        Self { host: host.to_lowercase() }
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// True for a host on this very computer (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3).
pub fn is_here(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl sealed::Sealed for Connect {}
impl Effect for Connect {
    fn actions(&self) -> Vec<Action> {
        vec![Action::Connect { host: self.host.clone(), local: is_here(&self.host) }]
    }

    fn question(&self) -> Option<Question> {
        Some(for_how_long(format!("The agent wants to send something to {}. Let it?", self.host)))
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

/// The choice of a question that grants for the task.
pub const THIS_TASK: &str = "task";
/// The choice of a question that grants until it is revoked.
pub const ALWAYS: &str = "always";

/// A question that is answered for the task, for good, or not at all.
fn for_how_long(text: String) -> Question {
    let choice = |id: &str, label: &str, hint: &str| Choice { id: id.into(), label: label.into(), hint: hint.into() };
    let choices = vec![
        choice(THIS_TASK, "For this task", ""),
        choice(ALWAYS, "Always", "until you take it back with `deskhand revoke`"),
    ];
    Question::Choose { origin: Principal::Person, text, choices }
}
