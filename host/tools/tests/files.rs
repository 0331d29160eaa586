//! The file tools on a real folder, through its workspace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_agent::budget::Limits;
use deskhand_agent::tool::{Call, Outcome, Output, Tools as _};
use deskhand_models::Piece;
use deskhand_permissions::{Context, Gate, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_tools::OwnTools;
use deskhand_vocabulary::{
    Access, Answer, Home, Notice, Person, Plan, Progress, Question, Stop, SystemClock, Unanswered,
};
use deskhand_workspace::Workspace;
use serde_json::{Value, json};
use std::{fs, path::PathBuf, sync::Arc};

/// Grants what is asked.
struct Agrees;

impl Person for Agrees {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {}

    fn ask_until(&self, _: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        Ok(Answer::Yes)
    }

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}

struct Desk {
    _dir: tempfile::TempDir,
    folder: PathBuf,
    workspace: Workspace,
    tools: OwnTools,
}

impl Desk {
    /// A task on the folder `Files`.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let home = Home::within(&root.join("home"));
        for folder in home.folders() {
            fs::create_dir_all(folder).unwrap();
        }
        let folder = root.join("Files");
        fs::create_dir(&folder).unwrap();
        let records = Arc::new(Records::open(&home.log_file(), Arc::new(SystemClock)).unwrap());
        let task = records.start_task(json!({})).unwrap();
        let gate = Arc::new(Gate::new(Arc::clone(&records), Arc::new(Agrees), &home));
        let context = Context::agent(task, Standing::default());
        let workspace = Workspace::for_task(&home, Arc::new(SystemClock), records, task).unwrap();
        let open = OpenFolder::at(&folder, Access::Write, &home).unwrap();
        workspace.add_folder(gate.permit(&Context::person(Some(task), Standing::default()), open).unwrap()).unwrap();
        Self { _dir: dir, folder, tools: OwnTools::new(workspace.clone(), gate, context), workspace }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn call(&self, tool: &str, arguments: Value) -> Output {
        self.tools.call(
            &Call { id: "1".to_owned(), tool: tool.to_owned(), arguments, left: Limits::default() },
            &Stop::default(),
        )
    }

    /// What a call that works says.
    #[track_caller]
    fn does(&self, tool: &str, arguments: Value) -> String {
        let output = self.call(tool, arguments);
        assert_eq!(output.outcome, Outcome::Done, "{}", output.text());
        output.text()
    }

    /// What a call that fails says.
    #[track_caller]
    fn fails(&self, tool: &str, arguments: Value) -> String {
        let output = self.call(tool, arguments);
        assert!(matches!(output.outcome, Outcome::Failed | Outcome::NotFound), "{}", output.text());
        output.text()
    }

    /// What is pending: kind, from, to.
    fn pending(&self) -> Vec<String> {
        let place = |path: Option<deskhand_vocabulary::FilePath>| path.map(|path| path.to_string()).unwrap_or_default();
        let line = |change: deskhand_workspace::Pending| {
            format!("{} {}>{}", change.kind.name(), place(change.source), place(change.target))
        };
        self.workspace.pending(None, 100).into_iter().map(line).collect()
    }
}

#[test]
fn each_tool_is_described_in_few_bytes() {
    let desk = Desk::new();
    let tools = desk.tools.tools();
    let names: Vec<&str> = tools.iter().map(|tool| tool.told.name.as_str()).collect();
    assert_eq!(names, ["list", "find", "grep", "read", "write", "edit", "move", "make_folder", "remove"]);
    for tool in &tools {
        // what a tool does not take is refused by it, and the model is not told so in advance
        assert_eq!(tool.told.schema.get("additionalProperties"), None, "{}", tool.told.name);
        let said = desk.fails(&tool.told.name, json!({"nonsense": 1}));
        assert!(said.contains("unknown field `nonsense`"), "{}: {said}", tool.told.name);
        jsonschema::draft7::new(&tool.told.schema).unwrap();
    }
    let bytes: usize = tools.iter().map(|tool| tool.told.description.len() + tool.told.schema.to_string().len()).sum();
    assert!(bytes < 4096, "{bytes}");
}

#[test]
fn what_is_there_is_listed_and_found() {
    let desk = Desk::new();
    desk.file("a.txt", "one\n");
    desk.file("Letters/b.pdf", "%PDF-1.4");
    desk.file(".hidden", "x");
    let stamp = |line: &str| {
        let mut words: Vec<&str> = line.splitn(4, ' ').collect();
        if words.len() == 4 {
            words.remove(2);
        }
        words.join(" ")
    };
    let lines = |text: String| text.lines().map(stamp).collect::<Vec<_>>();
    assert_eq!(lines(desk.does("list", json!({}))), ["folder Files/Letters", "file 4 Files/a.txt"]);
    assert_eq!(
        lines(desk.does("list", json!({"deep": true, "hidden": true}))),
        ["file 1 Files/.hidden", "folder Files/Letters", "file 8 Files/Letters/b.pdf", "file 4 Files/a.txt"]
    );
    assert_eq!(lines(desk.does("find", json!({"pattern": "*.pdf"}))), ["file 8 Files/Letters/b.pdf"]);
    assert_eq!(desk.does("find", json!({"pattern": "*.doc"})), "nothing\n");
    assert_eq!(desk.does("list", json!({"skip": 9})), "nothing more\n");
    assert!(desk.fails("list", json!({"path": "Files/none"})).contains("`Files/none` is not there"));
    assert!(desk.fails("list", json!({"path": "/etc"})).contains("in no folder of this task"));
    assert!(desk.fails("list", json!({"path": "Files/../.."})).contains("is no path"));
}

#[test]
fn a_text_is_read_in_pieces_and_a_picture_as_one() {
    let desk = Desk::new();
    desk.file("short.txt", "Grüße\n");
    assert_eq!(desk.does("read", json!({"path": "short.txt"})), "Grüße\n");
    assert_eq!(desk.does("read", json!({"path": desk.folder.join("short.txt")})), "Grüße\n");
    // 49,152 bytes end within the second byte of an ä
    let long = format!("x{}", "ä".repeat(30_000));
    desk.file("long.txt", &long);
    let first = desk.does("read", json!({"path": "Files/long.txt"}));
    let (text, rest) = first.split_once('\n').unwrap();
    assert_eq!((text, rest), (&long[..49_151], "[49151 of 60001 bytes; go on with offset 49151]"));
    assert_eq!(desk.does("read", json!({"path": "long.txt", "offset": 49_151})), &long[49_151..]);
    desk.file("noise.bin", [0, 159, 146, 150]);
    assert!(desk.fails("read", json!({"path": "noise.bin"})).contains("is no text"));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde";
    desk.file("dot.png", png);
    let output = desk.call("read", json!({"path": "dot.png"}));
    let data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe".to_owned();
    assert_eq!(output.parts, [Piece::Image { media_type: "image/png".to_owned(), data }]);
}

#[test]
fn text_is_searched() {
    let desk = Desk::new();
    desk.file("a.txt", "first\nInvoice 12\nlast\n");
    desk.file("b/c.md", "an invoice\n");
    desk.file("d.bin", b"invoice\0");
    assert_eq!(
        desk.does("grep", json!({"pattern": "invoice"})),
        "Files/a.txt:2:Invoice 12\nFiles/b/c.md:1:an invoice\n"
    );
    assert_eq!(
        desk.does("grep", json!({"pattern": "Invoice \\d+", "case": true, "around": 1})),
        "Files/a.txt-1-first\nFiles/a.txt:2:Invoice 12\nFiles/a.txt-3-last\n"
    );
    assert_eq!(desk.does("grep", json!({"pattern": "i", "glob": "*.md"})), "Files/b/c.md:1:an invoice\n");
    assert_eq!(desk.does("grep", json!({"pattern": "i", "path": "Files/b/c.md"})), "Files/b/c.md:1:an invoice\n");
    assert_eq!(desk.does("grep", json!({"pattern": "nowhere"})), "nothing\n");
    assert!(desk.fails("grep", json!({"pattern": "("})).contains("the pattern `(` is not understood"));
}

#[test]
fn what_one_tool_writes_the_next_reads_and_the_disk_is_as_before() {
    let desk = Desk::new();
    desk.file("notes.txt", "tea\ntea\n");
    assert!(desk.fails("write", json!({"path": "notes.txt", "text": "x"})).contains("was not read in this task"));
    assert!(desk.fails("edit", json!({"path": "notes.txt", "old": "tea", "new": "x"})).contains("was not read"));
    desk.does("read", json!({"path": "notes.txt"}));
    let twice = desk.fails("edit", json!({"path": "notes.txt", "old": "tea", "new": "coffee"}));
    assert!(twice.contains("holds `old` 2 times"), "{twice}");
    desk.does("edit", json!({"path": "notes.txt", "old": "tea", "new": "coffee", "all": true}));
    assert_eq!(desk.does("read", json!({"path": "notes.txt"})), "coffee\ncoffee\n");
    desk.does("write", json!({"path": "new/list.txt", "text": "1\n"}));
    desk.does("edit", json!({"path": "new/list.txt", "old": "1", "new": "2"}));
    assert_eq!(desk.does("read", json!({"path": "new/list.txt"})), "2\n");
    desk.does("move", json!({"moves": [{"from": "notes.txt", "to": "new/drinks.txt"}]}));
    desk.does("edit", json!({"path": "new/drinks.txt", "old": "coffee\ncoffee", "new": "water"}));
    assert_eq!(desk.does("grep", json!({"pattern": "water"})), "Files/new/drinks.txt:1:water\n");
    assert_eq!(fs::read_to_string(desk.folder.join("notes.txt")).unwrap(), "tea\ntea\n");
    assert!(!desk.folder.join("new").exists());
}

#[test]
fn several_moves_are_one() {
    let desk = Desk::new();
    desk.file("a", "1");
    desk.file("b", "2");
    let taken = desk.fails("move", json!({"moves": [{"from": "a", "to": "x/a"}, {"from": "b", "to": "x/a"}]}));
    assert!(taken.contains("Files/x/a"), "{taken}");
    assert_eq!(desk.pending(), Vec::<String>::new());
    desk.does("move", json!({"moves": [{"from": "a", "to": "c"}, {"from": "b", "to": "a"}, {"from": "c", "to": "b"}]}));
    assert_eq!(desk.pending(), ["move Files/a>Files/b", "move Files/b>Files/a"]);
}

#[test]
fn folders_and_removals_are_pending_too() {
    let desk = Desk::new();
    desk.file("old.txt", "1");
    desk.does("make_folder", json!({"path": "empty"}));
    desk.does("remove", json!({"path": "old.txt", "reason": "a copy"}));
    assert_eq!(desk.pending(), ["make-folder >Files/empty", "remove Files/old.txt>"]);
    assert!(desk.fails("read", json!({"path": "old.txt"})).contains("is not there"));
    assert!(desk.folder.join("old.txt").exists());
}

#[test]
fn what_changed_on_the_disk_is_not_overwritten() {
    let desk = Desk::new();
    desk.file("a.txt", "1");
    desk.does("read", json!({"path": "a.txt"}));
    desk.file("a.txt", "somebody else's");
    let output = desk.call("write", json!({"path": "a.txt", "text": "2"}));
    assert_eq!(output.outcome, Outcome::Failed);
    assert_eq!(desk.pending(), Vec::<String>::new());
}

#[test]
fn a_task_that_is_stopped_stops() {
    let desk = Desk::new();
    desk.file("a.txt", "1");
    let stop = Stop::default();
    stop.stop();
    let call =
        |tool: &str, arguments| Call { id: "1".to_owned(), tool: tool.to_owned(), arguments, left: Limits::default() };
    for call in [call("list", json!({})), call("grep", json!({"pattern": "1"}))] {
        assert_eq!(desk.tools.call(&call, &stop).outcome, Outcome::Stopped);
    }
}
