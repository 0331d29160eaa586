//! The person's keys, of models, plugins and MCP servers: how they are given, and where they lie, which is in the system's keyring,
//! in a file that only its owner can read, or in the environment. Whoever uses a key names its place; the key itself stands
//! in no settings.

mod file;
mod given;
mod keyring;

pub(crate) use file::{PrivateFile, PrivateFileError};
pub(crate) use given::{Given, Source, Typed, needed, typed};

use deskhand_egress::Secret;
use deskhand_models::{Keys, NoKey};
use deskhand_vocabulary::Home;
use keyring::KeyringError;
use std::fmt;

/// Where a key lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the system's keyring, under a name.
    Keyring(String),
    /// In Deskhand's own file, under a name.
    File(String),
    /// In a variable of the environment.
    Environment(String),
}

/// The settings name no place that is known.
#[derive(Debug, thiserror::Error)]
#[error("the settings do not say where it lies. Write \"keyring:NAME\", \"file:NAME\" or \"env:VARIABLE\"")]
pub(crate) struct NotAPlace;

impl std::str::FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or(NotAPlace)?;
        match kind {
            "keyring" => Ok(Self::Keyring(name.to_owned())),
            "file" => Ok(Self::File(name.to_owned())),
            "env" => Ok(Self::Environment(name.to_owned())),
            _ => Err(NotAPlace),
        }
    }
}

/// As the settings write it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(name) => write!(f, "keyring:{name}"),
            Self::File(name) => write!(f, "file:{name}"),
            Self::Environment(name) => write!(f, "env:{name}"),
        }
    }
}

/// Why a key could not be kept or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("{0}. To keep the key in a file of Deskhand's own instead, add --key-in-file")]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    File(#[from] PrivateFileError),
}

/// Whose keys they are. Those of one kind lie apart from those of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of models, by host.
    Models,
    /// Of plugins, by plugin and credential.
    Plugins,
    /// Of MCP servers, by server and variable or host.
    Servers,
    /// The logins to MCP servers, by server.
    Logins,
}

impl Whose {
    const fn file(self) -> &'static str {
        match self {
            Self::Models => "model-keys.json",
            Self::Plugins => "plugin-keys.json",
            Self::Servers => "server-keys.json",
            Self::Logins => "login-tokens.json",
        }
    }

    /// As the keyring tells them apart.
    const fn kind(self) -> &'static str {
        match self {
            Self::Models => "model-key",
            Self::Plugins => "plugin-key",
            Self::Servers => "server-key",
            Self::Logins => "server-login",
        }
    }

    /// The command that a key is given by.
    const fn given_by(self) -> &'static str {
        match self {
            Self::Models => "deskhand model add",
            Self::Plugins => "deskhand plugin connect",
            Self::Servers => "deskhand mcp add",
            Self::Logins => "deskhand mcp login",
        }
    }
}

/// The keys that are kept.
pub(crate) struct Stored {
    whose: Whose,
    file: PrivateFile<String>,
}

impl Stored {
    pub(crate) fn of(home: &Home, whose: Whose) -> Self {
        Self { whose, file: PrivateFile::at(home.data.join(whose.file())) }
    }

    /// The file, for messages.
    pub(crate) fn file(&self) -> &std::path::Path {
        self.file.path()
    }

    /// The key at a place, if it is there.
    fn at(&self, place: &Place) -> Result<Option<Secret>, KeyError> {
        Ok(match place {
            Place::Keyring(name) => keyring::get(self.whose.kind(), name)?,
            Place::File(name) => self.file.get(name)?.map(|key| Secret::new(&key)),
            Place::Environment(variable) => {
                std::env::var(variable).ok().filter(|value| !value.trim().is_empty()).map(|value| Secret::new(&value))
            }
        })
    }

    /// Keep a key in the keyring or, where there is none or the person wants it so, in the file. Says where it lies now.
    pub(crate) fn keep(&self, name: &str, secret: &Secret, in_file: bool) -> Result<Place, KeyError> {
        if !in_file {
            match keyring::put(self.whose.kind(), name, secret) {
                Ok(()) => return Ok(Place::Keyring(name.to_owned())),
                Err(KeyringError::None(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.file.put(name, secret.reveal().to_owned())?;
        Ok(Place::File(name.to_owned()))
    }

    /// Remove a key. The environment is the person's own.
    pub(crate) fn remove(&self, place: &Place) -> Result<(), KeyError> {
        match place {
            Place::Keyring(name) => Ok(keyring::remove(self.whose.kind(), name)?),
            Place::File(name) => Ok(self.file.remove(name)?),
            Place::Environment(_) => Ok(()),
        }
    }
}

impl Keys for Stored {
    fn key(&self, name: &str) -> Result<Secret, NoKey> {
        let no = |reason: String| NoKey { name: name.to_owned(), reason };
        let place: Place = name.parse().map_err(|error: NotAPlace| no(error.to_string()))?;
        let by = self.whose.given_by();
        match self.at(&place) {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(no(match &place {
                Place::Keyring(_) => format!("it is not in the keyring. Give it again with `{by}`"),
                Place::File(_) => format!("it is not in {}. Give it again with `{by}`", self.file.path().display()),
                Place::Environment(variable) => {
                    format!("the variable {variable} is not set. Set it, or name another with `{by} --key-env`")
                }
            })),
            Err(KeyError::Keyring(error)) => Err(no(error.to_string())),
            Err(KeyError::File(error)) => Err(no(error.to_string())),
        }
    }
}
