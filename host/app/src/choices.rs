//! What the person chose once and is not asked again: which plugin a command's name means where several have it.

use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
};
use deskhand_vocabulary::{Answer, PluginId, Principal, Question, person::Choice};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

#[derive(Default, Serialize, Deserialize)]
struct Choices {
    /// A command's name → the plugin that is meant.
    commands: BTreeMap<String, PluginId>,
}

impl Desk {
    fn choices_file(&self) -> PathBuf {
        self.home.data.join("choices.json")
    }

    /// What was chosen before. A file that cannot be read counts as no choice: the person is asked again.
    fn choices(&self) -> Choices {
        deskhand_files::read(&self.choices_file(), deskhand_files::Origin::Own, deskhand_files::MOST)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// The plugin that a command's name means, if the person chose one.
    pub(crate) fn preferred(&self, command: &str) -> Option<PluginId> {
        self.choices().commands.remove(command)
    }

    /// Ask which plugin a command's name means, and remember the answer.
    pub(crate) fn prefer(&self, command: &str, plugins: &[PluginId]) -> Result<PluginId> {
        let choices = plugins
            .iter()
            .map(|plugin| Choice { id: plugin.to_string(), label: plugin.to_string(), hint: String::new() })
            .collect();
        let text = format!("Several plugins have a command /{command}. Which one is meant from now on?");
        let question = Question::Choose { origin: Principal::Person, text, choices };
        let typed = plugins.iter().map(|plugin| format!("/{plugin}:{command}")).collect::<Vec<_>>().join(" or ");
        let chosen = match self.person.ask(&question) {
            Ok(Answer::Chosen(id)) => plugins.iter().find(|plugin| plugin.to_string() == id).cloned(),
            _ => None,
        };
        let chosen = chosen.ok_or_else(|| {
            Failure::new(
                Exit::Unanswered,
                format!("Several plugins have a command /{command}. Type which one: {typed}"),
            )
        })?;
        let mut choices = self.choices();
        choices.commands.insert(command.to_owned(), chosen.clone());
        self.keep(&choices).map_err(|error| {
            Failure::failed(format!("your choice could not be kept in {}: {error}", self.choices_file().display()))
        })?;
        Ok(chosen)
    }

    fn keep(&self, choices: &Choices) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.home.data)?;
        file.write_all(&serde_json::to_vec_pretty(choices)?)?;
        file.as_file().sync_all()?;
        file.persist(self.choices_file())?;
        Ok(())
    }
}
