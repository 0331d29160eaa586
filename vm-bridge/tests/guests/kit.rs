//! What the tests share: an image that is built once, guests of it, and running a command in one.

use deskhand_vm_bridge::{
    Bridge, Command, Ending, Event, Guest, Job, Limits, Patience, Qemu, Size, Snapshots, Stream, Usage,
};
use deskhand_vm_image::{Fetch, Image, Package, Place, Recipe, Store, build};
use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub(crate) const SIZE: Size = Size { memory: 512, scratch: 1 };

/// Where images are kept from one run to the next.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("vm")
}

/// Packages as this computer's own package managers get them, all at once.
pub(crate) struct Managers(PathBuf);

impl Managers {
    pub(crate) fn new(recipe: &Recipe) -> Self {
        let folder = folder().join("apt");
        fs::create_dir_all(&folder).unwrap();
        let missing: Vec<&Package> = recipe.packages().filter(|package| !folder.join(name(package)).exists()).collect();
        let (of_debian, of_python): (Vec<&Package>, Vec<&Package>) =
            missing.into_iter().partition(|package| matches!(package.place, Place::Archive(_)));
        let apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"];
        get(&apt, "=", &of_debian, &folder);
        get(&["pip", "-q", "download", "--no-deps", "--only-binary", ":all:"], "==", &of_python, &folder);
        Self(folder)
    }
}

fn get(manager: &[&str], is: &str, packages: &[&Package], folder: &Path) {
    if packages.is_empty() {
        return;
    }
    let mut command = process::Command::new(manager[0]);
    command.args(&manager[1..]).current_dir(folder);
    command.args(packages.iter().map(|package| format!("{}{is}{}", package.name, package.version)));
    assert!(command.status().unwrap().success(), "{} could not fetch what the recipe names", manager[0]);
}

/// The name that the manager gives a package's file.
fn name(package: &Package) -> String {
    match &package.place {
        Place::Archive(place) => {
            let (_, architecture) = place.trim_end_matches(".deb").rsplit_once('_').unwrap();
            format!("{}_{}_{architecture}.deb", package.name, package.version.replace(':', "%3a"))
        }
        Place::Index(file) => file.clone(),
    }
}

impl Fetch for Managers {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        io::copy(&mut fs::File::open(self.0.join(name(package)))?, to).map(drop)
    }
}

/// One guest at a time, for the sake of whoever else works on this computer.
static ONE: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The image, which is made by whichever test comes first.
pub(crate) fn image() -> Image {
    let recipe = Recipe::standard().unwrap();
    build(&recipe, &Late(&recipe), &store(), |_| ()).unwrap()
}

fn store() -> Store {
    Store::open(folder().join("store")).unwrap()
}

/// A bridge with snapshots of its own.
pub(crate) fn bridge_at(snapshots: &Path) -> Bridge {
    let image = image();
    let snapshots = Snapshots::open(snapshots).unwrap();
    // on a computer that others keep busy, an emulated guest is slow, and not lost
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let patience = Patience { boot: minutes(5), answer: minutes(3), end: minutes(5), ..Patience::default() };
    Bridge::new(Box::new(Qemu::find().unwrap()), store(), image.digest, snapshots).sized(SIZE).patient(patience)
}

/// Asks the package managers only where something is to be fetched.
pub(crate) struct Late<'a>(pub(crate) &'a Recipe);

impl Fetch for Late<'_> {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        Managers::new(self.0).fetch(package, to)
    }
}

pub(crate) fn bridge() -> Bridge {
    bridge_at(&folder().join("snapshots"))
}

/// A patience that gives a guest up soon.
pub(crate) fn impatient() -> Patience {
    Patience { interval: Duration::from_millis(200), answer: Duration::from_secs(4), ..Patience::default() }
}

pub(crate) const LIMITS: Limits = Limits { memory: 128 << 20, processes: 64, milliseconds: 600_000, output: 1 << 20 };

pub(crate) fn command(words: &[&str]) -> Command {
    let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    Command { words, environment: Vec::new(), folder: b"/home/user".to_vec(), logged: false, merged: false }
}

/// What became of a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) error: String,
    pub(crate) last: Event,
}

impl Outcome {
    pub(crate) fn ending(&self) -> Ending {
        match self.last {
            Event::Ended { ending, .. } => ending,
            ref other => panic!("{other:?}"),
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        match self.last {
            Event::Ended { usage, .. } => usage,
            ref other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn finish(job: &Job) -> Outcome {
    let (mut output, mut error) = (Vec::new(), Vec::new());
    loop {
        match job.next() {
            Event::Output { stream: Stream::Output, bytes } => output.extend(bytes),
            Event::Output { stream: Stream::Error, bytes } => error.extend(bytes),
            last => {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                return Outcome { output: text(&output), error: text(&error), last };
            }
        }
    }
}

pub(crate) fn run_with(guest: &Guest, words: &[&str], limits: Limits) -> Outcome {
    let job = guest.start(command(words), limits).unwrap();
    job.end_input().unwrap();
    finish(&job)
}

pub(crate) fn run(guest: &Guest, words: &[&str]) -> Outcome {
    run_with(guest, words, LIMITS)
}

/// A shell's line.
pub(crate) fn shell(guest: &Guest, line: &str) -> Outcome {
    run(guest, &["bash", "-c", line])
}
