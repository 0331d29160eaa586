//! `deskhand plugin new|build|check|info`: for those who write plugins. What is done is done by `deskhand_build` and by
//! the runtime's inspection; here it is asked for and shown.

mod build;
mod check;
mod info;
mod new;
mod show;

use crate::failure::{Failure, Result};
use deskhand_build::{BuildError, Kind};
use deskhand_runtime::MAX_COMPONENT;
use deskhand_vocabulary::PluginName;
use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write a new plugin that works, and its tests
    New(New),
    /// Build a plugin into one file
    Build(Build),
    /// Say all that an install would say of a plugin, and what could be better
    Check(Check),
    /// Show what a plugin holds and what it may do
    Info(Info),
}

#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// What it is called: 1 to 64 of a-z, 0-9 and `-`, starting with a letter
    name: PluginName,
    /// What it is to be
    #[arg(long, value_enum, default_value_t)]
    kind: NewKind,
    /// Where to write it; without it, a folder of its name here
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Who makes it, as people know you; without it, the name that git knows
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// Build it at once
    #[arg(long)]
    build: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The kinds of plugin that are written for an author.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum NewKind {
    /// A slash command
    #[default]
    Command,
    /// A tool for models and other plugins
    Tool,
    /// A skill: how a kind of work is done
    Skill,
    /// A sub-agent that Deskhand's own loop works for
    Agent,
    /// A sub-agent that runs itself
    AgentLoop,
}

impl From<NewKind> for Kind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::Command => Self::Command,
            NewKind::Tool => Self::Tool,
            NewKind::Skill => Self::Skill,
            NewKind::Agent => Self::Agent,
            NewKind::AgentLoop => Self::AgentLoop,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// A plugin's file, or its folder, which is built first
    #[arg(value_name = "FILE|FOLDER", default_value = ".")]
    what: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Info {
    /// A plugin's file, or the name of an installed plugin
    #[arg(value_name = "FILE|PLUGIN")]
    what: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command) -> Result {
    match command {
        Command::New(options) => new::run(&options),
        Command::Build(options) => build::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Info(options) => info::run(&options),
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::failed(error)
    }
}

/// The bytes of a component, no more of them than one may have.
fn read(file: &Path) -> Result<Vec<u8>> {
    let unread = |error: std::io::Error| {
        let file = show::path(file);
        Failure::failed(format!(
            "{file} could not be read: {error}. Name the file of a plugin, such as target/plugin/NAME.wasm"
        ))
    };
    let mut bytes = Vec::new();
    let limit = MAX_COMPONENT as u64 + 1;
    deskhand_files::open(file, deskhand_files::Origin::Person)
        .map_err(unread)?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 == limit {
        let most = crate::show::bytes(MAX_COMPONENT as u64);
        return Err(Failure::failed(format!("{} is larger than the {most} that a plugin may have", show::path(file))));
    }
    Ok(bytes)
}
