//! `run_command`: the slash commands of installed plugins, for a model. A command shows the person its own plan.

use crate::{
    answers,
    arguments::{self, fit},
    calling::Calling,
    described::Described,
};
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_permissions::effect::RunCommand;
use deskhand_runtime::Plugins;
use deskhand_vocabulary::{
    PluginId, PluginName, Stop,
    manifest::PermissionKind,
    text::{safe, shortened},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc};

/// The name of the tool that runs commands.
pub const RUN: &str = "run_command";
/// The most commands that a model is told of, and the most characters of what each says of itself.
const LISTED: usize = 20;
const SUMMARY: usize = 200;

/// A command of a plugin.
#[derive(Debug)]
struct Entry {
    /// What the model calls it: its name, or `plugin/name` where two have the same.
    name: String,
    plugin: PluginId,
    command: PluginName,
    summary: String,
    schema: Value,
    /// Whether its plugin may remove files.
    may_remove: bool,
}

/// What the model is told where a command would have to stand for removals that it may not make.
const REMOVALS: &str = "Removals are pending, and this command's plugin may make none: what it proposes is decided together with all \
    that is pending. Do its work with your own tools, or end here and say that it can be run once the removals are decided.";

/// See the module.
pub struct Commands {
    calling: Calling,
    entries: Arc<[Entry]>,
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commands").field("entries", &self.entries).finish_non_exhaustive()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: String,
    /// What it takes.
    #[serde(default)]
    arguments: Value,
}

fn entries(plugins: &Plugins) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for installed in plugins.iter() {
        if installed.release.listing().map_or(true, |listing| listing.commands.is_empty()) {
            continue;
        }
        let Ok(manifest) = installed.release.manifest() else { continue };
        entries.extend(manifest.commands.iter().map(|command| Entry {
            name: command.name.to_string(),
            plugin: installed.id.clone(),
            command: command.name.clone(),
            summary: shortened(&safe(&command.summary, false), SUMMARY),
            schema: command.arguments.clone(),
            may_remove: manifest.permissions.iter().any(|right| right.kind == PermissionKind::FilesRemove),
        }));
    }
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    for entry in &mut entries {
        if names.iter().filter(|name| **name == entry.name).count() > 1 {
            entry.name = format!("{}/{}", entry.plugin, entry.command);
        }
    }
    entries
}

fn tool(entries: &[Entry]) -> Option<Tool> {
    if entries.is_empty() {
        return None;
    }
    let mut description =
        "Run a command of an installed plugin on the folders of the task. It shows the person what it \
        would change and asks them itself. There are:"
            .to_owned();
    for entry in entries.iter().take(LISTED) {
        let _ = write!(description, "\n- {}: {}", entry.name, entry.summary);
    }
    Some(Tool::new(RUN, &description, arguments::schema::<Arguments>(), Effect::Change))
}

impl Commands {
    /// The commands of all plugins that can be called.
    pub fn new(calling: Calling) -> Self {
        let entries = entries(&calling.plugins).into();
        Self { calling, entries }
    }

    /// The same commands, called in another way.
    #[must_use]
    pub fn with(&self, calling: Calling) -> Self {
        Self { calling, entries: Arc::clone(&self.entries) }
    }

    /// The tool that runs the commands of these plugins; none where there are none.
    pub fn listed(plugins: &Plugins) -> Option<Tool> {
        tool(&entries(plugins))
    }

    /// The commands of these plugins.
    pub fn described(plugins: &Plugins) -> Vec<Described> {
        let one = |entry: Entry| Described { name: entry.name, summary: entry.summary, takes: Some(entry.schema) };
        entries(plugins).into_iter().map(one).collect()
    }

    fn run(&self, entry: &Entry, arguments: &Value, left: Limits, stop: &Stop) -> Output {
        let empty = json!({});
        let arguments = if arguments.is_null() { &empty } else { arguments };
        if let Err(wrong) = fit(&entry.schema, arguments) {
            return Output::not_done(Outcome::Failed, format!("{wrong}. Its arguments: {}", entry.schema));
        }
        if !entry.may_remove && self.calling.removes() {
            return Output::not_done(Outcome::Failed, REMOVALS);
        }
        let effect = RunCommand { plugin: entry.plugin.clone(), command: entry.command.to_string() };
        self.calling.call(effect, left, stop, |runtime, invocation, permit| {
            match runtime.call_command(invocation, permit, arguments) {
                Ok(reply) => Output::of(answers::parts(&entry.plugin, reply.show)),
                Err(error) => answers::of_error(&error, false),
            }
        })
    }
}

impl Tools for Commands {
    fn tools(&self) -> Vec<Tool> {
        tool(&self.entries).into_iter().collect()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let given = match arguments::read::<Arguments>(&call.arguments) {
            Ok(given) => given,
            Err(wrong) => return Output::not_done(Outcome::Failed, wrong),
        };
        let wanted = given.command.trim_start_matches('/');
        match self.entries.iter().find(|entry| entry.name == wanted) {
            Some(entry) => self.run(entry, &given.arguments, call.left, stop),
            None => {
                let names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
                let wanted = shortened(wanted, 100);
                Output::not_done(
                    Outcome::Failed,
                    format!("there is no command `{wanted}`. There are: {}", names.join(", ")),
                )
            }
        }
    }
}
