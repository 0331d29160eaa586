//! Whatever becomes of the supervisor and of the computer: no task is lost, and none is worked on twice.

use super::{Background, end, wait_until};
use crate::kit::{calls, said};
use deskhand_model_server::{Opener, Step, Stream, Wire};
use deskhand_tests::{Ran, deskhand, terminal::Terminal};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;
use std::{
    fs::{self, File},
    process::{Command, Stdio},
    thread,
};

/// A reply that begins and then hangs until its opener is dropped or opens it.
fn hanging(text: &str) -> (Stream, Opener) {
    Stream::of(Wire::Anthropic, &said(text)).gated(2)
}

#[test]
fn ten_tasks_go_on_after_the_supervisor_was_killed() {
    let desk = Background::with_settings("[tasks]\nat_once = 10\n");
    let mut openers = Vec::new();
    for number in 0..10 {
        let request = format!("number {number}.");
        let write = calls(&[("write", json!({"path": format!("{number}.txt"), "text": format!("{number}\n")}))]);
        desk.server.then(Step::from(write).only_for(&request));
        let (stream, opener) = hanging("Nearly done");
        desk.server.then(Step::from(stream).only_for(&request));
        openers.push(opener);
        desk.queued(&["--yes", &request]);
    }
    openers.iter_mut().for_each(Opener::wait_reached);
    let answered = |task| desk.kinds(task).iter().any(|kind| kind == "tool-answered");
    wait_until("all calls are answered", || (1..=10).all(answered));
    desk.kill_supervisor();
    drop(openers);
    for number in 0..10 {
        assert_eq!(desk.text(&format!("{number}.txt")), None);
        desk.server.then(Step::from(said("Done.")).only_for(&format!("number {number}.")));
    }
    // whoever looks has them go on
    assert!(desk.states().iter().all(|(_, state)| state == "queued" || state == "at work"), "{:?}", desk.states());
    wait_until("all are done", || desk.states().iter().all(|(_, state)| state == "done"));
    for number in 0..10_u64 {
        assert_eq!(desk.text(&format!("{number}.txt")), Some(format!("{number}\n")));
        let kinds = desk.kinds(number + 1);
        let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
        let counts = ["task-begun", "tool-called", "commit-ended", "task-ended"].map(count);
        assert_eq!(counts, [2, 1, 1, 1], "{kinds:?}");
    }
    assert_eq!(desk.server.exchanges().len(), 30);
    desk.server.finish();
}

#[test]
fn many_supervisors_that_are_started_at_once_become_one() {
    let desk = Background::new();
    for number in 0..8 {
        desk.server.then(Step::from(said("Done.")).only_for(&format!("number {number}.")));
    }
    let started: Vec<_> = (0..8).map(|number| desk.begin(&["--background", &format!("number {number}.")])).collect();
    for child in started {
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", desk.notes());
    }
    wait_until("all are done", || desk.states().iter().filter(|(_, state)| state == "done").count() == 8);
    wait_until("one is left", || desk.supervisors() == [desk.supervisor().unwrap()]);
    for task in 1..=8 {
        assert_eq!(desk.kinds(task).iter().filter(|kind| *kind == "task-begun").count(), 1);
    }
    desk.server.finish();
}

#[test]
fn a_task_that_ends_each_supervisor_waits_for_the_person() {
    let desk = Background::new();
    for beginning in 0..3 {
        let (stream, mut opener) = hanging("It hangs");
        desk.server.then(stream);
        if beginning == 0 {
            desk.queued(&["break it"]);
        } else {
            desk.deskhand(&["tasks"]).ok();
        }
        opener.wait_reached();
        desk.kill_supervisor();
    }
    desk.deskhand(&["tasks"]).ok();
    desk.wait_for(1, "task-parked");
    assert_eq!(
        desk.deskhand(&["inbox"]).ok(),
        "Task 1: break it\n  Deskhand ended 3 times while it worked on this. Look what happens, with: deskhand resume 1\n  Answer with: deskhand resume 1\n"
    );
    desk.says([said("Whole.")]);
    assert_eq!(desk.deskhand(&["resume", "1"]).code, 0);
    desk.server.finish();
}

/// A process that is killed is gone a moment before the system lets go of what it held.
#[test]
fn a_task_that_a_process_holds_at_its_end_is_gone_on_with() {
    let desk = Background::new();
    let (stream, mut opener) = hanging("It hangs");
    desk.server.then(stream);
    desk.queued(&["go on"]);
    opener.wait_reached();
    desk.kill_supervisor();
    drop(opener);
    let held = hold(&desk, 1);
    desk.says([said("Whole.")]);
    // it seems to be at work, and still whoever looks sees to it that it is
    assert_eq!(desk.states(), [(1, "at work".to_owned())]);
    assert!(desk.supervisor().is_some(), "{}", desk.notes());
    drop(held);
    desk.wait_for(1, "task-ended");
    desk.server.finish();
}

