//! Starting the program of a server. This is the one place where one begins: with an environment that holds nothing but what
//! is declared, in a group of its own, and under a watcher that ends all of it when we do.

use super::watch::WATCH_SUBCOMMAND;
use deskhand_egress::Secret;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

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
}

/// The ends of its streams.
pub(crate) struct Streams {
    pub(crate) input: ChildStdin,
    pub(crate) output: ChildStdout,
    pub(crate) errors: ChildStderr,
}

/// A program at work. Dropped, it and all that it started are ended.
pub(crate) struct Running {
    child: Child,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("watcher", &self.child.id()).finish()
    }
}

/// Start it. `watcher` is the program that has [`super::watch_main`].
pub(crate) fn start(program: &Program, watcher: &Path) -> io::Result<(Running, Streams)> {
    let mut child = Command::new(watcher)
        .arg(WATCH_SUBCOMMAND)
        .arg(std::process::id().to_string())
        .arg(&program.path)
        .args(&program.arguments)
        .env_clear()
        .envs(&program.environment)
        .envs(program.secrets.iter().map(|(name, value)| (name, value.reveal())))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // so that Ctrl-C, which is for us, does not reach it
        .process_group(0)
        .spawn()?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("its streams were not opened"));
    };
    Ok((Running { child }, Streams { input, output, errors }))
}

impl Running {
    /// Wait until it has ended by itself, its standard input being closed, and end it if it does not.
    pub(crate) async fn end(mut self) {
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.terminate();
            // the watcher ends at once
            let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        }
    }

    /// How it ended, where it has; waits a moment for it.
    pub(crate) async fn ended(&mut self) -> Option<String> {
        let status = tokio::time::timeout(GRACE, self.child.wait()).await.ok()?.ok()?;
        Some(match status.code() {
            Some(code) => format!("it ended with code {code}"),
            None => "it was killed".to_owned(),
        })
    }

    fn terminate(&self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // it may have ended just now
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// Where a program is that a person names: by its path, or as their shell would find it in `path`.
pub fn find(command: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|path| is_program(path));
    }
    let folders: OsString = path.map_or_else(|| "/usr/local/bin:/usr/bin:/bin".into(), OsStr::to_owned);
    let found =
        std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(command));
    found.into_iter().find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}
