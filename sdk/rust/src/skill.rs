//! A skill: how a kind of work is done, written as Markdown for the agent that takes it up.

use crate::{Content, Error, Result};

/// What a plugin knows. Its texts are files in the plugin's folder, taken in with `include_str!`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skill {
    /// What the agent and the person call it: 1 to 64 of a-z, 0-9 and `-`, starting with a letter.
    pub name: &'static str,
    /// What it is for and when to take it up, in one or two sentences: all that the agent reads before it does.
    pub description: &'static str,
    /// Requests in plain words that it serves.
    pub triggers: &'static [&'static str],
    /// Markdown: how the work is done.
    pub instructions: &'static str,
    /// More to be read when it is needed: a path, and Markdown.
    pub references: &'static [(&'static str, &'static str)],
    /// Tools that its text speaks of, as `tool` or `plugin/tool`.
    pub tools: &'static [&'static str],
}

/// What the agent gets of a skill that it takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guidance {
    /// Markdown.
    pub instructions: String,
    /// Paths that can be read.
    pub references: Vec<String>,
    /// Tools that it asks for.
    pub tools: Vec<String>,
}

impl Skill {
    /// What the agent gets when it takes the skill up.
    pub fn open(&self) -> Guidance {
        Guidance {
            instructions: self.instructions.to_owned(),
            references: self.references.iter().map(|(path, _)| (*path).to_owned()).collect(),
            tools: self.tools.iter().map(|tool| (*tool).to_owned()).collect(),
        }
    }

    /// A reference.
    ///
    /// # Errors
    /// There is none of this path.
    pub fn read(&self, path: &str) -> Result<Content> {
        let found = self.references.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| Content::markdown(*text)).ok_or_else(|| {
            let known: Vec<&str> = self.references.iter().map(|(path, _)| *path).collect();
            Error::not_found(format!("the skill has no reference `{path}`; it has: {}", known.join(", ")))
        })
    }

    /// What the manifest says of it.
    #[cfg(not(target_family = "wasm"))]
    #[doc(hidden)]
    pub fn describe(&self) -> crate::plugin::description::Skill {
        crate::plugin::description::Skill {
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            triggers: self.triggers.iter().map(|trigger| (*trigger).to_owned()).collect(),
        }
    }
}
