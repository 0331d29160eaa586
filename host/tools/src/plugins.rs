//! The tools of installed plugins, as a model calls them. They are listed from manifests alone; no plugin runs before one
//! of its tools is called. Where there are many, they are looked up by what they do instead of being listed.

use crate::{answers, arguments, names};
use deskhand_agent::tool::{Call, Effect, Outcome, Output, Tool, Tools};
use deskhand_permissions::{Context, effect::CallTool};
use deskhand_runtime::{IndexError, Invocation, Runtime};
use deskhand_vocabulary::{
    PluginId, PluginName, Stop,
    manifest::{self, Permission, PermissionKind},
    text::{safe, shortened},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most tools of plugins that a model is told of in every request, and the most that may take there, in bytes.
const LISTED: usize = 40;
const LISTED_BYTES: usize = 8 << 10;
/// The most of a description, in characters.
const DESCRIPTION: usize = 1024;
/// The most tools that one look-up finds.
const FOUND: usize = 10;

const FIND: &str = "find_tools";
const CALL: &str = "call_tool";

/// A tool of a plugin.
#[derive(Debug)]
struct Entry {
    /// What the model calls it.
    name: String,
    plugin: PluginId,
    tool: PluginName,
    title: String,
    description: String,
    schema: Value,
    effect: Effect,
    /// Whether it may have effects that no change set holds back.
    lasting: bool,
}

/// See the module.
pub struct PluginTools {
    runtime: Runtime,
    invocation: Invocation,
    entries: Vec<Entry>,
    listed: bool,
}

impl std::fmt::Debug for PluginTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginTools").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl PluginTools {
    /// The tools of all plugins that are installed now, for the task of this invocation. What is installed later is not in
    /// it: the model is told of the same tools during a whole task.
    ///
    /// # Errors
    /// The list of what is installed cannot be read.
    pub fn new(runtime: Runtime, invocation: Invocation) -> Result<Self, IndexError> {
        let plugins = runtime.plugins()?;
        let mut found = Vec::new();
        for installed in plugins.iter() {
            let Ok(listing) = installed.release.listing() else { continue };
            if listing.tools.is_empty() {
                continue;
            }
            let Ok(manifest) = installed.release.manifest() else { continue };
            found.extend(manifest.tools.iter().map(|tool| (installed.id.clone(), tool, &manifest.permissions)));
        }
        let names = names::on_the_wire(found.iter().map(|(plugin, tool, _)| (plugin, tool.name.as_str())));
        let entries: Vec<Entry> = found
            .into_iter()
            .zip(names)
            .map(|((plugin, tool, rights), name)| entry(name, plugin, tool, rights))
            .collect();
        let bytes: usize =
            entries.iter().map(|entry| told(entry).told.schema.to_string().len() + entry.description.len()).sum();
        let listed = entries.len() <= LISTED && bytes <= LISTED_BYTES;
        Ok(Self { runtime, invocation, entries, listed })
    }

    /// What the model calls the tools that somebody names `tool`, `plugin/tool` or as the model does itself.
    pub fn names_of(&self, asked: &str) -> Vec<&str> {
        let (plugin, tool) = match asked.split_once('/') {
            Some((plugin, tool)) => (Some(plugin), tool),
            None => (None, asked),
        };
        let fits = |entry: &&Entry| {
            let of =
                plugin.is_none_or(|plugin| entry.plugin.name.as_str() == plugin || entry.plugin.to_string() == plugin);
            entry.name == asked || (of && entry.tool.as_str() == tool)
        };
        self.entries.iter().filter(fits).map(|entry| entry.name.as_str()).collect()
    }

    fn find(&self, query: &str) -> Output {
        let words: Vec<String> = query.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
        let score = |entry: &Entry| {
            let name = format!("{} {}", entry.name, entry.title).to_lowercase();
            let text = entry.description.to_lowercase();
            words
                .iter()
                .map(|word| usize::from(name.contains(word)) * 3 + usize::from(text.contains(word)))
                .sum::<usize>()
        };
        let mut fit: Vec<(usize, &Entry)> = self.entries.iter().map(|entry| (score(entry), entry)).collect();
        fit.retain(|(score, _)| *score > 0 || words.is_empty());
        // the best first; those that fit as well in the order of their names
        fit.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
        let found: Vec<Value> = fit.iter().take(FOUND).map(|(_, entry)| described(entry)).collect();
        if found.is_empty() {
            let count = self.entries.len();
            return Output::done(format!("none of {count} tools fits `{}`. Try other words", shortened(query, 100)));
        }
        Output::done(json!({ "tools": found, "fit": fit.len() }).to_string())
    }

    fn call_one(&self, entry: &Entry, arguments: &Value, stop: &Stop) -> Output {
        let empty = json!({});
        let arguments = if arguments.is_null() { &empty } else { arguments };
        if let Err(wrong) = fit(&entry.schema, arguments) {
            return Output::not_done(Outcome::Failed, wrong);
        }
        let invocation = Invocation { stop: stop.clone(), ..self.invocation.clone() };
        let context = Context::agent(invocation.task, invocation.standing);
        let effect = CallTool { plugin: entry.plugin.clone(), tool: entry.tool.to_string() };
        let permit = match invocation.gate.permit(&context, effect) {
            Ok(permit) => permit,
            Err(refused) => return answers::of_gate(&refused),
        };
        match self.runtime.call_tool(invocation, permit, arguments) {
            Ok(output) => answers::output(&entry.plugin, output),
            Err(error) => answers::of_error(&error, entry.lasting),
        }
    }
}

