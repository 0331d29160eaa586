//! A sandbox that stays: commands one after the other, and an interpreter that keeps what it knows.

use crate::kit::{Desk, helper, processes_with, word};
use deskhand_confine::{Came, Confined, Ended, Excess, Input, Job, Outcome, Session, Stream};
use std::{ffi::OsString, future::pending, path::PathBuf};

/// An interpreter as the session wants one: each piece of work is a script of the shell, which is the same shell.
const SHELL: &str = r#"
    exec 3<&0 </dev/null
    while read -r size mark <&3; do
        work=$(head -c "$size" <&3)
        eval "$work"
        printf '\0%s\0' "$mark"
    done
"#;

fn command(line: &str) -> Job {
    Job::Command { words: words(&["/bin/sh", "-c", line]), folder: PathBuf::from("/tmp") }
}

fn work(text: &str) -> Job {
    // `head` of a shell's own pipe must not read ahead, which it does not of a line at a time
    let interpreter = words(&["/bin/bash", "-c", SHELL]);
    Job::Work { interpreter, folder: PathBuf::from("/tmp"), work: text.to_owned() }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

async fn open() -> Session {
    Session::open(&helper(), Confined::new("")).await.unwrap()
}

/// Do a job that nobody cuts short; what it says, and how it ended.
async fn run(session: &mut Session, job: &Job) -> (String, Outcome) {
    let (said, came) = heard(session, job, pending()).await;
    let came = came.unwrap();
    assert!(!came.cut_short);
    (said, came.outcome)
}

async fn heard(session: &mut Session, job: &Job, enough: impl Future<Output = ()>) -> (String, Result<Came, Ended>) {
    let mut said = Vec::new();
    let came = session.run(job, None, enough, &mut |_, bytes| said.extend_from_slice(bytes)).await;
    (String::from_utf8_lossy(&said).into_owned(), came)
}

/// Do a job that has had enough time once it says anything.
async fn until_begun(session: &mut Session, job: &Job) -> (String, Came) {
    let begun = std::sync::Arc::new(tokio::sync::Notify::new());
    let (hears, mut said) = (std::sync::Arc::clone(&begun), Vec::new());
    let enough = async move { begun.notified().await };
    let mut hear = |_, bytes: &[u8]| {
        said.extend_from_slice(bytes);
        hears.notify_one();
    };
    let came = session.run(job, None, enough, &mut hear).await.unwrap();
    (String::from_utf8_lossy(&said).into_owned(), came)
}

#[tokio::test]
async fn commands_run_one_after_the_other_in_one_place() {
    let mut session = open().await;
    assert_eq!(
        run(&mut session, &command("echo one > a; echo out; echo beside >&2")).await,
        ("out\nbeside\n".to_owned(), Outcome::Exited(0))
    );
    assert_eq!(run(&mut session, &command("cat a; exit 3")).await, ("one\n".to_owned(), Outcome::Exited(3)));
    assert_eq!(run(&mut session, &command("kill -9 $$")).await, (String::new(), Outcome::Exited(137)));
    let missing = Job::Command { words: words(&["no-such-program"]), folder: PathBuf::from("/tmp") };
    assert!(matches!(run(&mut session, &missing).await.1, Outcome::NotStarted(_)));
    assert_eq!(run(&mut session, &command("true")).await.1, Outcome::Exited(0));
    session.close().await;
}

#[tokio::test]
async fn nothing_that_a_command_started_goes_on() {
    let mut session = open().await;
    let word = word();
    let line = format!("(setsid sh -c 'sleep 600; : {word}' &); while :; do echo more; done & echo done");
    let (said, outcome) = run(&mut session, &command(&line)).await;
    assert_eq!(outcome, Outcome::Exited(0));
    assert!(said.contains("done\n"), "{said}");
    assert_eq!(processes_with(&word), 0);
    assert_eq!(run(&mut session, &command("echo still here")).await.0, "still here\n");
    session.close().await;
}

#[tokio::test]
async fn an_interpreter_keeps_what_it_knows_and_is_held_between_its_works() {
    let mut session = open().await;
    let first = session.run(&work("x=1; cd /sandbox"), None, pending(), &mut |_, _| ()).await.unwrap();
    assert_eq!(first, Came { outcome: Outcome::Done, fresh: true, cut_short: false });
    // what it starts in the background would go on writing
    let second = session
        .run(
            &work("( (while :; do date >> b; done) & ); while ! [ -s b ]; do :; done; x=$((x + 1))"),
            None,
            pending(),
            &mut |_, _| (),
        )
        .await
        .unwrap();
    assert_eq!(second, Came { outcome: Outcome::Done, fresh: false, cut_short: false });
    let sizes =
        command("cd /sandbox; wc -c < b > /tmp/before; sleep 1; wc -c < b | diff - /tmp/before && echo the same");
    assert_eq!(run(&mut session, &sizes).await, ("the same\n".to_owned(), Outcome::Exited(0)));
    assert_eq!(run(&mut session, &work("echo $x $PWD")).await, ("2 /sandbox\n".to_owned(), Outcome::Done));
    // and one that ends is begun anew
    assert_eq!(run(&mut session, &work("echo last; exit 7")).await, ("last\n".to_owned(), Outcome::Exited(7)));
    let again = session.run(&work("[ -z $x ]"), None, pending(), &mut |_, _| ()).await.unwrap();
    assert!(again.fresh);
    session.close().await;
}

#[tokio::test]
async fn what_looks_like_a_mark_and_is_none_is_said() {
    let mut session = open().await;
    let (said, outcome) =
        run(&mut session, &work(r"printf 'a\0b\0deskhand-done-0\0\0\0deskhand-done-1'; printf '\0x'")).await;
    assert_eq!(
        (said.as_str(), outcome),
        ("a\0b\0deskhand-done-0\0\0", Outcome::Done),
        "it has cheated itself of the rest"
    );
    session.close().await;
}

#[tokio::test]
async fn a_job_that_has_had_its_time_is_asked_to_end_and_then_ended() {
    let mut session = open().await;
    let obliging = command("trap 'echo ending; exit 5' TERM; echo begun; sleep 600 & wait");
    let (said, came) = until_begun(&mut session, &obliging).await;
    assert_eq!(said, "begun\nending\n");
    assert_eq!(came, Came { outcome: Outcome::Exited(5), fresh: false, cut_short: true });
    let deaf = command("trap '' TERM; echo begun; sleep 600 & wait");
    let (_, came) = until_begun(&mut session, &deaf).await;
    assert_eq!(came, Came { outcome: Outcome::Exited(137), fresh: false, cut_short: true });
    assert_eq!(run(&mut session, &command("echo still here")).await.0, "still here\n");
    session.close().await;
}

#[tokio::test]
async fn a_command_that_ends_its_runner_ends_all() {
    let mut session = open().await;
    let word = word();
    let line = format!("sh -c 'sleep 600; : {word}' & kill -9 $PPID; sleep 600");
    let (_, came) = heard(&mut session, &command(&line), pending()).await;
    assert!(came.is_err(), "{came:?}");
    assert_eq!(processes_with(&word), 0);
}

#[tokio::test]
async fn what_a_command_writes_to_the_runner_is_not_heard() {
    let mut session = open().await;
    // the pipes of the runner are those of its parent
    let line = "for handle in 0 1 2; do echo forged > /proc/$PPID/fd/$handle; done 2>/dev/null; :";
    assert_eq!(run(&mut session, &command(line)).await, (String::new(), Outcome::Exited(0)));
    session.close().await;
}

#[tokio::test]
async fn too_much_ends_the_session_and_says_why() {
    let mut confined = Confined::new("");
    confined.limits.memory = 256 << 20;
    let mut session = Session::open(&helper(), confined).await.unwrap();
    // each of the four may have as much, and all together may not
    let eats = "import os, time; held = bytearray(b'x' * (80 << 20)); os.fork(); os.fork(); time.sleep(600)";
    let job = Job::Command { words: words(&["python3", "-c", eats]), folder: PathBuf::from("/tmp") };
    let came = session.run(&job, None, pending(), &mut |_, _| ()).await;
    assert_eq!(came, Err(Ended::Beyond(Excess::Memory)));
}

#[tokio::test]
async fn all_that_was_said_can_be_read_in_the_sandbox() {
    let mut session = open().await;
    let (said, _) = run(&mut session, &command("seq 1 100000")).await;
    let log = session.log();
    let read = format!("wc -c < {}; tail -n 1 {}", log.display(), log.display());
    assert_eq!(run(&mut session, &command(&read)).await.0, format!("{}\n100000\n", said.len()));
    session.close().await;
}

#[tokio::test]
async fn what_is_written_over_several_jobs_is_taken_after_each() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b")]);
    let mut overlay = desk.overlay();
    let mut confined = Confined::new("");
    confined.folders.push(overlay.mount());
    let mut session = Session::open(&helper(), confined).await.unwrap();
    run(&mut session, &command("cd /mnt/photos && mv a.txt c.txt && echo new > d.txt")).await;
    assert_eq!(overlay.take(&desk.workspace, "first").unwrap().added(), 2);
    run(&mut session, &command("cd /mnt/photos && echo more >> d.txt && rm b.txt")).await;
    assert_eq!(overlay.take(&desk.workspace, "second").unwrap().added(), 2);
    assert_eq!(desk.view(), ["c.txt=a", "d.txt=new\nmore"]);
    assert_eq!(desk.disk(), ["a.txt=a", "b.txt=b"]);
    session.close().await;
}

