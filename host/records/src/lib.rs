//! The records of one Deskhand home: the append-only log on SQLite, the contents that belong to it under a key per task,
//! and what stands beside it (grants, the state of plugins, memory, tasks of other computers). Imports the vocabulary alone. Its one main type is
//! [`Records`].

mod chain;
pub mod error;
pub mod grant;
pub mod imported;
mod line;
pub mod memory;
mod names;
mod presence;
pub mod public;
pub mod reading;
mod schema;
mod sealed;
pub mod state;
mod subscription;
pub mod task;
pub mod verify;
mod writer;

pub use error::{RecordsError, free_space, is_full};
pub use grant::{Duration, Grant, Scope};
pub use imported::{Imported, ImportedId};
pub use memory::{Draft, Memory, MemoryError, Note, NoteOrigin, NoteScope, NoteText, Within};
pub use public::{Recorded, to_json_line};
pub use reading::{Events, Filter};
pub use state::{Item, State, StateError};
pub use subscription::Subscription;
pub use task::Task;
pub use verify::Verification;

use deskhand_vocabulary::{Clock, Entry, EventId, Log, LogError};
use presence::Presence;
use rusqlite::Connection;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use subscription::Listeners;
use writer::{Writer, Writing};

/// The records of one Deskhand home. Several processes may have the same home open. Dropping it writes what is queued.
pub struct Records {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    presence: Presence,
    reader: Mutex<Connection>,
    writer: OnceLock<Result<Writer, RecordsError>>,
    listeners: Listeners,
    grants: Mutex<Option<grant::Known>>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("path", &self.path).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Records {
    /// Open the records at `path`, making the file (mode 0600) and its folder (0700) where there are none. Nothing is
    /// read or checked that is not needed yet.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, RecordsError> {
        let reader = schema::open(path)?;
        let presence = Presence::of(path).map_err(|error| RecordsError::of_file(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            clock,
            presence,
            reader: Mutex::new(reader),
            writer: OnceLock::new(),
            listeners: Listeners::default(),
            grants: Mutex::default(),
        })
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Be told of each event that this process records, once it is durable, in order, until what is returned is dropped;
    /// [`Recorded::content`] included. `listener` runs on the writing thread: it should be brief, and must not write to the
    /// records.
    pub fn subscribe(&self, listener: impl Fn(&Recorded) + Send + 'static) -> Subscription {
        Subscription::of(&self.listeners, Box::new(listener))
    }

    /// The next of the numbers called `name`, from 1. Durable when it is returned; never returned twice in one home.
    pub fn next_number(&self, name: &'static str) -> Result<u64, RecordsError> {
        self.write(move |writing| writing.raise(name)).map(i64::cast_unsigned)
    }

    /// Wait until all that was queued is durable.
    pub fn flush(&self) -> Result<(), RecordsError> {
        match self.writer.get() {
            None => Ok(()),
            Some(_) => self.write(|_| Ok(())),
        }
    }

    /// Write all that is queued, and close.
    pub fn close(self) -> Result<(), RecordsError> {
        self.flush()
    }

    fn writer(&self) -> Result<&Writer, RecordsError> {
        let start =
            || Writer::start(&self.path, self.presence.clone(), Arc::clone(&self.clock), Arc::clone(&self.listeners));
        self.writer.get_or_init(start).as_ref().map_err(Clone::clone)
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordsError> {
        self.writer()?.write(work)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, RecordsError> {
        work(&locked(&self.reader)).map_err(|error| RecordsError::of(&self.path, &error))
    }
}

impl Log for Records {
    fn append(&self, entry: Entry) -> Result<EventId, LogError> {
        self.write(|writing| writing.append(entry)).map_err(|error| LogError { reason: error.to_string() })
    }

    fn queue(&self, entry: Entry) {
        // where there is no writer, the next append says so
        if let Ok(writer) = self.writer() {
            writer.queue(|writing| writing.append(entry).map(drop));
        }
    }

    fn flush(&self) -> Result<(), LogError> {
        Self::flush(self).map_err(|error| LogError { reason: error.to_string() })
    }
}
