//! A plugin that uses memory: what it proposes is asked about, holds for what it says, and is its own to forget.

use crate::{
    kit::{Desk, calls, said},
    terminal::Terminal,
};
use deskhand_model_server::Reply;
use deskhand_tests::market::{Market, built};
use serde_json::{Value, json};

const NUMBER: &str = "Number (n for no): ";

fn desk() -> Desk {
    let desk = Desk::new();
    Market::open(&desk.place, "own").publish(&built("notekeeper")).install("notekeeper");
    desk
}

fn use_tool(tool: &str, arguments: Value) -> Reply {
    calls(&[(&format!("notekeeper__{tool}"), arguments)])
}

/// What the calls of the last request came to, without where it is from.
fn results(desk: &Desk) -> Vec<String> {
    let heard = desk.last_heard();
    let results = heard.iter().filter_map(|line| line.strip_prefix("result: "));
    results.map(|line| line.split_once('|').map_or(line, |(_, said)| said).to_owned()).collect()
}

fn kept(desk: &Desk) -> Vec<(Value, Value, Value)> {
    let listed = desk.deskhand(&["memory", "list", "--json"]).ok();
    let mut notes: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    notes.sort_by_key(|note| note["id"].as_u64());
    notes.iter().map(|note| (note["text"].clone(), note["scope"].clone(), note["origin"].clone())).collect()
}

#[test]
fn what_a_plugin_wants_remembered_waits_where_nobody_is() {
    let desk = desk();
    desk.says([use_tool("keep", json!({"text": "Ada pays the bills."})), said("It waits.")]);
    let ran = desk.run(&["--yes", "keep that"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(kept(&desk), []);
    let inbox = desk.deskhand(&["inbox"]).ok();
    assert!(inbox.contains("notekeeper__keep"), "{inbox}");
    desk.server.finish();
}

#[test]
fn a_plugin_keeps_finds_and_forgets_its_own_notes() {
    let desk = desk();
    desk.deskhand(&["memory", "add", "Bo waters the plants."]).ok();
    let folder = json!({"text": "Letters are named by date.", "folder": "Files"});
    desk.says([
        use_tool("keep", json!({"text": "Ada pays the bills."})),
        use_tool("keep", folder),
        use_tool("keep", json!({"text": "Asked twice already.", "own": true})),
        use_tool("find", json!({"query": "", "limit": 9})),
        use_tool("find", json!({"query": "plants", "limit": 1})),
        use_tool("forget", json!({"id": "2"})),
        use_tool("forget", json!({"id": "1"})),
        said("Kept."),
        // who is told that something came to nothing says so
        said("One was not mine."),
    ]);
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "keep that"], &[]);
    for text in ["Ada pays the bills.", "Letters are named by date.", "Asked twice already."] {
        terminal.wait("The plugin own:notekeeper wants a note to be remembered").wait(text).answer(NUMBER, "1");
    }
    let (code, screen) = terminal.end();
    assert_eq!(code, 6, "{screen}");
    assert_eq!(
        results(&desk),
        [
            "note 2 for all",
            "note 3 for folder:Files",
            "note 4 for plugin",
            "4 (plugin): Asked twice already.\n3 (folder:Files): Letters are named by date.\n2 (all): Ada pays the bills.\n1 (all): Bo waters the plants.",
            "1 (all): Bo waters the plants.",
            "note 2 is forgotten",
            "own:notekeeper says: this plugin keeps no such note",
        ]
    );
    let origin = json!({"by": "plugin", "plugin": "own:notekeeper"});
    let files = desk.place.path("home/Files").canonicalize().unwrap();
    assert_eq!(
        kept(&desk),
        [
            (json!("Bo waters the plants."), json!({"for": "all"}), json!({"by": "person"})),
            (json!("Letters are named by date."), json!({"for": "folder", "folder": files}), origin.clone()),
            (json!("Asked twice already."), json!({"for": "plugin", "plugin": "own:notekeeper"}), origin),
        ]
    );
    desk.server.finish();

    // a note of its own is told to nobody else
    desk.says([said("?")]);
    desk.run(&["What was asked twice already?"]);
    assert!(!desk.last_heard().join("\n").contains("Asked twice already."), "{:?}", desk.last_heard());
}

#[test]
fn a_note_that_the_person_does_not_want_is_not_kept() {
    let desk = desk();
    desk.says([use_tool("keep", json!({"text": "Ada pays the bills."})), said("Then not."), said("It is not kept.")]);
    let mut terminal = Terminal::run(&desk.place, &["run", "--folder", "Files", "keep that"], &[]);
    terminal.wait("wants a note to be remembered").answer(NUMBER, "2");
    terminal.end();
    assert_eq!(kept(&desk), []);
    desk.server.finish();
}
