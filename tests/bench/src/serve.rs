//! Serving another program over its standard streams: a tool of an installed component that says what it hears, beside the same
//! tool on the official SDKs for Node and Python.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    house::{House, config},
    place::{Place, most_resident},
};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

/// The bytes that are said.
const LONG: usize = 255;
/// Starts of each server.
const STARTS: usize = 21;
/// Blocks of calls, and calls in each.
const BLOCKS: usize = 40;
const BLOCK: usize = 50;

/// A server at the other end of its standard streams.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What the tool is called there.
    tool: &'static str,
    next: u64,
    line: String,
}

impl Server {
    fn start(mut command: Command, tool: &'static str) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        let (input, output) = (child.stdin.take().context("no input")?, child.stdout.take().context("no output")?);
        let mut server = Self { child, input, output: BufReader::new(output), tool, next: 0, line: String::new() };
        let about = json!({"name": "deskhand-bench", "version": "1"});
        server.ask("initialize", &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}))?;
        server.input.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")?;
        Ok(server)
    }

    /// Ask something; the answer stands in `line` then.
    fn ask(&mut self, method: &str, params: &Value) -> Result<()> {
        self.next += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        self.input.write_all(format!("{request}\n").as_bytes())?;
        loop {
            self.line.clear();
            ensure!(self.output.read_line(&mut self.line)? > 0, "the server has ended in {method}");
            // a notice on the way has a method of its own
            if !self.line.contains("\"method\"") {
                return Ok(());
            }
        }
    }

    /// Have it say this.
    fn say(&mut self, text: &str) -> Result<()> {
        self.ask("tools/call", &json!({"name": self.tool, "arguments": {"text": text}}))
    }

    /// Whether the last answer says it.
    fn has_said(&self, text: &str) -> Result<()> {
        let answer: Value = serde_json::from_str(&self.line)?;
        let content = answer["result"]["content"].as_array().map_or(&[][..], Vec::as_slice);
        let said = content.iter().any(|one| one["text"].as_str().is_some_and(|said| said.contains(text)));
        ensure!(said, "it did not say it: {answer}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it would end by itself with its input
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was measured of a server.
#[derive(Default)]
struct Came {
    first: Samples,
    warm: Samples,
    resident: Samples,
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let home = place.home("serve")?;
    let house = House::open(&home, config(place))?;
    house.install(&"home:echo".parse()?, &fs::read(&place.echo)?)?;
    drop(house);
    let peers = &place.peers;
    ensure!(peers.join("done").exists(), "{} is not there; `make bench` makes all that is needed", peers.display());
    // its modules are looked for beside it
    let script = peers.join("echo.mjs");
    fs::copy(place.source("tests/bench/peers/echo.mjs"), &script)?;
    let ours = || {
        let mut command = place.deskhand(&home);
        command.args(["mcp", "serve", "--client", "bench"]);
        Server::start(command, "echo__say")
    };
    let node = || Server::start(of("node", &script), "say");
    let python =
        || Server::start(of(peers.join("python/bin/python"), &place.source("tests/bench/peers/echo.py")), "say");
    let kinds: [&dyn Fn() -> Result<Server>; 3] = [&ours, &node, &python];
    let text = "x".repeat(LONG);
    let mut came = [(); 3].map(|()| Came::default());
    for round in 0..=STARTS {
        for (start, came) in kinds.iter().zip(&mut came) {
            let begun = Instant::now();
            let mut server = start()?;
            server.say(&text)?;
            let span = begun.elapsed().as_secs_f64() * 1e3;
            server.has_said(&text)?;
            // what the first one brings into the caches of the system is there for the others
            if round > 0 {
                came.first.add(span);
            }
        }
    }
    let mut servers = Vec::new();
    for start in kinds {
        servers.push(start()?);
    }
    for block in 0..=BLOCKS {
        for (server, came) in servers.iter_mut().zip(&mut came) {
            for _ in 0..BLOCK {
                let begun = Instant::now();
                server.say(&text)?;
                let span = begun.elapsed().as_secs_f64() * 1e6;
                server.has_said(&text)?;
                if block > 0 {
                    came.warm.add(span);
                }
            }
        }
    }
    for (server, came) in servers.iter().zip(&mut came) {
        came.resident.add(most_resident(server.child.id())?);
    }
    Ok(figures(&came))
}

fn of(program: impl AsRef<Path>, script: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.arg(script);
    command
}

fn figures([ours, node, python]: &[Came; 3]) -> Vec<Figure> {
    let both = |name: &str, unit, of: fn(&Came) -> &Samples, part, bar| {
        let figure = |name: &str, bar| Figure::new(name, unit, of(ours).clone(), bar).part(part);
        [
            figure(name, bar).beside("the SDK for Node", of(node).clone()),
            figure("  the same", Bar::None).beside("the SDK for Python", of(python).clone()),
        ]
    };
    [
        both("mcp serve, a tool says 255 bytes, p50", Unit::Microseconds, |came| &came.warm, 0.5, Bar::Most(150.0)),
        both("mcp serve, a tool says 255 bytes, p99", Unit::Microseconds, |came| &came.warm, 0.99, Bar::None),
        both("mcp serve, start to the first answer", Unit::Milliseconds, |came| &came.first, 0.5, Bar::Most(60.0)),
        both("mcp serve, resident", Unit::Megabytes, |came| &came.resident, 0.5, Bar::Most(40.0)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
