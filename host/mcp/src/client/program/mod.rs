//! The program of a server: where it lies, and how it runs. Nothing is in its environment but what is declared, and it ends with
//! us. It runs in a sandbox where there is one.

mod confined;
mod find;
mod watched;

use super::{
    sandbox::{Sandbox, Wrote},
    watch::WATCH_SUBCOMMAND,
};
use confined::Confined;
use deskhand_egress::Secret;
use deskhand_vocabulary::ServerName;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use watched::Watched;

/// How long a program has to end by itself once its standard input is closed (Model Context Protocol, lifecycle, shutdown).
const GRACE: Duration = Duration::from_secs(2);

/// A program, ready to be started.
pub(crate) struct Program {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is given.
    pub(crate) arguments: Vec<String>,
    /// All that is in its environment, beside the secrets.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) secrets: Vec<(String, Secret)>,
    /// What else of this computer a sandbox shows it.
    pub(crate) sees: Vec<PathBuf>,
    /// Whether it sees the folders of the task there.
    pub(crate) folders: bool,
}

/// How a program is run.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// In a sandbox.
    Confined(&'a Sandbox),
    /// With the rights of the person, under this program, which has [`super::watch_main`].
    Watched(&'a Path),
}

/// The ends of its streams.
pub(crate) struct Streams {
    pub(crate) input: ChildStdin,
    pub(crate) output: ChildStdout,
    pub(crate) errors: ChildStderr,
}

/// A program at work. Dropped, it and all that it started are ended.
#[derive(Debug)]
pub(crate) enum Running {
    Confined(Box<Confined>),
    Watched(Watched),
}

/// Where a program is that a person names: by its path, or as their shell would find it in `path`.
pub fn find(command: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    find::find(command, path)
}

/// Start it. Errors are in words for the person.
pub(crate) async fn start(server: &ServerName, program: &Program, way: Way<'_>) -> Result<(Running, Streams), String> {
    match way {
        Way::Confined(sandbox) => {
            let (confined, streams) = confined::start(server, program, sandbox).await?;
            Ok((Running::Confined(Box::new(confined)), streams))
        }
        Way::Watched(watcher) => {
            let (watched, streams) = watched::start(program, watcher).map_err(|error| error.to_string())?;
            Ok((Running::Watched(watched), streams))
        }
    }
}

impl Running {
    /// The folders that it is told to work in, as it finds them, with their names; none where it finds them where they lie.
    pub(crate) fn folders(&self) -> Option<Vec<(PathBuf, String)>> {
        match self {
            Self::Confined(confined) => Some(confined.folders()),
            Self::Watched(_) => None,
        }
    }

    /// Whether what is pending is not what it sees.
    pub(crate) fn is_behind(&self) -> bool {
        matches!(self, Self::Confined(confined) if confined.is_behind())
    }

    /// Whether it sees folders of the task with what is pending in them.
    pub(crate) fn sees_folders(&self) -> bool {
        matches!(self, Self::Confined(confined) if confined.sees_folders())
    }

    /// Let what it wrote since the last time be pending.
    pub(crate) async fn take(&mut self) -> Wrote {
        match self {
            Self::Confined(confined) => confined.take().await,
            Self::Watched(_) => Wrote::default(),
        }
    }

    /// Wait until it has ended by itself, its standard input being closed, and end it if it does not. What it wrote last is
    /// pending then.
    pub(crate) async fn end(self) -> Wrote {
        match self {
            Self::Confined(confined) => confined.end().await,
            Self::Watched(watched) => {
                watched.end().await;
                Wrote::default()
            }
        }
    }

    /// How it ended, where it has; waits a moment for it.
    pub(crate) async fn ended(&mut self) -> Option<String> {
        match self {
            Self::Confined(confined) => confined.ended().await,
            Self::Watched(watched) => watched.ended().await,
        }
    }
}
