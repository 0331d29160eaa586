//! From nothing to the first question, with a thousand plugins installed.

use crate::{
    components::{self, Does},
    figure::{Bar, Figure, Samples, Unit},
    house::{House, config},
    place::{Place, run},
    program::span,
    session::Session,
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::{ffi::OsStr, path::Path, process::Command, time::Duration};

const ROUNDS: usize = 15;
const PLUGINS: usize = 1000;
const LIMIT: Duration = Duration::from_secs(30);

/// Our own plugins, and so many more that there are a thousand; each is whole and can be called.
fn home(place: &Place) -> Result<std::path::PathBuf> {
    let home = place.home("thousand")?;
    let house = House::open(&home, config(place))?;
    let own = house.runtime.plugins()?.len();
    let manifests: Vec<Value> = (own..PLUGINS).map(components::manifest).collect();
    house.multiply(&components::bare(place, Does::Trap)?, &manifests)?;
    drop(house);
    let listed = String::from_utf8(run(place.deskhand(&home).args(["plugin", "list", "--json"]))?)?;
    let count = listed.matches("\"home:").count();
    ensure!(
        count >= PLUGINS,
        "`deskhand plugin list` shows {count} plugins instead of {PLUGINS}: {}",
        &listed[..listed.len().min(500)]
    );
    Ok(home)
}

/// What one kind of start came to.
#[derive(Default)]
struct Starts {
    spans: Samples,
    resident: Samples,
}

impl Starts {
    fn add(&mut self, command: Command, prompt: &str, answer: &str) -> Result<()> {
        let mut session = Session::start(command)?;
        let asked = session.until(prompt, LIMIT)?;
        self.spans.add((asked - session.started).as_secs_f64() * 1e3);
        self.resident.add(session.resident()? as f64 * 1024.0 / 1e6);
        session.line(answer)?;
        session.end()?;
        Ok(())
    }
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let (many, few) = (home(place)?, place.home("few")?);
    let folder = place.files("dozen", 12)?;
    let index = many.join("data/plugins/index.json");
    let (mut grant, mut typed, mut words, mut sparse) = <(Starts, Starts, Starts, Starts)>::default();
    let (mut nothing, mut opens, mut small) = <(Samples, Samples, Samples)>::default();
    let deskhand = |home: &Path, arguments: &[&OsStr]| {
        let mut command = place.deskhand(home);
        command.arg("run").args(arguments).current_dir(&folder);
        command
    };
    let here: &[&OsStr] = &["--folder".as_ref(), folder.as_os_str(), "/organize".as_ref()];
    let request = "Organize the files in this folder by type and date. Show me the structure before moving anything.";
    let said: &[&OsStr] = &["--folder".as_ref(), folder.as_os_str(), request.as_ref()];
    for _ in 0..ROUNDS {
        grant.add(deskhand(&many, &["/organize".as_ref()]), "Let this task ", "n")?;
        nothing.add(span(&mut Command::new("true"))?);
        typed.add(deskhand(&many, here), "Apply this?", "c")?;
        opens.add(span(Command::new(&place.plain).arg("open").arg(&index))?);
        words.add(deskhand(&many, said), "Apply this?", "c")?;
        sparse.add(deskhand(&few, here), "Apply this?", "c")?;
        small.add(place.plain(&["open".as_ref(), index.as_os_str()])?["resident"] * 1024.0 / 1e6);
    }
    let reads = "a small program that reads the index";
    let figure = |name: &str, spans| Figure::new(name, Unit::Milliseconds, spans, Bar::Most(60.0));
    let memory = |name: &str, resident| Figure::new(name, Unit::Megabytes, resident, Bar::Most(40.0));
    Ok(vec![
        figure("start, 1,000 plugins, to the question for the folder", grant.spans).beside(reads, opens.clone()),
        memory("  resident then", grant.resident).beside(reads, small.clone()),
        figure("start, 1,000 plugins, /organize of 12 files to “Apply this?”", typed.spans)
            .beside(reads, opens.clone()),
        memory("  resident then", typed.resident).beside(reads, small.clone()),
        figure("start, 1,000 plugins, the same asked in words", words.spans).beside(reads, opens),
        memory("  resident then", words.resident).beside(reads, small),
        Figure::new("start, 3 plugins, /organize to “Apply this?”", Unit::Milliseconds, sparse.spans, Bar::None)
            .beside("true", nothing),
        Figure::new("  resident then", Unit::Megabytes, sparse.resident, Bar::None),
    ])
}
