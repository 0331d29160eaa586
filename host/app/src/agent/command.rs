//! A command that the person called, where its plugin works with models or gives work to sub-agents: it is served with those
//! of the settings, within the budget of the task.

use super::{delegate::Staff, ground::Ground, serving::Served};
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    model,
    outgoing::Outgoing,
};
use deskhand_agent::{Meter, budget::Limits};
use deskhand_permissions::{Context, Standing};
use deskhand_runtime::Services;
use deskhand_tools::Serving as _;
use deskhand_vocabulary::{
    TaskId,
    manifest::{Permission, PermissionKind},
};
use deskhand_workspace::Workspace;
use std::sync::Arc;

/// What a person asks for with a command.
pub(crate) struct Command<'a> {
    pub(crate) task: TaskId,
    pub(crate) workspace: &'a Workspace,
    pub(crate) outgoing: &'a Outgoing,
    pub(crate) request: &'a str,
    /// The model, if the person named one.
    pub(crate) model: Option<&'a str>,
    pub(crate) standing: Standing,
    pub(crate) limits: Limits,
    /// What its plugin declares.
    pub(crate) rights: &'a [Permission],
}

/// See the module. Lives as long as the command is at work.
pub(crate) struct Assisted {
    /// Serving goes through it for as long as it is here.
    _staff: Arc<Staff>,
    served: Arc<Served>,
    limits: Limits,
    _runtime: tokio::runtime::Runtime,
}

impl Assisted {
    /// None where the plugin declares no such thing, or no model is set up: it may have another way, and says so if not.
    pub(crate) fn of(desk: &Desk, command: &Command<'_>) -> Result<Option<Self>> {
        let declares = |kind| command.rights.iter().any(|right| right.kind == kind);
        let samples = declares(PermissionKind::ModelUse);
        let named = command.model.or(desk.settings.agent.model.as_deref());
        if named.is_none() || !samples && !declares(PermissionKind::ToolsCall) {
            return Ok(None);
        }
        let choice = model::choose(&desk.settings, named)?;
        let context = Context::person(Some(command.task), command.standing);
        if samples {
            choice.consent(desk, &Context::person(Some(command.task), Standing::default()))?;
        }
        // the command itself keeps the thread that it was called on
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(Failure::no_thread)?;
        let ground = Ground {
            desk,
            task: command.task,
            context,
            workspace: command.workspace.clone(),
            outgoing: command.outgoing.clone(),
            // plugins do not get at what the person allowed their agent
            servers: Arc::new([]),
            shelter: None,
            title: command.request,
            limits: &command.limits,
            choice: &choice,
            instructions: Arc::default(),
            handle: runtime.handle().clone(),
        };
        let (staff, served) = ground.staff()?;
        Ok(Some(Self { _staff: staff, served, limits: command.limits, _runtime: runtime }))
    }

    /// What the command is served with, beside what all are.
    pub(crate) fn serve(&self, services: &Services) -> Services {
        self.served.serve(services, &Meter::new(self.limits))
    }
}
