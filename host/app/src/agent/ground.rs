//! What models work on in a task, and with: its folders, the tools for them, the way out. The agent of the task stands on it,
//! and so does a command that a person called, where its plugin works with models.

use super::{
    delegate::Staff,
    kit::{Kit, OfPlugins},
    serving::Served,
    tiers::Tiers,
    world::World,
};
use crate::{
    desk::Desk,
    failure::Result,
    mcp::Servers,
    model::Choice,
    outgoing::{Outgoing, Purpose},
    sandbox::kept,
    task::{invocation, services},
    vm::Shelter,
};
use deskhand_agent::{
    Instruction,
    budget::{Limits, Measure},
};
use deskhand_permissions::Context;
use deskhand_records::Records;
use deskhand_tools::Calling;
use deskhand_vocabulary::TaskId;
use deskhand_workspace::Workspace;
use std::sync::Arc;
use tokio::runtime::Handle;

/// See the module.
pub(super) struct Ground<'a> {
    pub(super) desk: &'a Desk,
    pub(super) task: TaskId,
    /// Who acts.
    pub(super) context: Context,
    pub(super) workspace: Workspace,
    pub(super) outgoing: Outgoing,
    /// The MCP servers that can be used on it.
    pub(super) servers: Servers,
    /// Where commands of it run.
    pub(super) shelter: Option<Arc<Shelter>>,
    /// What the person asked for.
    pub(super) title: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) choice: &'a Choice<'a>,
    pub(super) instructions: Arc<[Instruction]>,
    pub(super) handle: Handle,
}

impl Ground<'_> {
    /// Who can be given work on it, and who serves the plugins that work on it.
    pub(super) fn staff(self) -> Result<(Arc<Staff>, Arc<Served>)> {
        let Self { desk, task, context, workspace, outgoing, servers, handle, .. } = self;
        let models = Tiers::open(desk, self.choice, &outgoing)?;
        let gate = Arc::clone(desk.gate()?);
        let world = Arc::new(World {
            workspace: workspace.clone(),
            gate: Arc::clone(&gate),
            context: context.clone(),
            person: Arc::clone(&desk.person),
            waiting: Arc::clone(&desk.waiting),
            stop: desk.stop.clone(),
            asking: desk.asking.clone(),
            outgoing,
            servers: Arc::clone(&servers),
            handle: handle.clone(),
            kept: kept(desk, task),
            shelter: self.shelter,
            title: self.title.to_owned(),
            removals: self.limits.get(Measure::Removals),
        });
        let services = services(desk, &world.outgoing)?;
        let invocation = invocation(desk, task, workspace.clone(), context.standing, services)?;
        let served = Arc::new(Served::at(0));
        let calling = Calling::new(desk.runtime()?.as_ref().clone(), invocation)?;
        let kit = Kit {
            workspace,
            gate,
            context,
            person: Arc::clone(&desk.person),
            clock: Arc::clone(&desk.clock),
            sources: Arc::default(),
            outlet: world.outgoing.outlet(Purpose::Page),
            handle: handle.clone(),
            plugins: OfPlugins::new(calling.served(Arc::<Served>::clone(&served))),
            servers,
        };
        let staff = Arc::new(Staff {
            models,
            records: Arc::<Records>::clone(desk.records()?),
            world,
            handle,
            task,
            instructions: self.instructions,
            kit,
        });
        served.by(&staff);
        Ok((staff, served))
    }
}
