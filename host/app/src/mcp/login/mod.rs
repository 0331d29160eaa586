//! `deskhand mcp login` and `deskhand mcp logout`, and where logins are kept.

mod agree;
mod browser;
mod logout;
mod store;

pub(super) use logout::{Ended, end, run as logout};
pub(crate) use store::{Agreed, Known, LoginStore};

use super::{declared::Declared, named::named};
use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{Place, Stored, Whose},
    outgoing::{Agreement as _, Outgoing},
    output,
    show::{line, list},
};
use agree::Agreeing;
use deskhand_egress::{EgressError, Judgement};
use deskhand_mcp::client::{
    Login, LoginError, ServerConfig,
    login::{Asking, Client, Wanted},
};
use deskhand_models::Keys as _;
use deskhand_permissions::{Context, Standing};
use deskhand_vocabulary::{Entry, Event, Log as _, ServerName, host::is_here};
use serde_json::json;
use std::{sync::Arc, time::Duration};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What you call the server
    name: String,
    /// Open no browser: open the address yourself
    #[arg(long)]
    no_browser: bool,
    /// What the login is to allow beside what it allows now; without it, what the server asks for. Can be given several times
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A host that you know and log in at, so that you are not asked about it; on this computer with its port. Can be given several times
    #[arg(long, value_name = "HOST")]
    at: Vec<String>,
    /// How long to wait for you to come back from the browser
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    within: u64,
    /// Keep the login in a file that only you can read instead of the system's keyring
    #[arg(long)]
    in_file: bool,
    #[command(flatten)]
    json: Json,
}

pub(super) fn run(options: &Options) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let Declared { name, config, .. } = named(&desk, &options.name)?;
    let config = &config;
    let Some(own) = config.host_and_port().filter(|_| config.key.is_none()) else {
        return Err(no_login(&name, config));
    };
    if let Some(host) = options.at.iter().find(|host| is_here(host)) {
        return Err(no_port(&name, host));
    }
    let agreeing = Arc::new(Agreeing::new(name.clone(), own, &options.at, Arc::clone(&desk.person)));
    let store = LoginStore::of(&desk.home);
    let wanted = Wanted { config, client: client(&desk, config)?, scopes: scopes(options, &store, &name)? };
    let outgoing = Outgoing::of(&desk, Context::person(None, Standing::default()))?;
    let outlet = outgoing.login(Arc::<Agreeing>::clone(&agreeing));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?;
    let failed = |error: LoginError| not_logged_in(&name, &error);
    let login = runtime.block_on(async {
        let asking = stoppable(&desk, Asking::begin(wanted, outlet)).await.map_err(failed)?;
        for (host, port) in asking.hosts().map_err(failed)? {
            agreed(&agreeing, &name, host, port)?;
        }
        show(options, &name, asking.address());
        asking.finish(Duration::from_secs(options.within), &*desk.clock, &desk.stop).await.map_err(failed)
    })?;
    let place = store.add(&name, &login, &agreeing.agreed(), options.in_file).map_err(Failure::failed)?;
    record(&desk, &name, "logged-in")?;
    tell(options, &name, &login, &place, &store);
    Ok(Exit::Done)
}

/// The first of what comes and that the person stops it.
async fn stoppable<T>(
    desk: &Desk,
    work: impl Future<Output = std::result::Result<T, LoginError>>,
) -> std::result::Result<T, LoginError> {
    let stopped = async {
        while !desk.stop.is_stopped() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = stopped => Err(LoginError::Stopped),
    }
}

fn no_login(name: &ServerName, config: &ServerConfig) -> Failure {
    let why = match config.key {
        Some(_) => {
            format!("is given a key, and so takes no login. Without it: deskhand mcp remove {name}, and add it anew")
        }
        None => "is a program on this computer, which takes no login".to_owned(),
    };
    Failure::usage(format!("the MCP server `{name}` {why}"))
}

fn no_port(name: &ServerName, host: &str) -> Failure {
    let host = line(host);
    Failure::usage(format!(
        "`{host}` is this computer, where another program is at each port. Name the port as well, as in: deskhand mcp login {name} --at {host}:8080"
    ))
}

