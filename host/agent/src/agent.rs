//! An agent and its task: what the loop stands on, and how it ends.

use crate::{
    approval::Approval,
    budget::{Limits, Measure},
    conversation::{Conversation, NotAConversation, Scribe},
    prompt,
    reflect::Effects,
    screen::Screen,
    steering::Steering,
    tool::Tools,
    work::Work,
};
use deskhand_models::{Failure, Misplaced, Model, Piece};
use deskhand_vocabulary::{Entry, Log, LogError, Stop, TaskId};
use std::sync::Arc;

/// What the loop stands on.
#[derive(Clone)]
pub struct Agent {
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// What can be done.
    pub tools: Arc<dyn Tools>,
    /// What the task does to the world.
    pub effects: Arc<dyn Effects>,
    /// Where all of it is recorded.
    pub log: Arc<dyn Log>,
    /// Who looks on.
    pub screen: Arc<dyn Screen>,
    /// What the person says meanwhile.
    pub steering: Arc<Steering>,
    /// Who agrees to the plan before anything is changed; nobody where the person does not want to be shown it first.
    pub approval: Option<Arc<dyn Approval>>,
    /// Ends what runs.
    pub stop: Stop,
}

/// A task of an agent.
#[derive(Debug)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// What it may use up.
    pub limits: Limits,
    /// What was said and done so far.
    pub conversation: Conversation,
    /// What a process that is gone had pending and could not be taken up again, a line each.
    pub lost: Vec<String>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The model says that it is done. What the host found amiss, a line each.
    Done {
        /// The last thing that the model said.
        text: String,
        /// What is not as it should be.
        amiss: Vec<String>,
    },
    /// It goes on when the person is there: what was said last, and what waits for them, a line each.
    Parked {
        /// The last thing that the model said.
        text: String,
        /// What waits.
        waits: Vec<String>,
    },
    /// The person ended it.
    Cancelled,
    /// Something is used up, or would be by what comes next: what, and how much of it was used. It can go on with more.
    UsedUp(Measure, u64),
    /// The model erred in the same way too often. It can go on when the person says how.
    Stuck(String),
    /// The model would not answer.
    Refused(String),
    /// The model could not be reached, or could not go on. It can go on later.
    Failed(Box<Failure>),
}

/// Why the loop broke off.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The record makes no sense.
    #[error(transparent)]
    Conversation(#[from] NotAConversation),
    /// Two tools have one name, or a name that no model takes.
    #[error(transparent)]
    Tools(#[from] Misplaced),
}

pub(crate) type Result<T> = std::result::Result<T, AgentError>;

impl Agent {
    /// Say something to the model before the loop begins or goes on.
    pub fn tell(&self, task: &mut Task, words: &str) -> Result<()> {
        self.record(&mut task.conversation, Scribe(task.id).told("person", &[Piece::text(words)]), true)
    }

    /// Say something to the model for the host, under a mark that says what it is.
    pub fn tell_from_host(&self, task: &mut Task, what: &str, text: &str) -> Result<()> {
        self.record(&mut task.conversation, Scribe(task.id).told("host", &[prompt::host(what, text)]), true)
    }

    /// Work until the task ends.
    pub async fn run(&self, task: &mut Task) -> Result<Ended> {
        Work::on(self, task)?.run().await
    }

    pub(crate) fn record(&self, conversation: &mut Conversation, entry: Entry, durable: bool) -> Result<()> {
        conversation.apply(&entry.event, entry.content.as_ref())?;
        if durable {
            self.log.append(entry)?;
        } else {
            self.log.queue(entry);
        }
        Ok(())
    }
}
