//! A place where commands run, shut off from all else: a sandbox of this computer, or a guest.

use deskhand_confine::{Excess, Input, Stream, Taken};
use deskhand_permissions::{Context, Gate, Refused};
use deskhand_vocabulary::{Stop, text};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// The program of the tool `python`: an interpreter that reads its work from its standard input, as [`deskhand_confine::Job`]
/// says.
pub const INTERPRETER: &str = include_str!("python.py");

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// A line for a shell.
    Shell {
        /// The line.
        command: String,
        /// Where, a path in the enclosure; none for its home.
        folder: Option<PathBuf>,
    },
    /// A program that reads what it is given, and says what it says on two streams.
    Program {
        /// The program, and what it is given.
        words: Vec<OsString>,
        /// Where, a path in the enclosure; none for its home.
        folder: Option<PathBuf>,
    },
    /// Python, in an interpreter that keeps its variables.
    Python {
        /// The code.
        code: String,
    },
}

/// The most characters of a command in the reason of a change.
const REASON: usize = 80;

/// Why something is changed by a job, for the person.
pub fn reason(job: &Job) -> String {
    let shown = |text: &str| format!("`{}`", text::shortened(&text::safe(text, false), REASON));
    match job {
        Job::Shell { command, .. } => shown(command),
        Job::Program { words, .. } => {
            let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
            shown(&words.join(" "))
        }
        Job::Python { .. } => "written by Python".to_owned(),
    }
}

/// What came of a job.
#[derive(Debug)]
pub struct Done {
    /// How it ended.
    pub ended: Ended,
    /// True where it took an interpreter that knows of nothing before, although there had been another.
    pub forgot: bool,
    /// A file in the enclosure in which all that it said can be read; none where it cannot any more.
    pub log: Option<PathBuf>,
    /// What it wrote, which is pending now.
    pub taken: Taken,
    /// The reason of that, for the person.
    pub reason: String,
}

/// How a job ended. Whatever it had started has ended with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself: its status, as shells say it. None for an interpreter that waits for more.
    Exited(Option<u8>),
    /// Its time was over. True where an interpreter still knows what it knew.
    TimedOut(bool),
    /// The person stopped it.
    Stopped,
    /// It used too much, and all in the enclosure was ended.
    Beyond(Excess),
    /// The enclosure ended with it.
    Broken,
    /// It could not be started, and why.
    NotStarted(String),
}

/// See the module.
pub trait Enclosure: Send + Sync {
    /// What it is, for the model: completes "Run a command in …".
    fn name(&self) -> &'static str;

    /// What is in it, for the model: a sentence on its programs, and one on the modules of its Python. Empty where nobody
    /// promises any.
    fn holds(&self) -> [String; 2];

    /// What it is in records: `guest` or `sandbox`.
    fn word(&self) -> &'static str;

    /// Have it decided whether something runs in it, in the name of `context`.
    ///
    /// # Errors
    /// Why not.
    fn permit(&self, gate: &Gate, context: &Context) -> Result<(), Refused>;

    /// Whether there is Python in it.
    fn has_python(&self) -> bool;

    /// Run a job, and let what it wrote to the folders of the task join what is pending. It has so much time, not counting
    /// what the person takes to answer. `input` is what a [`Job::Program`] reads, without which it reads nothing; `heard` is
    /// given what it says as it says it. What another job says is one stream. Blocks.
    ///
    /// # Errors
    /// Why there is no enclosure, or why what was written could not be taken, for the person.
    fn run(
        &self,
        job: &Job,
        input: Option<Input>,
        until: (Duration, &Stop),
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Done, String>;

    /// Let go of the folders: what is pending is about to be applied, which nothing that is at work over them would see. What
    /// runs is ended; the next job begins anew. Blocks.
    fn close(&self);
}