fn entry(name: String, plugin: PluginId, tool: &manifest::Tool, rights: &[Permission]) -> Entry {
    let has = |kinds: &[PermissionKind]| rights.iter().any(|right| kinds.contains(&right.kind));
    // what a tool says of itself is believed only where the rights of its plugin leave it little else
    let alone = has(&[
        PermissionKind::FilesChange,
        PermissionKind::FilesRemove,
        PermissionKind::PersonAsk,
        PermissionKind::ToolsCall,
        PermissionKind::ModelUse,
    ]);
    let mut schema = tool.input.clone();
    arguments::short(&mut schema, true);
    Entry {
        name,
        title: tool.title.clone(),
        description: shortened(&safe(&tool.description, true), DESCRIPTION),
        schema,
        effect: if tool.read_only && !alone { Effect::Read } else { Effect::Change },
        lasting: !tool.read_only && has(&[PermissionKind::HostsConnect, PermissionKind::ToolsCall]),
        plugin,
        tool: tool.name.clone(),
    }
}

fn told(entry: &Entry) -> Tool {
    Tool::new(&entry.name, &entry.description, arguments::told(entry.schema.clone()), entry.effect)
}

fn described(entry: &Entry) -> Value {
    json!({ "tool": entry.name, "description": entry.description, "arguments": entry.schema })
}

/// Whether arguments fit a schema (2020-12), or what does not, for the model.
pub(crate) fn fit(schema: &Value, arguments: &Value) -> Result<(), String> {
    let compiled = jsonschema::draft202012::options()
        .build(schema)
        .map_err(|_| "the tool says of its arguments what is no schema; tell the person".to_owned())?;
    let wrong: Vec<String> = compiled
        .iter_errors(arguments)
        .take(5)
        .map(|error| {
            let at = error.instance_path().to_string();
            let what = shortened(&error.to_string(), 300);
            if at.is_empty() { what } else { format!("{at}: {what}") }
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("the arguments do not fit: {}. Call it again with arguments that do", wrong.join("; ")))
}

/// See [`FIND`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindArguments {
    /// Words of what the tool should do.
    query: String,
}

/// See [`CALL`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallArguments {
    /// A name that find_tools gave.
    tool: String,
    /// What it takes.
    #[schemars(schema_with = "object")]
    arguments: Value,
}

fn object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "description": "What it takes." })
}

impl Tools for PluginTools {
    fn tools(&self) -> Vec<Tool> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        if self.listed {
            self.entries.iter().map(told).collect()
        } else {
            let find = format!(
                "Find tools of the {} that installed plugins have, by what they do. Returns names, descriptions and schemas.",
                self.entries.len()
            );
            let call = "Call a tool that find_tools found, with arguments that fit its schema.";
            vec![
                Tool::new(FIND, &find, arguments::schema::<FindArguments>(), Effect::Read),
                Tool::new(CALL, call, arguments::schema::<CallArguments>(), Effect::Change),
            ]
        }
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let named = |name: &str| self.entries.iter().find(|entry| entry.name == name);
        let unknown = |name: &str| {
            let name = shortened(name, 100);
            Output::not_done(
                Outcome::Failed,
                format!("there is no tool `{name}`; find_tools finds those that there are"),
            )
        };
        let wrong = |reason: String| Output::not_done(Outcome::Failed, reason);
        match call.tool.as_str() {
            FIND if !self.listed => match arguments::read::<FindArguments>(&call.arguments) {
                Ok(FindArguments { query }) => self.find(&query),
                Err(reason) => wrong(reason),
            },
            CALL if !self.listed => match arguments::read::<CallArguments>(&call.arguments) {
                Ok(CallArguments { tool, arguments }) => match named(&tool) {
                    Some(entry) => self.call_one(entry, &arguments, stop),
                    None => unknown(&tool),
                },
                Err(reason) => wrong(reason),
            },
            name => match named(name) {
                Some(entry) => self.call_one(entry, &call.arguments, stop),
                None => unknown(name),
            },
        }
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == call.tool) else { return Ok(()) };
        if output.outcome != Outcome::Done || entry.effect != Effect::Change {
            return Ok(());
        }
        if entry.lasting {
            return Err("it may act beyond the files of the task, so it is not called again by itself".to_owned());
        }
        let again = self.call_one(entry, &call.arguments, stop);
        if again.outcome == Outcome::Done { Ok(()) } else { Err(again.text()) }
    }
}
