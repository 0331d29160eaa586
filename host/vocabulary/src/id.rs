//! Names and numbers of things.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A text that should be the number of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a whole number is needed here, such as 7")]
pub struct NotANumber;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotANumber;

            fn from_str(text: &str) -> Result<Self, NotANumber> {
                text.parse().map(Self).map_err(|_| NotANumber)
            }
        }
    };
}

number!(
    /// A task: one request of a person and all that came of it. Counted from 1 in one Deskhand home.
    TaskId
);
number!(
    /// A commit: one change set that was applied. Counted from 1 in one Deskhand home; what `deskhand undo` takes.
    CommitId
);

/// Why a name was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is not a name here: 1 to 64 of a-z, 0-9 and `-`, starting with a letter")]
pub struct NotAName {
    /// What was given.
    pub name: String,
}

fn check(name: &str) -> Result<(), NotAName> {
    let fits = matches!(name.len(), 1..=64)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits { Ok(()) } else { Err(NotAName { name: name.to_owned() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A plugin's name, unique within its marketplace; also the form of the names of commands and tools.
    PluginName
);
name!(
    /// What the person calls a marketplace that they added.
    MarketplaceName
);
name!(
    /// What the person calls a program of theirs that Deskhand serves over the Model Context Protocol. Never what such a program
    /// calls itself.
    ClientName
);

/// What an MCP server is called: a name that the person gave it, or `plugin/name` where a plugin brings it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

impl ServerName {
    /// That of a server that a plugin brings.
    pub fn brought(plugin: &PluginName, name: &PluginName) -> Self {
        Self(format!("{plugin}/{name}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The plugin that brings it; none where the person has added it.
    pub fn plugin(&self) -> Option<&str> {
        self.0.split_once('/').map(|(plugin, _)| plugin)
    }
}

impl FromStr for ServerName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        match text.split_once('/') {
            None => check(text)?,
            Some((plugin, name)) => {
                check(plugin).and_then(|()| check(name)).map_err(|_| NotAName { name: text.to_owned() })?
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ServerName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> Self {
        name.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An installed plugin: `marketplace:name`. Plugins of two marketplaces are never the same plugin.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginId {
    /// Where it came from.
    pub marketplace: MarketplaceName,
    /// Its name there.
    pub name: PluginName,
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.marketplace, self.name)
    }
}

impl FromStr for PluginId {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let (marketplace, name) = text.split_once(':').ok_or_else(|| NotAName { name: text.to_owned() })?;
        Ok(Self { marketplace: marketplace.parse()?, name: name.parse()? })
    }
}

impl TryFrom<String> for PluginId {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> Self {
        id.to_string()
    }
}
