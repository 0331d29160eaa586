//! What a task of an agent was begun with. It stands in the first entry of its record, so that the task can go on in
//! another process.

use crate::failure::{Failure, Result};
use deskhand_agent::budget::Limits;
use deskhand_records::Records;
use deskhand_vocabulary::{Access, TaskId, path};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// How much is asked about. A removal is asked about in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// All changes are shown at the end, and asked about
    #[default]
    Ask,
    /// The plan is shown before anything is done, and the changes at the end
    Plan,
    /// Changes are made without a question; removals and what can run by itself are asked about
    Auto,
}

/// A folder of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Folder(String);

impl Folder {
    /// A folder by its whole path, as the person means it now.
    pub(crate) fn of(path: &Path) -> Self {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self(path::encode(whole.as_os_str().as_bytes()))
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(path::decode(&self.0)))
    }
}

/// As [`path::encode`] writes it.
impl std::fmt::Display for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// What the person asked for.
    pub(crate) request: String,
    /// Where.
    pub(crate) folders: Vec<Folder>,
    /// True if the folders may only be read.
    pub(crate) read_only: bool,
    /// Which model, if the person named one.
    pub(crate) model: Option<String>,
    /// What it may use up.
    pub(crate) limits: Limits,
    /// How much is asked about.
    pub(crate) mode: Mode,
}

impl Spec {
    pub(crate) const fn access(&self) -> Access {
        if self.read_only { Access::Read } else { Access::Write }
    }

    /// The content of the first entry of the task.
    pub(crate) fn content(&self) -> Value {
        json!({"request": self.request, "folders": self.folders, "agent": self})
    }

    /// What a task was begun with.
    pub(crate) fn of(records: &Records, task: TaskId) -> Result<Self> {
        let Some(known) = records.task(task)? else {
            return Err(Failure::usage(format!("there is no task {task}. `deskhand tasks` lists them")));
        };
        if known.forgotten {
            return Err(Failure::failed(format!("what task {task} was about is forgotten, so it cannot go on")));
        }
        let content = known.content.unwrap_or_default();
        serde_json::from_value(content["agent"].clone()).map_err(|_| {
            Failure::usage(format!("task {task} was not worked on by an agent, so there is nothing to go on with"))
        })
    }
}
