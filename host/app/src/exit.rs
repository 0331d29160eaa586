//! Exit codes. The table stands in `deskhand --help` and in `docs/command-line.md`, which a test compares.

use std::process::ExitCode;

/// How a command of `deskhand` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Unanswered = 3,
    Declined = 4,
    Denied = 5,
    Partial = 6,
    Unserved = 7,
    UsedUp = 8,
    Stopped = 130,
}

impl Exit {
    /// Every code with its meaning.
    pub(crate) const TABLE: [(Self, &'static str); 10] = [
        (Self::Done, "done, or nothing needed doing"),
        (Self::Failed, "something failed, or the output could not be written; the message says what"),
        (Self::Usage, "the command line was not understood"),
        (Self::Unanswered, "a question needed a person and nobody was there; nothing was changed"),
        (Self::Declined, "you said no, or left nothing of an edited plan; nothing was changed"),
        (Self::Denied, "not allowed; `deskhand why` explains"),
        (Self::Partial, "done in part; what was left as it is, is listed"),
        (
            Self::Unserved,
            "no installed command serves the request, or the request does not say enough for it; nothing was done",
        ),
        (Self::UsedUp, "a budget of the task is used up; it can go on with more"),
        (Self::Stopped, "stopped with Ctrl-C; nothing is left half-done"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