/// The client that stands in the settings.
fn client(desk: &Desk, config: &ServerConfig) -> Result<Option<Client>> {
    let Some(id) = config.client_id.clone() else { return Ok(None) };
    let kept = Stored::of(&desk.home, Whose::Servers);
    let secret = config.client_secret.as_deref().map(|place| kept.key(place)).transpose();
    let secret = secret.map_err(|error| Failure::failed(format!("nothing was begun: {error}")))?;
    Ok(Some(Client { id, secret }))
}

/// What is asked for by name: what the login allows now, and what the person names.
fn scopes(options: &Options, store: &LoginStore, name: &ServerName) -> Result<Vec<String>> {
    let named = options.scope.iter().flat_map(|scope| scope.split_whitespace()).map(str::to_owned);
    let mut scopes: Vec<String> = named.collect();
    if !scopes.is_empty() {
        let known = store.known(name).map_err(Failure::failed)?.unwrap_or_default();
        let had = known.scopes.into_iter().filter(|scope| !scopes.contains(scope)).collect::<Vec<_>>();
        scopes.splice(0..0, had);
    }
    Ok(scopes)
}

/// Nothing is opened at a host that the person did not agree to.
fn agreed(agreeing: &Agreeing, name: &ServerName, host: String, port: u16) -> Result<()> {
    match agreeing.to(&host, port) {
        Judgement::Allowed(_) => Ok(()),
        Judgement::Refused { reason } => Err(not_logged_in(name, &EgressError::Refused { host, reason }.into())),
        Judgement::Waits { reason } => Err(not_logged_in(name, &EgressError::Waits { host, reason }.into())),
    }
}

fn not_logged_in(name: &ServerName, error: &LoginError) -> Failure {
    let exit = match error {
        LoginError::Egress(EgressError::Waits { .. }) | LoginError::Late { .. } => Exit::Unanswered,
        LoginError::Egress(EgressError::Refused { .. }) => Exit::Declined,
        LoginError::Stopped => Exit::Stopped,
        _ => Exit::Failed,
    };
    let more = match error {
        LoginError::Egress(EgressError::NotPublic { host, .. }) => {
            format!(": deskhand mcp login {name} --at {}", line(host))
        }
        _ => String::new(),
    };
    Failure::new(exit, format!("you are not logged in to the MCP server `{name}`: {error}{more}"))
}

/// Show the address, and open it where that can be.
fn show(options: &Options, name: &ServerName, address: &str) {
    if options.json.json {
        output::text(&format!("{}\n", json!({"name": name, "open": address})));
        return;
    }
    let opened = !options.no_browser && browser::open(address);
    let what = if opened {
        "Your browser opens this address; if not, open it yourself"
    } else {
        "Open this address in a browser"
    };
    output::text(&format!("{what}, and log in to `{name}` there:\n{}\n", line(address)));
    output::aside(&format!("Deskhand waits for you to come back, at most {} s. Ctrl-C ends it.", options.within));
}

fn tell(options: &Options, name: &ServerName, login: &Login, place: &Place, store: &LoginStore) {
    if options.json.json {
        let done = json!({"name": name, "logged_in": true, "at": login.at(), "scopes": login.scopes});
        output::text(&format!("{done}\n"));
        return;
    }
    let may = match login.scopes.is_empty() {
        true => String::new(),
        false => format!(
            " It allows {}.",
            list(&login.scopes.iter().map(|scope| format!("`{}`", line(scope))).collect::<Vec<_>>())
        ),
    };
    let lies = match place {
        Place::File(_) => {
            let why = if options.in_file { "It" } else { "No keyring answers here, so it" };
            format!("{why} lies in {}, which only you can read.", store.file().display())
        }
        Place::Keyring(_) | Place::Environment(_) => "It lies in the system's keyring.".to_owned(),
    };
    output::text(&format!(
        "You are logged in to `{name}`, by {}.{may}\n{lies}\nTry it with: deskhand mcp test {name}\n",
        line(&login.at())
    ));
}

/// What became of a login, on record.
fn record(desk: &Desk, name: &ServerName, change: &str) -> Result<()> {
    let event = Event::Server { server: name.clone(), change: change.to_owned(), micros: 0 };
    desk.records()?.append(Entry { task: None, event, content: None })?;
    Ok(())
}
