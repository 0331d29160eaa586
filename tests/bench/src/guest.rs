//! Guests: how soon there is one, what it costs, and how fast it works on folders.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    place::Place,
};
use anyhow::{Context as _, Result, bail, ensure};
use deskhand_vm_bridge::{
    Bridge, Collector, Command, Ending, Event, Guest, Limits, PYTHON, Patience, Qemu, Reach, Share, Size, Snapshots,
    Warmth, What,
};
use deskhand_vm_image::{Recipe, Store};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, Instant},
};

const SIZE: Size = Size { memory: 512, scratch: 4 };
const LIMITS: Limits = Limits { memory: 256 << 20, processes: 64, milliseconds: 600_000, output: 1 << 20 };
/// Samples: of what takes seconds, and of what takes milliseconds.
const FEW: usize = 3;
const SOME: usize = 10;
const MANY: usize = 50;
/// Files that a job makes.
const FILES: u64 = 10_000;
/// Bytes of the large file that a job reads, and how long that may take at 80 MB/s, in milliseconds.
const LARGE: u64 = 1 << 30;
const LARGE_MOST: f64 = 13_422.0;
/// Small files of a folder, as many as [`FILES`]; and bytes of each.
const SMALL: usize = 1500;
/// What a job does first that works on tables, and what it says.
const TABLE: &str = "import pandas; print(pandas.DataFrame({'a': [1, 2, 3]}).a.sum())";

/// Counts what it is told.
#[derive(Default)]
struct Counted(u64);

impl Collector for Counted {
    fn found(&mut self, _: usize, _: &[u8], _: &What) -> Result<(), String> {
        self.0 += 1;
        Ok(())
    }

    fn content(&mut self, _: &[u8]) {}

    fn hole(&mut self, _: u64) {}

    fn end(&mut self, _: bool) {}

