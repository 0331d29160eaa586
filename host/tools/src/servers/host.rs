//! What MCP servers may want of a task: questions to the person, which the gate decides on like any other, and a place in its
//! record.

use super::answers::said_of;
use crate::arguments;
use deskhand_mcp::client::{Change, Elicited, Host, Wrote};
use deskhand_permissions::{Context, Gate, effect::AskPerson};
use deskhand_vocabulary::{
    Answer, Entry, Event, Log, Notice, Person, Principal, Progress, Question, ServerName, TaskId,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// How often a form is put again whose answer did not fit it.
const AGAIN: usize = 2;

/// See the module.
pub struct TaskHost {
    /// Who decides.
    pub gate: Arc<Gate>,
    /// The task, if it is part of one.
    pub task: Option<TaskId>,
    /// The person.
    pub person: Arc<dyn Person>,
    /// Where what becomes of servers is recorded.
    pub log: Arc<dyn Log>,
    /// The folders of the task, as `file:` addresses with their names.
    pub roots: Vec<(String, String)>,
}

impl std::fmt::Debug for TaskHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskHost").field("task", &self.task).finish_non_exhaustive()
    }
}

impl TaskHost {
    fn record(&self, event: Event, content: Option<Value>) {
        // if it cannot be recorded, the next thing that is decided cannot either, and does not happen
        self.log.queue(Entry { task: self.task, event, content: content.filter(|_| self.task.is_some()) });
    }

    fn put(&self, question: &Question, schema: &Value) -> Option<Elicited> {
        match self.person.ask(question) {
            Ok(Answer::Yes) => Some(Elicited::Filled(json!({}))),
            Ok(Answer::Filled(filled)) => match arguments::fit(schema, &filled) {
                Ok(()) => Some(Elicited::Filled(filled)),
                Err(_) => {
                    let text = "What you answered is not what was asked for. It is asked again.".to_owned();
                    self.person.tell(&Notice { origin: Principal::Person, text });
                    None
                }
            },
            Ok(Answer::No | Answer::Chosen(_) | Answer::Edited(_)) => Some(Elicited::Declined),
            Err(_) => Some(Elicited::Nobody),
        }
    }
}

impl Host for TaskHost {
    fn ask(&self, server: &ServerName, text: &str, schema: &Value) -> Elicited {
        let origin = Principal::Server(server.clone());
        let context = Context { task: self.task, ..Context::of_server(server.clone()) };
        match self.gate.permit(&context, AskPerson) {
            Ok(permit) => permit.redeem(),
            Err(_) => return Elicited::Declined,
        };
        let text = text.to_owned();
        let question = match schema["properties"].as_object().is_none_or(serde_json::Map::is_empty) {
            true => Question::Confirm { origin, text },
            false => Question::Form { origin, text, schema: explained(schema) },
        };
        (0..=AGAIN).find_map(|_| self.put(&question, schema)).unwrap_or(Elicited::Declined)
    }

    fn progress(&self, server: &ServerName, text: &str, done: u64, total: Option<u64>) {
        let origin = Principal::Server(server.clone());
        self.person.progress(&Progress { origin, text: text.to_owned(), done: Some(done), total });
    }

    fn log(&self, server: &ServerName, level: &str, message: &str) {
        let event = Event::ServerLogged { server: server.clone(), level: level.to_owned() };
        self.record(event, Some(json!({ "message": message })));
    }

    fn changed(&self, server: &ServerName, change: &Change, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let reason = match change {
            Change::Failed(reason) | Change::Died(reason) | Change::Login(reason) => Some(json!({ "reason": reason })),
            Change::Started | Change::Stopped | Change::Offer => None,
        };
        self.record(Event::Server { server: server.clone(), change: change.name().to_owned(), micros }, reason);
        // a command that is about the server says it itself
        if let Change::Failed(reason) | Change::Login(reason) = change
            && self.task.is_some()
        {
            self.person.tell(&Notice { origin: Principal::Person, text: reason.clone() });
        }
    }

    fn wrote(&self, server: &ServerName, wrote: &Wrote) {
        let event = Event::Taken {
            by: format!("the MCP server {server}"),
            changes: wrote.added,
            refused: wrote.refused.len() as u64 + wrote.more,
        };
        self.record(event, Some(json!({ "kept": wrote.kept })));
        // what is pending is shown with all that is; what is not would be seen nowhere
        if !wrote.refused.is_empty() || wrote.more > 0 {
            let text = format!("The MCP server `{server}`: {}", said_of(wrote));
            self.person.tell(&Notice { origin: Principal::Person, text });
        }
    }

    fn roots(&self) -> Vec<(String, String)> {
        self.roots.clone()
    }
}

/// A form whose fields say what may be answered, where that is a choice.
fn explained(schema: &Value) -> Value {
    let mut schema = schema.clone();
    for (name, field) in schema["properties"].as_object_mut().into_iter().flatten() {
        let choices: Vec<String> = field["enum"].as_array().into_iter().flatten().map(words).collect();
        if choices.is_empty() {
            continue;
        }
        let label = field["description"].as_str().or(field["title"].as_str()).unwrap_or(name).to_owned();
        field["description"] = json!(format!("{label} ({})", choices.join(" / ")));
    }
    schema
}

fn words(choice: &Value) -> String {
    choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)
}
