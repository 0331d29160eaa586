//! The hidden names under which this program helps to make a sandbox.

use crate::{inside, outside, session};
use deskhand_vocabulary::Home;
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
    own: Vec<PathBuf>,
}

impl Helper {
    /// The program at this path, which hands what follows [`SUBCOMMAND`] to [`helper_main`]. Absolute. Nothing of `home` is seen
    /// in a sandbox that it makes.
    pub fn at(program: PathBuf, home: &Home) -> Self {
        let own = home.top().into_iter().chain(home.folders()).map(PathBuf::from).collect();
        Self { program, own }
    }

    /// This very program.
    ///
    /// # Errors
    /// Where the system does not say where it is.
    pub fn own(home: &Home) -> std::io::Result<Self> {
        std::env::current_exe().map(|program| Self::at(program, home))
    }

    /// What is in no sandbox.
    pub(crate) fn hidden(&self) -> &[PathBuf] {
        &self.own
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
