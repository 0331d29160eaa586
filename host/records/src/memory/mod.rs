//! Memory: notes that later tasks are told, each with what it holds for, whose words it is, and the labels of what it was
//! made from. Found by their words through SQLite's full text index.

mod note;
mod search;
mod within;

pub use note::{Draft, MAX_TEXT, NotANote, Note, NoteOrigin, NoteScope, NoteText};
pub use within::Within;

use crate::{Records, RecordsError, writer::Writing};
use deskhand_vocabulary::{Entry, Event, Labels, TaskId};
use jiff::Timestamp;
use note::digest;
use rusqlite::{
    Connection, OptionalExtension as _, Row, params, params_from_iter,
    types::{Type, Value},
};
use search::Words;
use std::collections::BTreeSet;

/// The most notes in all.
pub const MAX_NOTES: u64 = 200_000;
/// The most notes that are made in one task.
pub const MAX_OF_TASK: u64 = 100;

/// So many notes that fit are weighed against each other; beyond it, to weigh them takes longer than it is worth.
const WEIGHED: i64 = 2000;

/// Why something was not done with a note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// There is no such note.
    #[error("there is no note {id}. `deskhand memory list` lists what is kept")]
    Unknown {
        /// Its number.
        id: u64,
    },
    /// It is not what it was when it was looked at.
    #[error("note {id} was changed meanwhile. Look at it again, then decide: deskhand memory show {id}")]
    Changed {
        /// Its number.
        id: u64,
    },
    /// No room left.
    #[error("there are {MAX_NOTES} notes, and no more are kept. Forget those that are no longer needed")]
    Full,
    /// A task that remembers without end is not served without end.
    #[error("this task has remembered {MAX_OF_TASK} notes, and that is the most")]
    TooMany,
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// A note that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The note.
    pub note: Note,
    /// False if the same was kept already.
    pub new: bool,
}

impl Kept {
    /// What the person is told of it. The note and what it holds for are not made safe to show here; each line of the note is
    /// set apart, so that it cannot pass for a part of the message.
    pub fn told(&self) -> String {
        let Note { id, text, scope, .. } = &self.note;
        let text = text.as_ref().replace('\n', "\n  | ");
        let head = if self.new { "remembered" } else { "remembered already," };
        format!("{head} for {scope} (note {id}):\n  | {text}\nTake it back with: deskhand memory forget {id}")
    }
}

/// The notes.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a>(&'a Records);

impl Records {
    /// The notes.
    pub const fn memory(&self) -> Memory<'_> {
        Memory(self)
    }
}

const COLUMNS: &str =
    "SELECT n.id, n.scope, n.place, n.text, n.origin, n.task, n.labels, n.made, n.changed FROM notes n";

/// A note as the file has it. What cannot be read is no note: nobody is told it.
fn read(row: &Row<'_>) -> rusqlite::Result<Note> {
    fn unreadable(column: usize) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
        move |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
    }
    let place = row.get::<_, String>(2)?;
    let scope = match row.get_ref(1)?.as_str()? {
        "folder" => NoteScope::Folder { folder: place },
        "plugin" => NoteScope::Plugin { plugin: place.parse().map_err(|error| unreadable(2)(Box::new(error)))? },
        _ => NoteScope::All,
    };
    let time =
        |column| Ok::<_, rusqlite::Error>(Timestamp::from_microsecond(row.get(column)?).unwrap_or(Timestamp::MIN));
    Ok(Note {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        text: row.get::<_, String>(3)?.parse().map_err(|error| unreadable(3)(Box::new(error)))?,
        scope,
        origin: serde_json::from_str(row.get_ref(4)?.as_str()?).map_err(|error| unreadable(4)(error.into()))?,
        task: row.get::<_, Option<i64>>(5)?.map(|task| TaskId(task.cast_unsigned())),
        labels: serde_json::from_str(row.get_ref(6)?.as_str()?).map_err(|error| unreadable(6)(error.into()))?,
        made: time(7)?,
        changed: time(8)?,
    })
}

fn one(connection: &Connection, id: u64) -> rusqlite::Result<Option<Note>> {
    connection.prepare_cached(&format!("{COLUMNS} WHERE n.id = ?1"))?.query_row([id.cast_signed()], read).optional()
}

fn same(connection: &Connection, draft: &Draft) -> rusqlite::Result<Option<Note>> {
    let select = format!("{COLUMNS} WHERE n.digest = ?1");
    connection.prepare_cached(&select)?.query_row([draft.digest().0], read).optional()
}

