//! Where the commands of a task run, or why there is no such place.

use super::{
    built::built,
    guest::{OnGuest, Parts},
};
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    outgoing::Outgoing,
    person::Waiting,
    sandbox::kept,
    settings::Vm,
};
use deskhand_agent::tool::Tools;
use deskhand_confine::{Helper, Kept};
use deskhand_permissions::{Context, Gate, Verdict};
use deskhand_tools::{
    sandbox::Sandboxes,
    shell::{Enclosure, OnHost, ShellTools},
};
use deskhand_vm_bridge::{Bridge, Qemu, Size, Snapshots, VmError};
use deskhand_vm_image::Store;
use deskhand_vocabulary::{Action, Home, Notice, Person, Principal, Sha256, TaskId};
use deskhand_workspace::Workspace;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// See the module.
pub(crate) struct Shelter {
    enclosure: std::result::Result<Arc<dyn Enclosure>, &'static str>,
    /// Whether it is a guest whose image is without what the settings name.
    is_behind: bool,
    kept: Kept,
}

/// The folder of guests as they were saved, beside the images.
pub(super) const SNAPSHOTS: &str = "snapshots";

/// Why there is none, for the model.
const NOT_ALLOWED: &str = "no shell: the person has not allowed one";
const NOT_HERE: &str = "no shell: this computer has no sandbox";
/// What there is instead of all that the person wants, likewise.
const BEHIND: &str =
    "a shell without the packages of `vm.packages`, until the person builds the image again: deskhand vm build";

/// The same for the person.
pub(super) const TOLD: &str =
    "Commands run without the packages that `vm.packages` names. Build the image of the guest again: deskhand vm build";

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
        let enclosure = match guest(desk, workspace, outgoing, runtime)? {
            Some(guest) => Ok(guest),
            None => match is_allowed(desk, context)? {
                false => Err(NOT_ALLOWED),
                true => sandbox(desk, workspace, outgoing, runtime)?.ok_or(NOT_HERE),
            },
        };
        let is_behind = built(desk)?.is_some_and(|built| built.is_behind) && Qemu::is_there();
        if is_behind {
            desk.person.tell(&Notice { origin: Principal::Person, text: TOLD.to_owned() });
        }
        Ok(Self { enclosure, is_behind, kept: kept(desk, task) })
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

    /// What the model is told where there is none, or less than the person wants.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        self.enclosure.as_ref().err().copied().or(self.is_behind.then_some(BEHIND))
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

/// A guest of the task, where the person built an image and there is what runs it. It is not started before it is needed.
fn guest(
    desk: &Desk,
    workspace: &Workspace,
    outgoing: &Outgoing,
    runtime: &tokio::runtime::Runtime,
) -> Result<Option<Arc<dyn Enclosure>>> {
    let Some(image) = image(desk)?.filter(|_| Qemu::is_there()) else { return Ok(None) };
    let (home, waiting) = (desk.home.clone(), Arc::<Waiting>::clone(&desk.waiting));
    let vm = desk.settings.vm.clone();
    let (memory, idle) = (memory_of_jobs(&vm), Duration::from_secs(vm.idle_seconds.into()));
    Ok(Some(Arc::new(OnGuest::new(Parts {
        find: Box::new(move || bridge(&home, &vm, image)),
        workspace: workspace.clone(),
        place: desk.home.sandboxes(),
        outlet: outgoing.pages(),
        handle: runtime.handle().clone(),
        waited: Box::new(move || waiting.total()),
        memory,
        idle,
    }))))
}

/// The image that guests start from, where it is built.
pub(super) fn image(desk: &Desk) -> Result<Option<Sha256>> {
    Ok(built(desk)?.map(|built| built.digest))
}

/// What makes guests from it. It is tried what runs them, which takes up to a tenth of a second.
pub(super) fn bridge(home: &Home, vm: &Vm, image: Sha256) -> std::result::Result<Bridge, VmError> {
    let qemu = Qemu::find()?;
    let images = Store::open(home.guests())?;
    let snapshots = Snapshots::open(home.guests().join(SNAPSHOTS))?;
    let size = Size { memory: vm.memory_mib, scratch: vm.disk_gib };
    Ok(Bridge::new(Box::new(qemu), images, image, snapshots).sized(size))
}

/// Bytes of memory that jobs have of a guest: all but what its kernel and its agent need.
pub(super) fn memory_of_jobs(vm: &Vm) -> u64 {
    u64::from(vm.memory_mib.saturating_sub(256)) << 20
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
