//! A program that runs in a sandbox.

use crate::hold::Held;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use tokio::{
    process::{ChildStderr, ChildStdin, ChildStdout},
    sync::watch,
};

/// How a sandbox ended. Nothing of it runs any more then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The program ended, with this status; 128 and more where a signal ended it (as shells do).
    Exited(u8),
    /// It used more than it may.
    Beyond(Excess),
    /// It was stopped by [`Running::stop`], or because nobody held it any more.
    Stopped,
}

/// What a sandbox used too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Memory.
    Memory,
    /// Processes.
    Processes,
    /// Time of processors.
    Processor,
    /// Room on the disk.
    Disk,
}

/// A program that runs. Dropped, it and all that it started is ended.
#[derive(Debug)]
pub struct Running {
    /// What it reads.
    pub stdin: Option<ChildStdin>,
    /// What it says. What is not read holds it up.
    pub stdout: Option<ChildStdout>,
    /// What it says beside.
    pub stderr: Option<ChildStderr>,
    pub(crate) bell: Arc<OwnedFd>,
    /// Its first process, once there is one.
    pub(crate) first: Option<Arc<OwnedFd>>,
    pub(crate) ended: watch::Receiver<Option<Ended>>,
}

impl Running {
    /// End it and all that it started. [`Self::wait`] says when that is so.
    pub fn stop(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()); // it fails only where it was rung already
    }

    /// Hold it still, until what is given is dropped, so that what it wrote can be read. Takes some milliseconds.
    ///
    /// # Errors
    /// Where it does not stand still. It goes on then.
    pub async fn hold(&self) -> std::io::Result<Held> {
        let Some(first) = self.first.clone() else { return Ok(Held::default()) };
        tokio::task::spawn_blocking(move || Held::all(&first)).await.map_err(std::io::Error::other)?
    }

    /// Wait for its end. Waits for nobody's reading: what it said last may still be in the pipes.
    pub async fn wait(&mut self) -> Ended {
        match self.ended.wait_for(Option::is_some).await {
            Ok(ended) => (*ended).unwrap_or(Ended::Stopped),
            // whoever watches it says so before it goes
            Err(_) => Ended::Stopped,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
