//! A run of the script, by Deskhand or by the plain program, and what the server saw of it.

use super::script;
use crate::{place::Place, session::Session};
use anyhow::{Context as _, Result, ensure};
use deskhand_model_server::{Exchange, ModelServer};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(600);

/// What a run came to. Times are in milliseconds.
pub(super) struct Run {
    /// From the start of the process to the first request.
    pub(super) first: f64,
    /// For each call, from the last byte of the reply with it to the last byte of the request with its result.
    pub(super) steps: Vec<f64>,
    /// The processor time of the whole process, shared out among the calls. The system counts it in steps of 10 ms, which
    /// the plain program does not reach.
    pub(super) processor: f64,
    /// The most memory, in MB.
    pub(super) resident: f64,
    pub(super) connections: usize,
    /// The length of the first request's body, in bytes.
    pub(super) body: usize,
    /// How much of the prompts did not stand at the beginning of the request that followed, in percent.
    pub(super) changed: f64,
}

/// `deskhand run` at a terminal, everything agreed to in advance.
pub(super) fn deskhand(place: &Place, home: &Path, folder: &Path, calls: usize) -> Result<Run> {
    let server = begin(folder, calls)?;
    let settings = format!(
        "[agent]\nmodel = \"scripted\"\n[models.scripted]\nwire = \"anthropic\"\nurl = \"{}\"\nmodel = \"scripted\"\n",
        server.url()
    );
    fs::write(home.join("config/config.toml"), settings)?;
    place.settle()?;
    let mut command = place.deskhand(home);
    command.args(["run", "--yes", "--budget", "steps=100000", "--folder"]).arg(folder);
    command.arg("Take notes of what is in here.").current_dir(folder);
    let mut session = Session::start(command)?.watch();
    session.until("Undo with", LIMIT)?;
    session.succeed()?;
    let resident = session.watched() as f64 * 1024.0 / 1e6;
    ended(&server, calls, session.started, session.processor() * 1e3, resident)
}

/// The plain program.
pub(super) fn plain(place: &Place, folder: &Path, calls: usize) -> Result<Run> {
    let server = begin(folder, calls)?;
    place.settle()?;
    let started = Instant::now();
    let said = place.plain(&["agent".as_ref(), server.url().as_ref(), folder.as_os_str()])?;
    ended(&server, calls, started, said["processor"] * 1e3, said["resident"] * 1024.0 / 1e6)
}

fn begin(folder: &Path, calls: usize) -> Result<ModelServer> {
    script::clear(folder)?;
    Ok(script::server(calls))
}

fn ended(server: &ModelServer, calls: usize, started: Instant, processor: f64, resident: f64) -> Result<Run> {
    server.finish();
    let exchanges = server.exchanges();
    ensure!(exchanges.len() == calls + 1, "{} requests came instead of {}", exchanges.len(), calls + 1);
    let first = exchanges.first().context("no request")?;
    let heard = server.started() + first.heard.at;
    let steps = exchanges.windows(2).map(|pair| step(&pair[0], &pair[1])).collect::<Result<_>>()?;
    Ok(Run {
        first: (heard - started).as_secs_f64() * 1e3,
        steps,
        processor: processor / calls as f64,
        resident,
        connections: server.connections(),
        body: first.heard.body.len(),
        changed: changed(&exchanges),
    })
}

fn step(one: &Exchange, next: &Exchange) -> Result<f64> {
    let answered = one.answered.context("a reply was not written to its end")?;
    // the client can be faster than the server's own look at the clock
    Ok(next.heard.at.saturating_sub(answered).as_secs_f64() * 1e3)
}

fn changed(exchanges: &[Exchange]) -> f64 {
    let (mut sent, mut kept) = (0, 0);
    for pair in exchanges.windows(2) {
        let (one, next) = (&pair[0].heard.body, &pair[1].heard.body);
        sent += one.len();
        kept += one.iter().zip(next).take_while(|(one, next)| one == next).count();
    }
    100.0 * (sent - kept) as f64 / sent as f64
}
