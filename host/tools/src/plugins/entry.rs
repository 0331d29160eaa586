//! One tool of a plugin, as a model is told of it.

use crate::arguments::{self, Fitting};
use deskhand_agent::tool::{Effect, Tool};
use deskhand_runtime::CatalogTool;
use deskhand_vocabulary::{
    PluginId,
    manifest::{self, Permission, PermissionKind},
    text::{safe, shortened},
};
use serde_json::{Value, json};

/// The most of a description, in characters.
const DESCRIPTION: usize = 1024;

/// What a plugin says of a tool of its own. Not trusted.
pub(super) struct Said<'a> {
    pub(super) name: &'a str,
    title: &'a str,
    description: &'a str,
    input: Value,
    read_only: bool,
}

impl<'a> Said<'a> {
    /// In its manifest.
    pub(super) fn in_manifest(tool: &'a manifest::Tool) -> Self {
        let manifest::Tool { name, title, description, input, read_only, .. } = tool;
        Self { name: name.as_str(), title, description, input: input.clone(), read_only: *read_only }
    }

    /// In its catalog; nothing where it is none that could be called.
    pub(super) fn in_catalog(tool: &'a CatalogTool) -> Option<Self> {
        let is_name = (1..=LONGEST_NAME).contains(&tool.name.len()) && !tool.name.contains(char::is_control);
        let input: Value = serde_json::from_str(&tool.input_schema).ok().filter(Value::is_object)?;
        let read_only = tool.hints.iter().any(|hint| hint == "read-only");
        let said = Self { name: &tool.name, title: &tool.title, description: &tool.description, input, read_only };
        is_name.then_some(said)
    }
}

/// The longest name of a tool of a catalog, in bytes.
const LONGEST_NAME: usize = 128;

/// A tool of a plugin.
#[derive(Debug)]
pub(super) struct Entry {
    /// What the model calls it.
    pub(super) name: String,
    pub(super) plugin: PluginId,
    pub(super) tool: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) schema: Value,
    pub(super) fitting: Fitting,
    pub(super) effect: Effect,
    /// Whether it may have effects that no change set holds back.
    pub(super) lasting: bool,
}

impl Entry {
    /// What a model calls `name`: a tool of a plugin with these rights.
    pub(super) fn new(name: String, plugin: PluginId, tool: Said<'_>, rights: &[Permission]) -> Self {
        let has = |kinds: &[PermissionKind]| rights.iter().any(|right| kinds.contains(&right.kind));
        // what a tool says of itself is believed only where the rights of its plugin leave it little else
        let alone = has(&[
            PermissionKind::FilesChange,
            PermissionKind::FilesRemove,
            PermissionKind::PersonAsk,
            PermissionKind::ToolsCall,
            PermissionKind::ModelUse,
            PermissionKind::ProgramsRun,
        ]);
        // what a program came to once it may not come to again
        let beyond = has(&[PermissionKind::HostsConnect, PermissionKind::ToolsCall]);
        let mut schema = tool.input;
        arguments::short(&mut schema, true);
        Self {
            name,
            title: tool.title.to_owned(),
            description: shortened(&safe(tool.description, true), DESCRIPTION),
            schema,
            fitting: Fitting::default(),
            effect: if tool.read_only && !alone { Effect::Read } else { Effect::Change },
            lasting: (!tool.read_only && beyond) || has(&[PermissionKind::ProgramsRun]),
            plugin,
            tool: tool.name.to_owned(),
        }
    }

    /// As a model is told of it with every request.
    pub(super) fn told(&self) -> Tool {
        Tool::new(&self.name, &self.description, arguments::told(self.schema.clone()), self.effect)
    }

    /// As a look-up shows it.
    pub(super) fn described(&self) -> Value {
        json!({ "tool": self.name, "description": self.description, "arguments": self.schema })
    }

    /// How well it fits what is looked for; all fit nothing at all.
    pub(super) fn score(&self, words: &[String]) -> usize {
        let name = format!("{} {}", self.name, self.title).to_lowercase();
        let text = self.description.to_lowercase();
        let score = |word: &String| usize::from(name.contains(word)) * 3 + usize::from(text.contains(word));
        words.iter().map(score).sum()
    }
}
