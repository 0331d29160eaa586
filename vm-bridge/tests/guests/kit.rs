//! What the tests share: an image that is built once, guests of it, and running a command in one.

use deskhand_vm_bridge::{
    Bridge, Command, Ending, Event, Guest, Job, Limits, Patience, Qemu, Size, Snapshots, Stream, Usage,
};
use deskhand_vm_image::{Fetch, Image, Package, PackageName, Place, Recipe, Store, build};
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

/// Gets packages as this computer's own package managers do: those of the recipe all at once, when the first of them is needed.
pub(crate) struct Managers<'a>(pub(crate) &'a Recipe);

impl Fetch for Managers<'_> {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        let folder = folder().join("apt");
        fs::create_dir_all(&folder)?;
        let is_missing = |package: &&Package| !folder.join(name(package)).exists();
        // what is not of the recipe is the layer's
        let mut wanted: Vec<&Package> = self.0.packages().filter(is_missing).collect();
        if !wanted.contains(&package) {
            wanted = [package].into_iter().filter(is_missing).collect();
        }
        get_all(&wanted, &folder);
        io::copy(&mut fs::File::open(folder.join(name(package)))?, to).map(drop)
    }
}

fn get_all(packages: &[&Package], folder: &Path) {
    let named = |is: &str, package: &Package| format!("{}{is}{}", package.name, package.version);
    let (mut of_debian, mut of_python) = (Vec::new(), Vec::new());
    for package in packages {
        match &package.place {
            Place::Archive(_) => of_debian.push(named("=", package)),
            Place::Index(_) => of_python.push(named("==", package)),
            Place::List(path) => {
                let from = format!(
                    "{}{}",
                    archive(),
                    path.replace("Packages.xz", &format!("by-hash/SHA256/{}", package.sha256))
                );
                call(
                    &["/usr/lib/apt/apt-helper", "-qq", "-o", "APT::Sandbox::User=root", "download-file"],
                    &[from, name(package)],
                    folder,
                );
            }
        }
    }
    call(&["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"], &of_debian, folder);
    call(&["pip", "-q", "download", "--no-deps", "--only-binary", ":all:"], &of_python, folder);
}

fn call(words: &[&str], about: &[String], folder: &Path) {
    if about.is_empty() {
        return;
    }
    let status = process::Command::new(words[0]).args(&words[1..]).args(about).current_dir(folder).status();
    assert!(status.unwrap().success(), "{} could not fetch what the recipe names", words[0]);
}

/// The archive that this computer has its own packages from.
fn archive() -> String {
    let words =
        ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Codename: bookworm", "Component: main"];
    let said = process::Command::new("apt-get").args(words).output().unwrap();
    String::from_utf8(said.stdout).unwrap().lines().next().unwrap().to_owned()
}

/// The name that a package's file has here, which is the manager's where it gives one.
fn name(package: &Package) -> String {
    match &package.place {
        Place::Archive(place) => {
            let (_, architecture) = place.trim_end_matches(".deb").rsplit_once('_').unwrap();
            format!("{}_{}_{architecture}.deb", package.name, package.version.replace(':', "%3a"))
        }
        Place::Index(file) => file.clone(),
        Place::List(_) => format!("{}.xz", package.sha256),
    }
}

/// One guest at a time, for the sake of whoever else works on this computer.
static ONE: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The image, which is made by whichever test comes first.
pub(crate) fn image() -> Image {
    image_with(&[])
}

/// The same with a layer of these packages and what they need.
pub(crate) fn image_with(packages: &[&str]) -> Image {
    let packages: Vec<PackageName> = packages.iter().map(|name| name.parse().unwrap()).collect();
    let recipe = Recipe::standard().unwrap().with(&packages);
    build(&recipe, &Managers(&recipe), &store(), |_| ()).unwrap()
}

fn store() -> Store {
    Store::open(folder().join("store")).unwrap()
}

/// A bridge with snapshots of its own.
pub(crate) fn bridge_at(snapshots: &Path) -> Bridge {
    bridge_of(&image(), snapshots)
}

pub(crate) fn bridge_of(image: &Image, snapshots: &Path) -> Bridge {
    let snapshots = Snapshots::open(snapshots).unwrap();
    // on a computer that others keep busy, an emulated guest is slow, and not lost
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let patience = Patience { boot: minutes(5), answer: minutes(3), end: minutes(5), ..Patience::default() };
    Bridge::new(Box::new(Qemu::find().unwrap()), store(), image.digest, snapshots).sized(SIZE).patient(patience)
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
    Command::new(words, "/home/user")
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
