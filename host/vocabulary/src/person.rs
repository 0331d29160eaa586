//! The person, as the rooms below the application see them: someone who may be there or not, who is asked, told and
//! shown progress. The application implements it for a terminal, for JSON lines, and for nobody.

use crate::{
    action::{Access, Principal},
    digest::Sha256,
    id::PluginId,
    manifest::Permission,
    plan::Plan,
};
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A question to the person. Text in it that comes from a plugin is not trusted and is shown with its origin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "kebab-case")]
pub enum Question {
    /// Apply, edit or cancel a plan. Removals in it are shown, and asked about separately afterwards.
    Apply {
        /// What is decided; an answer holds for its digest.
        plan: Arc<Plan>,
    },
    /// Agree to the removals of a plan.
    Remove {
        /// The plan; its removals are what is decided.
        plan: Arc<Plan>,
    },
    /// Agree to the changes of a plan that can make something run.
    Sensitive {
        /// The plan; its sensitive changes are what is decided.
        plan: Arc<Plan>,
    },
    /// Agree to the steps of a task before anything is changed.
    Steps {
        /// A line a step, its state in brackets; what is edited is the same kind of text. Not trusted.
        text: String,
    },
    /// Grant a folder.
    Grant {
        /// Absolute, as [`crate::path::encode`] writes it.
        folder: String,
        /// How far.
        access: Access,
    },
    /// Install a plugin, or an update that asks for more.
    Install {
        /// The plugin.
        plugin: PluginId,
        /// The version to be installed.
        version: String,
        /// The version that runs now.
        installed: Option<String>,
        /// The component.
        component: Sha256,
        /// What it asks for.
        permissions: Vec<Permission>,
        /// Those of them that the installed version did not have.
        widened: Vec<Permission>,
    },
    /// A question of a plugin, answered yes or no.
    Confirm {
        /// Who asks.
        origin: Principal,
        /// What. Not trusted.
        text: String,
    },
    /// A question with choices, of a plugin or of the host (then `origin` is [`Principal::Person`]).
    Choose {
        /// Who asks.
        origin: Principal,
        /// What. Not trusted.
        text: String,
        /// At least one.
        choices: Vec<Choice>,
    },
    /// A form of a plugin.
    Form {
        /// Who asks.
        origin: Principal,
        /// What. Not trusted.
        text: String,
        /// A flat JSON Schema of an object.
        schema: serde_json::Value,
    },
}

/// The id of a choice to answer in words of one's own. Whoever asks takes such words at once as well:
/// [`Answer::Filled`], with them in the field `answer`.
pub const OTHER: &str = "other";

/// A choice of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is answered.
    pub id: String,
    /// What is shown.
    pub label: String,
    /// A few words more, or none.
    #[serde(default)]
    pub hint: String,
}

/// What the person answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Agreed.
    Yes,
    /// Declined.
    No,
    /// A plan edited as text, to be validated and shown again ([`Question::Apply`] and [`Question::Steps`] only).
    Edited(String),
    /// The id of a choice.
    Chosen(String),
    /// A form filled in.
    Filled(serde_json::Value),
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody is there to be asked.
    #[error("nobody is there to be asked")]
    Absent,
    /// The person stopped the task.
    #[error("stopped by you")]
    Stopped,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Who says it.
    pub origin: Principal,
    /// What. Not trusted unless the origin is the host, which speaks as [`Principal::Person`]'s own tool.
    pub text: String,
}

/// How far something is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Who is at work.
    pub origin: Principal,
    /// At what. Not trusted.
    pub text: String,
    /// How much is done, of how much; either may be unknown.
    pub done: Option<u64>,
    /// See `done`.
    pub total: Option<u64>,
}

/// The person. Every method may be called from any thread; asking blocks until there is an answer.
pub trait Person: Send + Sync {
    /// True if there is somebody to ask.
    fn present(&self) -> bool;
    /// Show a plan, before any question about it and also where none is asked (such as with `--yes`).
    fn show(&self, plan: &Plan);
    /// Ask. Questions are put one at a time.
    fn ask(&self, question: &Question) -> Result<Answer, Unanswered> {
        self.ask_until(question, &Stop::default())
    }
    /// Ask something that needs no answer any more once `until` is stopped. It is [`Unanswered::Stopped`] then.
    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered>;
    /// Tell.
    fn tell(&self, notice: &Notice);
    /// Show how far something is. Cheap; may be called often.
    fn progress(&self, progress: &Progress);
}

/// Whether the person has stopped what is running. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Stopping>);

#[derive(Debug, Default)]
struct Stopping {
    stopped: AtomicBool,
    above: Vec<Stop>,
}

impl Stop {
    /// For a part of it: stopped with the whole, and by itself alone.
    #[must_use]
    pub fn part(&self) -> Self {
        Self(Arc::new(Stopping { stopped: AtomicBool::new(false), above: vec![self.clone()] }))
    }

    /// Stopped with either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self(Arc::new(Stopping { stopped: AtomicBool::new(false), above: vec![self.clone(), other.clone()] }))
    }

    /// Stop it.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    /// True once it is stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst) || self.0.above.iter().any(Self::is_stopped)
    }
}
