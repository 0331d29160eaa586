//! The program itself: how large it is, and how long it takes to say its version.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    place::Place,
};
use anyhow::{Result, ensure};
use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

const ROUNDS: usize = 41;

/// Start a program and wait for its end, in milliseconds.
pub(crate) fn span(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let span = start.elapsed().as_secs_f64() * 1e3;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(span)
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let mut version = Samples::default();
    let mut nothing = Samples::default();
    for _ in 0..ROUNDS {
        version.add(span(place.deskhand(&place.at("no-home")).arg("--version"))?);
        nothing.add(span(&mut Command::new("true"))?);
    }
    let megabytes = |path| fs::metadata(path).map(|facts| Samples::one(facts.len() as f64 / 1e6));
    Ok(vec![
        Figure::new("deskhand --version", Unit::Milliseconds, version, Bar::Most(10.0)).beside("true", nothing),
        Figure::new("release binary", Unit::Megabytes, megabytes(&place.deskhand)?, Bar::Most(40.0))
            .beside("a small Rust program", megabytes(&place.plain)?),
    ])
}
