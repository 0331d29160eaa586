//! Commands and code of a model, in the sandbox of this computer.

use crate::{
    kit::{Desk, answers, calls, said, shell},
    terminal::Terminal,
};
use deskhand_model_server::{Answer, HttpServer, Reply, Stream, Wire};
use serde_json::{Value, json};
use std::{fs, process::Command};

/// A desk whose person allows the sandbox.
fn desk() -> Desk {
    let desk = Desk::new();
    let allowed = desk.deskhand(&["vm", "allow"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
    desk
}

fn python(code: &str) -> Reply {
    calls(&[("python", json!({ "code": code }))])
}

fn tools(desk: &Desk) -> Vec<String> {
    let body = desk.server.exchanges().last().unwrap().json();
    body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn told_now(desk: &Desk) -> String {
    let body: Value = desk.server.exchanges().first().unwrap().json();
    body.to_string()
}

#[test]
fn there_is_none_before_the_person_allows_it() {
    let desk = Desk::new();
    desk.says([said("There is no shell.")]);
    assert_eq!(desk.run(&["list the files with ls"]).code, 0);
    assert!(!tools(&desk).iter().any(|name| name == "shell" || name == "python"), "{:?}", tools(&desk));
    assert!(told_now(&desk).contains("There is no shell: the person has not allowed one"), "{}", told_now(&desk));
    let why = desk.deskhand(&["why", "execute", "--agent"]);
    assert_eq!(
        (why.code, why.stdout.as_str()),
        (
            5,
            "The agent may not run commands and code in a sandbox of this computer.\n  You have not allowed it on this \
             computer. (rule `sandbox`)\nAllow it: `deskhand vm allow`.\n\n"
        )
    );
    // and none once it was taken back
    assert_eq!(desk.deskhand(&["vm", "allow"]).code, 0);
    let grants = desk.deskhand(&["grants"]).stdout;
    let number = grants.lines().find(|line| line.contains("run commands in a sandbox of this computer")).unwrap();
    assert_eq!(desk.deskhand(&["revoke", number.split_whitespace().next().unwrap()]).code, 0);
    desk.says([said("There is still no shell.")]);
    assert_eq!(desk.run(&["list the files with ls"]).code, 0);
    assert!(!tools(&desk).iter().any(|name| name == "shell"), "{:?}", tools(&desk));
}

/// The main journey: what a command destroys is there until the person agrees to each removal, and comes back after that.
#[test]
fn a_command_that_removes_everything_has_proposed_removals() {
    let desk = desk();
    desk.file("a.txt", "one\n").file("Trip/b.jpg", "two\n").file("Trip/c.jpg", "three\n");
    desk.says([
        shell("rm -rf /mnt/Files/* && ls -A /mnt/Files"),
        calls(&[("list", json!({}))]),
        said("All is proposed to go."),
    ]);
    let ran = desk.run(&["--yes", "remove everything"]);
    // --yes covers no removal
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    // what this computer has is not what a guest is promised to have
    assert!(!told_now(&desk).contains("It has the usual programs"), "{}", told_now(&desk));
    let there = || [desk.text("a.txt"), desk.text("Trip/b.jpg"), desk.text("Trip/c.jpg")];
    let all = [Some("one\n".to_owned()), Some("two\n".to_owned()), Some("three\n".to_owned())];
    assert_eq!(there(), all);
    // while its own tools see what the command left
    assert_eq!(answers(&desk)[0], "[exit code 0, 2 changes are pending]");
    assert!(!answers(&desk)[1].contains("a.txt"), "{:?}", answers(&desk));

    // two are not three
    assert_eq!(desk.deskhand(&["resume", "--yes", "--allow-removals", "2"]).code, 3);
    assert_eq!(there(), all);
    let agreed = desk.deskhand(&["resume", "--yes", "--allow-removals", "9"]);
    assert_eq!(agreed.code, 0, "{}{}", agreed.stdout, agreed.stderr);
    assert_eq!((there(), desk.place.path("home/Files/Trip").exists()), ([None, None, None], false));
    assert_eq!(desk.deskhand(&["undo", "--yes"]).code, 0);
    assert_eq!(there(), all);
    desk.server.finish();
    assert!(!desk.place.path("deskhand/data/written/1").exists(), "nothing is kept of what was settled");
    assert_eq!(fs::read_dir(desk.place.path("deskhand/cache/sandboxes")).unwrap().count(), 0);
}

#[test]
fn what_one_command_renames_and_the_next_empties_is_said_to_be_emptied() {
    let desk = desk();
    desk.file("contract.txt", "contract\n");
    desk.says([
        shell("mv /mnt/Files/contract.txt /mnt/Files/contract-2024.txt"),
        shell(": > /mnt/Files/contract-2024.txt"),
        said("Renamed."),
    ]);
    let ran = desk.run(&["--yes", "rename it"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let shown = "Files/contract-2024.txt (new content):\n  Empties it: 9 bytes go; undo brings back what it held.\n";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    assert_eq!((desk.text("contract.txt"), desk.text("contract-2024.txt").as_deref()), (None, Some("")));
    desk.server.finish();
}

#[test]
fn tools_and_commands_see_what_the_other_wrote() {
    let desk = desk();
    desk.file("list.txt", "b\na\n");
    desk.says([
        calls(&[("write", json!({"path": "more.txt", "text": "c\n"}))]),
        calls(&[("shell", json!({"command": "cat list.txt more.txt | sort | tee all.txt", "folder": "Files"}))]),
        calls(&[("read", json!({"path": "all.txt"}))]),
        calls(&[("edit", json!({"path": "all.txt", "old": "b", "new": "B"}))]),
        shell("cat /mnt/Files/all.txt; mv /mnt/Files/all.txt /mnt/Files/sorted.txt"),
        said("Sorted."),
    ]);
    let ran = desk.run(&["--yes", "sort them"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let answers = answers(&desk);
    assert_eq!(answers[1], "[exit code 0, 1 change is pending]|a\nb\nc\n");
    // what was new and is elsewhere now
    assert_eq!(answers[4], "[exit code 0, 2 changes are pending]|a\nB\nc\n");
    assert_eq!(desk.text("sorted.txt").as_deref(), Some("a\nB\nc\n"));
    assert_eq!((desk.text("all.txt"), desk.text("list.txt").as_deref()), (None, Some("b\na\n")));
    desk.server.finish();
}

#[test]
fn the_model_is_told_that_an_executable_bit_is_not_taken() {
    let desk = desk();
    desk.file("run.sh", "echo hello\n");
    desk.says([shell("chmod +x /mnt/Files/run.sh"), said("It cannot be run by its name.")]);
    assert_eq!(desk.run(&["make it executable"]).code, 0);
    assert_eq!(
        answers(&desk),
        [
            "[exit code 0]\n[not taken: the executable bit of `Files/run.sh`; the content is taken. To run such a file, name its interpreter, or have the person make it executable (chmod +x)]"
        ]
    );
    desk.server.finish();
}

#[test]
fn python_keeps_its_variables_and_says_when_they_are_gone() {
    let desk = desk();
    desk.says([
        python("import os\nrows = [1, 2, 3]\nprint('set')\nsum(rows)"),
        python("rows.append(4)\nopen('/mnt/Files/sum.txt', 'w').write(str(sum(rows)))"),
        shell("cat /mnt/Files/sum.txt"),
        python("rows[99]"),
        calls(&[("write", json!({"path": "note.txt", "text": "x\n"}))]),
        python("rows, open('/mnt/Files/note.txt').read()"),
        python("os._exit(3)"),
        python("import sys; sys.exit(2)"),
        said("Done."),
    ]);
    let ran = desk.run(&["--yes", "count"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let answers = answers(&desk);
    assert_eq!(answers[0], "[done]|set\n6\n");
    assert_eq!(answers[1], "[done, 1 change is pending]|2\n");
    assert_eq!(answers[2], "[exit code 0]|10");
    assert!(
        answers[3].starts_with(
            "[done]|Traceback (most recent call last):\n  File \"<python 3>\", line 1, in <module>\n    rows[99]\n"
        ) && answers[3].ends_with("\nIndexError: list index out of range\n"),
        "{}",
        answers[3]
    );
    // what another tool wrote is there, and what it knew is too
    assert_eq!(answers[5], "[done]|([1, 2, 3, 4], 'x\\n')\n");
    assert_eq!(answers[6], "[exit code 3]");
    assert_eq!(answers[7], "[done]\n[a new interpreter: the variables of before are gone]|SystemExit: 2\n");
    assert_eq!(desk.text("sum.txt").as_deref(), Some("10"));
    desk.server.finish();
}

#[test]
fn a_command_has_its_time_and_no_more() {
    let desk = desk();
    desk.says([
        calls(&[("shell", json!({"command": "echo begun > /mnt/Files/a.txt; sleep 600", "timeout": 1}))]),
        calls(&[("python", json!({"code": "x = 1\nwhile True: pass", "timeout": 1}))]),
        python("x"),
        said("It took too long."),
        said("It took too long."),
    ]);
    let ran = desk.run(&["--yes", "wait"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let answers = answers(&desk);
    assert_eq!(answers[0], "[ended after 1 seconds, 1 change is pending]");
    let (state, rest) = answers[1].split_once('|').unwrap();
    assert_eq!(state, "[ended after 1 seconds; the variables are still there]");
    assert!(rest.trim_end().ends_with("KeyboardInterrupt"), "{rest}");
    assert_eq!(answers[2], "[done]|1\n");
}

#[test]
fn what_is_long_is_cut_and_can_be_read_on() {
    let desk = desk();
    desk.says([shell("seq 1 100000"), shell("sed -n 50000p /tmp/output-1.txt"), said("Found.")]);
    let ran = desk.run(&["--yes", "count"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let answers = answers(&desk);
    assert!(answers[0].starts_with("[exit code 0]|1\n2\n3\n") && answers[0].ends_with("99999\n100000\n"));
    assert!(answers[0].contains(" bytes are left out; read on in /tmp/output-1.txt]"), "{}", answers[0]);
    assert!(answers[0].len() < 30_000);
    assert_eq!(answers[1], "[exit code 0]|50000\n");
    desk.server.finish();
}

/// What a command wrote and is pending survives the process, and is told where a file has changed since.
#[test]
fn what_a_command_wrote_is_pending_again_after_a_crash() {
    let desk = desk();
    desk.file("a.txt", "one\n").file("b.txt", "two\n").file("c.txt", "three\n");
    desk.file("Old/deep/f.txt", "four\n").file("Old/g.txt", "five\n");
    desk.says([
        shell("cd /mnt/Files; mkdir New; echo 1 > New/n.txt; echo more >> a.txt; mv b.txt New/; rm c.txt; echo $RANDOM > r.txt; mv Old Other; echo more >> Other/deep/f.txt"),
        shell("cat /mnt/Files/r.txt; date +%N >> /mnt/Files/r.txt"),
    ]);
    let (stream, mut opener) = Stream::of(Wire::Anthropic, &said("Nearly done")).gated(2);
    desk.server.then(stream);
    let mut child = desk.begin(&["tidy up"]);
    opener.wait_reached();
    desk.wait_answered(2);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(opener);
    let random = answers(&desk)[1].split_once('|').unwrap().1.to_owned();
    desk.file("c.txt", "another\n");
    desk.says([calls(&[("read", json!({"path": "r.txt"}))]), said("Done."), said("Done.")]);
    let ran = desk.deskhand(&["resume", "--yes", "--allow-removals", "9"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("1 of 8 changes: `Files/c.txt` has changed"), "{}", ran.stderr);
    assert!(desk.text("r.txt").unwrap().starts_with(&random), "it was not run again");
    assert_eq!((desk.text("a.txt").as_deref(), desk.text("New/n.txt").as_deref()), (Some("one\nmore\n"), Some("1\n")));
    assert_eq!((desk.text("New/b.txt").as_deref(), desk.text("b.txt")), (Some("two\n"), None));
    assert_eq!(desk.text("c.txt").as_deref(), Some("another\n"), "what changed meanwhile stays");
    let moved = ["Other/deep/f.txt", "Other/g.txt", "Old/g.txt"].map(|name| desk.text(name));
    assert_eq!(moved, [Some("four\nmore\n".to_owned()), Some("five\n".to_owned()), None]);
}

#[test]
fn what_waits_is_made_even_where_the_sandbox_is_taken_back() {
    let desk = desk();
    desk.says([shell("echo one > /mnt/Files/a.txt"), said("Proposed.")]);
    assert_eq!(desk.run(&["write it"]).code, 3);
    assert_eq!(desk.deskhand(&["revoke", "1"]).code, 0);
    let ran = desk.deskhand(&["resume", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
}

#[test]
fn what_is_kept_of_a_task_goes_with_it() {
    let desk = desk();
    desk.says([shell("echo one > /mnt/Files/a.txt"), said("Proposed.")]);
    assert_eq!(desk.run(&["write it"]).code, 3);
    let kept = desk.place.path("deskhand/data/written/1");
    assert!(kept.exists());
    assert_eq!(desk.deskhand(&["task", "delete", "1", "--yes"]).code, 0);
    assert!(!kept.exists());
}

#[test]
fn a_host_is_reached_where_the_person_allows_it_and_not_else() {
    let desk = desk();
    let page = HttpServer::start(|_| Answer::new(200, "text/plain", "from the host"));
    let url = page.url();
    let fetch = |url: &str| {
        python(&format!(
            "import urllib.request, urllib.error\ntry:\n    print(urllib.request.urlopen('{url}').read().decode())\n\
             except urllib.error.HTTPError as error:\n    print(error.code)"
        ))
    };
    desk.says([fetch(&url), said("Nobody let me.")]);
    assert_eq!(desk.run(&["--yes", "fetch it"]).code, 0);
    assert_eq!(answers(&desk)[0], "[done]|403\n");
    desk.says([fetch(&url), said("Fetched.")]);
    let ran = desk.run(&["--yes", "--host", "127.0.0.1", "fetch it once more"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(answers(&desk)[0], "[done]|from the host\n");
    let log = desk.deskhand(&["log", "--json", "--limit", "0", "--task", "2"]).ok();
    assert!(log.contains(r#""action":"connect","host":"127.0.0.1""#), "{log}");
    desk.server.finish();
}

#[test]
fn a_folder_for_reading_stays_as_it_is() {
    let desk = desk();
    desk.file("a.txt", "one\n");
    desk.says([shell("cat /mnt/Files/a.txt; echo two > /mnt/Files/a.txt"), said("I may only read here.")]);
    let ran = desk.run(&["--read-only", "--yes", "write it"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(answers(&desk)[0].starts_with("[exit code 1]|one\n"), "{:?}", answers(&desk));
    assert_eq!(desk.text("a.txt").as_deref(), Some("one\n"));
}

#[test]
fn nothing_of_it_runs_after_the_task() {
    let desk = desk();
    let word = format!("word-{}", std::process::id());
    desk.says([python("x = 1"), shell(&format!("setsid sh -c 'sleep 600; : {word}' &")), said("Done.")]);
    assert_eq!(desk.run(&["--yes", "start it"]).code, 0);
    let listed = Command::new("ps").args(["-ax", "-o", "args"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(&word));
    assert_eq!(fs::read_dir(desk.place.path("deskhand/cache/sandboxes")).unwrap().count(), 0);
    desk.server.finish();
}

/// Who asked has gone on, so an answer would be for nothing; and what goes on would not be seen behind the question.
#[test]
fn a_question_goes_when_nobody_waits_for_its_answer_any_more() {
    let desk = desk();
    let page = HttpServer::start(|_| Answer::new(200, "text/plain", "from the host"));
    let fetch = format!(
        "import urllib.request\ntry:\n    urllib.request.urlopen('{}', timeout=1)\nexcept OSError:\n    print('gave up')",
        page.url()
    );
    desk.says([python(&fetch), said("Nobody let me.")]);
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "fetch it"], &[]);
    terminal.wait("wants to send something to 127.0.0.1. Let it?").wait("No answer is needed any more.");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(answers(&desk)[0], "[done]|gave up\n");
    let log = desk.deskhand(&["log", "--json", "--limit", "0"]).ok();
    assert_eq!(log.matches("person.withdrawn").count(), 1, "{log}");
    assert_eq!(log.matches("person.stopped").count(), 0, "{log}");
}
