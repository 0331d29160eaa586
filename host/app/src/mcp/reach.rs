//! How MCP servers are reached: those of a task, and one that a command of the person is about.

use super::declared::{Declared, all};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{Stored, Whose},
    mcp::login::{Agreed, LoginStore},
    outgoing::{Outgoing, Purpose},
    sandbox::kept,
};
use deskhand_confine::Helper;
use deskhand_egress::{Secret, Url};
use deskhand_mcp::client::{McpError, Offer, Opening, Parts, Sandbox, Secrets, Server, ServerConfig, Session, Within};
use deskhand_models::Keys as _;
use deskhand_permissions::{
    Context, Refused, Standing,
    effect::{ConfineServer, Connect, StartServer},
};
use deskhand_records::Records;
use deskhand_tools::TaskHost;
use deskhand_vocabulary::{ServerName, TaskId, Unanswered};
use deskhand_workspace::Workspace;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// The servers of one task, or of a command.
pub(crate) type Servers = Arc<[Arc<Server>]>;

/// All servers, for a task in this workspace, but for those that still need something of the person. None is started before it is
/// needed.
pub(crate) fn of_task(desk: &Desk, task: TaskId, workspace: &Workspace, outgoing: &Outgoing) -> Result<Servers> {
    let servers: Vec<Declared> = all(desk)?.into_values().filter(|server| server.lacks.is_empty()).collect();
    if servers.is_empty() {
        return Ok(Arc::new([]));
    }
    let folders = workspace.folders().into_iter();
    // a folder of a task has a whole path, which is what an address needs
    let roots =
        folders.filter_map(|folder| Some((Url::from_file_path(folder.path).ok()?.into(), folder.name.to_string())));
    let roots = roots.collect();
    let host = Arc::new(host(desk, Some(task), roots)?);
    let sandbox = Arc::new(sandbox(desk, Some((task, workspace.clone())), outgoing)?);
    let standing = || (Arc::clone(&host), Arc::clone(&sandbox));
    servers.into_iter().map(|one| server(desk, one.name, &one.config, outgoing, standing())).collect()
}

/// The sandbox of programs: with the folders of a task, or with none for a command of the person.
fn sandbox(desk: &Desk, of: Option<(TaskId, Workspace)>, outgoing: &Outgoing) -> Result<Sandbox> {
    let helper = Helper::own(&desk.home).map_err(unfound)?;
    let outlet = Box::new(outgoing.of_servers());
    let (layers, homes) = (desk.home.sandboxes(), desk.home.servers());
    let kept = of.as_ref().map(|(task, _)| kept(desk, *task));
    let workspace = of.map(|(_, workspace)| workspace);
    Ok(Sandbox::new(Within { helper, layers, homes, kept, workspace, outlet }))
}

fn unfound(error: std::io::Error) -> Failure {
    Failure::failed(format!("the program of Deskhand could not be found, to watch over servers: {error}"))
}

fn host(desk: &Desk, task: Option<TaskId>, roots: Vec<(String, String)>) -> Result<TaskHost> {
    Ok(TaskHost {
        gate: Arc::clone(desk.gate()?),
        task,
        person: Arc::clone(&desk.person),
        log: Arc::<Records>::clone(desk.records()?),
        roots,
    })
}

fn server(
    desk: &Desk,
    name: ServerName,
    config: &ServerConfig,
    outgoing: &Outgoing,
    (host, sandbox): (Arc<TaskHost>, Arc<Sandbox>),
) -> Result<Arc<Server>> {
    let purpose = Purpose::Server { host: config.host().unwrap_or_default() };
    let parts = Parts {
        host,
        secrets: Arc::new(Kept(Stored::of(&desk.home, Whose::Servers))),
        outlet: outgoing.outlet(purpose),
        login: login(desk, &name, config, outgoing),
        watcher: std::env::current_exe().map_err(unfound)?,
        path: std::env::var_os("PATH"),
        sandbox,
    };
    Ok(Server::new(name, config.clone(), parts))
}

/// The login to a server at an address that has no key.
fn login(desk: &Desk, name: &ServerName, config: &ServerConfig, outgoing: &Outgoing) -> Option<Session> {
    let url = config.url.clone().filter(|_| config.key.is_none())?;
    let store = LoginStore::of(&desk.home);
    let outlet = outgoing.login(Arc::new(Agreed { store: store.clone(), server: name.clone() }));
    Some(Session::new(name.clone(), url, Arc::new(store), outlet, Arc::clone(&desk.clock)))
}

/// The keys that are kept of servers.
struct Kept(Stored);

impl Secrets for Kept {
    fn secret(&self, place: &str) -> std::result::Result<Secret, String> {
        self.0.key(place).map_err(|error| error.to_string())
    }
}

/// A server that was started for a command.
pub(super) struct Tried {
    pub(super) offer: Arc<Offer>,
    /// Who it says that it is.
    pub(super) identity: String,
    pub(super) took: Duration,
}

/// Start a server, ask it what it has, and stop it.
pub(super) fn try_out(desk: &Desk, name: &ServerName, config: &ServerConfig) -> Result<Tried> {
    let context = Context::person(None, Standing::default());
    let outgoing = Outgoing::of(desk, context.clone())?;
    let standing = (Arc::new(host(desk, None, Vec::new())?), Arc::new(sandbox(desk, None, &outgoing)?));
    let server = server(desk, name.clone(), config, &outgoing, standing)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?;
    let opening = opening(desk, &context, &server, &runtime)?;
    let begun = Instant::now();
    let tried = runtime.block_on(async {
        let offer = server.offer(opening, &desk.stop).await;
        let (took, identity) = (begun.elapsed(), server.identity().await);
        server.close().await;
        offer.map(|offer| Tried { offer, identity, took })
    });
    tried.map_err(|error| match error {
        McpError::Stopped => Failure::new(Exit::Stopped, error),
        error => Failure::failed(error),
    })
}

fn opening(desk: &Desk, context: &Context, server: &Server, runtime: &Runtime) -> Result<Opening> {
    let (gate, name, config) = (desk.gate()?, server.name(), server.config());
    if let Some(host) = config.host() {
        return Ok(Opening::Address(gate.permit(context, Connect::to(&host))?));
    }
    let why = match runtime.block_on(server.is_confined()) {
        Ok(true) => {
            return Ok(Opening::Confined(
                gate.permit(context, ConfineServer::of(name, config.setup(), &config.line()))?,
            ));
        }
        Ok(false) => "a program that runs as you".to_owned(),
        Err(unavailable) => format!("a program that would run as you ({unavailable})"),
    };
    let opened = gate.permit(context, StartServer::of(name, config.setup(), &config.line()));
    opened.map(Opening::Program).map_err(|refused| match refused {
        Refused::Unanswered(Unanswered::Absent) => Failure::new(
            Exit::Unanswered,
            format!(
                "the MCP server `{name}` is {why}, and nobody is there to agree to that, so it was not started. Agree in advance with: deskhand mcp allow {name}"
            ),
        ),
        refused => refused.into(),
    })
}
