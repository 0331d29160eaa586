//! `deskhand mcp serve`: what is installed and granted, for a program of the person's.

mod catalogue;
mod client;
mod files;
mod parked;
mod prompts;
mod session;
mod task;
mod token;

pub(crate) use client::Client;
pub(crate) use parked::go_on;
pub(super) use token::tokens;

use crate::{
    agent::Folder,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output, person, show,
};
use deskhand_mcp::server::{NotServed, Offer, Open, http, serve_stdio};
use deskhand_records::Records;
use deskhand_vocabulary::{ClientName, Log, Person};
use session::Session;
use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What you call the program that is served: questions, the record and `deskhand why` name it so
    #[arg(long, value_name = "NAME")]
    client: ClientName,
    /// A folder that it may work on. Can be given several times
    #[arg(long, short, value_name = "FOLDER")]
    folder: Vec<PathBuf>,
    /// Keep the grants of these folders for later tasks
    #[arg(long, requires = "folder")]
    always: bool,
    /// Let the folders only be read
    #[arg(long, requires = "folder")]
    read_only: bool,
    /// Serve over HTTP on this computer instead of standard input and output; without a port, one that is free
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0")]
    http: Option<u16>,
    /// Make another token; the one before holds no more
    #[arg(long, requires = "http")]
    new_token: bool,
}

impl Options {
    fn client(&self) -> Client {
        Client {
            name: self.client.clone(),
            says: String::new(),
            folders: self.folder.iter().map(|folder| Folder::of(folder)).collect(),
            read_only: self.read_only,
        }
    }
}

pub(crate) fn run(options: &Options) -> Result {
    let desk = Arc::new(Desk::open(false)?);
    desk.stop_on_interrupt();
    desk.recover()?;
    missing(&options.folder)?;
    // one thread for all that waits; calls have threads of their own
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()
        .map_err(Failure::no_thread)?;
    let served = runtime.block_on(async {
        let stopped = Arc::new(Notify::new());
        let watching = tokio::spawn(watch(Arc::clone(&desk), Arc::clone(&stopped)));
        let served = match options.http {
            Some(port) => over_http(&desk, options, port, &stopped).await,
            None => over_stdio(&desk, options, &stopped).await,
        };
        watching.abort();
        served
    });
    // a call that does not look up is not waited for
    runtime.shutdown_timeout(Duration::from_millis(500));
    served
}

async fn over_stdio(desk: &Arc<Desk>, options: &Options, stopped: &Notify) -> Result {
    let served = serve_stdio(&opener(desk, options, None), stopped).await;
    served.map_err(|error| Failure::failed(format!("the client does not speak as the protocol says: {error}")))?;
    Ok(Exit::Done)
}

async fn over_http(desk: &Arc<Desk>, options: &Options, port: u16, stopped: &Notify) -> Result {
    let client = &options.client;
    let path = token::kept_in(&desk.home, client, options.new_token)?;
    let not_heard = |error: std::io::Error| {
        Failure::failed(format!("nothing can be served at port {port}: {error}. Choose another, or none: --http"))
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(not_heard)?;
    let address = listener.local_addr().map_err(not_heard)?;
    output::text(&format!(
        "The client {client} is served at http://{address}{}\nIts token is in {}\nStop with Ctrl-C.\n",
        http::PATH,
        show::line(&path.display().to_string())
    ));
    // whoever has started this in a terminal can be asked there
    let here = Arc::clone(&desk.person);
    let token = Arc::new(move || token::held(&path));
    let served = http::serve(listener, token, opener(desk, options, Some(here)), stopped).await;
    served.map_err(not_heard)?;
    Ok(Exit::Done)
}

/// The most threads for calls at once, of all sessions.
const THREADS: usize = 64;
/// How often it is looked whether the person has pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(200);

async fn watch(desk: Arc<Desk>, stopped: Arc<Notify>) {
    while !desk.stop.is_stopped() {
        tokio::time::sleep(LOOK).await;
    }
    stopped.notify_one();
}

/// A folder that is not there is told of at once, not at the first call.
fn missing(folders: &[PathBuf]) -> Result<()> {
    match folders.iter().find(|folder| !folder.is_dir()) {
        Some(folder) => Err(Failure::usage(format!(
            "{} is no folder. Check the spelling in the settings of the program that starts this",
            show::line(&folder.display().to_string())
        ))),
        None => Ok(()),
    }
}

/// Makes sessions at this desk; `here` is who may be at its terminal.
fn opener(desk: &Arc<Desk>, options: &Options, here: Option<Arc<dyn Person>>) -> Open {
    let (desk, client, always) = (Arc::clone(desk), options.client(), options.always);
    let open = move |asking| -> Result<Arc<dyn Offer>> {
        let log: Arc<dyn Log> = Arc::<Records>::clone(desk.records()?);
        let person = Arc::new(person::Client::new(asking, here.clone(), log));
        let seat =
            desk.beside(desk.settings.clone(), desk.stop.part(), |_| Arc::<person::Client>::clone(&person) as _)?;
        Ok(Arc::new(Session::new(seat, client.clone(), always, person)))
    };
    Arc::new(move |asking| open(asking).map_err(|failure| NotServed::Failed(failure.message)))
}
