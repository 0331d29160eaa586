//! What an author should know about a manifest before anybody is asked to install it. What an install itself refuses
//! about the component's imports is the runtime's to say; this is about what people and models will see.

use deskhand_vocabulary::{
    Manifest, host,
    manifest::{Command, PermissionKind},
    text,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fmt};

/// The longest summary that fits beside a name in a list, and the longest reason that fits into a question, in characters.
const SUMMARY: usize = 120;
const REASON: usize = 200;
/// The longest description of a skill or an agent that a model is shown, in characters.
const DESCRIPTION: usize = 300;
/// More than a plugin should need, in MiB and seconds.
const MEMORY: u32 = 1024;
const SECONDS: u32 = 600;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It could not be used as it is.
    Error,
    /// It works, and not as its author wants it to.
    Warning,
    /// It could be better.
    Advice,
}

/// Something about a plugin that its author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What it is about, such as `command organize`.
    pub about: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.message)
    }
}

/// Findings, as they are made.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, weight: Weight, about: &str, message: impl Into<String>) {
        self.0.push(Finding { weight, about: about.to_owned(), message: message.into() });
    }

    /// Text that people see is one line without anything that steers a terminal.
    fn shown(&mut self, about: &str, what: &str, value: &str, limit: usize) {
        if value.trim().is_empty() {
            self.add(
                Weight::Error,
                about,
                format!("its {what} is empty; write one sentence for the person who reads it"),
            );
        } else if text::safe(value, false) != value {
            self.add(
                Weight::Error,
                about,
                format!(
                    "its {what} holds control or invisible characters, which would be shown as escapes; take them out"
                ),
            );
        } else if value.chars().count() > limit {
            self.add(
                Weight::Warning,
                about,
                format!("its {what} has {} characters and is cut at {limit}; say it shorter", value.chars().count()),
            );
        }
    }
}

/// All that can be said of a manifest, what matters most first.
pub fn examine(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    about(manifest, &mut findings);
    permissions(manifest, &mut findings);
    let mut names = BTreeSet::new();
    for command in &manifest.commands {
        let about = format!("command {}", command.name.as_str());
        if !names.insert(command.name.as_str()) {
            findings.add(Weight::Error, &about, "it is declared twice; give one of them another name");
        }
        self::command(command, &about, &mut findings);
    }
    names.clear();
    for tool in &manifest.tools {
        let about = format!("tool {}", tool.name.as_str());
        if !names.insert(tool.name.as_str()) {
            findings.add(Weight::Error, &about, "it is declared twice; give one of them another name");
        }
        findings.shown(&about, "title", &tool.title, SUMMARY);
        if tool.description.trim().is_empty() {
            findings.add(
                Weight::Error,
                &about,
                "its description is empty; say what it does, for the model that chooses it",
            );
        }
        self::tool_schema(&tool.input, &about, "input", &mut findings);
        if let Some(output) = &tool.output {
            self::tool_schema(output, &about, "output", &mut findings);
        }
    }
    if let Some(skill) = &manifest.skill {
        let about = format!("skill {}", skill.name.as_str());
        findings.shown(&about, "description", &skill.description, DESCRIPTION);
        if let Some(input) = &skill.input {
            self::tool_schema(input, &about, "input", &mut findings);
        }
    }
    if let Some(agent) = &manifest.agent {
        let about = format!("agent {}", agent.name.as_str());
        findings.shown(&about, "description", &agent.description.replace('\n', " "), DESCRIPTION);
        if let Some(input) = &agent.input {
            self::tool_schema(input, &about, "input", &mut findings);
        }
    }
    if let Some(extractor) = &manifest.extractor {
        media_types(&extractor.media_types, &mut findings);
    }
    credentials(manifest, &mut findings);
    servers(manifest, &mut findings);
    limits(manifest, &mut findings);
    if let Some(config) = &manifest.config
        && config.get("type").and_then(Value::as_str) != Some("object")
    {
        findings.add(
            Weight::Error,
            "config",
            "the schema of the configuration must be that of an object (`type = \"object\"`)",
        );
    }
    findings.0.sort_by_key(|finding| finding.weight);
    findings.0
}

