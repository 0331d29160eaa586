//! The tools of installed plugins, as a model calls them. They are listed from manifests alone; no plugin runs before one
//! of its tools is called, or looked for where they depend on an account. Where there are many, they are looked up by what
//! they do instead of being listed.

mod catalogs;
mod entry;

use crate::{answers, arguments, calling::Calling, names};
use catalogs::Catalogs;
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_permissions::effect::CallTool;
use deskhand_runtime::Plugins;
use deskhand_vocabulary::{Stop, text::shortened};
use entry::{Entry, Said};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The most tools of plugins that a model is told of in every request, and the most that may take there, in bytes.
const LISTED: usize = 40;
const LISTED_BYTES: usize = 8 << 10;
/// The most tools that one look-up finds.
const FOUND: usize = 10;

const FIND: &str = "find_tools";
const CALL: &str = "call_tool";

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PluginTools {
    calling: Calling,
    there: Arc<There>,
}

/// What there is.
#[derive(Debug)]
struct There {
    /// The tools of manifests.
    entries: Vec<Entry>,
    /// Whether a model is told of them with every request.
    listed: bool,
    catalogs: Catalogs,
}

impl There {
    /// Of these plugins. Each tool is listed if `all` are to be, else where there are few.
    fn of(plugins: &Plugins, all: bool) -> Self {
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
        let named = names.into_iter().zip(found);
        let entries: Vec<Entry> = named
            .map(|(name, (plugin, tool, rights))| Entry::new(name, plugin, Said::in_manifest(tool), rights))
            .collect();
        let bytes: usize = entries.iter().map(|entry| entry.schema.to_string().len() + entry.description.len()).sum();
        let listed = all || entries.len() <= LISTED && bytes <= LISTED_BYTES;
        Self { entries, listed, catalogs: Catalogs::of(plugins) }
    }

    /// What a model is told of with every request.
    fn tools(&self) -> Vec<Tool> {
        let Self { entries, listed, catalogs } = self;
        let mut tools: Vec<Tool> = entries.iter().filter(|_| *listed).map(Entry::told).collect();
        if self.is_looked_up() {
            let many = match (entries.iter().filter(|_| !listed).count(), catalogs.is_empty()) {
                (count, true) => format!("of the {count} that installed plugins have"),
                (0, false) => "that installed connectors have for the person's accounts".to_owned(),
                (count, false) => format!("of the {count} that installed plugins have, and of the person's accounts"),
            };
            let find = format!("Find tools {many}, by what they do. Returns names, descriptions and schemas.");
            let call = "Call a tool that find_tools found, with arguments that fit its schema.";
            tools.push(Tool::new(FIND, &find, arguments::schema::<FindArguments>(), Effect::Read));
            tools.push(Tool::new(CALL, call, arguments::schema::<CallArguments>(), Effect::Change));
        }
        tools
    }

    /// Whether there are tools that are looked up.
    fn is_looked_up(&self) -> bool {
        (!self.listed && !self.entries.is_empty()) || !self.catalogs.is_empty()
    }
}

impl PluginTools {
    /// The tools of all plugins that can be called.
    pub fn new(calling: Calling) -> Self {
        let there = Arc::new(There::of(&calling.plugins, false));
        Self { calling, there }
    }

    /// The same, each of them listed however many there are: for somebody who turns pages.
    pub fn every(calling: Calling) -> Self {
        let there = Arc::new(There::of(&calling.plugins, true));
        Self { calling, there }
    }

    /// What [`PluginTools::every`] of these plugins lists.
    pub fn listed(plugins: &Plugins) -> Vec<Tool> {
        There::of(plugins, true).tools()
    }

    /// The same tools, called in another way.
    #[must_use]
    pub fn with(&self, calling: Calling) -> Self {
        Self { calling, there: Arc::clone(&self.there) }
    }

    /// What the model calls the tools that somebody names `tool`, `plugin/tool` or as the model does itself.
    pub fn names_of(&self, asked: &str) -> Vec<&str> {
        self.so_called(asked).map(|entry| entry.name.as_str()).collect()
    }

    /// What a model is told of a tool that a plugin names in this way; none where no tool or several are called so.
    pub fn told(&self, asked: &str) -> Option<Tool> {
        let mut so_called = self.so_called(asked);
        so_called.next().filter(|_| so_called.next().is_none()).map(Entry::told)
    }

