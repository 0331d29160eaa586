//! The list of the tools, and the way from a call to the one that is meant.

use crate::{
    arguments,
    documents::Documents,
    files,
    place::{Known, Place},
};
use deskhand_agent::tool::{Call, Effect, Outcome, Output, Tool, Tools};
use deskhand_permissions::{Context, Gate, Refused};
use deskhand_vocabulary::{Stop, Unanswered};
use deskhand_workspace::{Code, FileError, Workspace};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// A tool of the host's own.
pub(crate) trait Own {
    /// What the model calls it.
    const NAME: &'static str;
    /// What it is for.
    const DESCRIPTION: &'static str;
    /// Whether it changes something.
    const EFFECT: Effect;
    /// What it takes.
    type Arguments: DeserializeOwned + JsonSchema;

    /// Do it.
    fn call(place: &Place, arguments: Self::Arguments, stop: &Stop) -> Result<Output, NotDone>;
}

/// Why a tool did not do what it was called for, for the model.
pub(crate) struct NotDone(Outcome, String);

impl NotDone {
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self(Outcome::Failed, reason.into())
    }

    /// With an outcome that something else came to.
    pub(crate) fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self(outcome, reason.into())
    }

    /// For a person who is not there.
    pub(crate) fn parked(reason: impl Into<String>) -> Self {
        Self(Outcome::Parked, reason.into())
    }

    pub(crate) fn denied(reason: impl Into<String>) -> Self {
        Self(Outcome::Denied, reason.into())
    }

    /// As the answer of a call.
    pub(crate) fn output(self) -> Output {
        let Self(outcome, reason) = self;
        match outcome {
            // the person reads in the inbox what waits, and the model what becomes of its call
            Outcome::Parked => {
                let text = format!(
                    "Nobody is there to be asked: {reason}. Nothing was done; the person is asked when they are there. Go on with what \
                     does not need it."
                );
                Output { gist: Some(reason), ..Output::not_done(outcome, text) }
            }
            _ => Output::not_done(outcome, reason),
        }
    }

    pub(crate) fn stopped() -> Self {
        Self(Outcome::Stopped, "stopped by the person".to_owned())
    }
}

impl From<Refused> for NotDone {
    fn from(refused: Refused) -> Self {
        let outcome = match refused {
            Refused::Unanswered(Unanswered::Absent) => Outcome::Parked,
            Refused::Unanswered(Unanswered::Stopped) => Outcome::Stopped,
            Refused::Denied { .. } | Refused::Declined | Refused::Edited(_) => Outcome::Denied,
            Refused::Log(_) | Refused::Records(_) => Outcome::Failed,
        };
        match outcome {
            Outcome::Parked => Self::parked("it waits for the person to agree"),
            _ => Self(outcome, refused.to_string()),
        }
    }
}

impl From<FileError> for NotDone {
    fn from(error: FileError) -> Self {
        let outcome = match error.code {
            Code::Denied => Outcome::Denied,
            Code::NotFound => Outcome::NotFound,
            _ => Outcome::Failed,
        };
        Self(outcome, error.message)
    }
}

struct Entry {
    tool: fn() -> Tool,
    call: fn(&Place, &Value, &Stop) -> Output,
    name: &'static str,
}

const fn entry<T: Own>() -> Entry {
    Entry {
        name: T::NAME,
        tool: || Tool::new(T::NAME, T::DESCRIPTION, arguments::schema::<T::Arguments>(), T::EFFECT),
        call: |place, given, stop| {
            let done = arguments::read(given).map_err(NotDone::failed).and_then(|given| T::call(place, given, stop));
            done.unwrap_or_else(NotDone::output)
        },
    }
}

/// In the order in which the model is shown them.
const ALL: [Entry; 9] = [
    entry::<files::List>(),
    entry::<files::Find>(),
    entry::<files::Grep>(),
    entry::<files::Read>(),
    entry::<files::Write>(),
    entry::<files::Edit>(),
    entry::<files::Move>(),
    entry::<files::MakeFolder>(),
    entry::<files::Remove>(),
];

/// See the module.
#[derive(Debug)]
pub struct OwnTools {
    place: Place,
}

impl OwnTools {
    /// The tools of a task that works in this workspace, in the name of `context`.
    pub fn new(workspace: Workspace, gate: Arc<Gate>, context: Context) -> Self {
        Self { place: Place::new(workspace, gate, context) }
    }

    /// And they read documents through these.
    #[must_use]
    pub fn reading(mut self, documents: Documents) -> Self {
        self.place.documents = Some(documents);
        self
    }
}

impl Tools for OwnTools {
    fn tools(&self) -> Vec<Tool> {
        ALL.iter().map(|entry| (entry.tool)()).collect()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        match ALL.iter().find(|entry| entry.name == call.tool) {
            Some(entry) => (entry.call)(&self.place, &call.arguments, stop),
            None => Output::not_done(Outcome::Failed, format!("there is no tool `{}`", call.tool)),
        }
    }

    fn again(&self, call: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        if output.outcome != Outcome::Done {
            return Ok(());
        }
        if let Ok(Known { path, version }) = serde_json::from_value(output.again.clone()) {
            self.place.knew(path, version);
        }
        let changes = ALL.iter().any(|entry| entry.name == call.tool && (entry.tool)().effect == Effect::Propose);
        if !changes {
            return Ok(());
        }
        let again = self.call(call, stop);
        if again.outcome == Outcome::Done { Ok(()) } else { Err(again.text()) }
    }
}
