//! The main job on a large folder, through the real program at a terminal: reading and planning, applying, undoing.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    place::Place,
    session::Session,
};
use anyhow::{Context as _, Result, ensure};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::DirEntryExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

const FILES: usize = 10_000;
const ROUNDS: usize = 5;
const LARGE: usize = 100_000;
const LIMIT: Duration = Duration::from_secs(900);

/// Every file below a folder: its inode, and its name from there.
fn files(folder: &Path) -> Result<BTreeMap<u64, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let name = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else {
                found.insert(entry.ino(), name);
            }
        }
    }
    Ok(found)
}

/// What one pass of ours took, in milliseconds, and the most memory it had, in MB.
#[derive(Default)]
struct Ours {
    plan: Samples,
    apply: Samples,
    preview: Samples,
    undo: Samples,
    resident: Samples,
    resident_undo: Samples,
}

/// The same for the plain programs.
#[derive(Default)]
struct Plain {
    read: Samples,
    resident: Samples,
    apply: Samples,
    undo: Samples,
}

impl Ours {
    /// Organize the folder; from the start to the question, and from the answer to the summary.
    fn organize(&mut self, place: &Place, home: &Path, folder: &Path) -> Result<()> {
        place.settle()?;
        let mut command = place.deskhand(home);
        command.arg("run").arg("--folder").arg(folder).arg("/organize");
        let mut session = Session::start(command)?.watch();
        let asked = session.until("Apply this?", LIMIT)?;
        self.plan.add((asked - session.started).as_secs_f64() * 1e3);
        place.settle()?;
        let answered = session.line("a")?;
        let done = session.until("Undo with", LIMIT)?;
        self.apply.add((done - answered).as_secs_f64() * 1e3);
        session.succeed()?;
        self.resident.add(session.watched() as f64 * 1024.0 / 1e6);
        Ok(())
    }

    /// Undo that; the same two spans.
    fn undo(&mut self, place: &Place, home: &Path) -> Result<()> {
        place.settle()?;
        let mut command = place.deskhand(home);
        command.arg("undo");
        let mut session = Session::start(command)?.watch();
        let asked = session.until("Apply this?", LIMIT)?;
        self.preview.add((asked - session.started).as_secs_f64() * 1e3);
        place.settle()?;
        let answered = session.line("a")?;
        let done = session.until("Done: ", LIMIT)?;
        self.undo.add((done - answered).as_secs_f64() * 1e3);
        session.succeed()?;
        self.resident_undo.add(session.watched() as f64 * 1024.0 / 1e6);
        Ok(())
    }
}

impl Plain {
    fn read(&mut self, place: &Place, folder: &Path, count: usize) -> Result<()> {
        place.settle()?;
        let said = place.plain(&["read".as_ref(), folder.as_os_str()])?;
        ensure!(said["files"] as usize == count, "the plain program read {said:?}");
        self.read.add(said["seconds"] * 1e3);
        self.resident.add(said["resident"] * 1024.0 / 1e6);
        Ok(())
    }

    fn moves(&mut self, place: &Place, folder: &Path, list: &Path) -> Result<()> {
        let span = |verb: &str| -> Result<f64> {
            place.settle()?;
            Ok(place.plain(&[OsStr::new(verb), folder.as_os_str(), list.as_os_str()])?["seconds"] * 1e3)
        };
        self.apply.add(span("move")?);
        self.undo.add(span("back")?);
        Ok(())
    }
}

