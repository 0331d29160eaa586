//! The records: the append-only log on SQLite, and what stands beside it (grants, the state of plugins).
//! Imports the vocabulary alone.

pub mod error;
pub mod grant;

pub use error::RecordsError;
pub use grant::{Duration, Grant, Scope};

use deskhand_vocabulary::{Clock, Entry, EventId, Log, LogError, TaskId};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The records of one Deskhand home.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
}

impl Records {
    /// Open the records, making them where there are none.
    pub fn open(path: &Path, _clock: Arc<dyn Clock>) -> Result<Self, RecordsError> {
        Ok(Self { path: path.to_owned() })
    }

    fn missing<T>(&self) -> Result<T, RecordsError> {
        Err(RecordsError::Failed { path: self.path.clone(), reason: "nothing can be written yet".into() })
    }

    /// Number a task and record that it started. `content`: `request`, `folders`.
    pub fn start_task(&self, _content: serde_json::Value) -> Result<TaskId, RecordsError> {
        self.missing()
    }

    /// All grants that hold.
    pub fn grants(&self) -> Result<Arc<[Grant]>, RecordsError> {
        self.missing()
    }

    /// Grant something.
    pub fn grant(&self, _task: Option<TaskId>, _scope: Scope, _duration: Duration) -> Result<Grant, RecordsError> {
        self.missing()
    }

    /// Use up a grant for one use: a folder becomes the task's, all else is gone. False if it is gone already.
    pub fn use_grant(&self, _id: u64, _task: Option<TaskId>) -> Result<bool, RecordsError> {
        self.missing()
    }

    /// Take a grant back.
    pub fn revoke(&self, _id: u64) -> Result<Grant, RecordsError> {
        self.missing()
    }
}

impl Log for Records {
    fn append(&self, _entry: Entry) -> Result<EventId, LogError> {
        Err(LogError { reason: "nothing can be written yet".into() })
    }

    fn queue(&self, _entry: Entry) {}
}
