//! How a plugin is shown to its author. What a manifest says is made safe here: a file can come from anywhere.

use crate::show::{bytes, line};
use deskhand_build::{Finding, Outline, Weight};
use deskhand_vocabulary::{
    Manifest, Sha256,
    manifest::{Command, Permission},
};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A path as it is written from here, where it lies below.
pub(super) fn near(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path).to_owned()
}

/// A path for the eyes of a person.
pub(super) fn path(path: &Path) -> String {
    line(&path.to_string_lossy())
}

/// A path as an argument of a command to be typed.
pub(super) fn argument(path: &Path) -> String {
    let text = self::path(path);
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A value as one line of JSON.
pub(super) fn json(value: &Value) -> String {
    format!("{value}\n")
}

/// Name, version, size, digest.
pub(super) fn heading(manifest: &Manifest, size: u64, component: Sha256) -> String {
    let about = &manifest.plugin;
    let mut out = format!("{} {}: {}\n", about.name.as_str(), about.version, line(&about.summary));
    let mut row = |name: &str, value: &str| out.push_str(&format!("  {name:<10} {value}\n"));
    row("publisher", &line(&about.publisher));
    if let Some(license) = &about.license {
        row("licence", &line(license));
    }
    if let Some(homepage) = &about.homepage {
        row("homepage", &line(homepage));
    }
    row("interface", &about.interface.to_string());
    row("size", &bytes(size));
    row("sha256", &component.to_string());
    out
}

/// What it may do, in words, each with its reason.
pub(super) fn rights(permissions: &[Permission]) -> String {
    if permissions.is_empty() {
        return "It asks for nothing.\n".to_owned();
    }
    let mut out = String::from("It may\n");
    for permission in permissions {
        let scope = match permission.scope.as_slice() {
            [] => String::new(),
            scope => format!(" ({})", scope.iter().map(|one| line(one)).collect::<Vec<_>>().join(", ")),
        };
        out.push_str(&format!("  {}{scope}\n    {}\n", permission.kind.words(), line(&permission.reason)));
    }
    out
}

/// What the component imports of Deskhand, and how much besides.
pub(super) fn imports(outline: &Outline) -> String {
    let ours: Vec<String> = outline.deskhand_imports().map(line).collect();
    let theirs = outline.imports.iter().filter(|import| !import.starts_with("deskhand:plugin/")).count();
    let ours = if ours.is_empty() { "nothing of Deskhand".to_owned() } else { ours.join(", ") };
    format!("It imports {ours}, and {theirs} interfaces of WASI that reach nothing.\n")
}

/// The commands, tools, skill and sub-agent, with how they are written.
pub(super) fn abilities(manifest: &Manifest) -> String {
    let mut out = String::new();
    for command in &manifest.commands {
        out.push_str(&format!("/{}\n  {}\n", command.name.as_str(), line(&command.summary)));
        for example in examples(command) {
            out.push_str(&format!("  {}\n", line(&example)));
        }
        if !command.triggers.is_empty() {
            let triggers: Vec<String> =
                command.triggers.iter().map(|trigger| format!("\"{}\"", line(trigger))).collect();
            out.push_str(&format!("  also: {}\n", triggers.join(", ")));
        }
    }
    if let Some(skill) = &manifest.skill {
        out.push_str(&format!("skill {}\n  {}\n", skill.name.as_str(), line(&skill.description)));
    }
    if let Some(extractor) = &manifest.extractor {
        let kinds: Vec<String> = extractor.media_types.iter().map(|kind| line(kind)).collect();
        out.push_str(&format!("reads documents as text\n  {}\n", kinds.join(", ")));
    }
    if let Some(agent) = &manifest.agent {
        let summary = agent.description.lines().next().unwrap_or_default();
        let tier = agent.tier.name();
        out.push_str(&format!("agent {} (with a {tier} model)\n  {}\n", agent.name.as_str(), line(summary)));
    }
    for tool in &manifest.tools {
        let reads = if tool.read_only { " (says that it only reads)" } else { "" };
        let summary = tool.description.lines().next().unwrap_or_default();
        out.push_str(&format!("tool {}: {}{reads}\n  {}\n", tool.name.as_str(), line(&tool.title), line(summary)));
    }
    out
}

/// Each form of a command as it could be typed.
fn examples(command: &Command) -> Vec<String> {
    let filled = |form: &String| {
        let words =
            form.split_whitespace().map(|word| match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
                Some(name) => example(name, &command.arguments["properties"][name]),
                None => word.to_owned(),
            });
        format!("/{} {}", command.name.as_str(), words.collect::<Vec<_>>().join(" "))
    };
    command.forms.iter().map(filled).collect()
}

/// A value of an argument, as it is typed: a choice, the name of a flag, a number, or the argument's name for a text.
fn example(name: &str, schema: &Value) -> String {
    if let Some(choice) = first_choice(schema) {
        return choice.to_owned();
    }
    let is = |kind: &str| match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => false,
    };
    if is("array") {
        example(name, &schema["items"])
    } else if is("boolean") {
        name.to_owned()
    } else if is("integer") {
        "2".to_owned()
    } else {
        name.to_uppercase()
    }
}

fn first_choice(schema: &Value) -> Option<&str> {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()?.as_str()) {
        return Some(first);
    }
    if let Some(only) = schema["const"].as_str() {
        return Some(only);
    }
    let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())?;
    choices.iter().find_map(first_choice)
}

/// Findings, a line each, under what they mean.
pub(super) fn findings(findings: &[Finding]) -> String {
    let mut out = String::new();
    for (weight, heading) in [
        (Weight::Error, "Must be mended:"),
        (Weight::Warning, "Probably not meant so:"),
        (Weight::Advice, "Could be better:"),
    ] {
        let mut some = findings.iter().filter(|finding| finding.weight == weight).peekable();
        if some.peek().is_some() {
            out.push_str(heading);
            out.push('\n');
            out.extend(some.map(|finding| format!("  - {}\n", line(&finding.to_string()))));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_are_shown_as_they_are_typed() {
        let command: Command = serde_json::from_value(json!({
            "name": "organize", "summary": "Sort.",
            "arguments": { "type": "object", "properties": {
                "by": { "type": "array", "items": { "oneOf": [{ "const": "type" }, { "const": "date" }] } },
                "into": { "anyOf": [{ "type": "string", "enum": ["months", "years"] }, { "type": "null" }] },
                "deep": { "type": "boolean" }, "first": { "type": ["integer", "null"] }, "to": { "type": "string" }
            } },
            "forms": ["by {by}", "into {into}", "{deep}", "the first {first}", "to {to}"]
        }))
        .unwrap();
        assert_eq!(
            examples(&command),
            [
                "/organize by type",
                "/organize into months",
                "/organize deep",
                "/organize the first 2",
                "/organize to TO"
            ]
        );
    }

    #[test]
    fn a_path_can_be_typed_again() {
        assert_eq!(argument(Path::new("a/b.wasm")), "a/b.wasm");
        assert_eq!(argument(Path::new("it's here/b.wasm")), "'it'\\''s here/b.wasm'");
    }
}