/// What organizing did to each file, as the plain program takes it.
fn list(place: &Place, before: &BTreeMap<u64, PathBuf>, after: &BTreeMap<u64, PathBuf>) -> Result<PathBuf> {
    let mut moves: Vec<(&Path, &Path)> = Vec::new();
    for (inode, from) in before {
        let to = after.get(inode).with_context(|| format!("{} is gone", from.display()))?;
        if from != to {
            moves.push((from, to));
        }
    }
    moves.sort();
    let mut text = Vec::new();
    for name in moves.iter().flat_map(|(from, to)| [from, to]) {
        text.extend_from_slice(name.as_os_str().as_bytes());
        text.push(0);
    }
    let path = place.at(&format!("moves-{}", before.len()));
    fs::write(&path, text)?;
    ensure!(moves.len() == before.len(), "only {} of {} files were moved", moves.len(), before.len());
    Ok(path)
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let home = place.home("organize")?;
    let (folder, twin) = (place.files("ten-thousand", FILES)?, place.files("ten-thousand-plain", FILES)?);
    let before = files(&folder)?;

    // once to know what is done, and for both to meet the same warm machine
    let mut ignored = (Ours::default(), Plain::default());
    ignored.0.organize(place, &home, &folder)?;
    let list = list(place, &before, &files(&folder)?)?;
    ignored.0.undo(place, &home)?;
    ensure!(files(&folder)? == before, "undo did not bring everything back");
    ignored.1.read(place, &twin, FILES)?;

    let (mut ours, mut plain) = <(Ours, Plain)>::default();
    for round in 0..ROUNDS {
        if round % 2 == 1 {
            plain.read(place, &twin, FILES)?;
            plain.moves(place, &twin, &list)?;
        }
        ours.organize(place, &home, &folder)?;
        ours.undo(place, &home)?;
        if round % 2 == 0 {
            plain.read(place, &twin, FILES)?;
            plain.moves(place, &twin, &list)?;
        }
    }
    ensure!(files(&folder)? == before, "undo did not bring everything back");
    let figure = |name: &str, samples, bar| Figure::new(name, Unit::Milliseconds, samples, bar);
    Ok(vec![
        figure("10,000 files, start to “Apply this?”", ours.plan, Bar::Times(2.0))
            .beside("a plain program reads the same", plain.read),
        figure("10,000 files, Apply to done", ours.apply.clone(), Bar::Times(3.0))
            .beside("plain folders, renames, one sync", plain.apply),
        figure("10,000 files, undo, Apply to done", ours.undo.clone(), Bar::Times(1.0)).beside("our apply", ours.apply),
        figure("  the same undo", ours.undo, Bar::None).beside("plain renames back, one sync", plain.undo),
        figure("10,000 files, undo, start to “Apply this?”", ours.preview, Bar::None),
        Figure::new("10,000 files, resident", Unit::Megabytes, ours.resident, Bar::None)
            .beside("the plain reader", plain.resident),
    ])
}

pub(crate) fn measure_large(place: &Place) -> Result<Vec<Figure>> {
    let home = place.home("large")?;
    let folder = place.files("hundred-thousand", LARGE)?;
    let before = files(&folder)?;
    let (mut ours, mut plain) = <(Ours, Plain)>::default();
    plain.read(place, &folder, LARGE)?;
    ours.organize(place, &home, &folder)?;
    let list = list(place, &before, &files(&folder)?)?;
    ours.undo(place, &home)?;
    ensure!(files(&folder)? == before, "undo did not bring everything back");
    plain.moves(place, &folder, &list)?;
    let span = |name: &str, samples| Figure::new(name, Unit::Milliseconds, samples, Bar::None);
    let memory = |name: &str, samples| Figure::new(name, Unit::Megabytes, samples, Bar::Most(300.0));
    Ok(vec![
        memory("100,000 files, resident, organize", ours.resident).beside("the plain reader", plain.resident.clone()),
        memory("100,000 files, resident, undo", ours.resident_undo).beside("the plain reader", plain.resident),
        span("100,000 files, start to “Apply this?”", ours.plan).beside("a plain program reads the same", plain.read),
        span("100,000 files, Apply to done", ours.apply).beside("plain folders, renames, one sync", plain.apply),
        span("100,000 files, undo, Apply to done", ours.undo).beside("plain renames back, one sync", plain.undo),
    ])
}
