//! Why a program was not started, in words for a person.

use crate::available::Unavailable;

/// Why. Nothing ran, and nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// There is no sandbox on this machine.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The program cannot be found or run in the sandbox.
    #[error("{program} was not started: {reason}")]
    Program {
        /// The program.
        program: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Something that was asked for cannot be.
    #[error("{what} cannot be part of the sandbox: {reason}")]
    Asked {
        /// What.
        what: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The sandbox could not be made.
    #[error("the sandbox could not be made: {reason}. `deskhand doctor` says what this machine lacks")]
    Sandbox {
        /// What the system or bubblewrap says.
        reason: String,
    },
}

impl ConfineError {
    pub(crate) fn sandbox(reason: impl ToString) -> Self {
        Self::Sandbox { reason: reason.to_string() }
    }
}
