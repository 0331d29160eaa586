//! What a task of an agent costs beside its model: a script of tool calls, by Deskhand and by the least that can do the
//! same, in turn.

mod run;
mod script;

use crate::{
    components,
    figure::{Bar, Figure, Samples, Unit},
    house::{House, config},
    place::Place,
};
use anyhow::{Context as _, Result, ensure};
use run::Run;
use serde_json::Value;
use std::path::{Path, PathBuf};

const ROUNDS: usize = 15;
const CALLS: usize = 20;
const PLUGINS: usize = 10;
const LONG_ROUNDS: usize = 3;
const LONG: usize = 500;
/// So many steps at each end of a long task are compared.
const END: usize = 50;

/// Our own plugins, and so many more with tools that there are ten.
fn home(place: &Place) -> Result<PathBuf> {
    let home = place.home("agent")?;
    let house = House::open(&home, config(place))?;
    let own = house.runtime.plugins()?.len();
    let manifests: Vec<Value> = (own..PLUGINS).map(components::tools).collect();
    house.multiply(&components::bare_tools(place)?, &manifests)?;
    let count = house.runtime.plugins()?.len();
    ensure!(count == PLUGINS, "{count} plugins are installed instead of {PLUGINS}");
    Ok(home)
}

fn samples(runs: &[Run], of: impl Fn(&Run) -> f64) -> Samples {
    let mut samples = Samples::default();
    runs.iter().for_each(|run| samples.add(of(run)));
    samples
}

/// Each step's least time over the runs: what it takes when nothing else is in its way.
fn quiet(runs: &[Run]) -> Result<Vec<f64>> {
    let count = runs.first().context("nothing was run")?.steps.len();
    Ok((0..count).map(|at| runs.iter().map(|run| run.steps[at]).fold(f64::INFINITY, f64::min)).collect())
}

fn of_steps(steps: &[f64]) -> Samples {
    let mut samples = Samples::default();
    steps.iter().for_each(|step| samples.add(*step));
    samples
}

/// So many runs of each, in turn.
fn in_turn(place: &Place, home: &Path, folder: &Path, calls: usize, rounds: usize) -> Result<(Vec<Run>, Vec<Run>)> {
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    // once for both to meet the same warm machine
    run::deskhand(place, home, folder, calls)?;
    for _ in 0..rounds {
        plain.push(run::plain(place, folder, calls)?);
        ours.push(run::deskhand(place, home, folder, calls)?);
    }
    Ok((ours, plain))
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let (home, folder) = (home(place)?, script::folder(place.at("agent-files"))?);
    let (ours, plain) = in_turn(place, &home, &folder, CALLS, ROUNDS)?;
    let (long, long_plain) = in_turn(place, &home, &folder, LONG, LONG_ROUNDS)?;
    let least = "the least client of the same script";
    let figure =
        |name: &str, unit, of: fn(&Run) -> f64, most| Figure::new(name, unit, samples(&ours, of), Bar::Most(most));
    let beside = |figure: Figure, of: fn(&Run) -> f64| figure.beside(least, samples(&plain, of));
    let first: fn(&Run) -> f64 = |run| run.first;
    let resident: fn(&Run) -> f64 = |run| run.resident;
    let step = |name: &str, bar| -> Result<Figure> {
        let own = Figure::new(name, Unit::Milliseconds, of_steps(&quiet(&ours)?), bar);
        Ok(own.beside(least, of_steps(&quiet(&plain)?)))
    };
    let steps = quiet(&long)?;
    let (start, end) = (&steps[..END], &steps[steps.len() - END..]);
    let plain_steps = quiet(&long_plain)?;
    let (plain_start, plain_end) = (&plain_steps[..END], &plain_steps[plain_steps.len() - END..]);
    Ok(vec![
        beside(figure("agent, 20 calls, start to the first request", Unit::Milliseconds, first, 30.0), first),
        step("  own time per step", Bar::Most(5.0))?,
        step("  the same", Bar::Times(5.0))?,
        figure("  processor time per step", Unit::Milliseconds, |run| run.processor, 5.0),
        beside(figure("  resident", Unit::Megabytes, resident, 60.0), resident),
        figure("  connections", Unit::Count, |run| run.connections as f64, 1.0),
        figure("  body of the first request, 10 plugins", Unit::Kilobytes, |run| run.body as f64 / 1e3, 12.0),
        figure("  part of the prompt that is not resent as it was", Unit::Percent, |run| run.changed, 2.0),
        Figure::new(
            "agent, 500 calls, own time per step, the last 50",
            Unit::Milliseconds,
            of_steps(end),
            Bar::Times(1.5),
        )
        .beside("the first 50", of_steps(start)),
        Figure::new(
            "  the least client of the same script, the last 50",
            Unit::Milliseconds,
            of_steps(plain_end),
            Bar::None,
        )
        .beside("the first 50", of_steps(plain_start)),
        Figure::new("  resident", Unit::Megabytes, samples(&long, resident), Bar::None),
    ])
}
