//! The tables, and how an older file is brought up to them.

use crate::error::RecordsError;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::{
    fs::{DirBuilder, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

/// `Dskh`, by which file(1) and we know the file.
const APPLICATION: i64 = 0x4473_6b68;

/// How often a write that waits for another process tries again, and how long it sleeps in between. SQLite's own way of waiting
/// sleeps ever longer, so that of two busy processes one would hardly get its turn.
const TRIES: i32 = 10_000;
const NAP: Duration = Duration::from_millis(1);

/// Wait for other processes: 10 seconds or a little more.
pub(crate) fn be_patient(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(|tries| {
        std::thread::sleep(NAP);
        tries < TRIES
    }))
}

/// The steps from one format to the next, each in a transaction. A step is never changed once it was released.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// Open the file at `path`, making it where there is none, and bring it up to date.
pub(crate) fn open(path: &Path) -> Result<Connection, RecordsError> {
    make(path)?;
    let mut connection = connect(path)?;
    let fail = |error: rusqlite::Error| RecordsError::of(path, &error);
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    // in one transaction, for another process may make the file between two reads
    let found = format(&connection.transaction().map_err(fail)?, path)?;
    if found > known {
        return Err(RecordsError::Newer { path: path.to_owned(), found, known });
    }
    if connection.is_readonly("main").map_err(fail)? {
        return Err(RecordsError::ReadOnly { path: path.to_owned(), reason: "you have no right to write it".into() });
    }
    if found < known {
        enter_wal(&connection).map_err(fail)?;
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        // another process may have been first
        let found = usize::try_from(format(&step, path)?).unwrap_or(usize::MAX);
        for (at, sql) in STEPS.iter().enumerate().skip(found) {
            step.execute_batch(sql).map_err(fail)?;
            step.pragma_update(None, "user_version", i64::try_from(at + 1).unwrap_or(i64::MAX)).map_err(fail)?;
        }
        step.pragma_update(None, "application_id", APPLICATION).map_err(fail)?;
        step.commit().map_err(fail)?;
    }
    Ok(connection)
}

/// A connection to a file that is there.
pub(crate) fn connect(path: &Path) -> Result<Connection, RecordsError> {
    let fail = |error: rusqlite::Error| RecordsError::of(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    be_patient(&mut connection).map_err(fail)?;
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA trusted_schema = OFF;
             PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(fail)?;
    Ok(connection)
}

/// The format of the file: 0 for one that is still empty.
fn format(connection: &Transaction<'_>, path: &Path) -> Result<i64, RecordsError> {
    let fail = |error: rusqlite::Error| RecordsError::of(path, &error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(fail);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let empty = || {
        connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get::<_, bool>(0)).map_err(fail)
    };
    if application == APPLICATION || (application == 0 && version == 0 && empty()?) {
        Ok(version)
    } else {
        Err(RecordsError::Foreign { path: path.to_owned() })
    }
}

/// Write-ahead logging stays with the file. While two processes do it at once, SQLite answers "busy" without waiting.
fn enter_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) && tries < 200 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

/// The file and its folder, for nobody but their owner.
fn make(path: &Path) -> Result<(), RecordsError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| RecordsError::of_file(folder, &error))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file.sync_all().map_err(|error| RecordsError::of_file(path, &error)),
        // what is there must be a file: a pipe or a device would be read without end
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            deskhand_files::open(path, deskhand_files::Origin::Person)
                .map(drop)
                .map_err(|error| RecordsError::of_file(path, &error))
        }
        Err(error) => Err(RecordsError::of_file(path, &error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
    use std::path::PathBuf;

    #[test]
    fn a_file_that_another_process_makes_meanwhile_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        make(&path).unwrap();
        enter_wal(&connect(&path).unwrap()).unwrap();
        let mut connection = connect(&path).unwrap();
        // when the second thing is to be looked at, another opening makes all that the file has
        let mut other: Option<PathBuf> = Some(path.clone());
        let meanwhile = move |context: AuthContext<'_>| {
            if matches!(context.action, AuthAction::Pragma { pragma_name: "user_version", .. })
                && let Some(path) = other.take()
            {
                open(&path).unwrap();
            }
            Authorization::Allow
        };
        connection.authorizer(Some(meanwhile)).unwrap();
        assert_eq!(format(&connection.transaction().unwrap(), &path).unwrap(), 0);
        assert_eq!(format(&connection.transaction().unwrap(), &path).unwrap(), 2);
    }
}
