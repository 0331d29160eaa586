//! The Rust toolchain that compiles components.

use crate::{BuildError, carried};
use std::{
    io,
    process::{Command, Stdio},
};

/// What components are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// A toolchain that has the standard library for [`TARGET`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// By its name for rustup: `cargo +NAME`.
    Named(String),
    /// By the path of its cargo.
    Cargo(String),
}

impl Toolchain {
    /// Its cargo.
    pub(crate) fn cargo(&self) -> Command {
        match self {
            Self::Named(name) => {
                let mut command = Command::new("cargo");
                command.arg(format!("+{name}"));
                command
            }
            Self::Cargo(path) => Command::new(path),
        }
    }
}

/// Find the toolchain, or make it. What is done is shown on standard error; it takes a moment where it is there, and some
/// minutes where it has to be made.
///
/// # Errors
/// It could not be made; what was shown says why.
pub fn make_toolchain() -> Result<Toolchain, BuildError> {
    let script = tempfile::NamedTempFile::new().map_err(BuildError::file("a temporary file", "made"))?;
    carried::write(script.path(), carried::TOOLCHAIN)?;
    let output = Command::new("bash")
        .arg(script.path())
        .args(["--targets", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| BuildError::Program {
            program: "bash".into(),
            error,
            advice: "Install bash, then try again",
        })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let name = said.trim();
    if !output.status.success() || name.is_empty() {
        return Err(BuildError::Toolchain);
    }
    Ok(if name.contains('/') { Toolchain::Cargo(name.to_owned()) } else { Toolchain::Named(name.to_owned()) })
}

/// The cargo that the author uses, for what runs on this computer; that of the toolchain where there is no other.
pub(crate) fn native(toolchain: &Toolchain) -> Command {
    let own = Command::new("cargo").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if own.is_ok_and(|status| status.success()) { Command::new("cargo") } else { toolchain.cargo() }
}

/// Why cargo could not be started.
pub(crate) fn not_started(error: io::Error) -> BuildError {
    BuildError::Program { program: "cargo".into(), error, advice: "Install Rust (https://rustup.rs), then try again" }
}
