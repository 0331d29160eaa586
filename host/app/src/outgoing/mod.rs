//! What leaves this computer for a task, or for a command of the person: decided by the gate host by host, on record, and
//! counted. There is no other way out.

mod hosts;
mod judge;
mod login;
mod record;

use crate::{
    desk::Desk,
    failure::{Failure, Result},
};
use deskhand_egress::{Egress, Outlet, Parts, Proxies, SystemLookup, SystemTimer};
use deskhand_permissions::{Context, Gate, Standing};
use deskhand_runtime::Network;
use deskhand_vocabulary::ServerName;
pub(crate) use hosts::grant as grant_hosts;
use judge::AtGate;
pub(crate) use judge::Purpose;
use login::AtLogin;
pub(crate) use login::{Agreement, site};
use record::OnRecord;
use std::sync::Arc;

/// See the module.
#[derive(Clone)]
pub(crate) struct Outgoing {
    egress: Egress,
    gate: Arc<Gate>,
    context: Context,
    record: Arc<OnRecord>,
}

impl Outgoing {
    /// For whoever acts in `context`.
    pub(crate) fn of(desk: &Desk, context: Context) -> Result<Self> {
        Self::within(desk, context, None)
    }

    /// For whoever acts in `context`, where at most so many bytes may be sent for its task.
    pub(crate) fn within(desk: &Desk, context: Context, most: Option<u64>) -> Result<Self> {
        let records = Arc::clone(desk.records()?);
        Ok(Self {
            egress: egress()?,
            gate: Arc::clone(desk.gate()?),
            record: Arc::new(OnRecord::of(records, context.task, most)?),
            context,
        })
    }

    /// A way out for one purpose. Connections are shared by all.
    pub(crate) fn outlet(&self, purpose: Purpose) -> Outlet {
        let judge = AtGate { gate: Arc::clone(&self.gate), context: self.context.clone(), purpose };
        self.egress.outlet(Arc::new(judge), Arc::<OnRecord>::clone(&self.record))
    }

    /// The way to whatever host somebody names.
    pub(crate) fn pages(&self) -> Outlet {
        self.outlet(Purpose::Page)
    }

    /// The way to pages for somebody else who acts in the task.
    pub(crate) fn pages_for(&self, context: Context) -> Outlet {
        let judge = AtGate { gate: Arc::clone(&self.gate), context, purpose: Purpose::Page };
        self.egress.outlet(Arc::new(judge), Arc::<OnRecord>::clone(&self.record))
    }

    /// The way out of the programs of MCP servers: each host is decided on for the server that wants to send to it.
    pub(crate) fn of_servers(&self) -> impl Fn(&ServerName) -> Outlet + Send + Sync + 'static {
        let own = self.clone();
        move |server| {
            let context = Context { task: own.context.task, ..Context::of_server(server.clone()) };
            own.pages_for(context)
        }
    }

    /// The way out for a login of the person's, to the hosts that they agreed to for it.
    pub(crate) fn login(&self, agreement: Arc<dyn Agreement>) -> Outlet {
        let context = Context::person(self.context.task, Standing::default());
        let judge = AtLogin { gate: Arc::clone(&self.gate), context, agreement };
        self.egress.outlet(Arc::new(judge), Arc::<OnRecord>::clone(&self.record))
    }

    /// The way out for plugins: the runtime has each of their requests decided.
    pub(crate) fn network(&self) -> Network {
        Network { egress: self.egress.clone(), recorder: Arc::<OnRecord>::clone(&self.record) }
    }

    /// How many bytes left for the task until now, in whichever process.
    pub(crate) fn sent(&self) -> u64 {
        self.record.sent()
    }
}

/// The way out, with the proxies that the environment names.
fn egress() -> Result<Egress> {
    let proxies = Proxies::from_environment(|name| std::env::var(name).ok()).map_err(Failure::failed)?;
    Ok(Egress::new(Parts {
        proxies,
        lookup: Arc::new(SystemLookup),
        timer: Arc::new(SystemTimer::default()),
        user_agent: concat!("deskhand/", env!("CARGO_PKG_VERSION")).to_owned(),
    }))
}