    fn lost(&mut self, _: usize, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let recipe = Recipe::standard().context("the recipe")?;
    let store = Store::open(&place.guests)?;
    let Some((image, _)) = store.built(&recipe)? else {
        bail!("no image is built: make try-vm, with what is measured ({})", place.guests.display())
    };
    let qemu = Qemu::find().context("QEMU")?;
    let patience = Patience { boot: Duration::from_secs(600), ..Patience::default() };
    let snapshots = Snapshots::open(place.at("snapshots"))?;
    let bridge = Bridge::new(Box::new(qemu), store, image, snapshots).sized(SIZE).patient(patience);
    // the first one makes the snapshot
    drop(bridge.guest(&Reach::default(), Warmth::Booted)?);

    let (mut cold, mut restored, mut resident) = (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..FEW {
        cold.add(to_first_output(|| Ok(bridge.cold_guest(&Reach::default())?))?);
    }
    for _ in 0..SOME {
        restored.add(to_first_output(|| Ok(bridge.guest(&Reach::default(), Warmth::Booted)?))?);
        let guest = bridge.guest(&Reach::default(), Warmth::Booted)?;
        let bytes = guest.resident().context("the monitor's memory")?;
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
        resident.add(bytes as f64 / 1e6);
    }
    // the first one has to load it all
    drop(bridge.guest(&Reach::default(), Warmth::Python)?);
    let mut warm = Samples::default();
    for _ in 0..SOME {
        warm.add(timed(|| {
            let guest = bridge.guest(&Reach::default(), Warmth::Python)?;
            run(&guest, &[&PYTHON[..], &[TABLE]].concat())
        })?);
    }
    let boot = "a cold boot of the same guest";
    let mut figures = vec![
        Figure::new("guest, restored to the first output", Unit::Milliseconds, restored.clone(), Bar::Times(0.1))
            .beside(boot, cold.clone()),
        Figure::new("… on a quiet machine", Unit::Milliseconds, restored, Bar::Most(500.0)).beside(boot, cold.clone()),
        Figure::new("… to the sum of a table in Python", Unit::Milliseconds, warm.clone(), Bar::Times(0.2))
            .beside(boot, cold.clone()),
        Figure::new("… on a quiet machine", Unit::Milliseconds, warm, Bar::Most(1200.0)),
        Figure::new("… resident, idle", Unit::Megabytes, resident, Bar::Most(80.0)),
    ];
    figures.extend(at_work(place, &bridge)?);
    figures.push(small_files(place, &bridge)?);
    Ok(figures)
}

/// A guest that works on a folder.
fn at_work(place: &Place, bridge: &Bridge) -> Result<Vec<Figure>> {
    let folder = place.at("shared");
    fs::create_dir(&folder)?;
    let mut file = fs::File::create(folder.join("large"))?;
    let piece: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();
    for _ in 0..LARGE / piece.len() as u64 {
        file.write_all(&piece)?;
    }
    let guest = bridge.guest(&Reach { folders: vec![share(&folder)?], proxy: None }, Warmth::Booted)?;
    let (mut trip, mut empty, mut full, mut large) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    run(&guest, &["true"])?;
    for _ in 0..MANY {
        trip.add(timed(|| run(&guest, &["true"]))?);
        empty.add(timed(|| Ok(guest.collect(&mut Counted::default())?))?);
    }
    for _ in 0..FEW {
        large.add(timed(|| sh(&guest, "cat /mnt/shared/large > /dev/null"))?);
    }
    for round in 0..FEW {
        sh(&guest, &format!("mkdir /mnt/shared/{round} && cd /mnt/shared/{round} && seq {FILES} | split -l 1 -a 4 -"))?;
        let mut counted = Counted::default();
        full.add(timed(|| Ok(guest.collect(&mut counted)?))?);
        ensure!(counted.0 == FILES + 1, "{} things were told", counted.0);
    }
    Ok(vec![
        Figure::new("… round trip of `true`", Unit::Milliseconds, trip, Bar::Most(60.0)),
        Figure::new("… nothing new in its layers", Unit::Milliseconds, empty, Bar::Most(30.0)),
        Figure::new("… 10,000 new files in its layers", Unit::Milliseconds, full, Bar::Most(5000.0)),
        Figure::new("… 1 GiB read from a folder", Unit::Milliseconds, large, Bar::Most(LARGE_MOST)),
    ])
}

/// Many small files, from the start of a guest until all are read, beside the same where each is asked for.
fn small_files(place: &Place, bridge: &Bridge) -> Result<Figure> {
    let folder = place.at("small");
    for number in 0..FILES {
        let inner = folder.join((number / 100).to_string());
        fs::create_dir_all(&inner)?;
        fs::write(inner.join(number.to_string()), vec![b'x'; SMALL])?;
    }
    let read = |live| {
        timed(|| {
            let reach = Reach { folders: vec![Share { live, ..share(&folder)? }], proxy: None };
            sh(&bridge.guest(&reach, Warmth::Booted)?, "cd /mnt/shared && tar -c . | wc -c > /dev/null")
        })
    };
    let (mut packed, mut asked) = (Samples::default(), Samples::default());
    for _ in 0..FEW {
        packed.add(read(false)?);
    }
    asked.add(read(true)?);
    let figure = Figure::new("… 10,000 small files packed and read", Unit::Milliseconds, packed, Bar::Times(0.25));
    Ok(figure.beside("the same over 9p", asked))
}

fn share(path: &Path) -> Result<Share> {
    let path = path.canonicalize()?;
    let found = fs::metadata(&path)?;
    let id = (found.dev(), found.ino());
    Ok(Share { name: b"shared".to_vec(), path, id, covered: Vec::new(), pending: None, writable: true, live: true })
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn to_first_output(start: impl FnOnce() -> Result<Guest>) -> Result<f64> {
    let mut guest = None;
    let time = timed(|| run(guest.insert(start()?), &["echo", "there"]));
    drop(guest);
    time
}

fn sh(guest: &Guest, line: &str) -> Result<()> {
    run(guest, &["sh", "-c", line])
}

fn run(guest: &Guest, words: &[&str]) -> Result<()> {
    let line = words.join(" ");
    let job = guest.start(Command { merged: true, ..Command::new(words, "/home/user") }, LIMITS)?;
    job.end_input()?;
    loop {
        match job.next() {
            Event::Output { .. } => {}
            Event::Ended { ending: Ending::Exited(0), .. } => return Ok(()),
            other => bail!("`{line}` came to {other:?}"),
        }
    }
}
