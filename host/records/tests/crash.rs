//! Writing processes that are killed: what they were told to be durable is there, and the log is whole.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Home, all, numbered, open};
use deskhand_records::Verification;
use deskhand_vocabulary::{Log as _, TaskId};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

const VICTIM: &str = "DESKHAND_TEST_VICTIM";

/// In a process to be killed: append for ever, and say each number once it is acknowledged.
fn write_until_killed(file: &Path) -> ! {
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
        writeln!(out, "acknowledged {task} {number} {}", id.0).unwrap();
    }
}

struct Victim {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Of each acknowledged append: the task, the number, the event.
    acknowledged: Vec<[u64; 3]>,
}

impl Victim {
    fn start(file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_writers_lose_nothing_that_was_acknowledged", "--nocapture"])
            .env(VICTIM, file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, acknowledged: Vec::new() }
    }

    /// False at the end of what it said.
    fn hear(&mut self) -> bool {
        let Some(line) = self.lines.next() else { return false };
        let line = line.unwrap();
        if let Some((_, numbers)) = line.split_once("acknowledged ") {
            let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            self.acknowledged.push(numbers.try_into().unwrap());
        }
        true
    }
}

#[test]
fn killed_writers_lose_nothing_that_was_acknowledged() {
    if let Some(file) = std::env::var_os(VICTIM) {
        write_until_killed(Path::new(&file));
    }
    let home = Home::new();
    for round in 1..=12_usize {
        // two processes on one home, from the making of the file on
        let mut victims = [Victim::start(&home.file()), Victim::start(&home.file())];
        for victim in &mut victims {
            while victim.acknowledged.len() < round * 3 {
                assert!(victim.hear(), "it ended by itself");
            }
        }
        for victim in &mut victims {
            victim.child.kill().unwrap();
        }
        for victim in &mut victims {
            victim.child.wait().unwrap();
            while victim.hear() {}
        }
        let records = home.open();
        let found = all(&records);
        let events = u64::try_from(found.len()).unwrap();
        assert_eq!(records.verify().unwrap(), Verification::Whole { events });
        for [task, number, id] in victims.iter().flat_map(|victim| &victim.acknowledged) {
            let task = Some(TaskId(*task));
            let of_task: Vec<_> = found.iter().filter(|event| event.task == task).collect();
            // all that it queued before is there as well, in order, after the start of the task
            let place = usize::try_from(*number).unwrap();
            assert_eq!(of_task[place].id.0, *id, "round {round}");
            for (at, event) in of_task.iter().enumerate().skip(1).take(place) {
                let at = u64::try_from(at).unwrap();
                assert_eq!(event.event, numbered(task, at).event, "round {round}");
                assert_eq!(event.content, Some(json!({ "message": format!("secret {at}") })));
            }
        }
    }
}