/// The other way round: what is on record of a task is so, though its process has not let go of it.
#[test]
fn a_task_that_is_over_or_waits_is_told_so_while_it_is_held() {
    let desk = Background::new();
    desk.says([calls(&[("write", json!({"path": "a.txt", "text": "one\n"}))]), said("Proposed."), said("Done.")]);
    desk.queued(&["write it"]);
    desk.wait_for(1, "task-parked");
    desk.queued(&["say something"]);
    desk.wait_for(2, "task-ended");
    let held = [hold(&desk, 1), hold(&desk, 2)];
    assert_eq!(desk.states(), [(1, "waits for you".to_owned()), (2, "done".to_owned())]);
    assert!(desk.deskhand(&["inbox"]).ok().starts_with("Task 1: write it\n"));
    let taken = desk.deskhand(&["resume", "1", "--yes"]);
    let at_work = "Task 1 is at work in another process. Speak to it with: deskhand steer 1 WORDS\n";
    assert_eq!((taken.code, taken.stderr.as_str()), (2, at_work));
    drop(held);
    assert_eq!(desk.deskhand(&["resume", "1", "--yes"]).code, 0);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
    desk.server.finish();
}

/// Hold a task as a process does that works on it, once no other does.
fn hold(desk: &Background, task: u64) -> File {
    let path = desk.place.path(&format!("deskhand/data/tasks/{task}.lock"));
    let mut held = None;
    wait_until("nobody holds it", || {
        let file = File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        // who held it may have removed it meanwhile
        held = Some(file).filter(|_| locked && path.exists());
        held.is_some()
    });
    held.unwrap()
}

#[test]
fn what_a_terminal_works_on_is_not_worked_on_twice() {
    let desk = Background::new();
    let (own, mut opener) = hanging("mine");
    desk.server.then(Step::from(own).only_for("in the terminal"));
    let child = desk.begin(&["in the terminal"]);
    opener.wait_reached();
    // a task of the queue whose supervisor is gone, and that the person goes on with
    let (queued, mut hangs) = hanging("hangs");
    desk.server.then(Step::from(queued).only_for("in the queue"));
    desk.queued(&["in the queue"]);
    hangs.wait_reached();
    desk.kill_supervisor();
    drop(hangs);
    let (again, mut resumed) = hanging("theirs");
    desk.server.then(Step::from(again).only_for("in the queue"));
    let mut command = desk.place.command(deskhand());
    let taken = command.args(["resume", "2"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    resumed.wait_reached();
    // another supervisor works on what is queued, and leaves both alone
    desk.server.then(Step::from(said("third")).only_for("the third"));
    desk.queued(&["the third"]);
    desk.wait_for(3, "task-ended");
    opener.open();
    resumed.open();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, 0);
    assert_eq!(Ran::of(taken.wait_with_output().unwrap()).code, 0);
    let begun = |task| desk.kinds(task).iter().filter(|kind| *kind == "task-begun").count();
    assert_eq!([1, 2, 3].map(begun), [0, 1, 1]);
    assert_eq!(desk.server.exchanges().len(), 4);
    desk.server.finish();
}

#[test]
fn the_supervisor_is_no_part_of_the_terminal_that_it_was_started_from() {
    let desk = Background::new();
    let (stream, mut opener) = hanging("far away");
    desk.server.then(stream);
    let mut terminal = Terminal::run(
        &desk.place,
        &["run", "--background", "--folder", "Files", "go on"],
        &[("SECRET_OF_THE_SHELL", "x")],
    );
    terminal.wait("Task 1 is queued.");
    opener.wait_reached();
    let process = desk.supervisor().unwrap();
    // the terminal is gone: whoever belongs to it is told to end
    drop(terminal);
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let session: i32 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().parse().unwrap();
    assert_eq!(session, process);
    let open = |number: &str| fs::read_link(format!("/proc/{process}/fd/{number}")).unwrap();
    assert_eq!(open("0").to_str(), Some("/dev/null"));
    assert_eq!(open("1").to_str(), Some("/dev/null"));
    assert_eq!(open("2"), desk.place.path("deskhand/data/tasks/supervisor.log"));
    assert_eq!(fs::read_link(format!("/proc/{process}/cwd")).unwrap().to_str(), Some("/"));
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("SECRET_OF_THE_SHELL"));
    opener.open();
    desk.wait_for(1, "task-ended");
    assert_eq!(desk.states(), [(1, "done".to_owned())]);
}