fn count(connection: &Connection, task: Option<TaskId>) -> rusqlite::Result<u64> {
    let count = match task {
        None => connection.prepare_cached("SELECT count(*) FROM notes")?.query_row([], |row| row.get::<_, i64>(0)),
        Some(task) => connection
            .prepare_cached("SELECT count(*) FROM notes WHERE task = ?1")?
            .query_row([task.0.cast_signed()], |row| row.get(0)),
    };
    count.map(i64::cast_unsigned)
}

fn record(writing: &mut Writing<'_>, task: Option<TaskId>, note: &Note, change: &str) -> rusqlite::Result<()> {
    let event = Event::Memory { note: note.id, change: change.to_owned(), scope: note.scope.kind().to_owned() };
    writing.append(Entry { task, event, content: None }).map(drop)
}

fn written<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn insert(writing: &Writing<'_>, draft: Draft, made: Option<Timestamp>) -> rusqlite::Result<Note> {
    let id = writing.raise("note")?;
    let now = writing.now();
    let made = made.map_or(now, Timestamp::as_microsecond);
    let Draft { text, scope, origin, task, labels } = draft;
    writing.connection.prepare_cached("INSERT INTO notes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?.execute(
        params![
            id,
            scope.kind(),
            scope.place(),
            text.as_ref(),
            digest(&scope, &text).0,
            written(&origin)?,
            task.map(|task| task.0.cast_signed()),
            written(&labels)?,
            made,
            now
        ],
    )?;
    let time = |micros| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN);
    Ok(Note { id: id.cast_unsigned(), text, scope, origin, task, labels, made: time(made), changed: time(now) })
}

