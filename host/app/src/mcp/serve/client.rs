//! What a client is served with, as the person said it. It stands in the first entry of each of its tasks, so that what waits for
//! the person can be made again.

use crate::{agent::Folder, failure::Result};
use deskhand_mcp::server::Hello;
use deskhand_records::Records;
use deskhand_vocabulary::{Access, ClientName, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Client {
    /// What the person calls it.
    pub(crate) name: ClientName,
    /// What it calls itself. Not trusted.
    #[serde(default)]
    pub(crate) says: String,
    /// The folders that it works on.
    pub(crate) folders: Vec<Folder>,
    /// True if they may only be read.
    pub(crate) read_only: bool,
}

impl Client {
    /// What a task was begun with; none if it is no client's.
    pub(crate) fn of(records: &Records, task: TaskId) -> Result<Option<Self>> {
        let content = records.task(task)?.and_then(|task| task.content);
        Ok(content.as_ref().and_then(Self::in_content))
    }

    /// The same, from the content of its first entry.
    pub(crate) fn in_content(content: &Value) -> Option<Self> {
        serde_json::from_value(content["client"].clone()).ok()
    }

    /// The content of the first entry of a task.
    pub(super) fn content(&self) -> Value {
        json!({"request": self.request(), "folders": self.folders, "client": self})
    }

    /// What a task of it is about, in a line.
    pub(crate) fn request(&self) -> String {
        let says = if self.says.is_empty() { String::new() } else { format!(" ({})", self.says) };
        format!("what the client {}{says} asks for", self.name)
    }

    /// The same, once it has said who it is.
    pub(super) fn saying(&self, hello: &Hello) -> Self {
        let says = format!("{} {}", hello.name, hello.version);
        Self { says: says.trim().to_owned(), ..self.clone() }
    }

    pub(super) const fn access(&self) -> Access {
        if self.read_only { Access::Read } else { Access::Write }
    }
}
