//! The one thread that writes. Whoever waits is answered when the commit that holds their write is on the disk; writes that
//! come in the meantime share the next commit.

use crate::{
    chain::{self, link},
    error::RecordsError,
    line::{Line, Message},
    locked, names,
    presence::Presence,
    public::Recorded,
    schema,
    sealed::{self, Key},
    subscription::Listeners,
};
use deskhand_vocabulary::{Clock, Entry, Event, EventId, Sha256, TaskId};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, blob::ZeroBlob, params};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// So many share a commit.
pub(crate) const BATCH: usize = 512;
/// How long a write that nobody waits for may wait for company.
pub(crate) const LINGER: Duration = Duration::from_millis(20);

/// From this many bytes on a content is written into a place that is made for it first: a bound value is copied twice on its way
/// into the file.
const LARGE: usize = 1 << 20;

/// How long emptying the write-ahead log waits for whoever still reads from it.
const PATIENCE_WITH_READERS: Duration = Duration::from_secs(2);

/// Something to be written. It looks before it writes: an error of SQLite undoes the whole commit.
pub(crate) trait Job: Send {
    fn run(&mut self, writing: &mut Writing<'_>) -> rusqlite::Result<()>;
    fn finish(self: Box<Self>, outcome: Result<(), RecordsError>);
    fn is_waited_for(&self) -> bool;
}

struct Work<T, F> {
    work: Option<F>,
    value: Option<T>,
    reply: Option<SyncSender<Result<T, RecordsError>>>,
}

impl<T: Send, F: FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send> Job for Work<T, F> {
    fn run(&mut self, writing: &mut Writing<'_>) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(writing)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), RecordsError>) {
        let Self { value, reply: Some(reply), .. } = *self else { return };
        let stopped = || RecordsError::Stopped { reason: "the write was not made".into() };
        // whoever does not wait any longer does not want to know
        let _ = reply.send(outcome.and_then(|()| value.ok_or_else(stopped)));
    }

    fn is_waited_for(&self) -> bool {
        self.reply.is_some()
    }
}

/// The end of the line that callers hold.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    line: Arc<Line>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        path: &Path,
        presence: Presence,
        clock: Arc<dyn Clock>,
        listeners: Listeners,
    ) -> Result<Self, RecordsError> {
        let connection = schema::connect(path)?;
        let line = Arc::new(Line::default());
        let taken = Arc::clone(&line);
        let mut desk = Desk { path: path.to_owned(), presence, connection, clock, listeners, stopped: None };
        let thread = std::thread::Builder::new()
            .name("deskhand-log".into())
            .spawn(move || {
                // whoever comes when the thread has ended, in whatever way, is told so
                let _closing = taken.closing();
                desk.work(&taken);
            })
            .map_err(|error| RecordsError::of_file(path, &error))?;
        Ok(Self { path: path.to_owned(), line, thread: Some(thread) })
    }

    fn gone(&self) -> RecordsError {
        RecordsError::Failed { path: self.path.clone(), reason: "the writing thread has ended".into() }
    }

    fn send(&self, message: Message) -> Result<(), RecordsError> {
        if self.line.join(message) { Ok(()) } else { Err(self.gone()) }
    }

    /// Write, and return when it is durable.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, RecordsError> {
        let (reply, answer) = sync_channel(1);
        self.send(Message::Write(Box::new(Work { work: Some(work), value: None, reply: Some(reply) })))?;
        answer.recv().unwrap_or_else(|_| Err(self.gone()))
    }

    /// Write soon. If it fails, every later write does.
    pub(crate) fn queue(&self, work: impl FnOnce(&mut Writing<'_>) -> rusqlite::Result<()> + Send + 'static) {
        // a thread that has ended has failed, and the next waited-for write says so
        let _ = self.send(Message::Write(Box::new(Work { work: Some(work), value: None, reply: None })));
    }

    /// Empty the write-ahead log. False if another process still reads from it.
    pub(crate) fn checkpoint(&self) -> Result<bool, RecordsError> {
        let (reply, answer) = sync_channel(1);
        self.send(Message::Checkpoint(reply))?;
        answer.recv().unwrap_or_else(|_| Err(self.gone()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.line.close(); // the thread writes what is in line, then ends
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The writing thread's own things.
struct Desk {
    path: PathBuf,
    presence: Presence,
    connection: Connection,
    clock: Arc<dyn Clock>,
    listeners: Listeners,
    stopped: Option<RecordsError>,
}

impl Desk {
    fn work(&mut self, line: &Line) {
        while let Some(messages) = line.next(BATCH, LINGER) {
            let (mut batch, mut checkpoint) = (Vec::with_capacity(messages.len()), None);
            for message in messages {
                match message {
                    Message::Write(job) => batch.push(job),
                    Message::Checkpoint(reply) => checkpoint = Some(reply),
                }
            }
            self.commit(batch);
            if let Some(reply) = checkpoint {
                let _ = reply.send(self.checkpoint());
            }
        }
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        if batch.is_empty() {
            return;
        }
        let outcome = match &self.stopped {
            Some(earlier) => Err(RecordsError::Stopped { reason: earlier.to_string() }),
            None => self.try_commit(&mut batch).map_err(|error| {
                let explained = RecordsError::of(&self.path, &error);
                let lost = batch.iter().any(|job| !job.is_waited_for());
                if lost || !passes(&error) {
                    self.stopped = Some(explained.clone());
                }
                explained
            }),
        };
        let outcome = match outcome {
            Ok(_) if !self.presence.holds() => {
                let gone = RecordsError::Gone { path: self.path.clone() };
                self.stopped = Some(gone.clone());
                Err(gone)
            }
            outcome => outcome,
        };
        let outcome = match outcome {
            Ok(recorded) => {
                locked(&self.listeners).tell(&recorded);
                Ok(())
            }
            Err(error) => Err(error),
        };
        for job in batch {
            job.finish(outcome.clone());
        }
    }

    fn try_commit(&mut self, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<Vec<Recorded>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let head = transaction
            .prepare_cached("SELECT event, hash FROM head")?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)))?;
        let heard = !locked(&self.listeners).by_nobody();
        let mut writing = Writing {
            connection: &transaction,
            clock: &*self.clock,
            event: head.0,
            hash: head.1,
            recorded: Vec::new(),
            heard,
        };
        for job in batch {
            job.run(&mut writing)?;
        }
        let (event, hash, recorded) = (writing.event, writing.hash, writing.recorded);
        if event != head.0 {
            transaction.prepare_cached("UPDATE head SET event = ?1, hash = ?2")?.execute(params![event, hash])?;
        }
        transaction.commit()?;
        Ok(recorded)
    }

    fn checkpoint(&mut self) -> Result<bool, RecordsError> {
        let mut empty = || {
            self.connection.busy_timeout(PATIENCE_WITH_READERS)?;
            let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
            schema::be_patient(&mut self.connection)?;
            Ok(busy == 0)
        };
        empty().map_err(|error| RecordsError::of(&self.path, &error))
    }
}

/// True if the next write may well succeed: nothing is wrong with the file, and what failed was told to whoever waited.
fn passes(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull};
    match error.sqlite_error_code() {
        Some(code) => matches!(code, DiskFull | DatabaseBusy | DatabaseLocked | ConstraintViolation),
        None => matches!(error, rusqlite::Error::ToSqlConversionFailure(_)),
    }
}

