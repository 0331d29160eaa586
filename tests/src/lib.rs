//! What the whole-program tests share: the real binary, a home of its own for each test, and real files.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up ends")]

pub mod conformance;
pub mod keyring;
pub mod login;
pub mod market;
pub mod said;
pub mod terminal;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is not at the root")
}

/// Where cargo puts what it builds: where this test itself lies.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it lies");
    test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_owned()
}

/// The real binary. `make test` builds it before the tests.
pub fn deskhand() -> PathBuf {
    let binary = target().join("deskhand");
    assert!(binary.is_file(), "{} is not built: cargo build -p deskhand", binary.display());
    binary
}

/// A place for one test: a home of Deskhand's own, and a folder to work on.
pub struct Place {
    /// Removed with the place.
    pub dir: tempfile::TempDir,
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// With nothing in it.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("there is room for a test");
        for folder in ["home", "deskhand"] {
            fs::create_dir(dir.path().join(folder)).expect("a new folder");
        }
        Self { dir }
    }

    /// With our plugins installed from a marketplace. `make test` prepares the home that is copied here.
    pub fn with_plugins() -> Self {
        let place = Self::new();
        let prepared = target().join("prepared");
        assert!(prepared.join("deskhand").is_dir(), "{} is not there: tests/prepare", prepared.display());
        for folder in ["deskhand", "market"] {
            let copied = Command::new("cp").arg("-a").arg(prepared.join(folder)).arg(place.dir.path()).status();
            assert!(copied.expect("cp runs").success());
        }
        place
    }

    /// A path in the place.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The folder `home/Downloads` with real files of many kinds.
    pub fn downloads(&self) -> PathBuf {
        let folder = self.path("home/Downloads");
        let laid = Command::new(root().join("tests/fixtures/lay")).arg(&folder).output().expect("lay runs");
        assert!(laid.status.success(), "{}", String::from_utf8_lossy(&laid.stderr));
        folder
    }

    /// An editor that does what the shell script `does` with the file `$1`: its path, for `EDITOR`.
    pub fn editor(&self, does: &str) -> String {
        let path = self.path("editor");
        fs::write(&path, format!("#!/bin/sh\n{does}\n")).expect("the place can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the editor is ours");
        path.display().to_string()
    }

    /// A program with the environment of the place.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("DESKHAND_HOME", self.path("deskhand"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "Europe/Berlin")
            .env("LANG", "en_US.UTF-8")
            .env("TERM", "xterm-256color")
            .env("NO_COLOR", "1")
            // nobody's real keyring
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .current_dir(self.path("home"));
        command
    }

    /// Run `deskhand` with something in standard input.
    pub fn piped<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &str) -> Ran {
        let mut command = self.command(deskhand());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("deskhand starts");
        let written = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        // a program that reads nothing has ended before
        drop(written);
        Ran::of(child.wait_with_output().expect("deskhand ends"))
    }

    /// Run `deskhand` without a terminal.
    pub fn deskhand<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        Ran::of(self.command(deskhand()).args(arguments).output().expect("deskhand starts"))
    }
}

/// The names of all files below a folder that hold this text.
pub fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes())) {
                found.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
    }
    found
}

/// What a run of a program gave.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// Exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// From what the system says.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output, if it went well and nothing else was said.
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }
}

/// Everything about a tree that must survive: for each path its kind, mode, size, modification time and content.
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut tree = BTreeMap::new();
    look(folder, folder, &mut tree);
    tree
}

fn look(top: &Path, at: &Path, tree: &mut BTreeMap<PathBuf, String>) {
    let facts = fs::symlink_metadata(at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
    let content = if facts.is_file() {
        let bytes = fs::read(at).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
        deskhand_vocabulary::Sha256::of(bytes).to_string()
    } else if facts.is_symlink() {
        fs::read_link(at).expect("a link leads somewhere").display().to_string()
    } else {
        String::new()
    };
    let row = format!("{:o} {} {}.{:09} {content}", facts.mode(), facts.nlink(), facts.mtime(), facts.mtime_nsec());
    tree.insert(at.strip_prefix(top).expect("below the top").to_owned(), row);
    if facts.is_dir() {
        for entry in fs::read_dir(at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
            look(top, &entry.expect("an entry").path(), tree);
        }
    }
}
