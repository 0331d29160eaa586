//! What can go wrong, in words for a person, and how a plugin is told.

use deskhand_vocabulary::{LogError, path::encode};
use rustix::io::Errno;
use std::path::PathBuf;

/// The kinds of [`FileError`] that `deskhand:plugin` tells apart (`types.error-code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The arguments are wrong.
    Invalid,
    /// Not granted, or not permitted by the system.
    Denied,
    /// Nothing there.
    NotFound,
    /// It changed, or the place is taken.
    Conflict,
    /// Too long, too much.
    TooLarge,
    /// This kind of thing cannot be done to this kind of file.
    Unsupported,
    /// The disk is full.
    Exhausted,
    /// Anything else.
    Failed,
}

/// Why something about one file could not be done.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct FileError {
    /// Which kind.
    pub code: Code,
    /// One sentence or two: what, why, what to do.
    pub message: String,
}

impl FileError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    pub(crate) fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("`{what}` is not there. Check the path, then ask for it again"))
    }

    /// What the system said about `what`.
    pub(crate) fn system(error: Errno, what: impl std::fmt::Display) -> Self {
        let of = |code, text: String| Self { code, message: text };
        match error {
            Errno::NOENT => Self::missing(what),
            Errno::ACCESS | Errno::PERM => of(
                Code::Denied,
                format!("`{what}` may not be used by you. Change its permissions or leave it out, then try again"),
            ),
            Errno::LOOP => of(
                Code::Unsupported,
                format!("`{what}` is or lies behind a link; links are never followed. Name the file itself"),
            ),
            Errno::XDEV => of(
                Code::Unsupported,
                format!("`{what}` is on another disk that is mounted here. Grant that folder itself to use it"),
            ),
            Errno::NOTDIR => of(Code::Invalid, format!("`{what}` does not lie in a folder. Check the path")),
            Errno::ISDIR => of(Code::Invalid, format!("`{what}` is a folder. Name a file")),
            Errno::EXIST => of(Code::Conflict, format!("`{what}` is there already. Choose another name")),
            Errno::NOTEMPTY => of(Code::Conflict, format!("`{what}` is not empty. Leave it, or empty it first")),
            Errno::NOSPC | Errno::DQUOT => of(
                Code::Exhausted,
                format!(
                    "the disk that `{what}` is on is full. Free some space (`deskhand purge` says how much it can free), then try again"
                ),
            ),
            Errno::ROFS => of(
                Code::Denied,
                format!("`{what}` is on a read-only disk. Mount it for writing or choose another folder"),
            ),
            Errno::NAMETOOLONG => of(Code::TooLarge, format!("`{what}` is too long a name for this disk. Shorten it")),
            Errno::IO => {
                of(Code::Failed, format!("the disk reported an error at `{what}`. Check the disk before anything else"))
            }
            Errno::FBIG => of(Code::TooLarge, format!("`{what}` is too large for this disk. Leave it out")),
            other => of(Code::Failed, format!("`{what}` could not be used: {other}. Try again, or leave it out")),
        }
    }
}

/// Why a task's folders could not be set up or looked after.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// A folder of Deskhand's own could not be read or written.
    #[error("{path} could not be used: {reason}. Check that the folder is yours (`deskhand doctor`), then try again", path = .path.display())]
    Home {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The disk of a folder of Deskhand's own has no room.
    #[error("the disk that holds {path} is full: {free} kB are free. Delete or move something on that disk, then try again", path = .path.display(), free = .free / 1000)]
    Full {
        /// Which.
        path: PathBuf,
        /// Bytes free.
        free: u64,
    },
    /// The granted folder could not be read.
    #[error("{path} could not be opened: {reason}. Check that it is there and that you may read it, then try again", path = .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Nothing is pending.
    #[error("nothing is to be changed")]
    Nothing,
    /// Something about one file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no such commit.
    #[error("there is no commit {0}. `deskhand history` lists all")]
    NoCommit(u64),
    /// A commit that cannot be undone any more.
    #[error("commit {commit} cannot be undone: {why}")]
    NotUndoable {
        /// Which.
        commit: u64,
        /// Why, and what to do instead.
        why: String,
    },
    /// A journal that this version cannot read.
    #[error("the journal of commit {commit} cannot be read: {reason}. Nothing was touched. {advice}")]
    Journal {
        /// Which.
        commit: u64,
        /// Why.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
}

impl WorkspaceError {
    pub(crate) fn home(path: impl Into<PathBuf>, error: impl std::fmt::Display) -> Self {
        let path = path.into();
        match deskhand_records::free_space(&path) {
            Some(free) if deskhand_records::is_full(&path) => Self::Full { path, free },
            _ => Self::Home { path, reason: error.to_string() },
        }
    }
}

/// Why a plan was not applied at all. Nothing is changed when this is returned.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The plan is not the one that was agreed to, or is not pending any more.
    #[error("the plan has changed since it was shown. Nothing was changed; show it again")]
    Stale,
    /// The name of a granted folder leads elsewhere by now.
    #[error(
        "{folder} is not the folder any more that was shown: it was renamed, moved or replaced in the meantime. Nothing \
         was changed. Put it back under its name, or name the folder that is meant, then try again"
    )]
    Elsewhere {
        /// The folder.
        folder: String,
    },
    /// A permit that is needed is missing or is for another plan.
    #[error("{0} was not agreed to. Nothing was changed")]
    NotPermitted(&'static str),
    /// A disk without enough room.
    #[error(
        "{needed} are needed on the disk of `{folder}` and {free} are free. Nothing was changed. Free some space \
         (`deskhand purge` says how much it can free), then try again",
        needed = kilobytes(*needed),
        free = kilobytes(*free)
    )]
    NoSpace {
        /// The folder.
        folder: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// A folder that cannot be written.
    #[error("`{folder}` cannot be changed: {reason}. Nothing was changed. Make it writable or leave it out")]
    ReadOnly {
        /// The folder.
        folder: String,
        /// Why.
        reason: String,
    },
    /// The person stopped it before anything was changed.
    #[error("stopped by you; nothing was changed")]
    Stopped,
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Deskhand's own folders.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Something about one file, before anything was changed.
    #[error("{0} Nothing was changed.")]
    File(FileError),
    /// The apply failed midway, and some of it could not be taken back at once.
    #[error(
        "commit {commit} failed midway and could not be taken back wholly: {reason}. Nothing is lost; what is out of \
         place is listed by `deskhand history {commit}`, and is tried again at the next start"
    )]
    Unsettled {
        /// Which.
        commit: u64,
        /// Why.
        reason: String,
    },
}

impl From<FileError> for CommitError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// Bytes of a path, for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    encode(bytes)
}

/// A size for a message, rounded up to whole kB (1,000 bytes).
fn kilobytes(bytes: u64) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}
