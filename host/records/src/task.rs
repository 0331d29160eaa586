//! Tasks: numbering, listing and forgetting them.

use crate::{Records, RecordsError, sealed::Key};
use deskhand_vocabulary::{Entry, Event, TaskId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

/// A task, as the log knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// How it ended: `done`, `cancelled`, `failed`, `stopped` or `unserved`.
    pub outcome: Option<String>,
    /// What it started with: `request`, `folders`. None if it is forgotten.
    pub content: Option<Value>,
    /// True once its contents are destroyed.
    pub forgotten: bool,
}

const COLUMNS: &str = "SELECT id, started, ended, outcome, key = zeroblob(32) FROM tasks JOIN keys ON task = id";

fn read(row: &Row<'_>) -> rusqlite::Result<Task> {
    let at = |micros| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
    Ok(Task {
        id: TaskId(row.get::<_, i64>(0)?.cast_unsigned()),
        started: at(row.get(1)?),
        ended: row.get::<_, Option<_>>(2)?.map(at),
        outcome: row.get(3)?,
        content: None,
        forgotten: row.get(4)?,
    })
}

impl Records {
    /// Number a task, make its key, and record that it started. `content`: `request`, `folders`.
    pub fn start_task(&self, content: Value) -> Result<TaskId, RecordsError> {
        let key = Key::random().map_err(|reason| RecordsError::Random { reason })?;
        self.write(move |writing| {
            let started = writing.now();
            let task = writing.raise("task")?;
            let connection = writing.connection;
            connection.prepare_cached("INSERT INTO tasks (id, started) VALUES (?1, ?2)")?.execute([task, started])?;
            connection.prepare_cached("INSERT INTO keys VALUES (?1, ?2)")?.execute(params![task, key.bytes()])?;
            let task = TaskId(task.cast_unsigned());
            writing.append(Entry { task: Some(task), event: Event::TaskStarted, content: Some(content) })?;
            Ok(task)
        })
    }

    /// The last `limit` tasks, the newest first.
    pub fn tasks(&self, limit: u64) -> Result<Vec<Task>, RecordsError> {
        self.tasks_before(None, limit)
    }

    /// The last `limit` tasks before one, the newest first.
    pub fn tasks_before(&self, before: Option<TaskId>, limit: u64) -> Result<Vec<Task>, RecordsError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let before = before.and_then(|before| i64::try_from(before.0).ok()).unwrap_or(i64::MAX);
        let tasks = self.read(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("{COLUMNS} WHERE id < ?2 ORDER BY id DESC LIMIT ?1"))?;
            let tasks = statement.query_map([limit, before], read)?;
            tasks.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        tasks.into_iter().map(|task| self.with_content(task)).collect()
    }

    /// The tasks that are not over, by number; those that were over and are taken up again are not among them, unless they were
    /// queued for it.
    pub fn unended_tasks(&self) -> Result<Vec<TaskId>, RecordsError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM tasks WHERE ended IS NULL ORDER BY id")?;
            let ids = statement.query_map([], |row| Ok(TaskId(row.get::<_, i64>(0)?.cast_unsigned())))?;
            ids.collect()
        })
    }

    /// A task; none if there is no such number.
    pub fn task(&self, id: TaskId) -> Result<Option<Task>, RecordsError> {
        let task = self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
            statement.query_row([id.0.cast_signed()], read).optional()
        })?;
        task.map(|task| self.with_content(task)).transpose()
    }

    fn with_content(&self, task: Task) -> Result<Task, RecordsError> {
        let filter = crate::Filter { task: Some(task.id), limit: Some(1), ..crate::Filter::default() };
        let content = self.events(filter).next().transpose()?.and_then(|first| first.content);
        Ok(Task { content, ..task })
    }

    /// Destroy the contents of a task: the key is overwritten in the file and in the write-ahead log, the sealed contents
    /// are taken out. Its events stay, without names. Safe to repeat. What is recorded of it afterwards has no content.
    pub fn forget_task(&self, id: TaskId) -> Result<(), RecordsError> {
        let known = self.write(move |writing| {
            let task = id.0.cast_signed();
            let wipe = "UPDATE keys SET key = zeroblob(32) WHERE task = ?1";
            let known = writing.connection.prepare_cached(wipe)?.execute([task])? > 0;
            writing.connection.prepare_cached("DELETE FROM contents WHERE task = ?1")?.execute([task])?;
            Ok(known)
        })?;
        if !known {
            return Err(RecordsError::Unknown { what: "task", id: id.0, list: "log" });
        }
        if self.writer()?.checkpoint()? { Ok(()) } else { Err(RecordsError::StillOpen { task: id.0 }) }
    }
}
