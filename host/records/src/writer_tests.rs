#![allow(clippy::unwrap_used, clippy::panic)]

use crate::{Filter, Records, RecordsError, Verification};
use deskhand_vocabulary::{Entry, Event, EventId, Log as _, LogError, SystemClock, TaskId};
use serde_json::json;
use std::{path::Path, sync::Arc};

fn open(path: &Path) -> Records {
    Records::open(path, Arc::new(SystemClock)).unwrap()
}

fn entry(text: &str) -> Entry {
    Entry { task: None, event: Event::TaskEnded { outcome: text.to_owned() }, content: None }
}

/// Let the file grow by so many pages and no more, as a full disk does.
fn leave_pages(records: &Records, pages: i64) {
    records
        .write(move |writing| {
            let count: i64 = writing.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            writing.connection.pragma_update_and_check(None, "max_page_count", count + pages, |_| Ok(()))
        })
        .unwrap();
}

fn outcomes(records: &Records) -> Vec<String> {
    let outcome = |event: Result<crate::Recorded, _>| match event.unwrap().event {
        Event::TaskEnded { outcome } => outcome.chars().take(8).collect(),
        other => panic!("not written here: {other:?}"),
    };
    records.events(Filter::default()).map(outcome).collect()
}

#[test]
fn a_full_disk_refuses_and_takes_up_again_once_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let records = open(&path);
    records.append(entry("first")).unwrap();
    leave_pages(&records, 1);
    let error = records.append(entry(&"x".repeat(100_000))).unwrap_err();
    assert_eq!(error.reason, RecordsError::Full { path: path.clone() }.to_string());
    leave_pages(&records, 1000);
    records.append(entry("second")).unwrap();
    assert_eq!(outcomes(&records), ["first", "second"]);
    assert_eq!(records.verify(), Ok(Verification::Whole { events: 2 }));
}

#[test]
fn what_was_queued_and_lost_closes_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let records = open(&path);
    records.append(entry("first")).unwrap();
    leave_pages(&records, 1);
    records.queue(entry(&"x".repeat(100_000)));
    let full = RecordsError::Full { path: path.clone() };
    // the next append may share the commit that fails, or find the log closed by it
    let refused = [full.to_string(), RecordsError::Stopped { reason: full.to_string() }.to_string()];
    let LogError { reason } = records.append(entry("second")).unwrap_err();
    assert!(refused.contains(&reason), "{reason}");
    leave_none(&records, &full);
    let LogError { reason } = records.append(entry("third")).unwrap_err();
    assert_eq!(reason, refused[1]);
    assert_eq!(outcomes(&records), ["first"], "reading goes on");
    drop(records);
    let records = open(&path);
    records.append(entry("fourth")).unwrap();
    assert_eq!(outcomes(&records), ["first", "fourth"]);
}

/// Every write is refused, not only appends.
fn leave_none(records: &Records, cause: &RecordsError) {
    let stopped = RecordsError::Stopped { reason: cause.to_string() };
    assert_eq!(records.next_number("commit"), Err(stopped.clone()));
    assert_eq!(records.flush(), Err(stopped));
}

#[test]
fn an_entry_of_a_task_that_never_was_is_refused_and_harms_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let records = open(&folder.path().join("log.db"));
    records.append(Entry { task: Some(TaskId(9)), ..entry("lost") }).unwrap_err();
    assert_eq!(records.append(entry("kept")).unwrap(), EventId(1));
    assert_eq!(outcomes(&records), ["kept"]);
}

#[test]
fn closing_writes_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let records = open(&path);
    let task = records.start_task(json!({})).unwrap();
    for nth in 0..2000 {
        records.queue(Entry { task: Some(task), ..entry(&nth.to_string()) });
    }
    drop(records);
    let records = open(&path);
    let read = records.events(Filter { after: Some(EventId(1)), ..Filter::default() });
    let read: Vec<_> = read.map(|event| event.unwrap().event).collect();
    assert_eq!(read, (0..2000).map(|nth| entry(&nth.to_string()).event).collect::<Vec<_>>());
}
