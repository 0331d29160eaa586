//! What a call of a plugin costs: the first, the thousandth, one that has to be stopped; and an install.

use crate::{
    components::{self, Does},
    figure::{Bar, Figure, Samples, Unit},
    house::{House, config},
    place::Place,
};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use deskhand_runtime::{
    CallError, Config, PluginFault,
    reference::{Bare, BareCommand},
};
use deskhand_vocabulary::PluginId;
use serde_json::{Value, json};
use std::{
    io::Write as _,
    time::{Duration, Instant},
};

/// First calls of each kind.
const COLD: usize = 60;
/// Blocks of calls, and calls in each.
const BLOCKS: usize = 60;
const BLOCK: usize = 100;
const INSTALLS: usize = 5;
const RUNAWAYS: usize = 15;
/// How long a runaway may run.
const DEADLINE: Duration = Duration::from_millis(200);

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let mut figures = cold(place)?;
    figures.extend(warm(place)?);
    figures.extend(install(place)?);
    figures.push(runaway(place)?);
    Ok(figures)
}

/// The first call of a component in a process: its code is in the cache, its digest is verified, it is mapped, linked and
/// called. The engine is there already. Ours and the bare ones are different components of the same code.
fn cold(place: &Place) -> Result<Vec<Figure>> {
    let house = House::open(&place.at("cold"), config(place))?;
    let small = components::bare(place, Does::Answer)?;
    let names: Vec<Value> = (0..2 * COLD + 2).map(|number| components::smallest(&format!("small-{number}"))).collect();
    let small = house.multiply(&small, &names)?;
    let first = first_calls(&house, &small, "go", &json!({}), true)?;

    // refuses its arguments, so that nothing but the call is measured
    let large = std::fs::read(&place.organize)?;
    let manifest = serde_json::to_value(deskhand_runtime::read_manifest(&large)?)?;
    let large = without_manifest(&large)?;
    let names: Vec<Value> = (0..2 * COLD + 2)
        .map(|number| {
            let mut manifest = manifest.clone();
            manifest["plugin"]["name"] = json!(format!("large-{number}"));
            manifest
        })
        .collect();
    let large = house.multiply(&large, &names)?;
    let large = first_calls(&house, &large, "organize", &json!({"no": "such argument"}), false)?;

    let mut figures = Vec::new();
    for (name, first) in [("small component", first), ("organize.wasm", large)] {
        let figure = |name: String, samples, bar| Figure::new(name, Unit::Microseconds, samples, bar);
        figures.extend([
            figure(format!("cold call, {name}, p50"), first.whole, Bar::Most(1000.0))
                .beside("bare wasmtime", first.bare),
            figure("  the decision, on its way to the record".to_owned(), first.decision, Bar::None)
                .beside("4 KiB written and synced", first.sync),
            figure("  the rest".to_owned(), first.rest, Bar::None),
        ]);
    }
    Ok(figures)
}

/// What first calls took, in microseconds.
#[derive(Default)]
struct First {
    whole: Samples,
    /// The gate's decision, which is on its way to the record when the call is made.
    decision: Samples,
    rest: Samples,
    bare: Samples,
    /// What it takes to make anything durable here.
    sync: Samples,
}

fn first_calls(house: &House, plugins: &[PluginId], command: &str, arguments: &Value, answers: bool) -> Result<First> {
    let bare = Bare::new(&house.runtime)?;
    let mut first = First::default();
    let mut file = std::fs::File::create(house.home.data.join("synced"))?;
    let text = arguments.to_string();
    for (round, pair) in plugins.chunks_exact(2).enumerate() {
        let start = Instant::now();
        house.runtime.load_ahead(&pair[0]); // as `deskhand run` does once it knows the command
        let permit = house.permit(&pair[0], command)?;
        let decision = micros(start);
        let reply = house.call(permit, arguments);
        let whole = micros(start);
        match reply {
            Ok(_) if answers => {}
            Err(CallError::Refused { .. }) if !answers => {}
            other => bail!("{}: {other:?}", pair[0]),
        }
        let start = Instant::now();
        let answered = BareCommand::load(&bare, &pair[1])?.call(command, &text)?;
        let bare = micros(start);
        ensure!(answered == answers, "{}: answered {answered}", pair[1]);
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_all()?;
        let sync = micros(start);
        // the engine, the linkers and the log come with the first
        if round > 0 {
            first.whole.add(whole);
            first.decision.add(decision);
            first.rest.add(whole - decision);
            first.bare.add(bare);
            first.sync.add(sync);
        }
    }
    Ok(first)
}

