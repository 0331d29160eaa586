//! How plugins are called for a model: what is installed, read once for all that is made of it, in whose name it is called,
//! and what each call is served with.

use crate::answers;
use deskhand_agent::{Meter, budget::Limits, tool::Output};
use deskhand_permissions::{Context, Permit, Refused, effect::Effect};
use deskhand_runtime::{IndexError, Invocation, Plugins, Runtime, Services};
use deskhand_vocabulary::{ChangeKind, Person, Stop};
use deskhand_workspace::Workspace;
use std::{fmt, sync::Arc};

/// Serves the calls of plugins with the models and the sub-agents of a task.
pub trait Serving: Send + Sync {
    /// What one call is served with, beside what all are. What it uses of it is spent of `meter`, and nothing begins once that
    /// is used up.
    fn serve(&self, services: &Services, meter: &Meter) -> Services;
}

/// See the module.
#[derive(Clone)]
pub struct Calling {
    pub(crate) runtime: Runtime,
    pub(crate) plugins: Arc<Plugins>,
    invocation: Invocation,
    context: Context,
    serving: Option<Arc<dyn Serving>>,
}

impl fmt::Debug for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling")
            .field("invocation", &self.invocation)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Calling {
    /// For the agent in the task of this invocation, with the plugins that are installed now. What is installed later is not
    /// among them: the model is told of the same ones during a whole task.
    ///
    /// # Errors
    /// The list of what is installed cannot be read.
    pub fn new(runtime: Runtime, invocation: Invocation) -> Result<Self, IndexError> {
        let plugins = runtime.plugins()?;
        let context = Context::agent(invocation.task, invocation.standing);
        Ok(Self { runtime, plugins, invocation, context, serving: None })
    }

    /// The same, where plugins are served with models and sub-agents.
    #[must_use]
    pub fn served(self, serving: Arc<dyn Serving>) -> Self {
        Self { serving: Some(serving), ..self }
    }

    /// The same in another's name and on the folders as they see them: nothing is called that they may not call.
    #[must_use]
    pub fn within(&self, context: Context, workspace: Workspace) -> Self {
        let invocation = Invocation { workspace, ..self.invocation.clone() };
        Self { context, invocation, ..self.clone() }
    }

    /// The same, where somebody else is told of it and asked by plugins; what the gate asks stays with its own person.
    #[must_use]
    pub fn asking(&self, person: Arc<dyn Person>) -> Self {
        let invocation = Invocation { person, ..self.invocation.clone() };
        Self { invocation, ..self.clone() }
    }

    /// Make a call that may use up so much of the task's budget; what it used goes with the answer.
    pub(crate) fn call<E: Effect>(
        &self,
        effect: E,
        left: Limits,
        stop: &Stop,
        make: impl FnOnce(&Runtime, Invocation, Permit<E>) -> Output,
    ) -> Output {
        let permit = match self.permit(effect) {
            Ok(permit) => permit,
            Err(refused) => return *refused,
        };
        let (invocation, meter) = self.begin(left, stop);
        let mut output = make(&self.runtime, invocation, permit);
        output.spent = output.spent.and(meter.spent());
        output
    }

    pub(crate) fn decide<E: Effect>(&self, effect: E) -> Result<Permit<E>, Refused> {
        self.invocation.gate.permit(&self.context, effect)
    }

    pub(crate) fn permit<E: Effect>(&self, effect: E) -> Result<Permit<E>, Box<Output>> {
        self.decide(effect).map_err(|refused| Box::new(answers::of_gate(&refused)))
    }

    /// True if a removal is pending in the task.
    pub(crate) fn removes(&self) -> bool {
        let pending = self.invocation.workspace.pending(None, u32::MAX);
        pending.iter().any(|change| change.kind == ChangeKind::Remove)
    }

    /// What a call is made with that sets nobody else to work.
    pub(crate) fn alone(&self, stop: &Stop) -> Invocation {
        Invocation { stop: stop.clone(), ..self.invocation.clone() }
    }

    /// What a call is made with, and the meter of what it uses.
    pub(crate) fn begin(&self, left: Limits, stop: &Stop) -> (Invocation, Meter) {
        let meter = Meter::new(left);
        let mut invocation = Invocation { stop: stop.clone(), ..self.invocation.clone() };
        if let Some(serving) = &self.serving {
            invocation.services = serving.serve(&invocation.services, &meter);
        }
        (invocation, meter)
    }
}
