//! Many tasks at once in the background: what they take of memory, that nothing of them is lost, and that files stay whole.

use crate::{
    figure::{Bar, Figure, Samples, Unit},
    place::{Place, most_resident, run},
};
use anyhow::{Context as _, Result, bail, ensure};
use deskhand_model_server::{ModelServer, Opener, Reply, Step, Stream, Wire};
use serde_json::{Value, json};
use std::{
    fs,
    io::Read as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// So many at once.
const MANY: usize = 50;
/// So many that write to one folder, and how many files each.
const WRITERS: usize = 10;
const FILES: usize = 20;
const LIMIT: Duration = Duration::from_secs(300);

/// What tasks at once came to.
struct Came {
    /// The most memory of the process of all, in MB, while each waits for its last reply.
    resident: f64,
    /// Events that are not on record, of those that each task has.
    lost: usize,
}

/// Tasks of the background, in a home of their own.
struct Desk<'a> {
    place: &'a Place,
    home: PathBuf,
    folder: PathBuf,
    server: ModelServer,
}

impl<'a> Desk<'a> {
    fn new(place: &'a Place, name: &str, at_once: usize) -> Result<Self> {
        let (home, folder) = (place.home(name)?, place.at(&format!("{name}-files")));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("paper.txt"), "It says this.\n".repeat(100))?;
        let server = ModelServer::start();
        let settings = format!(
            "[agent]\nmodel = \"scripted\"\n[models.scripted]\nwire = \"anthropic\"\nurl = \"{}\"\nmodel = \"scripted\"\n\
             [tasks]\nat_once = {at_once}\nnotify = false\n",
            server.url()
        );
        fs::write(home.join("config/config.toml"), settings)?;
        Ok(Self { place, home, folder, server })
    }

    fn deskhand(&self, arguments: &[&str]) -> Result<String> {
        let said = run(self.place.deskhand(&self.home).args(arguments).current_dir(&self.folder))?;
        Ok(String::from_utf8(said)?)
    }

    fn queue(&self, request: &str) -> Result<()> {
        self.deskhand(&["run", "--background", "--yes", "--folder", ".", request]).map(drop)
    }

    /// The process that works on them.
    fn supervisor(&self) -> Result<u64> {
        let mut stream = UnixStream::connect(self.home.join("data/tasks/supervisor.sock"))?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut greeting = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut greeting)?;
        let greeting: Value = serde_json::from_slice(&greeting)?;
        greeting["process"].as_u64().context("the supervisor does not say which process it is")
    }

    fn wait_until_done(&self, count: usize) -> Result<()> {
        let begun = Instant::now();
        while self.deskhand(&["tasks", "--limit", "1000", "--json"])?.matches(r#""state":"done""#).count() < count {
            if begun.elapsed() > LIMIT {
                bail!("the tasks are not done after {} s", LIMIT.as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        if let Ok(process) = self.supervisor() {
            // it would end by itself a little later
            let _ = Command::new("kill").arg(process.to_string()).status();
        }
    }
}

/// So many tasks, each of which lists, reads, writes and then says its last words when all have come so far.
fn at_once(place: &Place, name: &str, count: usize) -> Result<Came> {
    let desk = Desk::new(place, name, count)?;
    let mut openers: Vec<Opener> = Vec::new();
    for number in 0..count {
        let request = format!("Task number {number}.");
        let calls = [
            ("list", json!({"path": ""})),
            ("read", json!({"path": "paper.txt"})),
            ("write", json!({"path": format!("out/{number}.txt"), "text": "Read.\n"})),
        ];
        for (at, (tool, input)) in calls.iter().enumerate() {
            let reply = Reply::new().call(&format!("call_{number}_{at}"), tool, &input.to_string());
            desk.server.then(Step::from(reply).only_for(&request));
        }
        let (last, opener) = Stream::of(Wire::Anthropic, &Reply::new().text("It is done.")).gated(2);
        desk.server.then(Step::from(last).only_for(&request));
        openers.push(opener);
    }
    for number in 0..count {
        desk.queue(&format!("Task number {number}."))?;
    }
    openers.iter_mut().for_each(Opener::wait_reached);
    let resident = most_resident(desk.supervisor()?)?;
    openers.into_iter().for_each(Opener::open);
    desk.wait_until_done(count)?;
    desk.server.finish();
    let log = desk.deskhand(&["log", "--json", "--limit", "0"])?;
    desk.deskhand(&["log", "--verify"])?;
    let expected =
        [("task-begun", 1), ("tool-called", 3), ("tool-answered", 3), ("model-replied", 4), ("task-ended", 1)];
    let lost = expected.iter().map(|(kind, each)| {
        let found = log.matches(&format!(r#""event":"{kind}""#)).count();
        (each * count).abs_diff(found)
    });
    Ok(Came { resident, lost: lost.sum() })
}

/// How many files are not as their task wrote them, where many write to one folder at once.
fn broken_files(place: &Place) -> Result<usize> {
    let desk = Desk::new(place, "tasks-writing", WRITERS)?;
    let text = |task: usize, file: usize| format!("{task} {file}\n").repeat(20_000);
    for task in 0..WRITERS {
        let request = format!("Task number {task}.");
        let reply = (0..FILES).fold(Reply::new(), |reply, file| {
            let input = json!({"path": format!("all/{task}-{file}.txt"), "text": text(task, file)});
            reply.call(&format!("call_{task}_{file}"), "write", &input.to_string())
        });
        desk.server.then(Step::from(reply).only_for(&request));
        desk.server.then(Step::from(Reply::new().text("It is done.")).only_for(&request));
    }
    for task in 0..WRITERS {
        desk.queue(&format!("Task number {task}."))?;
    }
    desk.wait_until_done(WRITERS)?;
    desk.server.finish();
    let is_whole = |task, file| is(&desk.folder.join(format!("all/{task}-{file}.txt")), &text(task, file));
    let all = (0..WRITERS).flat_map(|task| (0..FILES).map(move |file| (task, file)));
    Ok(all.filter(|(task, file)| !is_whole(*task, *file)).count())
}

fn is(file: &Path, text: &str) -> bool {
    fs::read(file).is_ok_and(|bytes| bytes == text.as_bytes())
}

pub(crate) fn measure(place: &Place) -> Result<Vec<Figure>> {
    let (one, many) = (at_once(place, "tasks-one", 1)?, at_once(place, "tasks-many", MANY)?);
    ensure!(one.lost == 0, "{} events of a single task are not on record", one.lost);
    let each = (many.resident - one.resident) / (MANY - 1) as f64;
    let figure = |name: &str, unit, value, most| Figure::new(name, unit, Samples::one(value), Bar::Most(most));
    Ok(vec![
        figure("50 tasks at once, resident", Unit::Megabytes, many.resident, 60.0 + 3.0 * MANY as f64)
            .beside("one task", Samples::one(one.resident)),
        figure("  each more", Unit::Megabytes, each, 3.0),
        figure("  events that are lost", Unit::Count, many.lost as f64, 0.0),
        figure(
            "ten tasks write to one folder, files that are not whole",
            Unit::Count,
            broken_files(place)? as f64,
            0.0,
        ),
    ])
}