/// A commit in the making.
pub(crate) struct Writing<'a> {
    pub(crate) connection: &'a Connection,
    clock: &'a dyn Clock,
    event: i64,
    hash: [u8; 32],
    recorded: Vec<Recorded>,
    /// True if somebody listens to what is recorded.
    heard: bool,
}

/// A failure that is not SQLite's, where one of SQLite's is asked for. It undoes the commit like any other.
fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

impl Writing<'_> {
    /// Now, in microseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_microsecond()
    }

    /// Append to the log. The content of a task that is forgotten is left out.
    pub(crate) fn append(&mut self, entry: Entry) -> rusqlite::Result<EventId> {
        let id = self.event + 1;
        let event_id = EventId(id.cast_unsigned());
        let at = self.now();
        let task = entry.task.map(|task| task.0.cast_signed());
        let (event, mut content) = names::split(entry.task, entry.event, entry.content);
        let text = serde_json::to_string(&event).map_err(other)?;
        let key = match entry.task {
            Some(task) if content.is_some() => self.key(task)?,
            _ => None,
        };
        let sealed = match (entry.task, &key, &content) {
            (Some(task), Some(key), Some(held)) => {
                let sealed =
                    sealed::seal(key, event_id, task, |text| serde_json::to_writer(text, held)).map_err(other)?;
                if !self.heard {
                    content = None; // it can be large
                }
                Some(sealed)
            }
            _ => None,
        };
        let digest = sealed.as_ref().map(Sha256::of);
        let row = chain::Row { id, at, task, event: &text, sealed: digest.as_ref().map(|digest| &digest.0[..]) };
        let hash = link(&self.hash, &row);
        self.connection
            .prepare_cached("INSERT INTO events (id, at, task, event, sealed, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![id, at, task, text, row.sealed, hash])?;
        if let Some(sealed) = sealed {
            let mut insert =
                self.connection.prepare_cached("INSERT INTO contents (event, task, sealed) VALUES (?1, ?2, ?3)")?;
            if sealed.len() < LARGE {
                insert.execute(params![id, task, sealed])?;
            } else {
                insert.execute(params![id, task, ZeroBlob(sealed.len() as u64)])?;
                self.connection.blob_open("main", "contents", "sealed", id, false)?.write_all_at(&sealed, 0)?;
            }
        }
        if let (Event::TaskEnded { outcome }, Some(task)) = (&event, task) {
            self.connection
                .prepare_cached("UPDATE tasks SET ended = ?2, outcome = ?3 WHERE id = ?1")?
                .execute(params![task, at, outcome])?;
            let ended = self.connection.prepare_cached("DELETE FROM grants WHERE task = ?1")?.execute([task])?;
            if ended > 0 {
                self.raise("grants")?;
            }
        }
        if let (Event::TaskQueued { .. }, Some(task)) = (&event, task) {
            let again = "UPDATE tasks SET ended = NULL, outcome = NULL WHERE id = ?1";
            self.connection.prepare_cached(again)?.execute([task])?;
        }
        (self.event, self.hash) = (id, hash);
        if self.heard {
            let content = content.filter(|_| key.is_some());
            self.recorded.push(Recorded::of(event_id, at, entry.task, event, content));
        }
        Ok(event_id)
    }

    fn key(&self, task: TaskId) -> rusqlite::Result<Option<Key>> {
        let stored = self
            .connection
            .prepare_cached("SELECT key FROM keys WHERE task = ?1")?
            .query_row([task.0.cast_signed()], |row| row.get::<_, [u8; 32]>(0))
            .optional()?;
        Ok(stored.and_then(|key| Key::stored(&key)))
    }

    /// The next of the numbers called `name`, from 1.
    pub(crate) fn raise(&self, name: &str) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached(
                "INSERT INTO numbers VALUES (?1, 1) ON CONFLICT DO UPDATE SET value = value + 1 RETURNING value",
            )?
            .query_row([name], |row| row.get(0))
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
