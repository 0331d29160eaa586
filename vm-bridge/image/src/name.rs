//! Names of Debian packages.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most bytes of a name. Debian has none that is near that.
const LONGEST: usize = 128;

/// The name of a Debian package: at least two of a-z, 0-9, `+`, `-` and `.`, of which the first is a letter or a digit (Debian
/// Policy, 5.6.7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageName(String);

/// What is no name of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Debian package is called by at least two of a-z, 0-9, `+`, `-` and `.`, starting with a letter or a digit")]
pub struct NoName;

impl FromStr for PackageName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (2..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| letter(byte) || b"+-.".contains(&byte))
            && text.bytes().next().is_some_and(letter);
        if fits { Ok(Self(text.to_owned())) } else { Err(NoName) }
    }
}

impl TryFrom<String> for PackageName {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        text.parse()
    }
}

impl From<PackageName> for String {
    fn from(name: PackageName) -> Self {
        name.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PackageName {
    /// As it stands.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
