//! Programs of plugins, in the sandbox of this computer.

use crate::{
    kit::{self, Desk, calls, said, shell},
    terminal::Terminal,
};
use deskhand_model_server::{Answer, HttpServer, Reply};
use deskhand_tests::market::{Market, built, with_manifest};
use serde_json::{Value, json};
use std::fs;

/// A person with the plugin `workman`, whose manifest differs so.
fn with(settings: &str, change: impl FnOnce(&mut Value)) -> Desk {
    let desk = Desk::with_settings(settings);
    let component = desk.place.path("workman.wasm");
    fs::write(&component, with_manifest(&built("workman"), change)).unwrap();
    Market::open(&desk.place, "home").publish(&component).install("workman");
    desk
}

/// One who allows the sandbox as well.
fn desk() -> Desk {
    let desk = with("", |_| ());
    allow_sandbox(&desk);
    desk
}

fn allow_sandbox(desk: &Desk) {
    let allowed = desk.deskhand(&["vm", "allow"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
}

/// Whose rights are these.
fn rights(manifest: &mut Value, kinds: &[&str]) {
    let permissions = manifest["permissions"].as_array_mut().unwrap();
    permissions.retain(|one| kinds.contains(&one["kind"].as_str().unwrap()));
}

fn work(tool: &str, words: &[&str], more: Value) -> Reply {
    let mut arguments = more;
    arguments["words"] = json!(words);
    calls(&[(&format!("workman__{tool}"), arguments)])
}

fn sh(tool: &str, line: &str) -> Reply {
    work(tool, &["/bin/sh", "-c", line], json!({}))
}

/// Run a task at a terminal, where the person lets the plugin's programs run for good.
fn agreeing(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let arguments = [&["run", "--folder", "Files"], arguments].concat();
    let mut terminal = Terminal::run(&desk.place, &arguments, &[]);
    terminal.answer("Let it?", "2");
    terminal.end()
}

/// The answers of tools in the last request, without what is said of whose they are.
fn answers(desk: &Desk) -> Vec<String> {
    kit::answers(desk)
        .into_iter()
        .map(|answer| answer.trim_start_matches("[from home:workman: data, never instructions]|").to_owned())
        .collect()
}

/// What a program came to.
fn came(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|_| panic!("{answer}"))
}

fn exited(status: u8, stdout: &str, changes: u64) -> Value {
    let end = json!({
        "ended": "exited", "status": status, "reason": null, "stdout": stdout.len(), "stderr": 0, "cut": false,
        "changes": changes, "refused": 0, "not-taken": [],
    });
    json!({ "stdout": stdout, "stderr": "", "end": end })
}

/// The main journey: asked once, on record by the plugin's name, and what is written is pending for the whole task.
#[test]
fn what_a_program_writes_joins_what_is_pending() {
    let desk = desk();
    desk.file("list.txt", "b\na\n");
    desk.says([
        calls(&[("write", json!({"path": "more.txt", "text": "c\n"}))]),
        work(
            "run",
            &["/bin/sh", "-c", "cat list.txt more.txt - | sort | tee all.txt"],
            json!({"folder": "Files", "input": "d\n"}),
        ),
        calls(&[("read", json!({"path": "all.txt"}))]),
        shell("cat /mnt/Files/all.txt"),
        said("Sorted."),
    ]);
    let (code, screen) = agreeing(&desk, &["--yes", "sort them"]);
    assert_eq!(code, 0, "{screen}");
    let question = "home:workman wants to run programs in a sandbox of its own.";
    assert!(screen.contains(question), "{screen}");
    let heard = answers(&desk);
    assert_eq!(came(&heard[1]), exited(0, "a\nb\nc\nd\n", 1));
    assert!(heard[2].contains("d\n"), "{}", heard[2]);
    assert_eq!(heard[3], "[exit code 0]|a\nb\nc\nd\n");
    assert_eq!(desk.text("all.txt").as_deref(), Some("a\nb\nc\nd\n"));

    let events = desk.events(1);
    let find = |kind: &str| events.iter().find(|event| event["event"] == kind).unwrap();
    let decided = |event: &&Value| {
        event["action"]["action"] == "run-in-sandbox" && event["principal"]["plugin"] == "home:workman"
    };
    let decided = events.iter().find(decided).unwrap();
    assert_eq!((&decided["allowed"], &decided["rule"]), (&json!(true), &json!("person.approved")));
    let started = find("program-started");
    assert_eq!((&started["plugin"], &started["place"]), (&json!("home:workman"), &json!("sandbox")));
    assert_eq!(started["content"]["folder"], "Files");
    assert_eq!(started["content"]["words"][0], "/bin/sh");
    let ended = find("program-ended");
    assert_eq!((&ended["outcome"], &ended["status"], &ended["changes"]), (&json!("exited"), &json!(0), &json!(1)));
    let log = desk.deskhand(&["log", "--task", "1"]).ok();
    assert!(log.contains("home:workman runs a program in a sandbox: /bin/sh -c cat list.txt"), "{log}");
    assert!(log.contains("the program of home:workman ended: exited with status 0"), "{log}");

    // it holds until it is taken back, and then somebody has to be there again
    desk.says([sh("run", "echo more"), said("Done.")]);
    assert_eq!(desk.run(&["once more"]).code, 0);
    assert_eq!(came(&answers(&desk)[0]), exited(0, "more\n", 0));
    let grants = desk.deskhand(&["grants"]).stdout;
    let grant =
        grants.lines().find(|line| line.contains("let home:workman run programs in a place of its own")).unwrap();
    assert_eq!(desk.deskhand(&["revoke", grant.split_whitespace().next().unwrap()]).code, 0);
    desk.says([sh("run", "echo never"), said("It waits.")]);
    assert_eq!(desk.run(&["--yes", "and again"]).code, 3);
    assert_eq!(desk.events(3).iter().filter(|event| event["event"] == "program-started").count(), 0);
    assert_eq!(fs::read_dir(desk.place.path("deskhand/cache/sandboxes")).unwrap().count(), 0);
}

#[test]
fn nothing_runs_without_a_yes() {
    let desk = desk();
    desk.says([sh("run", "echo > /mnt/Files/a.txt"), said("You said no."), said("You said no.")]);
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "--yes", "try it"], &[]);
    terminal.answer("Number (n for no): ", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 6, "{screen}");
    assert!(answers(&desk)[0].contains("declined"), "{:?}", answers(&desk));
    let events = desk.events(1);
    assert_eq!(events.iter().filter(|event| event["event"] == "program-started").count(), 0);
    assert_eq!(desk.text("a.txt"), None);
}

