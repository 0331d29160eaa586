//! What a session and its runner say to each other.

use crate::overlay::Step;
use serde::{Deserialize, Serialize};
use std::{ffi::OsString, path::PathBuf};

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Run a program to its end.
    Command {
        /// The program, and what it is given.
        words: Vec<OsString>,
        /// Where it starts.
        folder: PathBuf,
    },
    /// Run a program to its end that reads what it is given, and says what it says on two streams.
    Program {
        /// The program, and what it is given.
        words: Vec<OsString>,
        /// Where it starts.
        folder: PathBuf,
    },
    /// Give an interpreter a piece of work. It is started where there is none.
    ///
    /// On its standard input it gets a line with the number of bytes of the work and a mark, and then the work. When that is
    /// done it writes the mark between two zero bytes to its standard output.
    Work {
        /// The interpreter, and what it is given.
        interpreter: Vec<OsString>,
        /// Where it starts.
        folder: PathBuf,
        /// The work.
        work: String,
    },
}

/// One of the two streams that a program says something on. What a [`Job::Command`] and a [`Job::Work`] say is one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output, and where there is one stream all of it.
    Output,
    /// Standard error.
    Error,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// How it ended.
    pub outcome: Outcome,
    /// True where the interpreter was started for it.
    pub fresh: bool,
    /// True where it was asked to end.
    pub cut_short: bool,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The interpreter has done its work, and waits for more.
    Done,
    /// The program ended, or the interpreter with all that it knew: its status, or 128 and the signal that ended it.
    Exited(u8),
    /// It could not be started, and why.
    NotStarted(String),
}

/// To the runner.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Do it. All that it says is written to `log` as well, up to a bound; `old` is not needed any more.
    Do { job: Job, log: PathBuf, old: PathBuf },
    /// Let the sandbox see what has changed in its task.
    Follow(Step),
    /// Bytes for the standard input of the program.
    Input(Vec<u8>),
    /// That ends here.
    InputEnd,
    /// Have the job end by itself.
    Interrupt,
    /// End it.
    Kill,
}

/// From the runner.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// What a job says.
    Output(Stream, Vec<u8>),
    /// A step is made, or could not be.
    Followed(bool),
    /// A job is over.
    Ended { outcome: Outcome, fresh: bool },
}
