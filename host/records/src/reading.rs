//! Reading the log.

use crate::{
    Records, RecordsError,
    public::Recorded,
    sealed::{self, Key},
};
use deskhand_vocabulary::{EventId, TaskId};
use rusqlite::params_from_iter;
use std::{collections::VecDeque, fmt::Write as _};

/// So many events are read at a time.
const PAGE: usize = 256;

/// Which events.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of this task only.
    pub task: Option<TaskId>,
    /// After this one (before it, if `backwards`).
    pub after: Option<EventId>,
    /// At most so many.
    pub limit: Option<u64>,
    /// Of these kinds only, such as `decided`; all if empty.
    pub kinds: Vec<String>,
    /// From the last to the first.
    pub backwards: bool,
}

/// Events of the log, in order. What is appended while they are read is among them.
#[derive(Debug)]
pub struct Events<'a> {
    records: &'a Records,
    filter: Filter,
    page: VecDeque<Result<Recorded, RecordsError>>,
    left: u64,
    over: bool,
}

impl Records {
    /// Events of the log.
    pub fn events(&self, filter: Filter) -> Events<'_> {
        let left = filter.limit.unwrap_or(u64::MAX);
        Events { records: self, filter, page: VecDeque::new(), left, over: false }
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Recorded, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.over && self.left > 0 {
            match self.turn() {
                Ok(page) => {
                    self.over = page.len() < PAGE;
                    self.page = page;
                }
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        if self.left == 0 {
            return None;
        }
        let next = self.page.pop_front()?;
        self.left -= 1;
        if next.is_err() {
            self.over = true;
            self.page.clear();
        }
        Some(next)
    }
}

impl Events<'_> {
    /// The next page.
    fn turn(&mut self) -> Result<VecDeque<Result<Recorded, RecordsError>>, RecordsError> {
        let Filter { task, after, kinds, backwards, .. } = &self.filter;
        let mut sql = String::from(
            "SELECT e.id, e.at, e.task, e.event, c.sealed, k.key FROM events e
             LEFT JOIN contents c ON c.event = e.id LEFT JOIN keys k ON k.task = c.task WHERE TRUE",
        );
        let mut values: Vec<rusqlite::types::Value> = Vec::new();
        if let Some(task) = task {
            sql.push_str(" AND e.task = ?");
            values.push(task.0.cast_signed().into());
        }
        if let Some(after) = after {
            sql.push_str(if *backwards { " AND e.id < ?" } else { " AND e.id > ?" });
            values.push(after.0.cast_signed().into());
        }
        if !kinds.is_empty() {
            let _ = write!(sql, " AND e.kind IN ({})", vec!["?"; kinds.len()].join(", "));
            values.extend(kinds.iter().cloned().map(Into::into));
        }
        let _ = write!(sql, " ORDER BY e.id {} LIMIT {PAGE}", if *backwards { "DESC" } else { "ASC" });
        let rows = self.records.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), |row| {
                Ok(Raw {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    task: row.get(2)?,
                    event: row.get(3)?,
                    sealed: row.get(4)?,
                    key: row.get(5)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        if let Some(last) = rows.last() {
            self.filter.after = Some(EventId(last.id.cast_unsigned()));
        }
        Ok(rows.into_iter().map(|row| row.read(self.records)).collect())
    }
}

struct Raw {
    id: i64,
    at: i64,
    task: Option<i64>,
    event: String,
    sealed: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
}

impl Raw {
    fn read(self, records: &Records) -> Result<Recorded, RecordsError> {
        let id = EventId(self.id.cast_unsigned());
        let event = serde_json::from_str(&self.event).map_err(|_| RecordsError::UnknownEvent { event: id.0 })?;
        let task = self.task.map(|task| TaskId(task.cast_unsigned()));
        let content = match (task, self.sealed, self.key.as_deref().and_then(Key::stored)) {
            (Some(task), Some(sealed), Some(key)) => {
                let damaged = |reason: &str| RecordsError::Damaged {
                    path: records.path().to_owned(),
                    reason: format!("the content of event {} {reason}", id.0),
                };
                let content = sealed::open(&key, id, task, &sealed).ok_or_else(|| damaged("does not fit its seal"))?;
                Some(serde_json::from_slice(&content).map_err(|_| damaged("is not JSON"))?)
            }
            _ => None,
        };
        Ok(Recorded::of(id, self.at, task, event, content))
    }
}