impl Memory<'_> {
    /// Keep a note. What is kept already, with the same words for the same work, is returned as it is.
    pub fn remember(&self, draft: Draft) -> Result<Kept, MemoryError> {
        self.0.write(move |writing| {
            if let Some(note) = same(writing.connection, &draft)? {
                return Ok(Ok(Kept { note, new: false }));
            }
            if count(writing.connection, None)? >= MAX_NOTES {
                return Ok(Err(MemoryError::Full));
            }
            if draft.task.is_some() && count(writing.connection, draft.task)? >= MAX_OF_TASK {
                return Ok(Err(MemoryError::TooMany));
            }
            let note = insert(writing, draft, None)?;
            record(writing, note.task, &note, "remembered")?;
            Ok(Ok(Kept { note, new: true }))
        })?
    }

    /// Put the person's words in the place of those that a note had when they saw it. From then on it is theirs, without
    /// labels. The old words are overwritten in the file.
    pub fn edit(&self, seen: &Note, text: NoteText) -> Result<Note, MemoryError> {
        let (id, before) = (seen.id, seen.text.clone());
        let note = self.0.write(move |writing| {
            let Some(note) = one(writing.connection, id)? else { return Ok(Err(MemoryError::Unknown { id })) };
            if note.text != before {
                return Ok(Err(MemoryError::Changed { id }));
            }
            let now = writing.now();
            let (origin, labels) = (NoteOrigin::Person, Labels::default());
            let update =
                "UPDATE notes SET text = ?2, digest = ?3, origin = ?4, labels = ?5, changed = ?6 WHERE id = ?1";
            writing.connection.prepare_cached(update)?.execute(params![
                id.cast_signed(),
                text.as_ref(),
                digest(&note.scope, &text).0,
                written(&origin)?,
                written(&labels)?,
                now
            ])?;
            let changed = Timestamp::from_microsecond(now).unwrap_or(Timestamp::MIN);
            let note = Note { text, origin, labels, changed, ..note };
            record(writing, None, &note, "edited")?;
            Ok(Ok(note))
        })??;
        self.wipe()?;
        Ok(note)
    }

    /// Take notes out, all or none: their words are overwritten in the file and in the index. Returns what they were. A
    /// process that still reads an older state of the file keeps that until it ends.
    pub fn forget(&self, ids: &[u64]) -> Result<Vec<Note>, MemoryError> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        let forgotten = self.0.write(move |writing| {
            let mut forgotten = Vec::new();
            for id in &ids {
                match one(writing.connection, *id)? {
                    Some(note) => forgotten.push(note),
                    None => return Ok(Err(MemoryError::Unknown { id: *id })),
                }
            }
            for note in &forgotten {
                let delete = "DELETE FROM notes WHERE id = ?1";
                writing.connection.prepare_cached(delete)?.execute([note.id.cast_signed()])?;
                record(writing, None, note, "forgotten")?;
            }
            Ok(Ok(forgotten))
        })??;
        self.wipe()?;
        Ok(forgotten)
    }

    /// Take in notes of elsewhere, all or none; each with when it was made. What is kept already is passed over. Returns how
    /// many are new.
    pub fn import(&self, drafts: Vec<(Draft, Timestamp)>) -> Result<u64, MemoryError> {
        self.0.write(move |writing| {
            if count(writing.connection, None)?.saturating_add(drafts.len() as u64) > MAX_NOTES {
                return Ok(Err(MemoryError::Full));
            }
            let mut new = 0;
            for (draft, made) in drafts {
                if same(writing.connection, &draft)?.is_some() {
                    continue;
                }
                let note = insert(writing, draft, Some(made))?;
                record(writing, None, &note, "imported")?;
                new += 1;
            }
            Ok(Ok(new))
        })?
    }

    /// A note.
    pub fn get(&self, id: u64) -> Result<Note, MemoryError> {
        self.0.read(|connection| one(connection, id))?.ok_or(MemoryError::Unknown { id })
    }

    /// How many notes there are.
    pub fn count(&self) -> Result<u64, MemoryError> {
        Ok(self.0.read(|connection| count(connection, None))?)
    }

    /// Notes, the newest first, at most so many.
    pub fn list(&self, within: &Within, limit: u64) -> Result<Vec<Note>, MemoryError> {
        self.select("", vec![], within, "n.id DESC", limit)
    }

    /// The notes that were made in a task, the oldest first.
    pub fn of_task(&self, task: TaskId) -> Result<Vec<Note>, MemoryError> {
        let value = Value::from(task.0.cast_signed());
        self.select("n.task = ? AND ", vec![value], &Within::Everything, "n.id", u64::MAX)
    }

    /// The notes that fit these words best, at most so many: first what holds all of them, then what holds any of the rarer
    /// ones; where there is none, what holds any. Where the index finds none, as in languages that write no spaces, what holds the text as it stands. Without
    /// words, the newest.
    pub fn search(&self, text: &str, within: &Within, limit: u64) -> Result<Vec<Note>, MemoryError> {
        let words = Words::of(text);
        if words.is_empty() {
            return self.list(within, limit);
        }
        let mut found = self.matching(&words.all(), within, limit)?;
        if (found.len() as u64) < limit {
            let rare = words.filtered(|word| self.are_many(word).map(|many| !many))?;
            let more = if rare.is_empty() { Vec::new() } else { self.matching(&rare.any(), within, limit)? };
            let known: BTreeSet<u64> = found.iter().map(|note| note.id).collect();
            found.extend(more.into_iter().filter(|note| !known.contains(&note.id)));
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        if found.is_empty() {
            found = self.matching(&words.any(), within, limit)?;
        }
        if found.is_empty() {
            let value = Value::from(text.trim().chars().take(MAX_TEXT).collect::<String>());
            return self.select("instr(n.text, ?) > 0 AND ", vec![value], within, "n.id DESC", limit);
        }
        Ok(found)
    }

    /// What the index finds, the best first; where that is too much to weigh, the newest first.
    fn matching(&self, query: &str, within: &Within, limit: u64) -> Result<Vec<Note>, MemoryError> {
        let order = if self.are_many(query)? { "w.rowid DESC" } else { "w.rank" };
        let mut values = vec![Value::from(query.to_owned())];
        let allowed = within.sql(&mut values);
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let join = "JOIN notes_words w ON w.rowid = n.id WHERE notes_words MATCH ?";
        self.query(&format!("{COLUMNS} {join} AND {allowed} ORDER BY {order} LIMIT ?"), values)
    }

    /// Whether the index finds more than is weighed.
    fn are_many(&self, query: &str) -> Result<bool, MemoryError> {
        let count = "SELECT count(*) > ?2 FROM (SELECT 1 FROM notes_words WHERE notes_words MATCH ?1 LIMIT ?2 + 1)";
        Ok(self.0.read(|connection| {
            connection.prepare_cached(count)?.query_row(params![query, WEIGHED], |row| row.get(0))
        })?)
    }

    /// `condition` is empty or ends in `AND`; its values come before all others.
    fn select(
        &self,
        condition: &str,
        mut values: Vec<Value>,
        within: &Within,
        order: &str,
        limit: u64,
    ) -> Result<Vec<Note>, MemoryError> {
        let allowed = within.sql(&mut values);
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        self.query(&format!("{COLUMNS} WHERE {condition}{allowed} ORDER BY {order} LIMIT ?"), values)
    }

    fn query(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Note>, MemoryError> {
        Ok(self.0.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let notes = statement.query_map(params_from_iter(values), read)?;
            notes.collect()
        })?)
    }

    /// Empty the write-ahead log, which still holds what was overwritten in the file. Where another process reads from it, it is
    /// emptied when the last one closes the file.
    fn wipe(&self) -> Result<(), RecordsError> {
        self.0.writer()?.checkpoint().map(drop)
    }
}
