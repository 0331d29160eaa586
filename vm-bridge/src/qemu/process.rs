//! A QEMU process: started, watched and ended.

use crate::VmError;
use rustix::{
    fd::OwnedFd,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

/// The most bytes that are kept of what QEMU complains of.
const COMPLAINT: u64 = 4096;

/// A running QEMU. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    handle: OwnedFd,
    id: u32,
    complaint: Arc<Mutex<String>>,
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Process {
    /// Start it on a thread that lives as long as it does: the kernel ends the process with the thread that started it.
    pub(super) fn start(mut command: Command) -> Result<Self, VmError> {
        let (say, started) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let complaint = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&complaint);
        thread::spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => return drop(say.send(Err(error))),
            };
            // the other ends of what was handed over are the child's alone now
            drop(command);
            let handle = handle(&child);
            let id = child.id();
            if say.send(handle.map(|handle| (handle, id))).is_err() {
                let _ = child.kill();
            }
            listen(&mut child, &heard);
            // nothing else waits for it, so it is there
            let _ = child.wait();
            drop(end);
        });
        let (handle, id) = started.recv().map_err(io::Error::other)??;
        Ok(Self { handle, id, complaint, ended: Mutex::new(ended) })
    }

    /// What went wrong, in QEMU's own words where it has any.
    pub(super) fn explain(&self, error: io::Error) -> VmError {
        self.kill();
        let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        if complaint.is_empty() { error.into() } else { VmError::Monitor(complaint.clone()) }
    }

    /// End it, and wait until it is gone: what it complained of is then known, and nothing of it is left.
    pub(super) fn kill(&self) {
        // one that has ended needs no signal
        let _ = pidfd_send_signal(&self.handle, Signal::KILL);
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv();
    }

    /// What QEMU itself sees at a path: its device and inode.
    pub(super) fn sees(&self, path: &Path) -> Option<(u64, u64)> {
        let root = self.own()?.join("root");
        let seen = fs::metadata(root.join(path.strip_prefix("/").ok()?)).ok()?;
        Some((seen.dev(), seen.ino()))
    }

    /// Where the kernel tells of QEMU itself, which is bubblewrap's only child.
    fn own(&self) -> Option<PathBuf> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id)).ok()?;
        Some(Path::new("/proc").join(children.split_whitespace().next()?))
    }

    /// Bytes resident of QEMU itself.
    pub(super) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(self.own()?.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn handle(child: &Child) -> io::Result<OwnedFd> {
    let id = Pid::from_raw(child.id().cast_signed()).ok_or(io::ErrorKind::NotFound)?;
    Ok(pidfd_open(id, PidfdFlags::empty())?)
}

/// Keep the start of what it complains of, and read on so that it is never held up. Bubblewrap has a copy of the pipe,
/// and so does QEMU: it ends when both have.
fn listen(child: &mut Child, heard: &Mutex<String>) {
    let Some(mut from) = child.stderr.take() else { return };
    let mut bytes = Vec::new();
    let _ = from.by_ref().take(COMPLAINT).read_to_end(&mut bytes);
    let text: String =
        String::from_utf8_lossy(&bytes).trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    *heard.lock().unwrap_or_else(PoisonError::into_inner) = text;
    let _ = io::copy(&mut from, &mut io::sink());
}
