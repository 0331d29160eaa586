//! How the program ends when its output, its arguments or a signal get in the way.

use crate::said::said;
use deskhand_tests::{Place, Ran, deskhand, snapshot};
use insta::assert_snapshot;
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    process::Stdio,
};

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let place = Place::with_plugins();
    for arguments in [&["commands"][..], &["--version"], &["help"], &["doctor", "--json"], &["man"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(place.command(deskhand()).args(arguments).stdout(full).output().unwrap());
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("Not all of the output could be written: No space left"), "{ran:?}");
    }
    // the work is done all the same, and can be undone
    let folder = place.path("home/Inbox");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.txt"), "a").unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run = ["run", "--yes", "--folder", "Inbox", "/organize by type"];
    let ran = Ran::of(place.command(deskhand()).args(run).stdout(full).output().unwrap());
    assert_eq!(ran.code, 1);
    assert!(folder.join("Documents/a.txt").is_file());
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::with_plugins();
    for _ in 0..3 {
        let mut child =
            place.command(deskhand()).args(["man"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::with_plugins();
    let whole: String = [
        &["log", "--task", "99"][..],
        &["log", "--forget", "99"],
        &["purge", "--commit", "9999"],
        &["undo", "77"],
        &["history", "77"],
        &["restore", "77", "x"],
        &["undo", "seven"],
        &["revoke", "-1"],
        &["log", "--limit", "many"],
    ]
    .iter()
    .map(|arguments| {
        format!("=== deskhand {}\n{}", arguments.join(" "), said(&place, &place.deskhand(arguments.iter())))
    })
    .collect();
    assert_snapshot!(whole);
}

/// What the log says to a person, without times.
#[test]
fn the_log_in_words() {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/a.txt"), "a").unwrap();
    assert_eq!(place.deskhand(["run", "--yes", "--folder", "Inbox", "/organize by type"]).code, 0);
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
    let log = place.deskhand(["log"]);
    let of_tasks = log.stdout.lines().filter_map(|line| line.split_once("  task ").map(|(_, words)| words));
    // how long a call took is another each time
    let steady = |words: &str| words.split(", after ").next().unwrap().to_owned();
    let words: Vec<String> = of_tasks.map(steady).collect();
    assert_snapshot!(crate::said::masked(&place, &words.join("\n")));
}

/// One interrupt of a run that nobody watches: wherever it falls, the code and the folder agree.
#[test]
fn an_interrupt_without_a_terminal() {
    let place = Place::with_plugins();
    let folder = place.path("home/Inbox");
    fs::create_dir(&folder).unwrap();
    for number in 0..1500 {
        fs::write(folder.join(format!("{number}.txt")), "x").unwrap();
    }
    let before = snapshot(&folder);
    let run = ["run", "--json", "--yes", "--folder", "Inbox", "/organize by type"];
    let mut stopped = 0;
    for event in ["call-started", "proposed", "commit-started", "commit-started"] {
        let mut command = place.command(deskhand());
        let mut child = command.args(run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = format!("\"event\":\"{event}\"");
        assert!(lines.by_ref().any(|line| line.unwrap().contains(&wanted)));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
        for line in lines {
            line.unwrap();
        }
        let ran = Ran::of(child.wait_with_output().unwrap());
        match ran.code {
            130 => {
                stopped += 1;
                assert!(snapshot(&folder) == before, "stopped, but changed: {}", ran.stderr);
            }
            0 => {
                assert!(folder.join("Documents/7.txt").is_file());
                assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
                assert!(snapshot(&folder) == before);
            }
            other => panic!("exit code {other}\n{}", ran.stderr),
        }
    }
    assert!(stopped > 0, "the interrupt never stopped it");
}
