//! A writing process that is killed: what it was told to be durable is there, and the log is whole.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Home, all, numbered, open};
use deskhand_records::Verification;
use deskhand_vocabulary::Log as _;
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

const VICTIM: &str = "DESKHAND_TEST_VICTIM";

/// In the process to be killed: append for ever, and say each number once it is acknowledged.
fn victim(file: &Path) -> ! {
    let records = open(file);
    let task = records.start_task(json!({"request": "victim"})).unwrap();
    let mut out = std::io::stdout();
    let mut number = 0;
    loop {
        for _ in 0..3 {
            number += 1;
            records.queue(numbered(Some(task), number));
        }
        number += 1;
        let id = records.append(numbered(Some(task), number)).unwrap();
        writeln!(out, "acknowledged {number} {}", id.0).unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    if let Some(file) = std::env::var_os(VICTIM) {
        victim(Path::new(&file));
    }
    let home = Home::new();
    drop(home.open());
    let mut events = 0;
    for round in 1..=12_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_writer_loses_nothing_that_was_acknowledged", "--nocapture"])
            .env(VICTIM, home.file())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        let mut line = || {
            let line = lines.next()?.unwrap();
            let numbers = line.split("acknowledged ").nth(1).map(str::to_owned);
            Some(numbers.map(|text| text.split(' ').map(|number| number.parse::<u64>().unwrap()).collect::<Vec<_>>()))
        };
        while acknowledged.len() < round * 7 {
            acknowledged.extend(line().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(more) = line() {
            acknowledged.extend(more);
        }

        let records = home.open();
        let found = all(&records);
        let whole = u64::try_from(found.len()).unwrap();
        assert_eq!(records.verify().unwrap(), Verification::Whole { events: whole });
        for numbers in &acknowledged {
            let [number, id] = numbers[..] else { panic!("a torn line: {numbers:?}") };
            // everything queued before it is there as well, in order
            for back in 0..4 {
                let event = &found[usize::try_from(id - back - 1).unwrap()];
                assert_eq!(event.event, numbered(event.task, number - back).event, "round {round}");
                assert_eq!(event.content, Some(json!({ "message": format!("secret {}", number - back) })));
            }
        }
        assert!(whole > events, "each round adds");
        events = whole;
    }
}
