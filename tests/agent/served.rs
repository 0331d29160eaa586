//! What plugins are served with while they work for a task: its models, its sub-agents, its budget.

use crate::kit::{Desk, calls, said};
use deskhand_model_server::{Answer, HttpServer, ModelServer, Step};
use deskhand_tests::market::{Market, built};
use serde_json::{Value, json};
use std::fs;

/// A person with the plugin `apprentice`, and the sub-agent that it gives work to.
fn desk(settings: &str) -> Desk {
    let desk = Desk::with_settings(settings);
    let market = Market::open(&desk.place, "home");
    market.publish(&built("apprentice")).publish(&built("reader")).install("apprentice");
    desk
}

fn think(times: u32) -> deskhand_model_server::Reply {
    calls(&[("apprentice__think", json!({"about": "tides", "times": times}))])
}

/// The result of the call of the task, as its model heard it.
fn result(desk: &Desk) -> String {
    desk.last_heard().into_iter().find(|line| line.starts_with("result: ")).unwrap()
}

/// The tokens and the steps that the calls of a task used for others.
fn spent(desk: &Desk) -> Value {
    let answered = desk.events(1).into_iter().find(|event| event["event"] == "tool-answered").unwrap();
    answered["content"]["output"]["spent"].clone()
}

#[test]
fn a_plugin_samples_the_model_out_of_the_budget_of_the_task() {
    let desk = desk("");
    desk.server.then(Step::from(think(2)).only_for("go"));
    desk.server.then(Step::from(said("Of the moon.")).only_for("tides"));
    desk.server.then(Step::from(said("And the sun.")).only_for("tides"));
    desk.server.then(Step::from(said("Done.")).only_for("go"));
    let ran = desk.run(&["--yes", "go"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
    let heard = result(&desk);
    assert!(heard.contains("Of the moon. (100 + 20 tokens); And the sun. (100 + 20 tokens)"), "{heard}");
    // tokens, money, time, steps: as the budget counts them
    assert_eq!(spent(&desk).as_array().unwrap()[..4], [json!(240), json!(0), json!(0), json!(2)]);

    // it has a record of its own, which belongs to the task
    let told = desk.events(2);
    assert_eq!(
        (&told[0]["content"]["part-of"], &told[0]["content"]["by"], &told[0]["content"]["request"]),
        (&json!(1), &json!("home:apprentice"), &json!("tides"))
    );
    let replies: Vec<&Value> = told.iter().filter(|event| event["event"] == "model-replied").collect();
    assert_eq!(replies.len(), 2, "{told:?}");
    // two turns of the task, and two of the plugin's
    let over = desk.deskhand(&["run", "--continue", "1", "--budget", "steps=4", "more"]);
    assert_eq!(over.code, 8, "{}", over.stderr);
}

#[test]
fn a_plugin_is_told_when_the_budget_is_used_up() {
    let desk = desk("");
    desk.server.then(Step::from(think(9)).only_for("go"));
    for _ in 0..3 {
        desk.server.then(Step::from(said("Hm.")).only_for("tides"));
    }
    let ran = desk.run(&["--yes", "--budget", "steps=4", "go"]);
    assert_eq!(ran.code, 8, "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
    let events = desk.events(1);
    let answered = events.iter().find(|event| event["event"] == "tool-answered").unwrap();
    let why = answered["content"]["output"]["parts"][0]["text"].as_str().unwrap();
    assert!(why.contains("the budget of the task (steps) is used up"), "{why}");
}

#[test]
fn a_tier_is_the_model_that_the_settings_name() {
    let small = ModelServer::start();
    small.reply(said("Small thoughts."));
    let desk = desk(&format!("[models.small]\nwire = \"anthropic\"\nurl = \"{}\"\nmodel = \"small\"\n", small.url()));
    let config = desk.place.path("deskhand/config/config.toml");
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, settings.replace("[agent]\n", "[agent]\nfast = \"small\"\n")).unwrap();
    desk.says([think(1), said("Done.")]);
    let ran = desk.run(&["--yes", "go"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    small.finish();
    desk.server.finish();
    assert!(result(&desk).contains("Small thoughts."));
    // one that is not there is said before anything begins
    fs::write(&config, settings.replace("[agent]\n", "[agent]\nfast = \"tiny\"\n")).unwrap();
    let ran = desk.run(&["--yes", "again"]);
    assert!(ran.code == 1 && ran.stderr.contains("There is no model `tiny`"), "{}", ran.stderr);
}

/// A plugin that may not read files cannot have them read by a sub-agent.
#[test]
fn a_sub_agent_of_a_plugin_may_what_the_plugin_may() {
    let desk = desk("");
    desk.file("bill.txt", "The sum is 3 euro.\n");
    desk.server.then(Step::from(calls(&[("apprentice__sum", json!({"path": "Files/bill.txt"}))])).only_for("go"));
    desk.server.then(Step::from(calls(&[("read", json!({"path": "bill.txt"}))])).only_for("read the bill"));
    let answer = json!({"answers": {"sum": {"value": 0, "passage": ""}}, "unreadable": null});
    desk.server.then(Step::from(said(&answer.to_string())).only_for("read the bill"));
    desk.server.then(Step::from(said(&answer.to_string())).only_for("read the bill"));
    desk.server.then(Step::from(said("Done.")).only_for("go"));
    let ran = desk.run(&["--yes", "go"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
    assert!(result(&desk).contains(&answer.to_string()), "{}", result(&desk));
    let part = desk.events(2);
    let read = part.iter().find(|event| event["event"] == "tool-answered").unwrap();
    assert_eq!(read["outcome"], "denied", "{read}");
    let why = read["content"]["output"]["parts"][0]["text"].as_str().unwrap();
    assert!(why.contains("home:apprentice does not declare the right `files.read`"), "{why}");
}

/// Sub-agents that give work on to each other come to an end, whatever their budget.
#[test]
fn sub_agents_of_plugins_go_so_deep() {
    let desk = desk("");
    desk.server.then(
        Step::from(calls(&[("delegate", json!({"agent": "apprentice__apprentice", "tasks": ["dig"]}))])).only_for("go"),
    );
    desk.server.then(Step::from(calls(&[("apprentice__think", json!({}))])).only_for("dig"));
    for task in ["dig", "dig+", "dig++", "dig+++"] {
        desk.server.then(Step::from(said(&format!("[{task}]"))).only_for(task));
    }
    desk.server.then(Step::from(said("Done.")).only_for("go"));
    let ran = desk.run(&["--yes", "go"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let heard = result(&desk);
    assert!(heard.contains("[dig], [dig+], [dig++], [dig+++], "), "{heard}");
    assert!(heard.contains("give work on to others at most 3 times"), "{heard}");
    desk.server.finish();
}

/// A command that the person calls works with the model that the settings choose, and within the budget.
#[test]
fn a_typed_command_works_with_the_model_too() {
    let desk = desk("");
    desk.server.then(Step::from(said("Of the moon.")).only_for("tides"));
    let ran = desk.run(&["--yes", "/ponder --about tides --times 1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Of the moon. (100 + 20 tokens)"), "{}", ran.stdout);
    let told = desk.events(2);
    assert_eq!((&told[0]["content"]["part-of"], &told[0]["content"]["by"]), (&json!(1), &json!("home:apprentice")));

    desk.server.then(Step::from(said("Of the moon.")).only_for("stars"));
    let ran = desk.run(&["--yes", "--budget", "steps=1", "/ponder --about stars --times 2"]);
    assert_eq!(ran.code, 8, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("the budget of the task (steps) is used up"), "{}", ran.stderr);

    // a sub-agent that it gives work to has the rights of its plugin
    let answer = json!({"answers": {"sum": {"value": 0, "passage": ""}}, "unreadable": null});
    desk.server.then(Step::from(said(&answer.to_string())).only_for("read the bill"));
    let ran = desk.run(&["--yes", "/total --path Files/bill.txt"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(&answer.to_string()), "{}", ran.stdout);
    desk.server.finish();

    // without a model it says so
    let config = desk.place.path("deskhand/config/config.toml");
    let settings = fs::read_to_string(&config).unwrap();
    let without: String =
        settings.lines().filter(|line| !line.starts_with("model = \"scripted")).collect::<Vec<_>>().join("\n");
    fs::write(&config, without).unwrap();
    let ran = desk.run(&["--yes", "/ponder --about tides --times 1"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
}

/// What a plugin would send beyond the budget of the task does not go out.
#[test]
fn what_plugins_send_is_counted() {
    let web = HttpServer::start(|_| Answer::new(200, "text/plain", vec![b'y'; 200_000]));
    let desk = desk(&format!("[plugins.apprentice]\nurl = \"{}/\"\n", web.url()));
    let send = |count: u32| calls(&[("apprentice__send", json!({ "count": count }))]);
    desk.says([send(100_000), send(300_000), said("Done."), said("Done.")]);
    let ran = desk.run(&["--yes", "--budget", "bytes-out=250kB", "go"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    desk.server.finish();
    let events = desk.events(1);
    let answered: Vec<String> = events
        .iter()
        .filter(|event| event["event"] == "tool-answered")
        .map(|event| event["content"]["output"]["parts"].to_string())
        .collect();
    assert!(answered[0].contains("200000 bytes came back"), "{answered:?}");
    assert!(answered[1].contains("of those that may are left"), "{answered:?}");
    let sent = events.iter().filter(|event| event["event"] == "sent" && event["content"]["path"] == "/");
    let sent = sent.map(|event| event["sent"].as_u64().unwrap()).sum::<u64>();
    assert!((100_000..101_000).contains(&sent), "{sent}");
}

/// So does what the model itself would be sent.
#[test]
fn the_model_is_sent_no_more_than_the_budget_lets_out() {
    let desk = desk("");
    desk.says([calls(&[("list", json!({}))])]);
    let first = desk.run(&["--yes", "--budget", "bytes-out=15kB", "go"]);
    assert_eq!(first.code, 8, "{}{}", first.stdout, first.stderr);
    desk.server.finish();
    assert!(first.stderr.contains("The budget of this task is used up: "), "{}", first.stderr);
    let sent: u64 = desk.events(1).iter().filter_map(|event| event["sent"].as_u64()).sum();
    assert!((5_000..15_000).contains(&sent), "{sent}");
}
