//! How a running task is spoken to from another terminal: a socket that only its owner can open, a line of JSON each way.

use super::owner;
use crate::{
    exit::Exit,
    failure::{Failure, Result},
};
use deskhand_agent::{
    plan::Plan,
    steering::{Steer, Steering},
};
use deskhand_vocabulary::{Home, TaskId};
use rustix::fs::{Mode, OFlags, open as open_folder};
use serde::{Deserialize, Serialize};
use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{fs::PermissionsExt as _, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixListener,
    task::JoinHandle,
};

/// The longest line, in bytes.
const LONGEST: u64 = 1 << 20;
/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to say how it stands, where many are asked: one that is held in its terminal says nothing.
const GLANCE: Duration = Duration::from_millis(200);

/// What is said through the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// Words for the model; those that begin with stop take effect at once.
    Say {
        /// The words.
        words: String,
    },
    /// Begin no further step.
    Pause,
    /// Go on.
    Resume,
    /// End the task.
    Cancel,
    /// Tell the plan.
    Plan,
    /// Keep to this plan, which was made of the one that was told.
    SetPlan {
        /// The plan that it was made of.
        of: Plan,
        /// The plan.
        plan: Plan,
    },
}

/// What comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// True if it was done.
    pub(crate) done: bool,
    /// Why not.
    #[serde(default)]
    pub(crate) reason: String,
    /// The plan, where it was asked for.
    #[serde(default)]
    pub(crate) plan: Plan,
    /// Whether it is paused, where the plan was asked for.
    #[serde(default)]
    pub(crate) paused: bool,
}

impl Told {
    fn refused(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }
}

/// Whether a task was reached.
#[derive(Debug)]
pub(crate) enum Reached {
    /// It has answered.
    Told(Told),
    /// No process works on it.
    NotAtWork,
}

/// Lets others speak to the task until it is dropped.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
        // a socket that stays behind answers nobody
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The socket of a task, by a path that is never too long for one (108 bytes; unix(7)): through the open folder.
fn through(folder: &Path, task: TaskId) -> std::io::Result<(OwnedFd, PathBuf)> {
    let handle = open_folder(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{task}.sock", handle.as_raw_fd()));
    Ok((handle, path))
}

/// Open the door of a task that this process owns.
pub(super) fn open(
    home: &Home,
    task: TaskId,
    steering: Arc<Steering>,
    handle: &tokio::runtime::Handle,
) -> Result<Door> {
    let folder = owner::folder(home);
    let failed = |error: std::io::Error| {
        Failure::failed(format!("no socket could be made in {}: {error}. Make the folder writable", folder.display()))
    };
    let path = folder.join(format!("{task}.sock"));
    // one that a process left behind which is gone: the task is held, so no other answers on it
    let _ = std::fs::remove_file(&path);
    let (held, through) = through(&folder, task).map_err(failed)?;
    let _entered = handle.enter();
    let listener = UnixListener::bind(&through).map_err(failed)?;
    // the folder lets nobody else in; this says the same once more
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    drop(held);
    let task = handle.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let own = stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw());
            if own {
                tokio::spawn(tokio::time::timeout(PATIENCE, serve(stream, Arc::clone(&steering))));
            }
        }
    });
    Ok(Door { path, task })
}

async fn serve(stream: tokio::net::UnixStream, steering: Arc<Steering>) {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    if tokio::io::BufReader::new(read.take(LONGEST)).read_line(&mut line).await.is_err() {
        return;
    }
    let told = match serde_json::from_str(&line) {
        Ok(asked) => answer(asked, &steering),
        Err(error) => Told::refused(format!("that was not understood: {error}")),
    };
    if let Ok(mut line) = serde_json::to_vec(&told) {
        line.push(b'\n');
        // who asked has gone; what was said is done all the same
        let _ = write.write_all(&line).await;
    }
}

fn answer(asked: Asked, steering: &Steering) -> Told {
    let steer = match asked {
        Asked::Say { words } => match Steer::typed(&words) {
            // what controls a task has a command of its own; here it is words
            Some(stop @ Steer::Stop(_)) => stop,
            Some(_) => Steer::Say(words),
            None => return Told::refused("nothing was said"),
        },
        Asked::Pause => Steer::Pause,
        Asked::Resume => Steer::Resume,
        Asked::Cancel => Steer::Cancel,
        Asked::Plan => {
            return Told { done: true, plan: steering.plan(), paused: steering.is_paused(), ..Told::default() };
        }
        Asked::SetPlan { of, plan } => {
            if of != steering.plan() {
                let refused = Told::refused("the plan has changed meanwhile. Look at it again");
                return Told { plan: steering.plan(), ..refused };
            }
            match Plan::new(plan.steps) {
                Ok(plan) => Steer::Plan(plan),
                Err(error) => return Told { plan: steering.plan(), ..Told::refused(error.to_string()) },
            }
        }
    };
    steering.steer_from_elsewhere(steer);
    Told { done: true, ..Told::default() }
}

/// Say something to a task.
pub(crate) fn reach(home: &Home, task: TaskId, asked: &Asked) -> Result<Reached> {
    if !owner::is_at_work(home, task) {
        return Ok(Reached::NotAtWork);
    }
    match speak(&owner::folder(home), task, asked, PATIENCE) {
        Ok(told) => Ok(Reached::Told(told)),
        // it is held, but its work is over or has not begun
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            Ok(Reached::NotAtWork)
        }
        // it may have come to it, and be taken up later
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(Failure::new(
            Exit::Failed,
            format!(
                "task {task} does not answer now: it may be held in its terminal (Ctrl-Z; `fg` there lets it go on). It takes \
                 this up once it goes on"
            ),
        )),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("task {task} is at work but does not answer: {error}. Try again in a moment"),
        )),
    }
}

/// True if a task at work begins no further step until it is resumed.
pub(crate) fn is_paused(home: &Home, task: TaskId) -> bool {
    speak(&owner::folder(home), task, &Asked::Plan, GLANCE).is_ok_and(|told| told.paused)
}

fn speak(folder: &Path, task: TaskId, asked: &Asked, patience: Duration) -> std::io::Result<Told> {
    let (_held, path) = through(folder, task)?;
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(asked)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut told = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut told)?;
    Ok(serde_json::from_str(&told)?)
}