#[tokio::test]
async fn what_changes_in_the_task_meanwhile_is_seen_by_what_runs_on() {
    let desk = Desk::new(&[("a.txt", "a"), ("old/b.txt", "b"), ("c.txt", "c")]);
    let mut overlay = desk.overlay();
    let mut confined = Confined::new("");
    confined.folders.push(overlay.mount());
    let mut session = Session::open(&helper(), confined).await.unwrap();
    run(&mut session, &work("kept=1; cd /mnt/photos; echo 1 > mine.txt; ln -s /tmp link; rm c.txt")).await;
    overlay.take(&desk.workspace, "first").unwrap();

    // somebody else in the task writes over what it wrote, and adds and removes
    let path = |name: &str| format!("photos/{name}").parse().unwrap();
    let version = |name: &str| desk.workspace.stat(&[path(name)]).remove(0).unwrap().version;
    desk.workspace.write(&path("mine.txt"), b"2\n", Some(&version("mine.txt"))).unwrap();
    desk.workspace.make_folder(&path("new")).unwrap();
    desk.workspace.write(&path("new/d.txt"), b"d\n", None).unwrap();
    desk.workspace.remove(&path("old"), &version("old")).unwrap();
    desk.workspace.write(&path("c.txt"), b"other\n", None).unwrap();
    let steps = overlay.behind(&desk.workspace).unwrap().unwrap();
    for step in steps {
        assert!(session.follow(step).await);
    }
    overlay.caught_up().unwrap();
    let all = work("echo $kept; cat mine.txt c.txt new/d.txt; ls; echo 3 >> mine.txt");
    let seen = "1\n2\nother\nd\na.txt\nc.txt\nlink\nmine.txt\nnew\n";
    assert_eq!(run(&mut session, &all).await, (seen.to_owned(), Outcome::Done));
    assert_eq!(overlay.take(&desk.workspace, "second").unwrap().added(), 1);
    assert_eq!(desk.view(), ["a.txt=a", "c.txt=other", "mine.txt=2\n3", "new/", "new/d.txt=d"]);
    session.close().await;
}

