//! What plugins of a task are called with.

use crate::{configuration, credentials::Connected, desk::Desk, failure::Result, outgoing::Outgoing, vm};
use deskhand_permissions::Standing;
use deskhand_records::Records;
use deskhand_runtime::{Invocation, Services};
use deskhand_vocabulary::TaskId;
use deskhand_workspace::Workspace;
use std::sync::Arc;

/// What plugins are served with wherever they are called: the network, what the person connected, places for programs.
pub(crate) fn services(desk: &Desk, outgoing: &Outgoing) -> Result<Services> {
    Ok(Services {
        network: Some(outgoing.network()),
        credentials: Some(Arc::new(Connected::of(&desk.home))),
        places: Some(vm::places(desk)?),
        ..Services::default()
    })
}

/// For the plugins of a task in this workspace, served with what `services` holds.
pub(crate) fn invocation(
    desk: &Desk,
    task: TaskId,
    workspace: Workspace,
    standing: Standing,
    services: Services,
) -> Result<Invocation> {
    let records = Arc::clone(desk.records()?);
    let configurations =
        configuration::configurations(&desk.settings.plugins, &*desk.plugins()?, &desk.home.config_file())?;
    Ok(Invocation {
        task,
        workspace,
        gate: Arc::clone(desk.gate()?),
        standing,
        person: Arc::clone(&desk.person),
        log: Arc::<Records>::clone(&records),
        records,
        clock: Arc::clone(&desk.clock),
        stop: desk.stop.clone(),
        locale: crate::locale::find(),
        configurations: Arc::new(configurations),
        services,
    })
}
