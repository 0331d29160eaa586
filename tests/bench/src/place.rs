//! Where things are: the programs that are measured, what they work on, and a folder for it that is removed at the end.

use anyhow::{Context as _, Result, ensure};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// See the module.
pub(crate) struct Place {
    /// The release build of `deskhand`.
    pub(crate) deskhand: PathBuf,
    /// The plain programs.
    pub(crate) plain: PathBuf,
    /// A home with our own plugins installed; to be copied.
    pub(crate) prepared: PathBuf,
    /// The component of `/organize`.
    pub(crate) organize: PathBuf,
    /// The component of a plugin that says what it hears.
    pub(crate) echo: PathBuf,
    /// The official SDKs of the Model Context Protocol.
    pub(crate) peers: PathBuf,
    /// Where `make try-vm` keeps the image of the guest.
    pub(crate) guests: PathBuf,
    /// Where the figures go.
    pub(crate) report: PathBuf,
    sources: PathBuf,
    work: tempfile::TempDir,
}

impl Place {
    /// All beside this program; the components in the folder of all builds.
    pub(crate) fn find() -> Result<Self> {
        let me = std::env::current_exe()?;
        let beside = me.parent().context("no folder")?.to_owned();
        let target = beside.parent().context("no folder above")?;
        let place = Self {
            deskhand: beside.join("deskhand"),
            plain: beside.join("deskhand-bench-plain"),
            prepared: beside.join("prepared/deskhand"),
            organize: target.join("plugin/organize.wasm"),
            echo: target.join("plugin/echo.wasm"),
            peers: target.join("mcp-peers"),
            guests: target.join("debug/try-vm/deskhand/cache/guests"),
            report: target.join("bench.json"),
            sources: Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?,
            work: tempfile::Builder::new().prefix("bench-").tempdir_in(&beside)?,
        };
        for needed in [&place.deskhand, &place.plain, &place.prepared, &place.organize, &place.echo] {
            ensure!(needed.exists(), "{} is not there; `make bench` makes all that is needed", needed.display());
        }
        Ok(place)
    }

    /// A path in the folder of this run.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// The plugin interface.
    pub(crate) fn wit(&self) -> PathBuf {
        self.sources.join("wit")
    }

    /// A file of the checkout.
    pub(crate) fn source(&self, path: &str) -> PathBuf {
        self.sources.join(path)
    }

    /// A copy of the prepared home.
    pub(crate) fn home(&self, name: &str) -> Result<PathBuf> {
        let home = self.at(name);
        run(Command::new("cp").arg("-a").arg(&self.prepared).arg(&home))?;
        Ok(home)
    }

    /// A folder of so many files, the same each time.
    pub(crate) fn files(&self, name: &str, count: usize) -> Result<PathBuf> {
        let folder = self.at(name);
        run(Command::new(self.sources.join("tests/fixtures/many")).arg(&folder).arg(count.to_string()))?;
        Ok(folder)
    }

    /// `deskhand` in a home, in an environment that is the same everywhere.
    pub(crate) fn deskhand(&self, home: &Path) -> Command {
        let mut command = Command::new(&self.deskhand);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.work.path())
            .env("DESKHAND_HOME", home)
            .env("TZ", "Europe/Berlin")
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm");
        command
    }

    /// Run one of the plain programs; what it printed, by name.
    pub(crate) fn plain(&self, arguments: &[&OsStr]) -> Result<BTreeMap<String, f64>> {
        let output = Command::new(&self.plain).args(arguments).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let pair =
            |line: &str| line.split_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Ok(text.lines().filter_map(pair).collect())
    }

    /// Have all that was written before reach the disk, so that the next measure does not pay for it.
    pub(crate) fn settle(&self) -> Result<()> {
        Ok(rustix::fs::syncfs(fs::File::open(self.work.path())?)?)
    }
}

/// Run a program that must succeed; its standard output.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// The most memory that a process has had, in MB.
pub(crate) fn most_resident(process: impl std::fmt::Display) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
