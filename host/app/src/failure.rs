//! How a command fails: a message for the person and an exit code, shown once, at the edge.

use crate::exit::Exit;
use deskhand_permissions::Refused;
use deskhand_vocabulary::Unanswered;
use std::fmt;

/// What every command gives back.
pub(crate) type Result<T = Exit> = std::result::Result<T, Failure>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// Something went wrong.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The system gives no thread to wait on.
    pub(crate) fn no_thread(error: std::io::Error) -> Self {
        Self::failed(format!("no thread could be started: {error}. Close something, and try again"))
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }
}

/// The exit code of a refusal.
pub(crate) fn refused(refused: &Refused) -> Exit {
    match refused {
        Refused::Denied { .. } => Exit::Denied,
        Refused::Declined | Refused::Edited(_) => Exit::Declined,
        Refused::Unanswered(Unanswered::Absent) => Exit::Unanswered,
        Refused::Unanswered(Unanswered::Stopped) => Exit::Stopped,
        Refused::Log(_) | Refused::Records(_) => Exit::Failed,
    }
}

impl From<Refused> for Failure {
    fn from(error: Refused) -> Self {
        Self::new(refused(&error), error)
    }
}

macro_rules! failed {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::failed(error)
            }
        })*
    };
}

failed!(
    crate::settings::SettingsError,
    deskhand_records::RecordsError,
    deskhand_records::MemoryError,
    deskhand_vocabulary::LogError,
    deskhand_permissions::GrantError,
    deskhand_runtime::IndexError,
    deskhand_runtime::PluginFault,
);
