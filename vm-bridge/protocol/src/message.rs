//! The messages of the control port. The host asks, the guest reports.
//!
//! Variants and fields are only ever added at the end, together with a new [`VERSION`]; the two ends of one build
//! always agree, and an image of another build is not started.

use serde::{Deserialize, Serialize};

/// The version that both ends must name in their first message.
pub const VERSION: u16 = 4;

/// The names of the virtio-serial ports.
pub mod port {
    /// Requests and reports, in frames.
    pub const CONTROL: &str = "org.deskhand.control";
    /// The folders of the task, in frames.
    pub const FILES: &str = "org.deskhand.files";
    /// Connections to the host's proxy, in frames.
    pub const NET: &str = "org.deskhand.net";
    /// What the guest has to say of itself, as lines of text.
    pub const LOG: &str = "org.deskhand.log";
}

/// How the guest knows of the disk that lies over its root image, where the image has one.
pub mod disk {
    /// The serial of the disk.
    pub const LAYER: &str = "layer";
    /// The word on the kernel's command line that says that there is one.
    pub const TOLD: &str = "deskhand.layer";
}

/// Where jobs find the proxy, on the loopback of their sandbox.
pub const PROXY_PORT: u16 = 3128;

/// By this tag the guest finds the folders of its task (9p).
pub const FOLDERS: &str = "folders";

/// Bytes of one stream of a job that may be on their way and not yet read. A job that says more waits for its reader, as at any
/// pipe.
pub const OUTPUT_WINDOW: u64 = 1 << 20;

/// Bytes of a job's input that may be on their way and not yet read.
pub const INPUT_WINDOW: u64 = 1 << 20;

/// A job of one guest. The host chooses it, and never the same twice.
pub type JobId = u32;

/// What makes a restored guest another one than its siblings.
pub type SessionId = [u8; 16];

/// What the host asks of the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// First of all.
    Hello {
        /// [`VERSION`] of the host.
        version: u16,
    },
    /// Before any job, at a cold boot as after a restore.
    Wake(Wake),
    /// Run a command in the task's sandbox.
    Run {
        /// A number that was not used before.
        job: JobId,
        /// What to run.
        command: Command,
        /// What it may use.
        limits: Limits,
    },
    /// Bytes for a job's standard input.
    Input {
        /// The job.
        job: JobId,
        /// At most 64 KiB.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// A job's standard input ends here.
    InputEnd {
        /// The job.
        job: JobId,
    },
    /// End a job: SIGTERM, and SIGKILL for all that is left of it two seconds later.
    Stop {
        /// The job.
        job: JobId,
    },
    /// Interrupt a job, as Ctrl-C does: SIGINT to all of its processes.
    Interrupt {
        /// The job.
        job: JobId,
    },
    /// Answered at once by [`Report::Pong`].
    Ping {
        /// Comes back in the answer.
        number: u32,
    },
    /// End the guest.
    Shutdown,
    /// Have in memory what most jobs need. Once, and before [`Request::Wake`]: what comes of it is to be saved. Answered by
    /// [`Report::Warm`].
    Warm {
        /// Whether an interpreter of Python is to be kept as well that has loaded its libraries, for jobs that are
        /// [`PYTHON`].
        python: bool,
    },
    /// So many bytes of what a job said were read: there is room for as many more beside [`OUTPUT_WINDOW`].
    Room {
        /// The job.
        job: JobId,
        /// Of which stream.
        stream: Stream,
        /// How many. All that there can be where nobody reads any more.
        bytes: u64,
    },
}

/// What a guest needs to know before it may run anything: two clones of one snapshot are the same machine until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// Fresh random bytes for the guest's generator.
    pub entropy: [u8; 32],
    /// Seconds since 1970-01-01 UTC.
    pub seconds: u64,
    /// And nanoseconds, below 1,000,000,000.
    pub nanoseconds: u32,
    /// Who this guest is from now on.
    pub session: SessionId,
}