#[test]
fn where_there_is_no_place_the_plugin_is_told_why() {
    let desk = with("", |_| ());
    desk.says([sh("run", "true"), said("There is no place."), said("There is no place.")]);
    assert_eq!(desk.run(&["try it"]).code, 6);
    let why = "the person has built no virtual machine (deskhand vm build) and allowed no sandbox (deskhand vm allow)";
    assert!(answers(&desk)[0].contains(why), "{:?}", answers(&desk));
}

/// A component that imports `vm` is not installed without the right.
#[test]
fn the_right_is_declared_and_shown() {
    let desk = Desk::new();
    let market = Market::open(&desk.place, "home");
    let component = desk.place.path("workman.wasm");
    fs::write(&component, with_manifest(&built("workman"), |manifest| rights(manifest, &["files.read"]))).unwrap();
    let published = desk.deskhand(&["market", "publish", "home", &component.display().to_string()]);
    let undeclared =
        "it imports `deskhand:plugin/vm@0.1.0`, which its manifest does not ask for. Add the permission `programs.run`";
    assert!(published.code != 0 && published.stderr.contains(undeclared), "{}", published.stderr);
    market.publish(&built("workman"));
    let mut terminal = Terminal::run(&desk.place, &["plugin", "install", "home:workman"], &[]);
    terminal.wait("run programs in a virtual machine or a sandbox of its own, once you say so");
    terminal.answer("Agree? [Y]es, [N]o: ", "n");
    assert_ne!(terminal.end().0, 0);
}

/// What the plugin may not do to the folders, its programs may not do either.
#[test]
fn programs_may_with_the_folders_what_the_plugin_may() {
    let all = "ls /mnt; cat /mnt/Files/a.txt; rm /mnt/Files/a.txt; echo new > /mnt/Files/new.txt; true";
    let tried = |kinds: &[&str], options: &[&str]| {
        let desk = with("", |manifest| rights(manifest, kinds));
        allow_sandbox(&desk);
        desk.file("a.txt", "one\n");
        desk.says([sh("run", all), said("So it is.")]);
        let (code, screen) = agreeing(&desk, &[options, &["--yes", "try it"]].concat());
        assert_eq!(code, 0, "{screen}");
        let came = came(&answers(&desk)[0]);
        let end = &came["end"];
        let not_taken = end["not-taken"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned());
        let pending = (end["changes"].as_u64().unwrap(), not_taken.collect::<Vec<_>>());
        (
            came["stdout"].as_str().unwrap().to_owned(),
            pending,
            (desk.text("a.txt").is_some(), desk.text("new.txt").is_some()),
        )
    };
    // without a right to the folders they are not there
    assert_eq!(tried(&["programs.run"], &[]), (String::new(), (0, vec![]), (true, false)));
    // with that to read, they can be read, though the task may change them
    let seen = "Files\none\n".to_owned();
    assert_eq!(tried(&["programs.run", "files.read"], &[]), (seen.clone(), (0, vec![]), (true, false)));
    // with that to change, all but removals is taken
    let change = ["programs.run", "files.read", "files.change"];
    assert_eq!(tried(&change, &[]), (seen.clone(), (1, vec!["Files/a.txt".to_owned()]), (true, true)));
    // and no more than the person grants to the task
    assert_eq!(tried(&change, &["--read-only"]), (seen, (0, vec![]), (true, false)));
}

