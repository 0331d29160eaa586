//! What is said over the socket. Whoever connects is greeted first; then they ask, and are told.

use deskhand_vocabulary::{Answer, Notice, Plan, Progress, Question, TaskId};
use serde::{Deserialize, Serialize};

/// Which version of these messages this is. The greeting stays the same in all versions.
pub const SPEAKS: u32 = 1;

/// The greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// The version of Deskhand.
    pub deskhand: String,
    /// The version of the messages.
    pub speaks: u32,
    /// The process.
    pub process: u32,
}

/// What is asked of the supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Asked {
    /// Look into the queue: there is something new.
    Look,
    /// Tell what a task does from now on.
    Follow {
        /// The task.
        task: TaskId,
        /// Whether a person is there who answers its questions.
        answers: bool,
    },
    /// The answer to a question of the task that is followed.
    Answer {
        /// The number of the question.
        question: u64,
        /// What the person says.
        answer: Answer,
    },
}

/// What is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "kebab-case")]
pub enum Told {
    /// It was heard.
    Heard,
    /// There is more of the task in the log.
    More,
    /// Something that is not in the log, or not yet.
    Live {
        /// What.
        live: Live,
    },
    /// The task asks the person.
    Question {
        /// Its number in this process.
        number: u64,
        /// What is asked.
        question: Box<Question>,
    },
    /// A question needs no answer any more.
    Settled {
        /// Its number.
        number: u64,
    },
}

/// What is seen of a task while it is at work, beside its record. Texts are not trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "live", rename_all = "kebab-case")]
pub enum Live {
    /// A reply begins.
    Began,
    /// More of the text of the reply.
    Text {
        /// The last event of the log that came before the reply.
        after: u64,
        /// How much of it came before, in bytes.
        from: u64,
        /// The text.
        text: String,
    },
    /// More of what the model thinks.
    Thinking {
        /// The text.
        text: String,
    },
    /// The model writes a call of a tool.
    Call {
        /// Which.
        tool: String,
    },
    /// What the reply said so far does not count; it begins anew.
    Void {
        /// Why, in a line.
        why: String,
    },
    /// The person holds the task, or lets it go on.
    Paused {
        /// Whether it is held.
        paused: bool,
    },
    /// A line of the host.
    Line {
        /// The line.
        line: String,
    },
    /// A plan, before any question about it.
    Plan {
        /// The plan.
        plan: Box<Plan>,
    },
    /// Something is told to the person.
    Notice {
        /// What.
        notice: Notice,
    },
    /// How far something is.
    Progress {
        /// How far.
        progress: Progress,
    },
}