#[tokio::test]
async fn what_is_brought_up_to_date_leads_nowhere_else() {
    let desk = Desk::new(&[("a/b.txt", "b")]);
    let mut overlay = desk.overlay();
    let mut confined = Confined::new("");
    confined.folders.push(overlay.mount());
    let mut session = Session::open(&helper(), confined).await.unwrap();
    run(&mut session, &command("cd /mnt/photos; rm -r a; mkdir /tmp/trap; ln -s /tmp/trap a")).await;
    let path = "photos/a/b.txt".parse().unwrap();
    let version = desk.workspace.stat(&[path]).remove(0).unwrap().version;
    desk.workspace.write(&"photos/a/b.txt".parse().unwrap(), b"new\n", Some(&version)).unwrap();
    for step in overlay.behind(&desk.workspace).unwrap().unwrap() {
        assert!(!session.follow(step).await);
    }
    assert_eq!(run(&mut session, &command("ls -A /tmp/trap")).await.0, "");
    session.close().await;
}

fn program(line: &str) -> Job {
    Job::Program { words: words(&["/bin/sh", "-c", line]), folder: PathBuf::from("/tmp") }
}

/// Run a program that reads this; what it says on its two streams, and how it ended.
async fn talk(session: &mut Session, line: &str, input: Option<Input>) -> (String, String, Outcome) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut hear = |stream, bytes: &[u8]| match stream {
        Stream::Output => out.extend_from_slice(bytes),
        Stream::Error => err.extend_from_slice(bytes),
    };
    let came = session.run(&program(line), input, pending(), &mut hear).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&out), text(&err), came.outcome)
}

#[tokio::test]
async fn a_program_reads_what_it_is_given_and_is_heard_on_two_streams() {
    let mut session = open().await;
    assert_eq!(
        talk(&mut session, "cat; echo beside >&2; exit 4", None).await,
        (String::new(), "beside\n".to_owned(), Outcome::Exited(4))
    );
    let (pieces, input) = tokio::sync::mpsc::unbounded_channel();
    // more than any pipe on the way holds, there and back
    for _ in 0..64 {
        pieces.send(vec![b'x'; deskhand_confine::PIECE]).unwrap();
    }
    drop(pieces);
    let (out, err, outcome) = talk(&mut session, "tee /dev/stderr", Some(input)).await;
    let size = 64 * deskhand_confine::PIECE;
    assert_eq!((out.len(), err.len(), outcome), (size, size, Outcome::Exited(0)));
    // one that reads nothing is not waited for, nor is what it was given kept for the next
    let (pieces, input) = tokio::sync::mpsc::unbounded_channel();
    pieces.send(b"not read\n".to_vec()).unwrap();
    assert_eq!(talk(&mut session, "true", Some(input)).await.2, Outcome::Exited(0));
    drop(pieces);
    assert_eq!(talk(&mut session, "cat; echo done", None).await.0, "done\n");
    session.close().await;
}