/// A component without its manifest.
fn without_manifest(component: &[u8]) -> Result<Vec<u8>> {
    let name = b"deskhand:manifest";
    let mut at = 8;
    let mut out = component.get(..at).context("not a component")?.to_vec();
    while at < component.len() {
        let (start, id) = (at, component[at]);
        let (mut size, mut shift) = (0, 0);
        loop {
            at += 1;
            let byte = *component.get(at).context("a component that is cut off")?;
            size |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let body = at + 1;
        at = body + size;
        let content = component.get(body..at).context("a component that is cut off")?;
        // a custom section begins with the length of its name, then its name
        if id != 0 || content.get(1..=name.len()) != Some(&name[..]) {
            out.extend_from_slice(&component[start..at]);
        }
    }
    Ok(out)
}

/// Calls of components that are loaded, each with a store of its own, the gate and the record included; in blocks, in turn
/// with bare calls of the same code in the same pool.
fn warm(place: &Place) -> Result<Vec<Figure>> {
    let house = House::open(&place.at("warm"), config(place))?;
    let small = components::with_manifest(components::bare(place, Does::Answer)?, &components::smallest("warm"));
    let small: (PluginId, _, _, _) = ("home:warm".parse()?, small, "go", json!({}));
    let large = std::fs::read(&place.organize)?;
    let large = ("home:organize".parse()?, large, "organize", json!({"no": "such argument"}));
    let mut figures = Vec::new();
    for (name, (id, component, command, arguments)) in [("organize.wasm", large), ("small component", small)] {
        house.install(&id, &component)?;
        let bare = BareCommand::load(&Bare::new(&house.runtime)?, &id)?;
        let (mut ours, mut theirs) = <(Samples, Samples)>::default();
        let text = arguments.to_string();
        for block in 0..=BLOCKS {
            for _ in 0..BLOCK {
                let start = Instant::now();
                let reply = house.call(house.permit(&id, command)?, &arguments);
                let span = micros(start);
                ensure!(matches!(reply, Ok(_) | Err(CallError::Refused { .. })), "{id}: {reply:?}");
                if block > 0 {
                    ours.add(span);
                }
            }
            for _ in 0..BLOCK {
                let start = Instant::now();
                bare.call(command, &text)?;
                let span = micros(start);
                if block > 0 {
                    theirs.add(span);
                }
            }
        }
        let beside = "bare pooled wasmtime";
        let figure =
            |part: &str, bar| Figure::new(format!("warm call, {name}, {part}"), Unit::Microseconds, ours.clone(), bar);
        figures.extend([
            figure("p50", Bar::Times(1.5)).beside(beside, theirs.clone()),
            figure("p99", Bar::Most(200.0)).beside(beside, theirs.clone()).part(0.99),
        ]);
    }
    Ok(figures)
}

/// From the bytes of `organize.wasm` to its first answer, in a new home each time.
fn install(place: &Place) -> Result<Vec<Figure>> {
    let component = std::fs::read(&place.organize)?;
    let id: PluginId = "home:organize".parse()?;
    let (mut ours, mut bare) = <(Samples, Samples)>::default();
    for round in 0..INSTALLS {
        let house = House::open(&place.at(&format!("install-{round}")), config(place))?;
        let start = Instant::now();
        house.install(&id, &component)?;
        match house.call(house.permit(&id, "organize")?, &json!({"no": "such argument"})) {
            Err(CallError::Refused { .. }) => ours.add(micros(start) / 1e3),
            other => bail!("/organize: {other:?}"),
        }
        let start = Instant::now();
        let engine = wasmtime::Engine::default();
        let compiled = engine.precompile_component(&component).map_err(|error| anyhow!("{error:#}"))?;
        ensure!(!compiled.is_empty(), "nothing was compiled");
        bare.add(micros(start) / 1e3);
    }
    let name = format!("install of organize.wasm ({:.2} MB) to its first answer", component.len() as f64 / 1e6);
    Ok(vec![
        Figure::new(name, Unit::Milliseconds, ours, Bar::Most(1500.0))
            .beside("wasmtime compiles it in this process", bare),
    ])
}

/// How long after its deadline a call that spins is over; beside how long after its time a sleep is.
fn runaway(place: &Place) -> Result<Figure> {
    let house = House::open(&place.at("runaway"), Config { time: DEADLINE, ..config(place) })?;
    let id: PluginId = "home:spins".parse()?;
    let component = components::with_manifest(components::bare(place, Does::Spin)?, &components::smallest("spins"));
    house.install(&id, &component)?;
    let (mut ours, mut sleeps) = <(Samples, Samples)>::default();
    for round in 0..=RUNAWAYS {
        let start = Instant::now();
        match house.call(house.permit(&id, "go")?, &json!({})) {
            Err(CallError::Fault { fault: PluginFault::Deadline { .. }, .. }) => {}
            other => bail!("a call that spins: {other:?}"),
        }
        let span = (start.elapsed() - DEADLINE).as_secs_f64() * 1e3;
        let start = Instant::now();
        std::thread::sleep(DEADLINE);
        let slept = (start.elapsed() - DEADLINE).as_secs_f64() * 1e3;
        if round > 0 {
            ours.add(span);
            sleeps.add(slept);
        }
    }
    Ok(Figure::new("runaway stopped after its deadline", Unit::Milliseconds, ours, Bar::Most(20.0))
        .beside("a sleep of the same time", sleeps))
}
