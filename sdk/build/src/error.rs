//! What can go wrong while a plugin is made, in words for its author.

use std::{io, path::PathBuf};

/// Why a plugin could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file or folder could not be read or written.
    #[error("{path} could not be {what}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// `read`, `written`, and so on.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// There is something where a new plugin should go.
    #[error("{path} is there already. Choose another name, or empty the folder first", path = .0.display())]
    Taken(PathBuf),
    /// The folder is no plugin.
    #[error(
        "{folder} holds no plugin: there is no `{missing}` in it. Name the folder of a plugin, or make one with `deskhand plugin new NAME`",
        folder = .folder.display()
    )]
    NotAPlugin {
        /// Which folder.
        folder: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// `plugin.toml` cannot be understood.
    #[error("{path} cannot be understood:\n{reason}", path = .path.display())]
    Written {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A value that the manifest needs is nowhere.
    #[error("`{field}` is missing: write it into plugin.toml under [plugin], or {cargo}")]
    Missing {
        /// Which.
        field: &'static str,
        /// Where else it could stand.
        cargo: &'static str,
    },
    /// A program that is needed could not be started.
    #[error("`{program}` could not be started: {error}. {advice}")]
    Program {
        /// Which.
        program: String,
        /// What the system says.
        error: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// The toolchain for components could not be made.
    #[error("the toolchain for components could not be set up; the lines above say why and what to do")]
    Toolchain,
    /// The plugin's own code does not compile.
    #[error("the plugin does not compile for {what}; the lines above say where")]
    Compile {
        /// `this computer` or `components`.
        what: &'static str,
    },
    /// The crate has no `plugin!`.
    #[error(
        "the crate says nothing of its commands and tools. Write `deskhand_sdk::plugin! {{ commands: [...] }}` into src/lib.rs, at the top level, and leave `test` on for the library"
    )]
    NoDescription,
    /// The library is not a `cdylib`.
    #[error(
        "the library of `{0}` is not built as a component. Write `crate-type = [\"cdylib\", \"rlib\"]` under [lib] in Cargo.toml"
    )]
    NotACdylib(String),
    /// Cargo's answer could not be understood.
    #[error("cargo's description of the crate cannot be understood: {0}. Check Cargo.toml with `cargo metadata`")]
    Metadata(String),
    /// What the code says and what `plugin.toml` says do not fit together.
    #[error("the manifest cannot be made: {0}")]
    Manifest(String),
    /// A file that is no component.
    #[error("this is not a component: {0}. Build the plugin again with `deskhand plugin build`")]
    NotAComponent(String),
    /// A component without a manifest, or with one that cannot be read.
    #[error("the component {0}. Build the plugin with `deskhand plugin build`, which packs it")]
    NoManifest(String),
}

impl BuildError {
    pub(crate) fn file(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, what, error }
    }
}
