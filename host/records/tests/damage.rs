//! Files that are damaged, changed, foreign, newer, or may not be written.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{Home, Ticking, numbered};
use deskhand_records::{Records, RecordsError, Verification};
use deskhand_vocabulary::{EventId, Log as _};
use rusqlite::Connection;
use serde_json::json;
use std::{path::Path, process::Command, sync::Arc};

fn open(path: &Path) -> Result<Records, RecordsError> {
    Records::open(path, Arc::new(Ticking::default()))
}

/// A log of ten events, two of them with content.
fn written() -> Home {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({"request": "x"})).unwrap();
    records.append(numbered(Some(task), 2)).unwrap();
    for number in 3..=10 {
        records.append(numbered(None, number)).unwrap();
    }
    home
}

#[test]
fn every_tampering_is_found_and_named() {
    let cases: &[(&str, u64, &str)] = &[
        (
            "UPDATE events SET event = replace(event, '\"micros\":5', '\"micros\":6') WHERE id = 5",
            5,
            "it was changed, or the one before it was",
        ),
        ("UPDATE events SET at = at + 1 WHERE id = 7", 7, "it was changed, or the one before it was"),
        ("UPDATE events SET task = 1 WHERE id = 7", 7, "it was changed, or the one before it was"),
        ("UPDATE events SET hash = zeroblob(32) WHERE id = 10", 10, "it was changed, or the one before it was"),
        ("DELETE FROM events WHERE id = 4", 4, "it is missing"),
        ("DELETE FROM events WHERE id = 10", 10, "it is missing"),
        ("DELETE FROM events WHERE id > 5", 6, "it is missing"),
        (
            "UPDATE events SET id = -1 WHERE id = 4; UPDATE events SET id = 4 WHERE id = 5; UPDATE events SET id = 5 WHERE id = -1",
            4,
            "it was changed, or the one before it was",
        ),
        (
            "INSERT INTO events (id, at, event, hash) SELECT 11, at, event, hash FROM events WHERE id = 10",
            11,
            "it was changed, or the one before it was",
        ),
        ("UPDATE contents SET sealed = zeroblob(40) WHERE event = 2", 2, "its content was changed"),
        ("DELETE FROM contents WHERE event = 1", 1, "its content is missing"),
        ("INSERT INTO contents VALUES (9, 1, zeroblob(40))", 9, "it has a content that was not recorded"),
    ];
    for (sql, event, reason) in cases {
        let home = written();
        let connection = Connection::open(home.file()).unwrap();
        assert!(!sql.starts_with(['U', 'D']) || connection.execute_batch(sql).is_err(), "a trigger refuses: {sql}");
        for trigger in [
            "events_are_not_changed",
            "events_are_not_deleted",
            "contents_are_not_changed",
            "contents_go_with_their_key",
        ] {
            connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        connection.execute_batch(sql).unwrap();
        let expected = Verification::Broken { event: EventId(*event), reason };
        assert_eq!(home.open().verify().unwrap(), expected, "{sql}");
    }
    assert_eq!(written().open().verify().unwrap(), Verification::Whole { events: 10 });
}

#[test]
fn a_newer_file_is_left_alone() {
    let home = written();
    Connection::open(home.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = home.bytes();
    let error = open(&home.file()).unwrap_err();
    assert_eq!(error, RecordsError::Newer { path: home.file(), found: 99, known: 2 });
    assert!(error.to_string().contains("was made by a newer Deskhand"), "{error}");
    assert_eq!(home.bytes(), before);
}

#[test]
fn a_foreign_database_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir(home.file().parent().unwrap()).unwrap();
    Connection::open(home.file()).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = home.bytes();
    assert_eq!(open(&home.file()).unwrap_err(), RecordsError::Foreign { path: home.file() });
    assert_eq!(home.bytes(), before);
}

#[test]
fn what_is_no_database_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir(home.file().parent().unwrap()).unwrap();
    std::fs::write(home.file(), "a letter to ada, not a database, and long enough to have a header of one".repeat(20))
        .unwrap();
    let before = home.bytes();
    let error = open(&home.file()).unwrap_err();
    assert!(matches!(&error, RecordsError::Damaged { path, .. } if *path == home.file()), "{error}");
    assert_eq!(home.bytes(), before);
}

#[test]
fn flipped_and_cut_files_give_an_error_or_a_finding_and_never_a_wrong_event() {
    let home = written();
    let whole = {
        let records = home.open();
        common::all(&records)
    };
    let bytes = std::fs::read(home.file()).unwrap();
    for step in 0..80 {
        let mut damaged = bytes.clone();
        if step % 4 == 0 {
            damaged.truncate(bytes.len() * step / 80);
        } else {
            for byte in damaged.iter_mut().skip(step * bytes.len() / 80).take(64) {
                *byte ^= 0x5a;
            }
        }
        std::fs::write(home.file(), &damaged).unwrap();
        let _ = std::fs::remove_file(home.file().with_extension("db-wal"));
        let _ = std::fs::remove_file(home.file().with_extension("db-shm"));
        let Ok(records) = open(&home.file()) else { continue };
        let found = records.verify();
        let read: Result<Vec<_>, _> = records.events(deskhand_records::Filter::default()).collect();
        // only what verify() calls whole must be whole; then all of it is
        if found == Ok(Verification::Whole { events: 10 }) {
            assert_eq!(read.unwrap(), whole, "step {step}");
        }
    }
}

#[test]
fn a_folder_in_place_of_the_file_is_an_error() {
    let home = Home::new();
    std::fs::create_dir_all(home.file()).unwrap();
    let error = open(&home.file()).unwrap_err();
    assert!(matches!(&error, RecordsError::Failed { path, .. } if *path == home.file()), "{error}");
}

const READ_ONLY: &str = "DESKHAND_TEST_READ_ONLY";

/// Runs in a process of its own, which has none of root's powers.
#[test]
fn a_file_that_may_not_be_written_is_an_error() {
    if let Some(file) = std::env::var_os(READ_ONLY) {
        let error = open(Path::new(&file)).unwrap_err();
        assert!(matches!(error, RecordsError::ReadOnly { .. }), "{error}");
        println!("as expected: {error}");
        return;
    }
    let home = written();
    let folder = home.file().parent().unwrap().to_owned();
    for (file, path) in [("0400", home.file()), ("0600", folder.join("new/log.db"))] {
        let chmod =
            |mode: &str, path: &Path| assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
        chmod(file, &home.file());
        chmod("0500", &folder);
        let mut powerless = Command::new(std::env::current_exe().unwrap());
        if rustix::process::geteuid().is_root() {
            powerless = Command::new("setpriv");
            powerless.args(["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]);
            powerless.arg(std::env::current_exe().unwrap());
        }
        let run = powerless
            .args(["--exact", "a_file_that_may_not_be_written_is_an_error", "--nocapture"])
            .env(READ_ONLY, &path)
            .output()
            .unwrap();
        chmod("0700", &folder);
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(
            run.status.success() && said.contains("as expected: "),
            "{said}\n{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
}