fn about(manifest: &Manifest, findings: &mut Findings) {
    findings.shown("plugin", "summary", &manifest.plugin.summary, SUMMARY);
    findings.shown("plugin", "publisher", &manifest.plugin.publisher, SUMMARY);
    let none = manifest.commands.is_empty() && manifest.tools.is_empty();
    let none = none && !manifest.tool_catalog && manifest.skill.is_none();
    if none && manifest.agent.is_none() && manifest.extractor.is_none() {
        findings.add(
            Weight::Error,
            "plugin",
            "it has no command, no tool, no skill, no agent and no extractor, so nobody can use it; name one in `plugin!`",
        );
    }
    if manifest.plugin.license.is_none() {
        findings.add(
            Weight::Advice,
            "plugin",
            "it names no licence; write `license` (an SPDX expression) into Cargo.toml or plugin.toml",
        );
    }
    for (name, range) in &manifest.dependencies {
        let about = format!("dependency {}", name.as_str());
        if name == &manifest.plugin.name {
            findings.add(Weight::Error, &about, "a plugin cannot depend on itself; take it out");
        }
        if range.comparators.is_empty() {
            findings.add(
                Weight::Warning,
                &about,
                "any version is taken; name a range that you have tried, such as `1.2`",
            );
        }
    }
}

fn permissions(manifest: &Manifest, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for permission in &manifest.permissions {
        let about = format!("permission {}", permission.kind.name());
        if !seen.insert(permission.kind) {
            findings.add(Weight::Error, &about, "it is asked for twice; put both into one, with one reason");
        }
        findings.shown(&about, "reason", &permission.reason, REASON);
        match permission.kind {
            PermissionKind::ToolsCall if permission.scope.is_empty() => {
                findings.add(
                    Weight::Error,
                    &about,
                    "it names no tools; list them in `scope`, as `name` or `plugin/name`",
                );
            }
            PermissionKind::HostsConnect if permission.scope.is_empty() => {
                findings.add(
                    Weight::Error,
                    &about,
                    "it names no hosts; list them in `scope`, as `api.example.com`, `*.example.com` or `config.KEY`",
                );
            }
            PermissionKind::HostsConnect => hosts(&permission.scope, manifest, &about, findings),
            PermissionKind::CredentialsUse => {
                for credential in &manifest.credentials {
                    if !permission.scope.iter().any(|name| name == credential.name.as_str()) {
                        let message =
                            format!("`{}` is not in its scope, so it cannot be used; add it", credential.name);
                        findings.add(Weight::Error, &about, message);
                    }
                }
                for name in &permission.scope {
                    if !manifest.credentials.iter().any(|credential| credential.name.as_str() == name) {
                        let message = format!("`{name}` is described nowhere; describe it under [[credentials]]");
                        findings.add(Weight::Error, &about, message);
                    }
                }
            }
            PermissionKind::ToolsCall => {}
            PermissionKind::ServersBring => {
                findings.add(Weight::Error, &about, "it is not asked for; write each server under [[servers]]");
            }
            _ if !permission.scope.is_empty() => {
                findings.add(Weight::Error, &about, "it has no scope: the person gives the folders; take `scope` out");
            }
            _ => {}
        }
    }
    let asks = |kind| manifest.permissions.iter().any(|permission| permission.kind == kind);
    for kind in [PermissionKind::FilesChange, PermissionKind::FilesRemove] {
        if asks(kind) && !asks(PermissionKind::FilesRead) {
            let about = format!("permission {}", kind.name());
            findings.add(
                Weight::Warning,
                &about,
                "nothing can be changed that was not looked at; ask for files.read as well",
            );
        }
    }
}

fn media_types(names: &[String], findings: &mut Findings) {
    if names.is_empty() {
        findings.add(Weight::Error, "extractor", "it names no media types, so nothing is given to it");
    }
    for name in names {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte);
        let is_type = name
            .split_once('/')
            .is_some_and(|(kind, rest)| [kind, rest].iter().all(|part| !part.is_empty() && part.bytes().all(plain)));
        if !is_type {
            let message = format!("`{name}` is no media type; write it in lower case, such as `application/pdf`");
            findings.add(Weight::Error, "extractor", message);
        }
    }
}

