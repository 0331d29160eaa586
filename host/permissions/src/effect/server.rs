//! What is done with MCP servers. What a server says stands apart in a question, so that it cannot pass for a part of it.

use super::{ALWAYS, Effect, ONCE, THIS_TASK, sealed};
use deskhand_records::Scope;
use deskhand_vocabulary::{
    Action, Principal, ServerName, Sha256,
    person::{Choice, Question},
    text::shortened,
};
use serde_json::Value;

/// The most characters that are shown of what a tool is called with, and of what a server says of a tool.
const ARGUMENTS: usize = 2000;
const DESCRIPTION: usize = 600;

/// Run the program of an MCP server with the rights of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartServer {
    server: ServerName,
    setup: Sha256,
    line: String,
}

impl StartServer {
    /// The program of this server, whose whole setup has this digest. `line` is what a person would type to run it.
    pub fn of(server: &ServerName, setup: Sha256, line: &str) -> Self {
        Self { server: server.clone(), setup, line: line.to_owned() }
    }

    /// The server, and the digest of its setup.
    pub const fn setup(&self) -> (&ServerName, Sha256) {
        (&self.server, self.setup)
    }
}

impl sealed::Sealed for StartServer {}
impl Effect for StartServer {
    fn actions(&self) -> Vec<Action> {
        vec![Action::StartServer { server: self.server.clone(), setup: self.setup }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!(
            "The MCP server `{}` is a program that would run as you, in no sandbox: it can read and change whatever you can.\n\n{}\n\nRun it?",
            self.server,
            apart(&self.line, ARGUMENTS)
        );
        Some(Question::Choose { origin: Principal::Person, text, choices: to_run() })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Server { server: self.server.clone(), setup: self.setup })
    }
}

/// Run the program of an MCP server in a sandbox, where it reaches nothing of the person's but the folders of the task. One that
/// a plugin brings is agreed to all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfineServer {
    server: ServerName,
    setup: Sha256,
    line: String,
}

impl ConfineServer {
    /// The program of this server, whose whole setup has this digest. `line` is what a person would type to run it.
    pub fn of(server: &ServerName, setup: Sha256, line: &str) -> Self {
        Self { server: server.clone(), setup, line: line.to_owned() }
    }

    /// The server, and the digest of its setup.
    pub const fn setup(&self) -> (&ServerName, Sha256) {
        (&self.server, self.setup)
    }
}

impl sealed::Sealed for ConfineServer {}
impl Effect for ConfineServer {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ConfineServer { server: self.server.clone(), setup: self.setup }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!(
            "The MCP server `{}` is a program that a plugin brings. It would run in a sandbox: of what is yours it sees the folders of the task.\n\n{}\n\nRun it?",
            self.server,
            apart(&self.line, ARGUMENTS)
        );
        Some(Question::Choose { origin: Principal::Person, text, choices: to_run() })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Server { server: self.server.clone(), setup: self.setup })
    }
}

/// What a server says of a tool. Not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What it is called.
    pub tool: String,
    /// What it does.
    pub description: String,
    /// Whether it says that it only reads.
    pub reads_only: bool,
    /// All that is said of it.
    pub offer: Sha256,
    /// Whether the person had allowed it with another description.
    pub changed: bool,
}

/// Call a tool of an MCP server.
#[derive(Clone, Debug, PartialEq)]
pub struct CallServerTool {
    server: ServerName,
    described: Described,
    arguments: Value,
}

impl CallServerTool {
    /// A tool of this server, as it is described, with these arguments.
    pub fn of(server: &ServerName, described: Described, arguments: Value) -> Self {
        Self { server: server.clone(), described, arguments }
    }

    /// The server, the tool, and what it is called with.
    pub fn into_call(self) -> (ServerName, String, Value) {
        (self.server, self.described.tool, self.arguments)
    }
}

impl sealed::Sealed for CallServerTool {}
impl Effect for CallServerTool {
    fn actions(&self) -> Vec<Action> {
        vec![Action::CallServerTool {
            server: self.server.clone(),
            tool: self.described.tool.clone(),
            offer: self.described.offer,
            arguments: Sha256::of(self.arguments.to_string()),
        }]
    }

    fn question(&self) -> Option<Question> {
        let Self { server, described: Described { tool, description, reads_only, changed, .. }, arguments } = self;
        let mut text = format!(
            "The agent wants to call the tool `{tool}` of the MCP server `{server}` with\n\n{}",
            apart(&arguments.to_string(), ARGUMENTS)
        );
        if *changed {
            text.push_str("\n\nWhat the server says of the tool has changed since you allowed it.");
        }
        let hint = if *reads_only { ", and that it only reads, which Deskhand cannot check" } else { "" };
        match description.trim() {
            "" if *reads_only => text.push_str("\n\nThe server says that it only reads, which Deskhand cannot check."),
            "" => {}
            said => {
                text.push_str(&format!("\n\nThe server says of it{hint}:\n\n{}", apart(said, DESCRIPTION)));
            }
        }
        text.push_str("\n\nLet it?");
        let choices = vec![
            choice(ONCE, "This time", ""),
            choice(THIS_TASK, "For this task", ""),
            choice(
                ALWAYS,
                "Always",
                "until the server says something else of it, or you take it back with `deskhand revoke`",
            ),
        ];
        Some(Question::Choose { origin: Principal::Person, text, choices })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        let Described { tool, offer, .. } = &self.described;
        Some(Scope::ServerTool { server: self.server.clone(), tool: tool.clone(), offer: *offer })
    }
}

/// Read a resource or a prompt of an MCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadServer {
    server: ServerName,
    what: String,
}

impl ReadServer {
    /// This of the server: the address of a resource, or the name of a prompt.
    pub fn of(server: &ServerName, what: &str) -> Self {
        Self { server: server.clone(), what: what.to_owned() }
    }

    /// The server, and what of it.
    pub fn into_what(self) -> (ServerName, String) {
        (self.server, self.what)
    }
}

impl sealed::Sealed for ReadServer {}
impl Effect for ReadServer {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ReadServer { server: self.server.clone() }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!(
            "The agent wants to read this of the MCP server `{}`:\n\n{}\n\nLet it?",
            self.server,
            apart(&self.what, ARGUMENTS)
        );
        let choices = vec![
            choice(ONCE, "This time", ""),
            choice(THIS_TASK, "For this task", "whatever the server has to read"),
            choice(ALWAYS, "Always", "whatever the server has to read, until you take it back with `deskhand revoke`"),
        ];
        Some(Question::Choose { origin: Principal::Person, text, choices })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::ServerReading { server: self.server.clone() })
    }
}

/// For how long a program may run.
fn to_run() -> Vec<Choice> {
    vec![
        choice(ONCE, "This time", ""),
        choice(ALWAYS, "Always", "until its settings change, or you take it back with `deskhand revoke`"),
    ]
}

fn choice(id: &str, label: &str, hint: &str) -> Choice {
    Choice { id: id.into(), label: label.into(), hint: hint.into() }
}

/// What another says, each line marked. Where not all of it is shown, that is said.
fn apart(said: &str, most: usize) -> String {
    let shown = shortened(said, most).replace('\n', "\n  | ");
    let more = said.chars().count().saturating_sub(most);
    if more == 0 { format!("  | {shown}") } else { format!("  | {shown}\n  ({more} more characters are not shown)") }
}
