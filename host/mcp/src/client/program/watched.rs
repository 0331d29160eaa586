//! A program with the rights of the person, where there is no sandbox or they want none: in a group of its own, and under a
//! watcher that ends all of it when we do.

use super::{GRACE, Program, Streams, WATCH_SUBCOMMAND};
use rustix::process::{Pid, Signal, kill_process};
use std::{fmt, io, path::Path, process::Stdio};
use tokio::process::{Child, Command};

/// A program at work. Dropped, it and all that it started are ended.
pub(crate) struct Watched {
    child: Child,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("watcher", &self.child.id()).finish()
    }
}

/// Start it. `watcher` is the program that has [`super::watch_main`].
pub(super) fn start(program: &Program, watcher: &Path) -> io::Result<(Watched, Streams)> {
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
    Ok((Watched { child }, Streams { input, output, errors }))
}

impl Watched {
    /// Wait until it has ended by itself, its standard input being closed, and end it if it does not.
    pub(super) async fn end(mut self) {
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.terminate();
            // the watcher ends at once
            let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
        }
    }

    /// How it ended, where it has; waits a moment for it.
    pub(super) async fn ended(&mut self) -> Option<String> {
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

impl Drop for Watched {
    fn drop(&mut self) {
        self.terminate();
    }
}