fn hosts(scope: &[String], manifest: &Manifest, about: &str, findings: &mut Findings) {
    for pattern in scope {
        if let Some(key) = pattern.strip_prefix(host::CONFIGURED) {
            let known = manifest.config.as_ref().is_some_and(|config| !config["properties"][key].is_null());
            if !known {
                let message =
                    format!("`{pattern}` names a setting that the configuration does not have; add `{key}` to it");
                findings.add(Weight::Error, about, message);
            }
            continue;
        }
        let name = pattern.strip_prefix("*.").unwrap_or(pattern);
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b));
        if pattern != "*" && (name.is_empty() || !is_name) {
            let message = format!("`{pattern}` is no host; write its name in lower case, without `https://` and path");
            findings.add(Weight::Error, about, message);
        } else if host::is_here(name) {
            let message =
                format!("`{pattern}` is the person's own computer; let them set the address, and write `config.KEY`");
            findings.add(Weight::Error, about, message);
        }
    }
}

fn credentials(manifest: &Manifest, findings: &mut Findings) {
    let asks = manifest.permissions.iter().any(|permission| permission.kind == PermissionKind::CredentialsUse);
    for credential in &manifest.credentials {
        let about = format!("credential {}", credential.name.as_str());
        findings.shown(&about, "title", &credential.title, REASON);
        hosts(&credential.hosts, manifest, &about, findings);
        if credential.hosts.is_empty() || credential.hosts.iter().any(|host| host == "*") {
            findings.add(Weight::Error, &about, "it must name the hosts that it may go to; `*` is none");
        }
        if credential.header.trim().is_empty() {
            findings.add(Weight::Error, &about, "it must name the header that carries it, such as `authorization`");
        }
        if !asks {
            findings.add(Weight::Error, &about, "nothing asks to use it; add the permission `credentials.use`");
        }
    }
}

fn servers(manifest: &Manifest, findings: &mut Findings) {
    let mut names = BTreeSet::new();
    for server in &manifest.servers {
        let about = format!("server {}", server.name);
        if !names.insert(&server.name) {
            findings.add(Weight::Error, &about, "it is declared twice; give one of them another name");
        }
        findings.shown(&about, "reason", &server.reason, REASON);
        if let Err(reason) = server.check() {
            findings.add(Weight::Error, &about, reason);
        }
    }
}

fn command(command: &Command, about: &str, findings: &mut Findings) {
    findings.shown(about, "summary", &command.summary, SUMMARY);
    let properties = arguments(command, about, findings);
    let mut in_forms = BTreeSet::new();
    for form in &command.forms {
        match slots(form) {
            Err(problem) => findings.add(Weight::Error, about, format!("the form `{form}` {problem}")),
            Ok(slots) => {
                for slot in slots {
                    if !properties.contains_key(slot) {
                        let known = properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                        let known =
                            if known.is_empty() { "it has none".to_owned() } else { format!("there are: {known}") };
                        findings.add(
                            Weight::Error,
                            about,
                            format!("the form `{form}` names `{slot}`, which is no argument; {known}"),
                        );
                    }
                    in_forms.insert(slot);
                }
            }
        }
    }
    for name in properties.keys().filter(|name| !in_forms.contains(name.as_str())) {
        findings.add(
            Weight::Advice,
            about,
            format!("no form says how `{name}` is written in words; add one, such as `\"with {{{name}}}\"`"),
        );
    }
    triggers(command, about, findings);
}

fn triggers(command: &Command, about: &str, findings: &mut Findings) {
    let folded = |text: &String| text.trim().to_lowercase();
    let mut seen = BTreeSet::new();
    for trigger in &command.triggers {
        if trigger.split_whitespace().count() < 2 {
            findings.add(
                Weight::Warning,
                about,
                format!("the trigger `{trigger}` is one word, which fits too much; write a request"),
            );
        }
        if !seen.insert(folded(trigger)) {
            findings.add(Weight::Advice, about, format!("the trigger `{trigger}` is written twice; keep one"));
        }
    }
    for other in command.not_for.iter().filter(|other| seen.contains(&folded(other))) {
        findings.add(Weight::Error, about, format!("`{other}` is a trigger and in `not_for`; keep one of them"));
    }
    match command.triggers.len() {
        0 => findings.add(
            Weight::Warning,
            about,
            "it has no triggers, so only `/` reaches it; write requests in plain words that it serves",
        ),
        1 | 2 => findings.add(
            Weight::Advice,
            about,
            "it has few triggers; three to eight, each in other words, let requests find it",
        ),
        _ => {}
    }
}

