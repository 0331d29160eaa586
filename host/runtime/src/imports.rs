//! What a component may import: an inert part of WASI that every Rust program brings along, and those interfaces of
//! `deskhand:plugin` that its manifest's permissions open. Anything else is refused by name, before it is compiled.

use deskhand_vocabulary::manifest::{Manifest, PermissionKind};
use semver::Version;
use serde::Serialize;
use std::fmt;

/// The version of `deskhand:plugin` that this host offers.
pub const INTERFACE: Version = Version::new(0, 1, 0);

/// The package of the interface.
pub(crate) const PACKAGE: &str = "deskhand:plugin";

/// Interfaces that every plugin may use: they reach nothing.
const OPEN: [&str; 3] = ["types", "log", "invocation"];

/// Interfaces of `deskhand:plugin` that this version of Deskhand does not offer.
const NOT_OFFERED: [&str; 1] = ["tasks"];

/// What Rust's standard library imports for `wasm32-wasip2` whatever a program does, and randomness. None of it reaches
/// anything here: no files, no arguments, no environment, no terminal; output goes to the plugin's log.
const INERT: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// An import that a component may not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "refused", rename_all = "kebab-case")]
pub enum Refusal {
    /// Its manifest does not ask for the permission.
    Undeclared {
        /// The import.
        import: String,
        /// The permission that opens it, the first if there are several.
        permission: &'static str,
    },
    /// No version of Deskhand offers it, or this one does not yet.
    NotOffered {
        /// The import.
        import: String,
        /// What to do instead.
        advice: String,
    },
    /// The versions do not fit.
    Version {
        /// The import, without its version.
        import: String,
        /// What the component was built for; none if it names no version.
        wanted: Option<Version>,
        /// What this host offers.
        offered: Version,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared { import, permission } => write!(
                f,
                "it imports `{import}`, which its manifest does not ask for. Add the permission `{permission}` with a reason to `plugin.toml` and build it again, or stop using it"
            ),
            Self::NotOffered { import, advice } => {
                write!(f, "it imports `{import}`, which this version of Deskhand does not offer. {advice}")
            }
            Self::Version { import, wanted, offered } => {
                let advice = match wanted {
                    Some(wanted) if wanted > offered => "Update Deskhand, or install an older version of the plugin",
                    _ => "Install a newer version of the plugin, or build it again with this version's SDK",
                };
                let wanted = wanted.as_ref().map_or_else(|| "no version".to_owned(), Version::to_string);
                write!(f, "it was built for `{import}` {wanted}, and this Deskhand offers {offered}. {advice}")
            }
        }
    }
}

/// Judge one import. `manifest` says what is declared.
pub(crate) fn judge(import: &str, manifest: &Manifest) -> Result<(), Refusal> {
    let (name, version) = split(import);
    if let Some(interface) = name.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) {
        return judge_own(import, name, interface, version, manifest);
    }
    if INERT.contains(&name) {
        let offered = Version::new(0, 2, 12);
        return match version {
            Some(version) if version.major == 0 && version.minor == 2 && version.pre.is_empty() => Ok(()),
            wanted => Err(Refusal::Version { import: name.to_owned(), wanted, offered }),
        };
    }
    let advice = if name.starts_with("wasi:sockets/") || name.starts_with("wasi:http/") {
        "A plugin reaches a network through `deskhand:plugin/http` alone; leave out what uses this one"
    } else if name.starts_with("wasi:") {
        "Leave out what uses it"
    } else {
        "Only interfaces of `deskhand:plugin` can be imported; build it again without this one"
    };
    Err(Refusal::NotOffered { import: import.to_owned(), advice: advice.to_owned() })
}

fn judge_own(
    import: &str,
    name: &str,
    interface: &str,
    version: Option<Version>,
    manifest: &Manifest,
) -> Result<(), Refusal> {
    if version.as_ref().is_none_or(|version| !compatible(version)) {
        return Err(Refusal::Version { import: name.to_owned(), wanted: version, offered: INTERFACE });
    }
    if OPEN.contains(&interface) {
        return Ok(());
    }
    let mut opens = PermissionKind::ALL.into_iter().filter(|kind| kind.interface() == Some(interface)).peekable();
    let Some(first) = opens.peek().copied() else {
        let advice = if NOT_OFFERED.contains(&interface) {
            "Install a version of the plugin that does without, or a version of Deskhand that has it"
        } else {
            "Update Deskhand, or install an older version of the plugin"
        };
        return Err(Refusal::NotOffered { import: import.to_owned(), advice: advice.to_owned() });
    };
    if opens.any(|kind| manifest.permissions.iter().any(|permission| permission.kind == kind)) {
        return Ok(());
    }
    Err(Refusal::Undeclared { import: import.to_owned(), permission: first.name() })
}

/// True if a component built for `version` of the interface runs on this host's: the same major version (before 1.0, the
/// same minor version, as semver.org 2.0 and Cargo have it), and none newer.
pub(crate) fn compatible(version: &Version) -> bool {
    let track = |v: &Version| if v.major > 0 { (v.major, 0) } else { (0, v.minor) };
    version.pre.is_empty() && track(version) == track(&INTERFACE) && *version <= INTERFACE
}

/// The name and the version of an interface's full name, such as `deskhand:plugin/files@0.1.0`.
pub(crate) fn split(import: &str) -> (&str, Option<Version>) {
    match import.split_once('@') {
        Some((name, version)) => (name, Version::parse(version).ok()),
        None => (import, None),
    }
}
