//! Forgetting a task destroys what it was about and leaves that it was.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, all, holds, numbered};
use deskhand_records::{RecordsError, Verification};
use deskhand_vocabulary::{Action, Entry, Event, Log as _, Principal, TaskId};
use rusqlite::Connection;
use serde_json::json;

fn key(home: &Home, task: TaskId) -> Vec<u8> {
    let connection = Connection::open(home.file()).unwrap();
    connection.query_row("SELECT key FROM keys WHERE task = ?1", [task.0.cast_signed()], |row| row.get(0)).unwrap()
}

#[test]
fn no_content_and_no_key_is_left_in_any_file() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({"request": "sort the love letters"})).unwrap();
    let kept = records.start_task(json!({"request": "kept"})).unwrap();
    records.append(numbered(Some(task), 1)).unwrap();
    let action = Action::ReadFolder { folder: "/home/ada/letters".into() };
    let event = Event::Decided { principal: Principal::Person, action, allowed: true, rule: "grant".into() };
    records.append(Entry { task: Some(task), event, content: None }).unwrap();
    let secret = key(&home, task);
    let bytes = home.bytes();
    assert!(holds(&bytes, &secret), "the key is in a file before");
    for plain in ["love letters", "secret 1", "/home/ada"] {
        assert!(!holds(&bytes, plain.as_bytes()), "{plain} was never written in plain");
    }

    records.forget_task(task).unwrap();
    assert!(!holds(&home.bytes(), &secret), "no copy of the key is left");
    let events = all(&records);
    assert_eq!(events.iter().map(|event| event.content.is_some()).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(
        events[3].event,
        Event::Decided {
            principal: Principal::Person,
            action: Action::ReadFolder { folder: String::new() },
            allowed: true,
            rule: "grant".into()
        }
    );
    assert_eq!(records.verify().unwrap(), Verification::Whole { events: 4 });
    assert!(records.task(task).unwrap().unwrap().forgotten);
    assert_eq!(records.task(kept).unwrap().unwrap().content, Some(json!({"request": "kept"})));

    // what comes later is recorded without content, and forgetting again is no error
    records.append(numbered(Some(task), 2)).unwrap();
    assert_eq!(all(&records)[4].content, None);
    records.forget_task(task).unwrap();
    assert_eq!(records.verify().unwrap(), Verification::Whole { events: 5 });
}

#[test]
fn many_keys_are_wiped_wherever_sqlite_had_put_them() {
    let home = Home::new();
    let records = home.open();
    let tasks: Vec<_> = (0..300).map(|nth| records.start_task(json!({ "request": nth })).unwrap()).collect();
    let secrets: Vec<_> = tasks.iter().map(|task| key(&home, *task)).collect();
    for task in tasks.iter().step_by(3) {
        records.forget_task(*task).unwrap();
    }
    let bytes = home.bytes();
    for (nth, secret) in secrets.iter().enumerate() {
        assert_eq!(holds(&bytes, secret), nth % 3 != 0, "key {nth}");
    }
}

#[test]
fn while_another_process_reads_it_says_that_a_page_is_left() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({"request": "x"})).unwrap();
    let other = Connection::open(home.file()).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM events;").unwrap();
    let secret = key(&home, task);
    assert_eq!(records.forget_task(task), Err(RecordsError::StillOpen { task: task.0 }));
    assert_eq!(all(&records)[0].content, None, "it is forgotten all the same");
    other.execute_batch("COMMIT").unwrap();
    records.forget_task(task).unwrap();
    assert!(!holds(&home.bytes(), &secret));
}

#[test]
fn a_task_that_never_was_cannot_be_forgotten() {
    let error = Home::new().open().forget_task(TaskId(5)).unwrap_err();
    assert_eq!(error, RecordsError::Unknown { what: "task", id: 5, list: "log" });
    assert_eq!(error.to_string(), "there is no task 5. `deskhand log` lists what there is");
}
