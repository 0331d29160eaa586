//! A model at work with plugins: their commands, skills, tools and sub-agents.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use deskhand_model_server::{Answer, Heard, HttpServer};
use serde_json::{Value, json};

const GO_ON: &str = "Go on with this? [A]pply, [E]dit, [C]ancel: ";
const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";

/// The first starter task: organize a folder, the plan shown first.
#[test]
fn a_folder_is_organized_by_a_command_after_the_plan_was_shown() {
    let desk = Desk::with_plugins("");
    desk.file("a.txt", "one\n").file("b.txt", "two\n").file("c.md", "three\n");
    let plan = |state| json!({"steps": [{"text": "Look at the folder", "state": "done"}, {"text": "Organize by type", "state": state}]});
    desk.says([
        calls(&[("list", json!({}))]),
        calls(&[("plan", plan("open"))]),
        calls(&[("run_command", json!({"command": "organize", "arguments": {"by": ["type"]}}))]),
        calls(&[("plan", plan("done"))]),
        said("Your files are in Documents now."),
    ]);
    let request = "Organize the files in this folder by type. Show me the structure before moving anything.";
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "--plan", request], &[]);
    terminal.answer(GO_ON, "a").answer("home:organize? [Y]es, [N]o: ", "y").answer(APPLY, "a");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!((desk.text("a.txt"), desk.text("Documents/a.txt").as_deref()), (None, Some("one\n")));
    desk.server.finish();
    assert!(screen.contains("Undo with: deskhand undo 1"), "{screen}");
}

/// A search engine and two pages.
fn web() -> HttpServer {
    HttpServer::start(|heard: &Heard| {
        let base = format!("http://{}", heard.header("host").unwrap());
        let page =
            |text: &str| Answer::new(200, "text/html; charset=utf-8", format!("<html><body>{text}</body></html>"));
        match heard.target.split('?').next().unwrap() {
            "/search" => {
                let result =
                    |name: &str| json!({"title": name, "url": format!("{base}/{name}"), "content": "About tides."});
                let found = json!({"query": "tides", "results": [result("moon"), result("sun")]});
                Answer::new(200, "application/json", found.to_string())
            }
            "/moon" => page("<h1>Moon</h1><p>The tides follow the moon, which pulls twice as strongly as the sun.</p>"),
            "/sun" => page("<p>Spring tides come when sun and moon pull in one line.</p>"),
            _ => Answer::new(404, "text/plain", "no such page"),
        }
    })
}

/// The second starter task: research over pages, with a cited report.
#[test]
fn a_report_quotes_what_was_fetched() {
    let web = web();
    let base = web.url();
    let desk = Desk::with_plugins(&format!("[plugins.websearch]\nengine = \"searxng\"\nbase-url = \"{base}\"\n"));
    let report = |moon: &str| {
        json!({"path": "report.md", "text": format!(
            "# What makes the tides?\n\nMostly the moon.\n\n## Which of them pulls more?\n\nThe moon pulls twice as much.\n\n\
             > {moon}\n> — <{base}/moon>\n\n## Sources\n\n- <{base}/moon>\n"
        )})
    };
    desk.says([
        calls(&[("use_skill", json!({"skill": "research", "task": "tides"}))]),
        calls(&[("websearch__search", json!({"query": "what makes the tides"}))]),
        calls(&[
            ("web_fetch", json!({"url": format!("{base}/moon")})),
            ("web_fetch", json!({"url": format!("{base}/sun")})),
        ]),
        // what is made up is found out by the host
        calls(&[("write", report("the moon pulls ten times as strongly as the sun"))]),
        calls(&[("check_quotes", json!({"path": "report.md"}))]),
        calls(&[("write", report("the moon, which pulls twice as strongly as the sun"))]),
        calls(&[("check_quotes", json!({"path": "report.md"}))]),
        said("The report is in report.md."),
    ]);
    let ran = desk.run(&["--yes", "--host", "127.0.0.1", "What makes the tides? Write a report."]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
    let heard = desk.last_heard();
    let results: Vec<&String> = heard.iter().filter(|line| line.starts_with("result: ")).collect();
    assert!(results[0].contains("# Research"), "{}", results[0]);
    assert!(results[1].contains(&format!("{base}/moon")), "{}", results[1]);
    assert!(results[2].contains("The tides follow the moon"), "{}", results[2]);
    assert!(results[5].contains("is not in its source as it was fetched"), "{}", results[5]);
    assert!(desk.text("report.md").unwrap().contains("twice as strongly"));
    // each connection is on the record, the plugin's too
    let hosts: Vec<Value> = desk.events(1).into_iter().filter(|event| event["event"] == "sent").collect();
    assert_eq!(hosts.iter().filter(|event| event["content"]["path"] == "/search").count(), 1);
    assert_eq!(hosts.iter().filter(|event| event["content"]["path"] == "/moon").count(), 1);
}

/// A sub-agent of a plugin reads a document and answers in types.
#[test]
fn a_reader_answers_typed_questions() {
    let desk = Desk::with_plugins("");
    desk.file("bill.txt", "The sum is 3 euro.\n");
    let input = json!({"path": "Files/bill.txt", "questions": [{"name": "sum", "question": "What is the sum?", "kind": "number"}]});
    let answer = |value: Value| {
        json!({"answers": {"sum": {"value": value, "passage": "The sum is 3 euro."}}, "unreadable": null}).to_string()
    };
    desk.says([
        calls(&[("delegate", json!({"agent": "reader__reader", "tasks": ["the year's bills"], "input": input}))]),
        calls(&[("read", json!({"path": "bill.txt"}))]),
        said(&answer(json!("three"))),
        said(&answer(json!(3))),
        said("3 euro."),
    ]);
    let ran = desk.run(&["--yes", "add them up"]);
    assert_eq!((ran.code, ran.stdout.trim()), (0, "3 euro."), "{}", ran.stderr);
    let heard = desk.last_heard();
    let result: Value = serde_json::from_str(heard[2].trim_start_matches("result: ")).unwrap();
    assert_eq!(
        (&result["outcome"], &result["answer"]["answers"]["sum"]["value"]),
        (&json!("done"), &json!(3)),
        "{result}"
    );
}
