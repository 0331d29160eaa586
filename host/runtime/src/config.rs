//! What the runtime may use: settings of the host, and what they bound.

use std::{path::PathBuf, time::Duration};

/// The runtime's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many calls may run at once. A call that waits for the person or for another plugin does not count.
    pub concurrency: u32,
    /// How many calls deep one plugin may call another.
    pub depth: u32,
    /// The most linear memory that a plugin may ask for, in MiB, whatever its manifest says.
    pub memory_mib: u32,
    /// The longest time of its own that one call may take, whatever its manifest says.
    pub time: Duration,
    /// The most that a plugin may hand over in one piece, in bytes: a file to be written, for one. More is a fault.
    pub piece_bytes: usize,
    /// The most that a call, with all the calls that it makes, may hand over to be written to files, in bytes. More is
    /// refused: it would wait on the disk of Deskhand's own folders.
    pub written_bytes: u64,
    /// The most that a command or tool may answer with, in bytes. More is a fault.
    pub reply_bytes: usize,
    /// The most that the log keeps of one call, in bytes; the rest is counted and dropped.
    pub log_bytes: usize,
    /// How many components stay loaded.
    pub loaded: usize,
    /// How much compiled code stays loaded, in bytes.
    pub loaded_bytes: u64,
    /// How the compiler is run.
    pub compiler: Compiler,
}

impl Default for Config {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(32));
        Self {
            concurrency: (processors * 4).clamp(8, 32),
            depth: 8,
            memory_mib: 512,
            time: Duration::from_secs(300),
            piece_bytes: 64 << 20,
            written_bytes: 2 << 30,
            reply_bytes: 4 << 20,
            log_bytes: 256 << 10,
            loaded: 64,
            loaded_bytes: 256 << 20,
            compiler: Compiler::default(),
        }
    }
}

impl Config {
    /// The size of the pool: as many calls as run at once, and as many again that wait.
    pub(crate) fn slots(&self) -> u32 {
        (self.concurrency * 2).clamp(4, 64)
    }
}

/// How a component is compiled: in a process of its own, with limits, because the compiler reads what strangers wrote.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program; none is the one that runs now. It must hand over to [`crate::compile_child_main`].
    pub program: Option<PathBuf>,
    /// Its first arguments.
    pub arguments: Vec<String>,
    /// Address space, in bytes.
    pub memory_bytes: u64,
    /// Processor time.
    pub processor: Duration,
    /// Wall time, after which it is killed.
    pub wall: Duration,
    /// The size of the result, in bytes.
    pub output_bytes: u64,
}

/// The subcommand by which `deskhand` becomes the compiler's child.
pub const COMPILE_SUBCOMMAND: &str = "compile-component";

impl Default for Compiler {
    fn default() -> Self {
        Self {
            program: None,
            arguments: vec![COMPILE_SUBCOMMAND.to_owned()],
            memory_bytes: 6 << 30,
            processor: Duration::from_secs(180),
            wall: Duration::from_secs(600),
            output_bytes: 512 << 20,
        }
    }
}
