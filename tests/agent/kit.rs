//! A place with a model, and what it says.

use deskhand_model_server::{ModelServer, Reply, Wire};
use deskhand_tests::{Place, Ran, deskhand};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

/// A home whose model is a scripted server, and the folder `home/Files`.
pub(crate) struct Desk {
    pub(crate) place: Place,
    pub(crate) server: ModelServer,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::speaking(Wire::Anthropic)
    }

    /// With our plugins installed, and more settings.
    pub(crate) fn with_plugins(settings: &str) -> Self {
        Self::at(Place::with_plugins(), Wire::Anthropic, settings)
    }

    /// With more settings.
    pub(crate) fn with_settings(settings: &str) -> Self {
        Self::at(Place::new(), Wire::Anthropic, settings)
    }

    pub(crate) fn speaking(wire: Wire) -> Self {
        Self::at(Place::new(), wire, "")
    }

    fn at(place: Place, wire: Wire, more: &str) -> Self {
        let server = ModelServer::start();
        let (wire, base) = match wire {
            Wire::Anthropic => ("anthropic", server.url()),
            Wire::Chat => ("chat", format!("{}/v1", server.url())),
        };
        fs::create_dir_all(place.path("deskhand/config")).unwrap();
        let settings = format!(
            "[agent]\nmodel = \"scripted\"\n[models.scripted]\nwire = \"{wire}\"\nurl = \"{base}\"\nmodel = \"scripted\"\n{more}"
        );
        fs::write(place.path("deskhand/config/config.toml"), settings).unwrap();
        fs::create_dir(place.path("home/Files")).unwrap();
        Self { place, server }
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> &Self {
        self.bytes(name, text.as_bytes())
    }

    pub(crate) fn bytes(&self, name: &str, bytes: &[u8]) -> &Self {
        let path = self.place.path("home/Files").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.place.path("home/Files").join(name)).ok()
    }

    /// What the model says, in this order.
    pub(crate) fn says(&self, replies: impl IntoIterator<Item = Reply>) -> &Self {
        replies.into_iter().for_each(|reply| self.server.reply(reply));
        self
    }

    /// Wait until so many calls of tools have their answers on the record: a reply can be under way before that.
    pub(crate) fn wait_answered(&self, count: usize) {
        let answered = || self.deskhand(&["log", "--json"]).ok().matches(r#""event":"tool-answered""#).count();
        assert!((0..1000).any(|_| answered() >= count), "{} of {count} answers are on record", answered());
    }

    /// `deskhand run --folder Files ...`, without a terminal.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.deskhand(&[&["run", "--folder", "Files"], arguments].concat())
    }

    pub(crate) fn deskhand(&self, arguments: &[&str]) -> Ran {
        self.place.deskhand(arguments)
    }

    /// The same, at work beside the test.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        let mut command: Command = self.place.command(deskhand());
        command.args(["run", "--folder", "Files"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The kinds of the events of a task in the log, in order.
    pub(crate) fn kinds(&self, task: u64) -> Vec<String> {
        self.events(task).iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn events(&self, task: u64) -> Vec<Value> {
        let task = task.to_string();
        let log = self.deskhand(&["log", "--json", "--limit", "0", "--task", &task]).ok();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The texts of the last request that the model was sent, a line a block: `user: …`, `assistant: …`, `call: tool`,
    /// `result: …`. What it is told of the day and the folders is left out.
    pub(crate) fn last_heard(&self) -> Vec<String> {
        let exchanges = self.server.exchanges();
        let body = exchanges.last().unwrap().json();
        let mut lines = Vec::new();
        for message in body["messages"].as_array().unwrap() {
            let role = message["role"].as_str().unwrap();
            for block in message["content"].as_array().unwrap() {
                let texts = |content: &Value| match content {
                    Value::String(text) => text.clone(),
                    parts => parts
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter_map(|part| part["text"].as_str())
                        .collect::<Vec<_>>()
                        .join("|"),
                };
                if block["text"].as_str().is_some_and(|text| text.starts_with("[deskhand: now]")) {
                    continue;
                }
                lines.push(match block["type"].as_str().unwrap() {
                    "text" => format!("{role}: {}", block["text"].as_str().unwrap()),
                    "tool_use" => format!("call: {}", block["name"].as_str().unwrap()),
                    "tool_result" => format!("result: {}", texts(&block["content"])),
                    other => other.to_owned(),
                });
            }
        }
        lines
    }
}

/// A reply that is text.
pub(crate) fn said(text: &str) -> Reply {
    Reply::new().text(text)
}

/// A model that runs a command.
pub(crate) fn shell(command: &str) -> Reply {
    calls(&[("shell", json!({ "command": command }))])
}

/// The answers of tools in the last request, a line each.
pub(crate) fn answers(desk: &Desk) -> Vec<String> {
    let heard = desk.last_heard().into_iter();
    heard.filter_map(|line| line.strip_prefix("result: ").map(str::to_owned)).collect()
}

/// A reply that makes these calls.
pub(crate) fn calls(calls: &[(&str, Value)]) -> Reply {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    calls.iter().fold(Reply::new(), |reply, (tool, arguments)| {
        let id = format!("call_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        reply.call(&id, tool, &arguments.to_string())
    })
}
