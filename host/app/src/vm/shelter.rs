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
    sandbox::{Confines, kept, tried},
    settings::Vm,
};
use deskhand_agent::tool::Tools;
use deskhand_confine::{Extent, Helper, Kept};
use deskhand_egress::Outlet;
use deskhand_permissions::{Context, Gate, Verdict};
use deskhand_runtime::{Code, Places, Refused};
use deskhand_tools::{
    sandbox::Sandboxes,
    shell::{Enclosure, OnHost, Programs, ShellTools, Within},
};
use deskhand_vm_bridge::{Bridge, Qemu, Size, Snapshots, VmError};
use deskhand_vm_image::Store;
use deskhand_vocabulary::{Action, Home, Notice, Person, Principal, Sha256, TaskId};
use deskhand_workspace::Workspace;
use std::{sync::Arc, time::Duration};

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
    /// Of a task in this workspace, whose agent acts in `context`. Whether there is a sandbox on this computer is tried only
    /// where the person allows one.
    pub(crate) fn of_task(
        desk: &Desk,
        task: TaskId,
        context: &Context,
        workspace: &Workspace,
        outgoing: &Outgoing,
        runtime: &tokio::runtime::Runtime,
    ) -> Result<Self> {
        let enclosure = Site::of(desk)?.enclosure(Within {
            context: context.clone(),
            workspace: workspace.clone(),
            extent: Extent::Remove,
            outlet: outgoing.pages(),
            handle: runtime.handle().clone(),
        })?;
        let is_behind = built(&desk.home, &desk.settings.vm)?.is_some_and(|built| built.is_behind) && Qemu::is_there();
        if is_behind {
            desk.person.tell(&Notice { origin: Principal::Person, text: TOLD.to_owned() });
        }
        Ok(Self { enclosure: enclosure.map_err(Missing::for_model), is_behind, kept: kept(desk, task) })
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

/// The places of programs of plugins: as that of the commands of an agent, each call's its own.
pub(crate) fn places(desk: &Desk) -> Result<Arc<dyn Places>> {
    let site = Site::of(desk)?;
    Ok(Arc::new(Programs::new(move |within| match site.enclosure(within) {
        Ok(enclosure) => enclosure.map_err(|missing| Refused::new(Code::Unavailable, missing.for_plugin())),
        Err(failure) => Err(Refused::new(Code::Unavailable, failure.message)),
    })))
}

/// What it takes to make enclosures.
struct Site {
    home: Home,
    vm: Vm,
    gate: Arc<Gate>,
    waiting: Arc<Waiting>,
    confines: Arc<Confines>,
}

/// Why there is no enclosure.
#[derive(Clone, Copy)]
enum Missing {
    NotAllowed,
    NotHere,
}

impl Missing {
    const fn for_model(self) -> &'static str {
        match self {
            Self::NotAllowed => NOT_ALLOWED,
            Self::NotHere => NOT_HERE,
        }
    }

    const fn for_plugin(self) -> &'static str {
        match self {
            Self::NotAllowed => {
                "no program can be run: the person has built no virtual machine (deskhand vm build) and allowed no sandbox \
                 (deskhand vm allow)"
            }
            Self::NotHere => "no program can be run: this computer has no sandbox (deskhand doctor says why)",
        }
    }
}

impl Site {
    fn of(desk: &Desk) -> Result<Self> {
        Ok(Self {
            home: desk.home.clone(),
            vm: desk.settings.vm.clone(),
            gate: Arc::clone(desk.gate()?),
            waiting: Arc::<Waiting>::clone(&desk.waiting),
            confines: Arc::clone(&desk.confines),
        })
    }

    /// A guest, where an image is built; else a sandbox, where the person allows it; else why there is none.
    fn enclosure(&self, within: Within) -> Result<std::result::Result<Arc<dyn Enclosure>, Missing>> {
        if let Some(image) = image(&self.home, &self.vm)?.filter(|_| Qemu::is_there()) {
            return Ok(Ok(self.guest(image, within)));
        }
        // what the person said of the place they said for whoever runs something there
        let of_place = Context { principal: Principal::Agent, ..within.context.clone() };
        if !is_allowed(&self.gate, &of_place)? {
            return Ok(Err(Missing::NotAllowed));
        }
        if tried(&self.home, &self.confines).is_err() {
            return Ok(Err(Missing::NotHere));
        }
        self.sandbox(within).map(Ok)
    }

    /// A guest, which is not started before it is needed.
    fn guest(&self, image: Sha256, within: Within) -> Arc<dyn Enclosure> {
        let Within { workspace, extent, outlet, handle, .. } = within;
        let (home, waiting, vm) = (self.home.clone(), Arc::<Waiting>::clone(&self.waiting), self.vm.clone());
        let (memory, idle) = (memory_of_jobs(&vm), Duration::from_secs(vm.idle_seconds.into()));
        Arc::new(OnGuest::new(Parts {
            find: Box::new(move || bridge(&home, &vm, image)),
            workspace,
            extent,
            place: self.home.sandboxes(),
            outlet,
            handle,
            waited: Box::new(move || waiting.total()),
            memory,
            idle,
        }))
    }

    fn sandbox(&self, within: Within) -> Result<Arc<dyn Enclosure>> {
        let Within { workspace, extent, outlet, handle, .. } = within;
        let sandboxes = sandboxes(&self.home, (workspace, extent), outlet)?;
        let waiting = Arc::<Waiting>::clone(&self.waiting);
        Ok(Arc::new(OnHost::new(sandboxes, handle, move || waiting.total())))
    }
}

/// The sandboxes of a task, with its folders so far.
pub(crate) fn sandboxes(home: &Home, (workspace, extent): (Workspace, Extent), outlet: Outlet) -> Result<Sandboxes> {
    let helper = Helper::own(home).map_err(|error| {
        Failure::failed(format!("the program of Deskhand could not be found, to make a sandbox: {error}"))
    })?;
    Ok(Sandboxes { workspace, extent, helper, place: home.sandboxes(), outlet })
}

/// Whether the agent may run commands in a sandbox.
pub(super) fn is_allowed(gate: &Gate, context: &Context) -> Result<bool> {
    Ok(gate.judge(context, &Action::RunInSandbox)?.verdict == Verdict::Allow)
}

/// The image that guests start from, where it is built.
pub(super) fn image(home: &Home, vm: &Vm) -> Result<Option<Sha256>> {
    Ok(built(home, vm)?.map(|built| built.digest))
}

/// What makes guests from it. It is tried what runs them, which takes up to a tenth of a second.
pub(super) fn bridge(home: &Home, vm: &Vm, image: Sha256) -> std::result::Result<Bridge, VmError> {
    let qemu = Qemu::find()?;
    let images = Store::open(home.guests())?;
    let snapshots = Snapshots::open(home.guests().join(SNAPSHOTS))?;
    let size = Size { memory: vm.memory_mib, scratch: vm.disk_gib };
    Ok(Bridge::new(Box::new(qemu), images, image, snapshots).sized(size))
}

/// Bytes of memory that jobs have of a guest: all but what its kernel, its agent and an interpreter that is warm need. With less
/// left for those, a job that wants too much has its programs read anew again and again before it is ended.
pub(super) fn memory_of_jobs(vm: &Vm) -> u64 {
    u64::from(vm.memory_mib.saturating_sub(384)) << 20
}