/// The properties of a command's arguments, with what is wrong with them said.
fn arguments(command: &Command, about: &str, findings: &mut Findings) -> Map<String, Value> {
    let schema = &command.arguments;
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        findings.add(Weight::Error, about, "its argument must be a struct with named fields");
        return Map::new();
    }
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, property) in &properties {
        if refers(property) {
            findings.add(
                Weight::Error,
                about,
                format!("the argument `{name}` has a type that contains itself; make it flat"),
            );
        } else if !is_flat(property) {
            findings.add(
                Weight::Error,
                about,
                format!(
                    "the argument `{name}` cannot be written in words; use a bool, an integer, a String, an enum of plain \
                     names, or a Vec of one of the last two"
                ),
            );
        }
        let described = property.get("description").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        if !described {
            findings.add(
                Weight::Warning,
                about,
                format!("nothing says what `{name}` is; write a doc comment at the field"),
            );
        }
    }
    if schema.get("additionalProperties").and_then(Value::as_bool) != Some(false) {
        findings.add(
            Weight::Warning,
            about,
            "an argument that it does not have is passed over in silence; write #[serde(deny_unknown_fields)] at the struct",
        );
    }
    properties
}

fn tool_schema(schema: &Value, about: &str, which: &str, findings: &mut Findings) {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        findings.add(Weight::Error, about, format!("its {which} must be a struct with named fields"));
    }
    if refers(schema) {
        findings.add(
            Weight::Warning,
            about,
            format!(
                "its {which} has a type that contains itself, which many models cannot use; make it flat if you can"
            ),
        );
    }
}

fn limits(manifest: &Manifest, findings: &mut Findings) {
    let limits = &manifest.limits;
    if limits.memory_mib == 0 || limits.seconds == 0 {
        findings.add(Weight::Error, "limits", "a limit of nothing lets it do nothing; leave it out for the usual one");
    }
    if limits.memory_mib > MEMORY || limits.seconds > SECONDS {
        findings.add(
            Weight::Warning,
            "limits",
            format!("more than {MEMORY} MiB or {SECONDS} s is seldom allowed; work in pieces"),
        );
    }
}

/// The properties that a form names: each stands alone between spaces, in braces.
fn slots(form: &str) -> Result<Vec<&str>, &'static str> {
    let mut slots = Vec::new();
    for part in form.split_whitespace() {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some("") => return Err("has empty braces; name an argument in them"),
            Some(name) if !name.contains(['{', '}']) => slots.push(name),
            None if !part.contains(['{', '}']) => {}
            _ => return Err("has braces within a word; put spaces around them"),
        }
    }
    if form.trim().is_empty() { Err("is empty; take it out") } else { Ok(slots) }
}

/// True if a schema refers to another part of itself.
fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(refers),
        Value::Array(list) => list.iter().any(refers),
        _ => false,
    }
}

/// True for what can be written in words: yes or no, a whole number, a text, a choice, or several of the last two.
fn is_flat(schema: &Value) -> bool {
    let kinds = kinds(schema);
    if kinds.contains(&"array") {
        return schema.get("items").is_some_and(is_word);
    }
    is_word(schema) || kinds == ["boolean"] || kinds == ["integer"]
}

/// True for a text or a choice of texts.
fn is_word(schema: &Value) -> bool {
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    if let Some(choices) = choices {
        let mut some = choices.iter().filter(|choice| kinds(choice) != ["null"]).peekable();
        return some.peek().is_some() && some.all(is_word);
    }
    schema.get("const").is_some_and(Value::is_string) || kinds(schema) == ["string"]
}

/// The types that a schema names, `null` left out where there is another.
fn kinds(schema: &Value) -> Vec<&str> {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if kinds.len() > 1 { kinds.into_iter().filter(|kind| *kind != "null").collect() } else { kinds }
}

#[cfg(test)]
#[path = "examine_tests.rs"]
mod tests;
