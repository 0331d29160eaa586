//! What is to run, and within what.

use crate::overlay::Mount;
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// The folder in the sandbox that the granted folders are in, each under its name in the task.
pub const MOUNTS: &str = "/mnt";

/// The home folder in the sandbox, where nobody has one on a machine. Where [`Confined::home`] is none, it is empty at the start,
/// in memory, and gone at the end.
pub const HOME: &str = "/sandbox";

/// The port of 127.0.0.1 in the sandbox at which the proxy answers, where there is one.
pub const PROXY_PORT: u16 = 3128;

/// A program to be run in a sandbox.
#[derive(Clone, Debug)]
pub struct Confined {
    /// Its path in the sandbox, or a name that is looked for in the `PATH` there.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All of its environment but `PATH`, `HOME`, `USER`, `LANG`, `TMPDIR` and the proxy's, which it may replace. Nothing of
    /// ours is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// The granted folders: [`crate::Overlay::mount`].
    pub folders: Vec<Mount>,
    /// Folders and files of this machine that it sees under their own paths and cannot change, as where a program is
    /// installed that is not below `/usr`.
    pub readable: Vec<PathBuf>,
    /// Folders that are there and empty, under these whole paths, as far as the sandbox has nothing of its own there.
    pub empty: Vec<PathBuf>,
    /// A folder of ours that is its home: what it keeps there lasts. Counted with what is written to granted folders.
    pub home: Option<PathBuf>,
    /// Where it starts, a path in the sandbox; [`HOME`] without.
    pub working_folder: Option<PathBuf>,
    /// The socket of the proxy that is its only network. Without one there is none.
    pub network: Option<PathBuf>,
    /// What it may use.
    pub limits: Limits,
}

impl Confined {
    /// A program without arguments, folders and network, within the usual limits.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folders: Vec::new(),
            readable: Vec::new(),
            empty: Vec::new(),
            home: None,
            working_folder: None,
            network: None,
            limits: Limits::default(),
        }
    }
}

/// What a sandbox may use, all its processes together. Where the kernel can hold a process to it, it does; the sum over all
/// is looked at several times a second, and the whole tree is ended beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory that are not files.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Time of processors.
    pub processor: Option<Duration>,
    /// Bytes of the largest file that is written.
    pub file: u64,
    /// Bytes of `/tmp`, and of a home folder that does not last; both are in memory.
    pub scratch: u64,
    /// Bytes on the disk that what is written to granted folders, and to a home that lasts, may take.
    pub disk: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 4 << 30, processes: 512, processor: None, file: 4 << 30, scratch: 512 << 20, disk: 8 << 30 }
    }
}
