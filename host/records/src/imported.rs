//! Tasks of other computers: documents to be looked at, which nothing else is ever made of.

use crate::{Records, RecordsError};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};
use std::{fmt, str::FromStr};

/// The number of an imported task, written `i1`: it is none of the tasks of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImportedId(pub u64);

impl fmt::Display for ImportedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i{}", self.0)
    }
}

/// Not the number of an imported task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an imported task is written as i and a number, such as i1")]
pub struct NotImported;

impl FromStr for ImportedId {
    type Err = NotImported;

    fn from_str(text: &str) -> Result<Self, NotImported> {
        let digits = text.strip_prefix('i').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Self).ok_or(NotImported)
    }
}

/// An imported task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its number.
    pub id: ImportedId,
    /// When it was imported.
    pub at: Timestamp,
    /// The document. Not trusted.
    pub document: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Imported> {
    Ok(Imported {
        id: ImportedId(row.get::<_, i64>(0)?.cast_unsigned()),
        at: Timestamp::from_microsecond(row.get(1)?).unwrap_or(Timestamp::MIN),
        document: row.get(2)?,
    })
}

impl Records {
    /// Keep a task of another computer. Durable when its number is returned.
    pub fn import_task(&self, document: String) -> Result<ImportedId, RecordsError> {
        self.write(move |writing| {
            let (id, at) = (writing.raise("imported")?, writing.now());
            let insert = "INSERT INTO imported VALUES (?1, ?2, ?3)";
            writing.connection.prepare_cached(insert)?.execute(params![id, at, document])?;
            Ok(ImportedId(id.cast_unsigned()))
        })
    }

    /// An imported task; none if there is no such number.
    pub fn imported_task(&self, id: ImportedId) -> Result<Option<Imported>, RecordsError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id, at, document FROM imported WHERE id = ?1")?;
            statement.query_row([id.0.cast_signed()], read).optional()
        })
    }

    /// The numbers of all imported tasks, the newest first.
    pub fn imported_tasks(&self) -> Result<Vec<ImportedId>, RecordsError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM imported ORDER BY id DESC")?;
            let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
            ids.map(|id| Ok(ImportedId(id?.cast_unsigned()))).collect()
        })
    }

    /// Take an imported task out, overwritten in the file. False if there is no such number.
    pub fn delete_imported_task(&self, id: ImportedId) -> Result<bool, RecordsError> {
        let deleted = self.write(move |writing| {
            let delete = "DELETE FROM imported WHERE id = ?1";
            Ok(writing.connection.prepare_cached(delete)?.execute([id.0.cast_signed()])? > 0)
        })?;
        self.writer()?.checkpoint()?;
        Ok(deleted)
    }
}
