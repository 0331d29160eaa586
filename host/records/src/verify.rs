//! Checking the whole log against its chain. Not done at opening: it reads everything.

use crate::{
    Records, RecordsError,
    chain::{Row, link},
    schema,
};
use deskhand_vocabulary::{EventId, Sha256};
use std::fmt;

/// What a check of the log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// All is as it was written.
    Whole {
        /// How many events.
        events: u64,
    },
    /// Something was changed.
    Broken {
        /// The first event that is not as it was written.
        event: EventId,
        /// What is wrong with it, in a few words for the person.
        reason: &'static str,
    },
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { events } => write!(f, "the log is whole: {events} events, each as it was written"),
            Self::Broken { event, reason } => write!(
                f,
                "the log is broken at event {}: {reason}. What stands before it is as it was written. Keep a copy of the file \
                 as it is, then look for what else was changed, or restore it from a backup",
                event.0
            ),
        }
    }
}

impl Records {
    /// Check every event and every content that is not forgotten.
    pub fn verify(&self) -> Result<Verification, RecordsError> {
        let connection = schema::connect(&self.path)?;
        verify(&connection).map_err(|error| RecordsError::of(&self.path, &error))
    }
}

fn verify(connection: &rusqlite::Connection) -> rusqlite::Result<Verification> {
    let view = connection.unchecked_transaction()?; // one state of the file for all that is read
    let mut statement = view.prepare(
        "SELECT e.id, e.at, e.task, e.event, e.sealed, e.hash, c.sealed, coalesce(k.key = zeroblob(32), TRUE)
         FROM events e LEFT JOIN contents c ON c.event = e.id LEFT JOIN keys k ON k.task = e.task ORDER BY e.id",
    )?;
    let mut rows = statement.query([])?;
    let mut before = [0; 32];
    let mut last = 0;
    while let Some(row) = rows.next()? {
        let id = row.get::<_, i64>(0)?;
        let broken = |event: i64, reason| Ok(Verification::Broken { event: EventId(event.cast_unsigned()), reason });
        if id != last + 1 {
            return broken(last + 1, "it is missing");
        }
        // a column of a wrong kind is a change like any other
        let Ok(event) = row.get_ref(3)?.as_str() else { return broken(id, "it was changed") };
        let Ok(sealed) = row.get_ref(4)?.as_blob_or_null() else { return broken(id, "it was changed") };
        let (Ok(at), Ok(task)) = (row.get(1), row.get(2)) else { return broken(id, "it was changed") };
        let hash = link(&before, &Row { id, at, task, event, sealed });
        if row.get_ref(5)?.as_blob_or_null().ok().flatten() != Some(&hash[..]) {
            return broken(id, "it was changed, or the one before it was");
        }
        let content = row.get_ref(6)?.as_blob_or_null().unwrap_or(None);
        let forgotten = row.get::<_, bool>(7)?;
        match (sealed, content) {
            (Some(digest), Some(content)) if Sha256::of(content).0 != digest => {
                return broken(id, "its content was changed");
            }
            (Some(_), None) if !forgotten => return broken(id, "its content is missing"),
            (None, Some(_)) => return broken(id, "it has a content that was not recorded"),
            _ => {}
        }
        (before, last) = (hash, id);
    }
    let head = view
        .query_row("SELECT event, hash FROM head", [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    if head.0 > last {
        return Ok(Verification::Broken { event: EventId((last + 1).cast_unsigned()), reason: "it is missing" });
    }
    if head != (last, before.to_vec()) {
        return Ok(Verification::Broken {
            event: EventId(last.cast_unsigned()),
            reason: "it was not written by Deskhand",
        });
    }
    Ok(Verification::Whole { events: last.cast_unsigned() })
}