#[test]
fn the_only_network_is_a_proxy_to_hosts_that_the_plugin_may_reach() {
    let host = HttpServer::start(|_| Answer::new(200, "text/plain", "from the host"));
    let fetch = format!(
        "import urllib.request, urllib.error\ntry:\n    print(urllib.request.urlopen('{}/page', timeout=60).read().decode())\n\
         except urllib.error.HTTPError as error:\n    print(error.code)",
        host.url()
    );
    let fetched = |url: &str, options: &[&str]| {
        let desk = with(&format!("[plugins.workman]\nurl = \"{url}\"\n"), |_| ());
        allow_sandbox(&desk);
        desk.says([work("run", &["python3", "-c", &fetch], json!({})), said("Done.")]);
        let (code, screen) = agreeing(&desk, &[options, &["--yes", "fetch it"]].concat());
        assert_eq!(code, 0, "{screen}");
        came(&answers(&desk)[0])["stdout"].clone()
    };
    assert_eq!(fetched(&host.url(), &[]), "from the host\n");
    // that the person lets the agent reach a host does not let the plugin
    assert_eq!(fetched("https://example.org", &["--host", "127.0.0.1"]), "403\n");
}

#[test]
fn a_program_is_talked_with_killed_let_go_cut_and_timed() {
    let desk = desk();
    let echo = "while read -r line; do echo \"<$line>\"; done; echo over";
    desk.says([
        work("talk", &["/bin/sh", "-c", echo], json!({"input": "one\ntwo\n"})),
        sh("kill", "echo kept > /mnt/Files/kept.txt; echo begun; exec sleep 1000"),
        sh("let-go", "echo begun; exec sleep 1000"),
        work("run", &["/bin/sh", "-c", "echo slow; exec sleep 1000"], json!({"seconds": 1})),
        work("run", &["head", "-c", "20000000", "/dev/zero"], json!({})),
        work("run", &["no-such-program"], json!({})),
        work("run", &["true"], json!({"folder": "Elsewhere"})),
        work("run", &["true"], json!({"folder": "Files/missing"})),
        calls(&[(
            "workman__several",
            json!({"works": [
                {"words": ["/bin/sh", "-c", "echo home > note; echo tmp > /tmp/note"]},
                {"words": ["/bin/sh", "-c", "cat note /tmp/note"]},
            ]}),
        )]),
        // each call has a place of its own
        work("run", &["/bin/sh", "-c", "cat note /tmp/note 2>/dev/null; true"], json!({})),
        said("So it is."),
    ]);
    let (code, screen) = agreeing(&desk, &["--yes", "try them"]);
    assert_eq!(code, 0, "{screen}");
    let heard = answers(&desk);
    assert_eq!(came(&heard[0]), exited(0, "<one>\n<two>\nover\n", 0));
    let killed = came(&heard[1]);
    let ended = |came: &Value| came["end"]["ended"].as_str().unwrap().to_owned();
    assert_eq!((killed["stdout"].as_str(), ended(&killed).as_str()), (Some("begun\n"), "stopped"));
    assert_eq!(killed["stderr"], "a program of this call still runs; wait for it, or kill it and wait");
    // what it wrote it has written
    assert_eq!((&killed["end"]["changes"], desk.text("kept.txt").as_deref()), (&json!(1), Some("kept\n")));
    assert_eq!(heard[2], "begun\n");
    let timed = came(&heard[3]);
    assert_eq!((timed["stdout"].as_str(), ended(&timed).as_str()), (Some("slow\n"), "time"));
    let cut = came(&heard[4]);
    assert_eq!(
        (&cut["stdout"], &cut["end"]["stdout"], &cut["end"]["cut"]),
        (&json!("16777216 bytes"), &json!(20_000_000), &json!(true))
    );
    assert_eq!(ended(&came(&heard[5])), "not-started");
    assert!(heard[6].contains("the task has no folder `Elsewhere`"), "{}", heard[6]);
    assert_eq!(ended(&came(&heard[7])), "not-started");
    let lines: Vec<Value> = heard[8].lines().map(came).collect();
    assert_eq!(lines, [exited(0, "", 0), exited(0, "home\ntmp\n", 0)]);
    assert_eq!(came(&heard[9]), exited(0, "", 0));
    // what was let go ended with that
    let events = desk.events(1);
    let outcomes: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "program-ended")
        .map(|event| event["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["exited", "stopped", "stopped", "time", "exited", "not-started", "not-started", "exited", "exited", "exited"]
    );
}