/// What to run, as in `execve(2)`: bytes without NUL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program, found in the guest's own path, and its arguments; at least the program.
    pub words: Vec<Vec<u8>>,
    /// Variables beside the few that the sandbox sets.
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    /// The folder to start in, an absolute path of the guest.
    pub folder: Vec<u8>,
    /// Whether what it says is kept in a file as well, [`log`] of its number, as far as there is room for it.
    pub logged: bool,
    /// Whether what it says on standard error comes on standard output, in its place.
    pub merged: bool,
}

impl Command {
    /// These words in that folder, and nothing else.
    pub fn new(words: &[impl AsRef<[u8]>], folder: &str) -> Self {
        let words = words.iter().map(|word| word.as_ref().to_vec()).collect();
        Self { words, environment: Vec::new(), folder: folder.into(), logged: false, merged: false }
    }
}

/// A command that is these words and a source, the second of them or not, and no more, begins in the interpreter that is kept
/// warm, where there is one.
pub const PYTHON: [&str; 3] = ["python3", "-u", "-c"];

/// Where a job can read all that another one said which was to be logged.
pub fn log(job: JobId) -> String {
    format!("/tmp/output-{job}.txt")
}

/// What one job may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory, with what it keeps in temporary files.
    pub memory: u64,
    /// Processes and threads at one time.
    pub processes: u32,
    /// Milliseconds from start to SIGTERM.
    pub milliseconds: u64,
    /// Bytes of standard output and of standard error each that are sent; the rest is counted and thrown away.
    pub output: u64,
}

/// What the guest reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// First of all, in answer to [`Request::Hello`].
    Hello {
        /// [`VERSION`] of the guest.
        version: u16,
    },
    /// The generator and the clock are set; jobs may come.
    Awake {
        /// As it was given.
        session: SessionId,
    },
    /// A job will not run.
    Refused {
        /// The job.
        job: JobId,
        /// Why.
        why: Refusal,
    },
    /// A job wrote.
    Output {
        /// The job.
        job: JobId,
        /// Where.
        stream: Stream,
        /// At most 64 KiB.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// A job is over, all of its processes are gone, and all of its output was sent.
    Ended {
        /// The job.
        job: JobId,
        /// How.
        ending: Ending,
        /// What it used.
        usage: Usage,
    },
    /// In answer to [`Request::Ping`].
    Pong {
        /// As it was given.
        number: u32,
    },
    /// The last word of a guest that ends because it was told to.
    Goodbye,
    /// In answer to [`Request::Warm`].
    Warm,
    /// So many bytes of a job's input were read: there is room for as many more beside [`INPUT_WINDOW`].
    Read {
        /// The job.
        job: JobId,
        /// How many. All that there can be where it reads nothing more.
        bytes: u64,
    },
}

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Why a job does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The guest has not been given its entropy and time.
    #[error("the guest has not been woken")]
    NotAwake,
    /// A number that was used before, an empty command, a NUL, a relative folder.
    #[error("the request makes no sense")]
    Senseless,
    /// More jobs at one time than the guest takes.
    #[error("too many jobs run at once")]
    TooMany,
    /// The sandbox could not start it: no such program, no such folder.
    #[error("the guest cannot start it: {}", std::io::Error::from_raw_os_error(*.0))]
    Start(i32),
    /// The sandbox is gone.
    #[error("the sandbox of the task has ended")]
    NoSandbox,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// By itself, with its status, 0 to 255.
    Exited(i32),
    /// By a signal that the guest did not send.
    Signal(i32),
    /// Its time was over.
    OutOfTime,
    /// It needed more memory than it was given.
    OutOfMemory,
    /// It was told to.
    Stopped,
}

/// What a job used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Microseconds of processor time.
    pub processor: u64,
    /// The most bytes of memory at one time.
    pub memory: u64,
    /// Whether it wanted more processes than it was given.
    pub out_of_processes: bool,
    /// Bytes of standard output that it wrote, sent or not.
    pub output: u64,
    /// Bytes of standard error that it wrote, sent or not.
    pub error: u64,
}
