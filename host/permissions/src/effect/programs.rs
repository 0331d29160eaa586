//! Commands, code and programs, in a place that is shut off from all else.

use super::{Effect, host::for_how_long, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{Action, PluginId, Principal, person::Question};

/// The plugin, where it is one that wants something run.
fn plugin(who: &Principal) -> Option<&PluginId> {
    match who {
        Principal::Plugin(plugin) => Some(plugin),
        Principal::Person | Principal::Agent | Principal::Client(_) | Principal::Server(_) => None,
    }
}

fn question(who: &Principal, place: &str) -> Option<Question> {
    let plugin = plugin(who)?;
    let text = format!(
        "{plugin} wants to run programs in {place} of its own. They see the folders of the task as the plugin may, reach the \
         hosts that it may, and what they write you see before it is made. Let it?"
    );
    Some(for_how_long(text))
}

fn scope(who: &Principal) -> Option<Scope> {
    plugin(who).map(|plugin| Scope::Programs { plugin: plugin.clone() })
}

/// Run commands and code in a sandbox of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInSandbox {
    who: Principal,
}

impl RunInSandbox {
    /// For whoever it is.
    pub fn by(who: &Principal) -> Self {
        Self { who: who.clone() }
    }
}

impl sealed::Sealed for RunInSandbox {}
impl Effect for RunInSandbox {
    fn actions(&self) -> Vec<Action> {
        vec![Action::RunInSandbox]
    }

    fn question(&self) -> Option<Question> {
        question(&self.who, "a sandbox")
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        scope(&self.who)
    }
}

/// Run commands and code in a virtual machine of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInGuest {
    who: Principal,
}

impl RunInGuest {
    /// For whoever it is.
    pub fn by(who: &Principal) -> Self {
        Self { who: who.clone() }
    }
}

impl sealed::Sealed for RunInGuest {}
impl Effect for RunInGuest {
    fn actions(&self) -> Vec<Action> {
        vec![Action::RunInGuest]
    }

    fn question(&self) -> Option<Question> {
        question(&self.who, "a virtual machine")
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        scope(&self.who)
    }
}
