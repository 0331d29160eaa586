//! A new plugin, from the template of its kind.

use crate::{
    BuildError,
    carried::{self, TEMPLATE, unpack_sdk},
};
use deskhand_vocabulary::PluginName;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a new plugin is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A slash command.
    #[default]
    Command,
    /// A tool for models and other plugins.
    Tool,
    /// A skill: how a kind of work is done.
    Skill,
    /// A sub-agent that Deskhand's own loop works for.
    Agent,
    /// A sub-agent that runs itself.
    AgentLoop,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Command, Self::Tool, Self::Skill, Self::Agent, Self::AgentLoop];

    /// Its name, and that of the folder of its template.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Tool => "tool",
            Self::Skill => "skill",
            Self::Agent => "agent",
            Self::AgentLoop => "agent-loop",
        }
    }

    /// What the plugin of its template does.
    const fn summary(self) -> &'static str {
        match self {
            Self::Command => "Put loose files into a folder for each kind of file name",
            Self::Tool => "Count the words of text files",
            Self::Skill => "How the minutes of a meeting are written",
            Self::Agent => "Sum documents up",
            Self::AgentLoop => "Write a short text and look it through",
        }
    }
}

/// A plugin, written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scaffold {
    /// Its folder.
    pub folder: PathBuf,
    /// The author's own files in it, in order; the SDK is not listed.
    pub files: Vec<String>,
}

/// Write a new plugin of a kind into `folder`, which must be missing or empty.
///
/// # Errors
/// Something is there, or cannot be written.
pub fn scaffold(folder: &Path, name: &PluginName, publisher: &str, kind: Kind) -> Result<Scaffold, BuildError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(BuildError::Taken(folder.to_owned()));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(_) => return Err(BuildError::Taken(folder.to_owned())),
    }
    unpack_sdk(folder)?;
    let mut files = Vec::new();
    for (path, text) in TEMPLATE {
        let (of, path) = path.split_once('/').unwrap_or(("common", path));
        if of != "common" && of != kind.name() {
            continue;
        }
        // a `.in` keeps cargo and git from taking the template for the real thing
        let path = path.strip_suffix(".in").unwrap_or(path);
        let path = if path == "gitignore" { ".gitignore" } else { path };
        let text = filled(text, name, publisher).replace("{{summary}}", kind.summary());
        carried::write(&folder.join(path), &text)?;
        files.push(path.to_owned());
    }
    files.sort();
    Ok(Scaffold { folder: folder.to_owned(), files })
}

fn filled(text: &str, name: &PluginName, publisher: &str) -> String {
    let quoted = toml::Value::from(publisher).to_string();
    text.replace("{{name}}", name.as_str()).replace("\"{{publisher}}\"", &quoted)
}
