//! `deskhand vm …`

use super::{allow, build, check, info, prune, shell};
use crate::{
    cli::{Answers, Json},
    failure::Result,
};
use std::{ffi::OsString, path::PathBuf};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum VmCommand {
    /// Say where commands of your agent run, and what this computer has for them
    Info(Json),
    /// Let your agent run commands and code in a sandbox of this computer
    Allow(Json),
    /// Use the sandbox of your agent by hand; what is written to the folders is shown to you before it is made
    Shell(Shell),
    /// Try from inside what must not be possible there, and say how each try came out
    Check(Json),
    /// Build the image of the guest out of Debian packages
    Build(Build),
    /// Remove the images and packages that are not needed any more, and guests as they were saved
    Prune(Prune),
}

impl VmCommand {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Info(options) => info::run(options),
            Self::Allow(options) => allow::run(options),
            Self::Shell(options) => shell::run(options),
            Self::Check(options) => check::run(options),
            Self::Build(options) => build::run(options),
            Self::Prune(options) => prune::run(options),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Shell {
    /// A folder that is there, at /mnt and its name. Can be given several times
    #[arg(long, short, value_name = "FOLDER")]
    pub(super) folder: Vec<PathBuf>,
    /// A host that can be reached, such as example.org. Can be given several times; without it there is no network
    #[arg(long, value_name = "HOST")]
    pub(super) host: Vec<String>,
    #[command(flatten)]
    pub(super) answers: Answers,
    /// A program and what it is given, after `--`; without one, a shell
    #[arg(last = true, value_name = "PROGRAM")]
    pub(super) program: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// Where the packages come from: the address of a Debian archive; without it, the one that this computer uses
    #[arg(long, value_name = "URL")]
    pub(super) mirror: Option<String>,
    /// Where python-pptx comes from, which Debian does not have: the address of a Python package index, or `none` to leave it
    /// out; without it, the one that pip is set to
    #[arg(long, value_name = "URL")]
    pub(super) index: Option<String>,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    /// The image that is in use as well
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) json: Json,
}
