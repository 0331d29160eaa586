//! What is put on the record. The log holds ids, digests, counts and decisions; names and contents go into an entry's
//! `content`, which is kept apart under the task's own key, so that it can be destroyed while the record stays.

use crate::{
    action::{Access, Action, Principal},
    digest::Sha256,
    id::{CommitId, PluginId, ServerName, TaskId},
};
use serde::{Deserialize, Serialize};

/// The version of the event format, in every event of `--json` and of the log.
pub const VERSION: u32 = 1;

/// A row of the log. Rises by one a row in one Deskhand home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub u64);

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The task that it belongs to, if any.
    pub task: Option<TaskId>,
    /// What happened.
    pub event: Event,
    /// Names and contents that belong to it, as JSON; kept under the task's key. An entry without a task has none.
    pub content: Option<serde_json::Value>,
}

/// What happened. Kinds are added, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A person asked for something. Content: `request`, `folders`.
    TaskStarted,
    /// Which command serves the request, and why. Content: `arguments`.
    CommandChosen {
        /// Whose.
        plugin: PluginId,
        /// Which.
        command: String,
        /// Why, such as the trigger that fits.
        reason: String,
    },
    /// The gate decided. Written before the effect.
    Decided {
        /// Who wanted to act.
        principal: Principal,
        /// What.
        action: Action,
        /// Whether it may.
        allowed: bool,
        /// The rule that decided, as `deskhand why` names it.
        rule: String,
    },
    /// A component is called. Content: `arguments`.
    CallStarted {
        /// Whose.
        plugin: PluginId,
        /// The role: `command` or `tools`.
        role: String,
        /// The command or tool.
        name: String,
        /// The component.
        component: Sha256,
    },
    /// A call has ended. Content: `message`, where there is one.
    CallEnded {
        /// Whose.
        plugin: PluginId,
        /// `ok`, an error code of `deskhand:plugin`, or the kind of a fault.
        outcome: String,
        /// How long, in microseconds.
        micros: u64,
    },
    /// A line that a plugin wrote to its log. Content: `message`, `fields`.
    PluginLogged {
        /// Whose.
        plugin: PluginId,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
    },
    /// A plan was shown. Content: `plan`.
    Proposed {
        /// The plan.
        plan: Sha256,
        /// How many changes.
        changes: u64,
        /// How many of them are removals.
        removals: u64,
    },
    /// A plan begins to be applied. Written before the first effect.
    CommitStarted {
        /// Its number.
        commit: CommitId,
        /// The plan.
        plan: Sha256,
        /// How many changes.
        changes: u64,
    },
    /// A plan is applied, or given up and rolled back. Content: `made`, how much was done of each kind; `refused`, each
    /// with its reason; `warnings`, where all was taken back why.
    CommitEnded {
        /// Its number.
        commit: CommitId,
        /// `applied`, `rolled-back` or `nothing`.
        outcome: String,
        /// How many changes were made.
        applied: u64,
        /// How many were refused because the file had changed, was gone, or the like.
        refused: u64,
    },
    /// A commit is undone, wholly or in part. An undo is itself a commit.
    Undone {
        /// What was undone.
        commit: CommitId,
        /// The commit that did it.
        by: CommitId,
        /// How many changes were undone.
        undone: u64,
        /// How many were left because a person has changed the file since.
        left: u64,
    },
    /// An apply whose process had died was brought to a whole state.
    Recovered {
        /// Its number.
        commit: CommitId,
        /// `completed` or `rolled-back`.
        outcome: String,
    },
    /// Before-images were given up to free space.
    Purged {
        /// Whose.
        commits: Vec<CommitId>,
        /// How much was freed, in bytes.
        bytes: u64,
    },
    /// Something was granted. Content: `folder`.
    Granted {
        /// The grant's number.
        grant: u64,
        /// How far.
        access: Access,
        /// `once`, `task` or `always`.
        duration: String,
    },
    /// A grant was taken back.
    Revoked {
        /// The grant's number.
        grant: u64,
    },
    /// A marketplace was added, removed, or its state verified anew.
    Marketplace {
        /// What it is called here.
        name: String,
        /// `added`, `removed` or `refreshed`.
        change: String,
        /// The version of its root metadata.
        root: u64,
    },
    /// A plugin was installed, updated, uninstalled, staged or stopped.
    Plugin {
        /// Which.
        plugin: PluginId,
        /// `installed`, `updated`, `uninstalled`, `staged`, `revoked`.
        change: String,
        /// The version that it is about.
        version: String,
        /// The component.
        component: Sha256,
    },
    /// The person connected a credential of a plugin, or disconnected it.
    Credential {
        /// Whose.
        plugin: PluginId,
        /// Which, as the plugin calls it.
        credential: String,
        /// `connected` or `disconnected`.
        change: String,
        /// The hosts that it may go to.
        hosts: Vec<String>,
    },
    /// A note was remembered, edited, forgotten or imported. Its text is in no event.
    Memory {
        /// Its number.
        note: u64,
        /// `remembered`, `edited`, `forgotten` or `imported`.
        change: String,
        /// What it holds for: `all`, `folder` or `plugin`.
        scope: String,
    },
    /// An MCP server was started, has ended, offers something else than before, or the person logged in or out. Content:
    /// `reason`, where there is one.
    Server {
        /// Which.
        server: ServerName,
        /// `started`, `failed`, `stopped`, `died`, `changed`, `wants-login`, `logged-in` or `logged-out`.
        change: String,
        /// How long starting took, or how long it ran, in microseconds.
        micros: u64,
    },
    /// An MCP server wrote to its log. Content: `message`.
    ServerLogged {
        /// Which.
        server: ServerName,
        /// `debug`, `info`, `notice`, `warning`, `error`, `critical`, `alert` or `emergency`.
        level: String,
    },
    /// What a program wrote in its sandbox is pending now. Content: `kept`, the number under which it is kept until it is decided on.
    Taken {
        /// Whose program, such as `the MCP server git`.
        by: String,
        /// How many changes.
        changes: u64,
        /// How much of it was refused.
        refused: u64,
    },
    /// A plugin starts a program in a place of its own. Written before that. Content: `words`, `folder`.
    ProgramStarted {
        /// Whose.
        plugin: PluginId,
        /// `guest` or `sandbox`.
        place: String,
    },
    /// A program of a plugin has ended, and what it wrote is pending in the plugin's call. Content: `reason`, where there is one.
    ProgramEnded {
        /// Whose.
        plugin: PluginId,
        /// `exited`, `time`, `stopped`, `excess`, `broken`, `not-started` or `failed`.
        outcome: String,
        /// Its status, where it ended by itself.
        status: Option<u8>,
        /// How long, in microseconds.
        micros: u64,
        /// How many changes.
        changes: u64,
        /// How much of what it wrote was refused.
        refused: u64,
    },
    /// Something was said to the model. Content: `pieces`; of instructions also `from`, the file, and `holds`, false once they
    /// do not any more; of memory also `notes`, their numbers, and `labels`.
    Told {
        /// `person`, `instructions` for a file that instructs, `memory` for notes of earlier work, or `host` for what the host
        /// says on its own.
        by: String,
    },
    /// A model has replied, or has broken off in the middle. Content: `said` as it came, `text`.
    ModelReplied {
        /// Which.
        model: String,
        /// How the reply ended: `finished`, `calls`, `cut-off`, `context-full`, `refused`, `paused`, `empty`, `other`,
        /// `failed`.
        end: String,
        /// Tokens read, in all tries.
        input: u64,
        /// Those of them that the other side had kept.
        cached: u64,
        /// Tokens written.
        output: u64,
        /// Money, in millionths of the currency of the price table.
        money: u64,
        /// From the request to the end of the reply, in microseconds.
        micros: u64,
    },
    /// The model has called a tool. Written before the tool begins, where it can change something. Content: `id`, `arguments`.
    ToolCalled {
        /// Which.
        tool: String,
    },
    /// A tool has answered. Content: `id`, `output`.
    ToolAnswered {
        /// Which.
        tool: String,
        /// `done`, `failed`, `denied`, `parked`, `stopped` or `unknown`.
        outcome: String,
        /// How long, in microseconds.
        micros: u64,
    },
    /// Something went to a host, and this came back. Content: `method`, `scheme`, `path`.
    Sent {
        /// Where.
        host: String,
        /// The port.
        port: u16,
        /// The status of the answer, if there was one.
        status: Option<u16>,
        /// Bytes out.
        sent: u64,
        /// Bytes in.
        received: u64,
        /// `whole`, `broken`, `unanswered` or `dropped`.
        ended: String,
    },
    /// The steps of a task were set, by the model or by the person. Content: `steps`.
    StepsSet {
        /// How many.
        steps: u64,
        /// How many of them are over.
        over: u64,
    },
    /// The person was shown the steps before anything was changed.
    StepsDecided {
        /// `agreed`, `edited`, `declined`, `stopped`, or `absent` where nobody was there.
        outcome: String,
    },
    /// What was pending was shown to the person at the end of the agent's work.
    ChangesSettled {
        /// `nothing`, `applied`, `declined`, `parked` or `failed`.
        state: String,
        /// How many changes were made.
        applied: u64,
        /// How many were not.
        refused: u64,
    },
    /// A question went to whoever is at a client, instead of to the person here.
    Elicited {
        /// `apply`, `confirm`, `choose` or `form`.
        question: String,
        /// `accepted`, `declined`, `unanswered` or `cancelled`.
        answer: String,
    },
    /// The task waits for a person. Content: `waits` and `said`, what the person was told at the end, a line each.
    TaskParked,
    /// A task that had ended, waited or broken off goes on.
    TaskResumed,
    /// The task waits for its turn, to be worked on where no terminal is. Content: `errand`, what was said in advance and what the
    /// model is to be told.
    TaskQueued {
        /// `high`, `normal` or `low`.
        priority: String,
    },
    /// Its turn has come. Written before anything of it is done; a task that is not over after this belongs to the queue still.
    TaskBegun,
    /// A person goes on with it in a terminal: it is not in the queue any more.
    TaskUnqueued,
    /// What was said became a summary, to make room. Content: `pieces`.
    Shortened {
        /// How many turns were there before.
        turns: u64,
    },
    /// The task is over. Content, of an agent: `said`, what the person was told at the end, a line each.
    TaskEnded {
        /// `done`, `cancelled`, `failed`, `stopped` or `unserved`; of an agent also `used-up`, `stuck` or `refused`.
        outcome: String,
    },
}

/// Why an entry could not be recorded. An effect whose record fails does not happen.
#[derive(Debug, thiserror::Error)]
#[error("the log could not be written: {reason}. Nothing is changed without a record")]
pub struct LogError {
    /// What went wrong.
    pub reason: String,
}

/// The log, as the rooms below the application see it.
pub trait Log: Send + Sync {
    /// Record, and return when it is durable.
    fn append(&self, entry: Entry) -> Result<EventId, LogError>;
    /// Record soon, in order with all else. If it fails, the next `append` or `flush` does.
    fn queue(&self, entry: Entry);
    /// Return when all that was recorded so far is durable.
    fn flush(&self) -> Result<(), LogError>;
}
