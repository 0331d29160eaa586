//! The system calls themselves, as strace(1) sees them: what is synced before what, and a kill at each call that counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use support::{Desk, differences, model::plant, scratch};

fn victim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| support::built("victim"))
}

/// Without strace, or where it may not trace, there is nothing to see.
fn can_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
}

fn planted(place: &Path) -> support::Tree {
    let _ = fs::remove_dir_all(place);
    fs::create_dir(place).unwrap();
    let desk = Desk::existing(place);
    plant(&desk);
    desk.tree()
}

#[test]
fn nothing_is_renamed_before_the_journal_is_on_the_disk() {
    if !can_trace() {
        return;
    }
    let dir = scratch();
    for seed in ["1", "2", "3", "5", "8"] {
        let place = dir.path().join("desk");
        let old = planted(&place);
        let trace = dir.path().join("trace");
        let status = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-e",
                "trace=renameat2,renameat,rename,linkat,unlinkat,mkdirat,symlinkat,fsync,fdatasync,syncfs,write",
                "-o",
            ])
            .arg(&trace)
            .arg(victim())
            .arg(&place)
            .args(["apply", seed, "12", "0"])
            .status()
            .unwrap();
        assert!(status.success());
        let trace = fs::read_to_string(&trace).unwrap();
        let lines: Vec<&str> = trace.lines().collect();
        let files = place.canonicalize().unwrap().join("Files").display().to_string();
        let changed = !differences(&old, &support::snapshot(&place.join("Files"))).is_empty();
        let effect = |line: &&str| line.contains(&files) && !line.contains("fsync(") && !line.contains("write(");
        let Some(first) = lines.iter().position(&effect) else {
            assert!(!changed);
            continue;
        };
        let before = &lines[..first];
        let journal = "/commits/1/journal>";
        let synced = before.iter().rposition(|line| line.contains("fsync(") && line.contains(journal));
        let written = before.iter().rposition(|line| line.contains("write(") && line.contains(journal));
        assert!(written.unwrap() < synced.unwrap(), "{first}: {}", lines[first]);
        for folder in ["/commits/1>", "/commits>"] {
            assert!(
                before.iter().any(|line| line.contains("fsync(") && line.contains(folder)),
                "{folder} is not synced"
            );
        }
        // the end is written only once all of it is on the disk
        let last = lines.iter().rposition(effect).unwrap();
        let end = lines.iter().rposition(|line| line.contains("write(") && line.contains(journal)).unwrap();
        assert!(lines[last..end].iter().any(|line| line.contains("syncfs(")));
    }
}

#[test]
fn a_kill_at_each_call_that_counts() {
    if !can_trace() {
        return;
    }
    let dir = scratch();
    let mut killed = 0;
    for (seed, call) in [
        ("3", "renameat2"),
        ("5", "renameat2"),
        ("5", "fsync"),
        ("8", "syncfs"),
        ("8", "linkat"),
        ("13", "renameat2"),
        ("17", "renameat2"),
        ("21", "renameat2"),
        ("29", "renameat2"),
    ] {
        for at in 1..60 {
            let place = dir.path().join("desk");
            let old = planted(&place);
            let status = Command::new("strace")
                .args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"])
                .arg(format!("inject={call}:signal=KILL:when={at}"))
                .arg(victim())
                .arg(&place)
                .args(["apply", seed, "12", "0"])
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            if status.success() {
                break;
            }
            killed += 1;
            let desk = Desk::existing(&place);
            for recovered in deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap() {
                assert_eq!(recovered.notes, Vec::<String>::new());
            }
            let applied = desk.history().list().unwrap().iter().any(|listed| listed.not_undoable.is_none());
            if applied {
                assert_eq!(desk.undo(1).done.unwrap().refused, []);
            }
            assert_eq!(differences(&old, &desk.tree()), [""; 0], "{seed} {call} {at}");
        }
    }
    assert!(killed > 40, "{killed}");
}