/// What a program has open that starts it is not the supervisor's: whoever waits for the end of a pipe does not wait for it.
#[test]
fn nothing_that_was_open_is_inherited() {
    let desk = Background::new();
    desk.says([said("done")]);
    let mut command = desk.place.command("sh");
    let script = "\"$0\" run --background --folder Files 'go on' 7>&1 8<\"$0\"";
    command.args(["-c", script]).arg(deskhand());
    // the pipe that is 7 there has an end at once
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.ok(), "Task 1 is queued. Follow it with: deskhand tasks follow 1\n");
    desk.wait_for(1, "task-ended");
    let process = desk.supervisor().unwrap();
    for entry in fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
        // one that is closed meanwhile leads nowhere
        let to = fs::read_link(entry.unwrap().path()).unwrap_or_default();
        assert!(to != deskhand() && !to.to_string_lossy().starts_with("pipe:"), "{}", to.display());
    }
}

#[test]
fn the_order_is_that_of_the_queue_whatever_the_clock_says() {
    let desk = Background::with_settings("[tasks]\nat_once = 1\n");
    let (first, mut opener) = hanging("first");
    desk.server.then(Step::from(first).only_for("the first"));
    for words in ["second", "third", "fourth"] {
        desk.server.then(Step::from(said(words)).only_for(&format!("the {words}")));
    }
    desk.queued(&["the first"]);
    opener.wait_reached();
    desk.queued(&["the second"]);
    for (set, words) in [("-10d", "the third"), ("-5d", "the fourth")] {
        let mut command = desk.place.command("faketime");
        command.args(["-f", set]).arg(deskhand()).args(["run", "--background", "--folder", "Files", words]);
        assert_eq!(Ran::of(command.output().unwrap()).code, 0);
    }
    opener.open();
    wait_until("all are done", || desk.states().iter().all(|(_, state)| state == "done"));
    let heard: Vec<String> = desk
        .server
        .exchanges()
        .iter()
        .map(|exchange| exchange.json()["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(heard, ["the first", "the second", "the third", "the fourth"]);
    desk.server.finish();
}

/// The log can take nothing more while two tasks are at work: nothing of them is lost, and they go on once there is room.
#[test]
fn tasks_go_on_after_the_disk_of_the_log_was_full() {
    let mut tried = Command::new("unshare");
    tried.args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    if !tried.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let desk = Background::new();
    let mut openers = Vec::new();
    for number in 0..2 {
        let request = format!("number {number}.");
        let (stream, opener) = hanging("Nearly done");
        desk.server.then(Step::from(stream).only_for(&request));
        openers.push(opener);
    }
    let script = r#"
set -e
cp -a ../deskhand ../saved
mount -t tmpfs -o size=4M tmpfs ../deskhand
cp -a ../saved/. ../deskhand/
for n in 0 1; do "$0" run --background --yes --folder Files "number $n."; done
until test -e ../reached; do sleep 0.02; done
cat /dev/zero > ../deskhand/filled 2>/dev/null || true
touch ../full
until test -e ../ended; do sleep 0.02; done
rm ../deskhand/filled
tries=0
until "$0" tasks --json | grep -c '"state":"done"' | grep -qx 2; do tries=$((tries+1)); test $tries -lt 200; sleep 0.05; done
"$0" log --verify > /dev/null
"$0" log --json --limit 0 | grep -c '"event":"task-ended"'
"#;
    let mut command = desk.place.command("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(deskhand());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let waiting = thread::spawn(move || Ran::of(child.wait_with_output().unwrap()));
    openers.iter_mut().for_each(Opener::wait_reached);
    let before = desk.supervisors();
    fs::write(desk.place.path("reached"), "").unwrap();
    wait_until("the disk is full", || desk.place.path("full").exists() || waiting.is_finished());
    for number in 0..2 {
        let request = format!("number {number}.");
        desk.server.then(Step::from(said("Done.")).only_for(&request));
    }
    openers.into_iter().for_each(Opener::open);
    // a log that takes nothing more is no log: the supervisor ends
    wait_until("it ended", || desk.supervisors().iter().all(|process| !before.contains(process)));
    fs::write(desk.place.path("ended"), "").unwrap();
    let ran = waiting.join().unwrap();
    desk.supervisors().into_iter().for_each(end);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.ends_with("\n2\n"), "{}", ran.stdout);
    desk.server.finish();
}
