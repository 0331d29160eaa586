//! What the tests of the records share.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use deskhand_records::{Filter, Recorded, Records};
use deskhand_vocabulary::{Clock, Entry, Event, TaskId};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// A clock that says one second more at each look.
#[derive(Debug, Default)]
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, Ordering::SeqCst);
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + seconds.seconds()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + second.seconds()
}

pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("data/log.db")
    }

    pub(crate) fn open(&self) -> Records {
        open(&self.file())
    }

    /// Every byte of the database, its write-ahead log and whatever else lies beside them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.file().parent().unwrap()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        bytes
    }
}

pub(crate) fn open(path: &Path) -> Records {
    Records::open(path, Arc::new(Ticking::default())).unwrap()
}

pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// An event with a number in it.
pub(crate) fn numbered(task: Option<TaskId>, number: u64) -> Entry {
    let event = Event::CallEnded { plugin: "m:p".parse().unwrap(), outcome: "ok".into(), micros: number };
    Entry { task, event, content: task.map(|_| serde_json::json!({ "message": format!("secret {number}") })) }
}

pub(crate) fn all(records: &Records) -> Vec<Recorded> {
    records.events(Filter::default()).collect::<Result<_, _>>().unwrap()
}
