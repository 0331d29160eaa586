//! Where the commands of a task run, or why there is no such place.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    outgoing::Outgoing,
    person::Waiting,
    sandbox::kept,
};
use deskhand_agent::tool::Tools;
use deskhand_confine::{Helper, Kept};
use deskhand_permissions::{Context, Gate, Verdict};
use deskhand_tools::{
    sandbox::Sandboxes,
    shell::{Enclosure, OnHost, ShellTools},
};
use deskhand_vocabulary::{Action, Person, TaskId};
use deskhand_workspace::Workspace;
use std::sync::Arc;
use tokio::runtime::Handle;

/// See the module.
pub(crate) struct Shelter {
    enclosure: std::result::Result<Arc<dyn Enclosure>, &'static str>,
    kept: Kept,
}

/// Why there is none, for the model.
const NOT_ALLOWED: &str = "no shell: the person has not allowed one";
const NOT_HERE: &str = "no shell: this computer has no sandbox";

impl Shelter {
    /// Of a task in this workspace, whose agent acts in `context`. `tried` says whether there is a sandbox on this computer; it
    /// is asked only where the person allows one.
    pub(crate) fn of_task(
        desk: &Desk,
        task: TaskId,
        context: &Context,
        workspace: &Workspace,
        outgoing: &Outgoing,
        runtime: &tokio::runtime::Runtime,
    ) -> Result<Self> {
        let enclosure = match is_allowed(desk, context)? {
            false => Err(NOT_ALLOWED),
            true => sandbox(desk, workspace, outgoing, runtime)?.ok_or(NOT_HERE),
        };
        Ok(Self { enclosure, kept: kept(desk, task) })
    }

    /// The tools that a model has of it.
    pub(crate) fn tools(
        &self,
        workspace: &Workspace,
        gate: &Arc<Gate>,
        context: &Context,
        person: &Arc<dyn Person>,
    ) -> Option<Arc<dyn Tools>> {
        let enclosure = Arc::clone(self.enclosure.as_ref().ok()?);
        let (kept, workspace) = (self.kept.clone(), workspace.clone());
        Some(Arc::new(ShellTools::new(
            enclosure,
            kept,
            workspace,
            Arc::clone(gate),
            context.clone(),
            Arc::clone(person),
        )))
    }

    /// What the model is told where there is none.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        self.enclosure.as_ref().err().copied()
    }

    /// What is pending is about to be applied, which no sandbox that is open would see.
    pub(crate) fn close(&self) {
        if let Ok(enclosure) = &self.enclosure {
            enclosure.close();
        }
    }
}

/// Whether the agent may run commands in a sandbox.
pub(super) fn is_allowed(desk: &Desk, context: &Context) -> Result<bool> {
    Ok(desk.gate()?.judge(context, &Action::RunInSandbox)?.verdict == Verdict::Allow)
}

/// The sandboxes of a task.
pub(crate) fn sandboxes(desk: &Desk, workspace: &Workspace, outlet: deskhand_egress::Outlet) -> Result<Sandboxes> {
    let helper = Helper::own(&desk.home).map_err(|error| {
        Failure::failed(format!("the program of Deskhand could not be found, to make a sandbox: {error}"))
    })?;
    Ok(Sandboxes { workspace: workspace.clone(), helper, place: desk.home.sandboxes(), outlet })
}

fn sandbox(
    desk: &Desk,
    workspace: &Workspace,
    outgoing: &Outgoing,
    runtime: &tokio::runtime::Runtime,
) -> Result<Option<Arc<dyn Enclosure>>> {
    let sandboxes = sandboxes(desk, workspace, outgoing.pages())?;
    if crate::sandbox::available(desk).is_err() {
        return Ok(None);
    }
    let handle: Handle = runtime.handle().clone();
    let waiting = Arc::<Waiting>::clone(&desk.waiting);
    Ok(Some(Arc::new(OnHost::new(sandboxes, handle, move || waiting.total()))))
}
