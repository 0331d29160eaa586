//! What plugins do for the agent, and what they are lent for it.

use super::{Effect, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{Action, PluginId, Principal, person::Question};

/// Ask a plugin for the tools that depend on its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTools {
    /// Whose.
    pub plugin: PluginId,
}

impl sealed::Sealed for ListTools {}
impl Effect for ListTools {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ListTools { plugin: self.plugin.clone() }]
    }
}

/// Take up a plugin's skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseSkill {
    /// Whose.
    pub plugin: PluginId,
    /// Which.
    pub skill: String,
}

impl sealed::Sealed for UseSkill {}
impl Effect for UseSkill {
    fn actions(&self) -> Vec<Action> {
        vec![Action::UseSkill { plugin: self.plugin.clone(), skill: self.skill.clone() }]
    }
}

/// Have a plugin turn a document into text. The document itself was judged when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtractText {
    /// Whose extractor.
    pub plugin: PluginId,
}

impl sealed::Sealed for ExtractText {}
impl Effect for ExtractText {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ExtractText { plugin: self.plugin.clone() }]
    }
}

/// Give work to a plugin's sub-agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartAgent {
    /// Whose.
    pub plugin: PluginId,
    /// Which.
    pub agent: String,
}

impl sealed::Sealed for StartAgent {}
impl Effect for StartAgent {
    fn actions(&self) -> Vec<Action> {
        vec![Action::StartAgent { plugin: self.plugin.clone(), agent: self.agent.clone() }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!("Let a plugin of another marketplace give work to {} of {}?", self.agent, self.plugin);
        Some(Question::Confirm { origin: Principal::Person, text })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Agent { plugin: self.plugin.clone(), agent: self.agent.clone() })
    }
}

/// Send a credential to a host, with a request of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseCredential {
    /// Which of the plugin's.
    pub credential: String,
    /// Where to, in lower case.
    pub host: String,
}

impl sealed::Sealed for UseCredential {}
impl Effect for UseCredential {
    fn actions(&self) -> Vec<Action> {
        vec![Action::UseCredential { credential: self.credential.clone(), host: self.host.clone() }]
    }
}

/// Have the model of the task work for a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseModel;

impl sealed::Sealed for UseModel {}
impl Effect for UseModel {
    fn actions(&self) -> Vec<Action> {
        vec![Action::UseModel]
    }
}
