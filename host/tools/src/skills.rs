//! `use_skill`: what plugins know of how work is done. Skills are listed by name and description; one is opened when the
//! work calls for it, and its references are read on demand.

use crate::{answers, arguments, calling::Calling, described::Described, plugins::PluginTools};
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_permissions::effect::UseSkill;
use deskhand_runtime::{Guidance, Plugins};
use deskhand_vocabulary::{
    PluginId, PluginName, Stop,
    text::{safe, shortened},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The name of the tool that opens skills.
pub const USE: &str = "use_skill";

/// The most skills that a model is told of, and the most characters of what each says of itself.
const LISTED: usize = 40;
const DESCRIPTION: usize = 300;

/// A skill of a plugin.
#[derive(Debug)]
struct Entry {
    /// What the model calls it: its name, or `plugin/name` where two have the same.
    name: String,
    plugin: PluginId,
    skill: PluginName,
    description: String,
    input: Option<Value>,
}

impl Entry {
    fn effect(&self) -> UseSkill {
        UseSkill { plugin: self.plugin.clone(), skill: self.skill.to_string() }
    }
}

/// See the module.
pub struct Skills {
    calling: Calling,
    tools: PluginTools,
    entries: Vec<Entry>,
}

impl std::fmt::Debug for Skills {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skills").field("entries", &self.entries).finish_non_exhaustive()
    }
}

fn entries(plugins: &Plugins) -> Vec<Entry> {
    let mut entries = Vec::new();
    for installed in plugins.iter() {
        let Some(skill) = installed.release.listing().ok().and_then(|listing| listing.skill.as_ref()) else {
            continue;
        };
        let input = installed.release.manifest().ok().and_then(|manifest| manifest.skill.as_ref()?.input.clone());
        entries.push(Entry {
            name: skill.name.to_string(),
            plugin: installed.id.clone(),
            skill: skill.name.clone(),
            description: shortened(&safe(&skill.description, false), DESCRIPTION),
            input,
        });
    }
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    for entry in &mut entries {
        if names.iter().filter(|name| **name == entry.name).count() > 1 {
            entry.name = format!("{}/{}", entry.plugin, entry.skill);
        }
    }
    entries
}

impl Skills {
    /// The skills of all plugins that can be called. A skill names the tools that it asks for as plugins do; `tools` knows
    /// what the model calls them.
    pub fn new(calling: Calling, tools: PluginTools) -> Self {
        let entries = entries(&calling.plugins);
        Self { calling, tools, entries }
    }

    /// The skills of these plugins.
    pub fn described(plugins: &Plugins) -> Vec<Described> {
        let one = |entry: Entry| Described { name: entry.name, summary: entry.description, takes: entry.input };
        entries(plugins).into_iter().map(one).collect()
    }

    fn open(&self, entry: &Entry, arguments: &Arguments, left: Limits, stop: &Stop) -> Output {
        let empty = json!({});
        let input = arguments.input.as_ref().unwrap_or(&empty);
        if let Some(schema) = &entry.input
            && let Err(wrong) = arguments::fit(schema, input)
        {
            return Output::not_done(Outcome::Failed, format!("the input of the skill does not fit. {wrong}"));
        }
        let task = arguments.task.as_deref().unwrap_or_default();
        self.calling.call(entry.effect(), left, stop, |runtime, invocation, permit| {
            match runtime.open_skill(invocation, permit, task, input) {
                Ok(guidance) => Output::done(self.shown(entry, guidance)),
                Err(error) => answers::of_error(&error, false),
            }
        })
    }

    fn read(&self, entry: &Entry, path: &str, left: Limits, stop: &Stop) -> Output {
        self.calling.call(entry.effect(), left, stop, |runtime, invocation, permit| {
            match runtime.read_skill(invocation, permit, path) {
                Ok(content) => Output::of(answers::parts(&entry.plugin, vec![content])),
                Err(error) => answers::of_error(&error, false),
            }
        })
    }

    /// A skill as the model reads it.
    fn shown(&self, entry: &Entry, guidance: Guidance) -> String {
        let mut text = format!(
            "[the skill {} of {}, which the person installed: how such work is done. It grants nothing]\n",
            entry.name, entry.plugin
        );
        text.push_str(&guidance.instructions);
        if !guidance.references.is_empty() {
            let references: Vec<String> = guidance.references.iter().map(|path| safe(path, false)).collect();
            text.push_str(&format!("\n\n[references, to be read when they are needed: {}]", references.join(", ")));
        }
        for asked in &guidance.tools {
            let asked = shortened(&safe(asked, false), 100);
            let called = self.tools.names_of(&asked);
            let called =
                if called.is_empty() { "as it is called here, or not there".to_owned() } else { called.join(", ") };
            text.push_str(&format!("\n[the tool {asked} of its text: {called}]"));
        }
        text
    }
}

/// What the tool takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    skill: String,
    /// What you are about to do.
    task: Option<String>,
    /// One of its references, to be read.
    reference: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "object")]
    input: Option<Value>,
}

fn object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "description": "What it takes, if it says so." })
}

impl Tools for Skills {
    fn tools(&self) -> Vec<Tool> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let mut description = String::from(
            "Open a skill: how a kind of work is done well. Open the one that fits before you begin. There are:",
        );
        for entry in self.entries.iter().take(LISTED) {
            description.push_str(&format!("\n- {}: {}", entry.name, entry.description));
        }
        if let Some(more) = self.entries.len().checked_sub(LISTED).filter(|more| *more > 0) {
            description.push_str(&format!("\n- {more} more, which are not told here"));
        }
        vec![Tool::new(USE, &description, arguments::schema::<Arguments>(), Effect::Read)]
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let arguments = match arguments::read::<Arguments>(&call.arguments) {
            Ok(arguments) => arguments,
            Err(reason) => return Output::not_done(Outcome::Failed, reason),
        };
        let Some(entry) = self.entries.iter().find(|entry| entry.name == arguments.skill) else {
            let names: Vec<&str> = self.entries.iter().map(|entry| entry.name.as_str()).collect();
            let asked = shortened(&arguments.skill, 100);
            let reason = format!("there is no skill `{asked}`. There are: {}", names.join(", "));
            return Output::not_done(Outcome::Failed, reason);
        };
        match &arguments.reference {
            Some(path) => self.read(entry, path, call.left, stop),
            None => self.open(entry, &arguments, call.left, stop),
        }
    }
}