    fn so_called(&self, asked: &str) -> impl Iterator<Item = &Entry> {
        let (plugin, tool) = match asked.split_once('/') {
            Some((plugin, tool)) => (Some(plugin), tool),
            None => (None, asked),
        };
        let fits = move |entry: &&Entry| {
            let of =
                plugin.is_none_or(|plugin| entry.plugin.name.as_str() == plugin || entry.plugin.to_string() == plugin);
            entry.name == asked || (of && entry.tool == tool)
        };
        self.there.entries.iter().filter(fits)
    }

    fn find(&self, query: &str, left: Limits, stop: &Stop) -> Output {
        let words: Vec<String> = query.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
        let There { entries, listed, catalogs } = self.there.as_ref();
        let (asked, meter) = catalogs.ask(&self.calling, entries, left, stop);
        let known = asked.tools.iter().map(AsRef::as_ref);
        let all: Vec<&Entry> = entries.iter().filter(|_| !listed).chain(known).collect();
        let mut fit: Vec<(usize, &Entry)> = all.iter().map(|entry| (entry.score(&words), *entry)).collect();
        fit.retain(|(score, _)| *score > 0 || words.is_empty());
        // the best first; those that fit as well in the order of their names
        fit.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
        let found: Vec<Value> = fit.iter().take(FOUND).map(|(_, entry)| entry.described()).collect();
        let mut output = match found.is_empty() {
            true => {
                let count = all.len();
                format!("none of {count} tools fits `{}`. Try other words", shortened(query, 100))
            }
            false => json!({ "tools": found, "fit": fit.len() }).to_string(),
        };
        for silent in asked.silent {
            output.push_str(&format!("\n[not known which tools there are of {silent}]"));
        }
        Output { spent: meter.spent(), ..Output::done(output) }
    }

    fn call_one(&self, entry: &Entry, arguments: &Value, left: Limits, stop: &Stop) -> Output {
        let empty = json!({});
        let arguments = if arguments.is_null() { &empty } else { arguments };
        if let Err(wrong) = entry.fitting.check(&entry.schema, arguments) {
            return Output::not_done(Outcome::Failed, wrong);
        }
        let effect = CallTool { plugin: entry.plugin.clone(), tool: entry.tool.clone() };
        self.calling.call(effect, left, stop, |runtime, invocation, permit| {
            match runtime.call_tool(invocation, permit, arguments) {
                Ok(output) => answers::output(&entry.plugin, output),
                Err(error) => answers::of_error(&error, entry.lasting),
            }
        })
    }

    /// Do something with the tool of this name, or say that there is none.
    fn found<T>(&self, name: &str, work: impl FnOnce(&Entry) -> T) -> Result<T, String> {
        let There { entries, catalogs, .. } = self.there.as_ref();
        if let Some(entry) = entries.iter().find(|entry| entry.name == name) {
            return Ok(work(entry));
        }
        match catalogs.known(name) {
            Some(entry) => Ok(work(&entry)),
            None => Err(format!("there is no tool `{}`; find_tools finds those that there are", shortened(name, 100))),
        }
    }

    /// The tool that a call means, and what it takes.
    fn meant(&self, call: &Call) -> Result<(String, Value), String> {
        if call.tool == CALL && self.there.is_looked_up() {
            let CallArguments { tool, arguments } = arguments::read(&call.arguments)?;
            return Ok((tool, arguments));
        }
        Ok((call.tool.clone(), call.arguments.clone()))
    }
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
        self.there.tools()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let wrong = |reason: String| Output::not_done(Outcome::Failed, reason);
        if call.tool == FIND && self.there.is_looked_up() {
            return match arguments::read::<FindArguments>(&call.arguments) {
                Ok(FindArguments { query }) => self.find(&query, call.left, stop),
                Err(reason) => wrong(reason),
            };
        }
        let made = self
            .meant(call)
            .and_then(|(name, arguments)| self.found(&name, |entry| self.call_one(entry, &arguments, call.left, stop)));
        made.unwrap_or_else(wrong)
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        if call.tool == FIND || output.outcome != Outcome::Done {
            return Ok(());
        }
        let beyond = || Err("it may act beyond the files of the task, so it is not called again by itself".to_owned());
        let (name, arguments) = self.meant(call)?;
        let again = self.found(&name, |entry| match entry.effect {
            Effect::Read => Ok(()),
            _ if entry.lasting => beyond(),
            _ => {
                let again = self.call_one(entry, &arguments, call.left, stop);
                if again.outcome == Outcome::Done { Ok(()) } else { Err(again.text()) }
            }
        });
        // of a catalog that is not asked yet
        again.unwrap_or_else(|_| beyond())
    }
}
