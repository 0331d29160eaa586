//! What a plugin keeps from one call to the next: keys and values of its own, each durable when the call returns.

use crate::{Records, RecordsError, writer::Writing};
use deskhand_vocabulary::PluginId;
use rusqlite::{OptionalExtension as _, params};

/// The most that a plugin may keep, keys and values, in bytes.
pub const MAX_TOTAL: u64 = 16 * 1024 * 1024;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 1024 * 1024;
/// The longest key, in bytes. A key is not empty.
pub const MAX_KEY: usize = 512;
/// The most keys that are listed at once.
pub const MAX_LIST: u32 = 1000;

/// A value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The value.
    pub value: Vec<u8>,
    /// Rises with every change, and never repeats for a key, not even after it was deleted.
    pub version: u64,
}

/// Why something was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The key has another version than the caller saw.
    #[error(
        "the key has changed in the meantime: it is at version {version} (0: it is not there). Read it again, then decide"
    )]
    Conflict {
        /// Its version now; 0 if it is not there.
        version: u64,
    },
    /// An empty or overlong key.
    #[error("a key takes 1 to {MAX_KEY} bytes")]
    Key,
    /// An overlong value.
    #[error("a value takes at most {MAX_VALUE} bytes. Split it over several keys")]
    Value,
    /// No room left.
    #[error("a plugin may keep {MAX_TOTAL} bytes in all, and this would be {wanted}. Delete what is no longer needed")]
    Full {
        /// What it would be.
        wanted: u64,
    },
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// The state of plugins.
#[derive(Clone, Copy, Debug)]
pub struct State<'a>(&'a Records);

impl Records {
    /// The state of plugins.
    pub const fn state(&self) -> State<'_> {
        State(self)
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What a key holds now: its version and the length of its value.
fn held(writing: &Writing<'_>, plugin: &str, key: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    writing
        .connection
        .prepare_cached("SELECT version, length(value) FROM state WHERE plugin = ?1 AND key = ?2")?
        .query_row([plugin, key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn check(key: &str) -> Result<(), StateError> {
    if matches!(key.len(), 1..=MAX_KEY) { Ok(()) } else { Err(StateError::Key) }
}

impl State<'_> {
    /// What a key holds.
    pub fn get(&self, plugin: &PluginId, key: &str) -> Result<Option<Item>, StateError> {
        check(key)?;
        Ok(self.0.read(|connection| {
            connection
                .prepare_cached("SELECT value, version FROM state WHERE plugin = ?1 AND key = ?2")?
                .query_row([&plugin.to_string(), key], |row| {
                    Ok(Item { value: row.get(0)?, version: row.get::<_, i64>(1)?.cast_unsigned() })
                })
                .optional()
        })?)
    }

    /// Set a key, if its version is still `if_version` (0: only if it is not there; none: in any case). Returns its new
    /// version.
    pub fn put(
        &self,
        plugin: &PluginId,
        key: &str,
        value: Vec<u8>,
        if_version: Option<u64>,
    ) -> Result<u64, StateError> {
        check(key)?;
        if value.len() > MAX_VALUE {
            return Err(StateError::Value);
        }
        let (plugin, key) = (plugin.to_string(), key.to_owned());
        self.0.write(move |writing| {
            let held = held(writing, &plugin, &key)?;
            let version = held.map_or(0, |(version, _)| version).cast_unsigned();
            if if_version.is_some_and(|expected| expected != version) {
                return Ok(Err(StateError::Conflict { version }));
            }
            let (last, bytes) = writing
                .connection
                .prepare_cached("SELECT version, bytes FROM state_of_plugin WHERE plugin = ?1")?
                .query_row([&plugin], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
                .optional()?
                .unwrap_or((0, 0));
            let freed = held.map_or(0, |(_, value)| value + length(key.len()));
            let wanted = bytes - freed + length(key.len() + value.len());
            if wanted.cast_unsigned() > MAX_TOTAL && wanted > bytes {
                return Ok(Err(StateError::Full { wanted: wanted.cast_unsigned() }));
            }
            let version = last + 1;
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO state_of_plugin VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET version = excluded.version, bytes = excluded.bytes",
                )?
                .execute(params![plugin, version, wanted])?;
            writing
                .connection
                .prepare_cached(
                    "INSERT INTO state (plugin, key, version, value) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value",
                )?
                .execute(params![plugin, key, version, value])?;
            Ok(Ok(version.cast_unsigned()))
        })?
    }

    /// Take a key out. False if it was not there.
    pub fn delete(&self, plugin: &PluginId, key: &str) -> Result<bool, StateError> {
        check(key)?;
        let (plugin, key) = (plugin.to_string(), key.to_owned());
        Ok(self.0.write(move |writing| {
            let Some((_, value)) = held(writing, &plugin, &key)? else { return Ok(false) };
            let connection = writing.connection;
            connection.prepare_cached("DELETE FROM state WHERE plugin = ?1 AND key = ?2")?.execute([&plugin, &key])?;
            connection
                .prepare_cached(
                    "UPDATE state_of_plugin SET bytes = bytes - ?2, version = version + 1 WHERE plugin = ?1",
                )?
                .execute(params![plugin, value + length(key.len())])?;
            Ok(true)
        })?)
    }

    /// Keys that begin with `prefix`, in the order of their bytes, after `after`; at most `limit`, and never more than
    /// [`MAX_LIST`].
    pub fn list(
        &self,
        plugin: &PluginId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, StateError> {
        let from = after.unwrap_or("");
        Ok(self.0.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key FROM state WHERE plugin = ?1 AND key >= ?2 AND key > ?3 ORDER BY key LIMIT ?4",
            )?;
            let keys = statement.query_map(params![plugin.to_string(), prefix, from, limit.min(MAX_LIST)], |row| {
                row.get::<_, String>(0)
            })?;
            // all that begins with the prefix lies together in this order
            keys.take_while(|key| key.as_ref().map_or(true, |key| key.starts_with(prefix))).collect()
        })?)
    }

    /// Take out all that a plugin keeps, such as when it is uninstalled. Returns how many keys that were. Versions go on
    /// from where they were.
    pub fn clear(&self, plugin: &PluginId) -> Result<u64, StateError> {
        let plugin = plugin.to_string();
        Ok(self.0.write(move |writing| {
            let connection = writing.connection;
            let keys = connection.prepare_cached("DELETE FROM state WHERE plugin = ?1")?.execute([&plugin])?;
            connection.prepare_cached("UPDATE state_of_plugin SET bytes = 0 WHERE plugin = ?1")?.execute([&plugin])?;
            Ok(keys as u64)
        })?)
    }
}
