//! The hidden names under which this program helps to make a sandbox.

use crate::{error::ConfineError, inside, outside, session};
use deskhand_vocabulary::Home;
use deskhand_workspace::kept_elsewhere;
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::{Command, ExitCode},
};

/// The hidden subcommand of `deskhand` that is the helper.
pub const SUBCOMMAND: &str = "sandbox-helper";

/// The outer one's first argument.
const OUTSIDE: &str = "outside";
/// The inner one's first argument.
const INSIDE: &str = "inside";
/// The first argument of the one that runs the jobs of a session.
const JOBS: &str = "jobs";

/// The program that helps: `deskhand` itself.
#[derive(Clone, Debug)]
pub struct Helper {
    program: PathBuf,
    /// What is Deskhand's own, and in no sandbox.
    home: Home,
}

impl Helper {
    /// The program at this path, which hands what follows [`SUBCOMMAND`] to [`helper_main`]. Absolute. Nothing of `home` is seen
    /// in a sandbox that it makes.
    pub fn at(program: PathBuf, home: &Home) -> Self {
        Self { program, home: home.clone() }
    }

    /// This very program.
    ///
    /// # Errors
    /// Where the system does not say where it is.
    pub fn own(home: &Home) -> std::io::Result<Self> {
        std::env::current_exe().map(|program| Self::at(program, home))
    }

    /// What is in no sandbox, as it is now: with each disk that something is removed on, there is more of it.
    pub(crate) fn hidden(&self) -> Result<Vec<PathBuf>, ConfineError> {
        let elsewhere = kept_elsewhere(&self.home).map_err(ConfineError::sandbox)?;
        let own = self.home.top().into_iter().chain(self.home.folders()).map(PathBuf::from);
        Ok(own.chain(elsewhere).collect())
    }

    pub(crate) fn program(&self) -> &std::path::Path {
        &self.program
    }

    pub(crate) fn outside(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args([SUBCOMMAND, OUTSIDE]);
        command
    }

    /// The program that runs the jobs of a session, and its arguments, where the helper lies at `at`.
    pub(crate) fn runner(at: &str) -> (OsString, Vec<OsString>) {
        (at.into(), [SUBCOMMAND, JOBS].map(OsString::from).into())
    }

    /// What runs in the sandbox, where the helper lies at `at`.
    pub(crate) fn inside(at: &str, proxy: Option<&str>, command: impl Iterator<Item = OsString>) -> Vec<OsString> {
        let own = [at, SUBCOMMAND, INSIDE, proxy.unwrap_or_default()];
        own.into_iter().map(OsString::from).chain(command).collect()
    }
}

/// The helper, by the arguments that follow [`SUBCOMMAND`]. To be called first in a process, before it has a second thread
/// or opens anything.
pub fn helper_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref().and_then(OsStr::to_str) {
        Some(OUTSIDE) => outside::run(),
        Some(INSIDE) => inside::run(arguments.next().filter(|proxy| !proxy.is_empty()), arguments.collect()),
        Some(JOBS) => session::run(),
        _ => ExitCode::FAILURE,
    }
}
