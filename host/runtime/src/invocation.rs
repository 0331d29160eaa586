//! What a call is made with: the task, the person, the folders, the gate.

use crate::services::Services;
use deskhand_permissions::{Gate, context::Standing};
use deskhand_records::Records;
use deskhand_vocabulary::{Clock, Log, Person, PluginId, Stop, TaskId};
use deskhand_workspace::Workspace;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What a call is made with. Cheap to clone; the runtime clones it for the calls that a call makes.
#[derive(Clone)]
pub struct Invocation {
    /// The task that it belongs to.
    pub task: TaskId,
    /// The folders of the task and its pending changes. What a call adds joins them when it succeeds.
    pub workspace: Workspace,
    /// What decides about every effect.
    pub gate: Arc<Gate>,
    /// What the person said in advance.
    pub standing: Standing,
    /// The person.
    pub person: Arc<dyn Person>,
    /// Where it is put on the record.
    pub log: Arc<dyn Log>,
    /// The records, for what plugins keep.
    pub records: Arc<Records>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether the person has stopped the task.
    pub stop: Stop,
    /// BCP 47 language tag of the person, such as `de-DE`.
    pub locale: String,
    /// The configuration of each plugin that has one, valid against the schema of its manifest.
    pub configurations: Arc<BTreeMap<PluginId, serde_json::Value>>,
    /// What there is beyond this computer's folders.
    pub services: Services,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("task", &self.task).field("standing", &self.standing).finish_non_exhaustive()
    }
}
