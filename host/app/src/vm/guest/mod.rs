//! A guest with the folders of a task: what is pending is seen in it, what is written there joins that, and its only network
//! is a proxy.

mod enclosure;

pub(super) use enclosure::{OnGuest, Parts};

use deskhand_confine::{
    Extent, Layers, MOUNTS, Telling, Thing,
    overlay::{self, OverlayError},
    proxies,
};
use deskhand_egress::Outlet;
use deskhand_tools::sandbox::{NoSandbox, Way};
use deskhand_vm_bridge::{
    Bridge, Collector, Command, Guest, Job, Limits, PIECE, Reach, Share, Step, VmError, Warmth, What,
};
use deskhand_vocabulary::{Stop, path::decode};
use deskhand_workspace::Workspace;
use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How long what was written is taken up that was not when the task was stopped.
const GRACE: Duration = Duration::from_secs(10);

/// Where jobs begin where nothing else is said.
pub(super) const HOME: &str = "/home/user";

/// See the module. Dropped, it and all in it is ended.
pub(super) struct TaskGuest {
    // what runs goes before what it reaches
    guest: Guest,
    layers: Layers,
    _way: Way,
    /// The names of the folders in it.
    names: Vec<Vec<u8>>,
}

impl std::fmt::Debug for TaskGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskGuest").finish_non_exhaustive()
    }
}

/// Why there is no guest, or why what was written in it cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGuest {
    /// The guest itself.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// A folder.
    #[error(transparent)]
    Folder(#[from] OverlayError),
    /// Its proxy.
    #[error(transparent)]
    Way(#[from] NoSandbox),
}

fn share(overlay: &overlay::Overlay) -> Share {
    let ground = overlay.ground();
    Share {
        name: decode(overlay.folder().as_str()),
        path: ground.path.clone(),
        id: ground.id,
        covered: ground.hidden.iter().map(|path| path.as_path().to_owned()).collect(),
        pending: overlay.pending(),
        writable: ground.writable,
        // what the person changes meanwhile is a conflict in any case
        live: false,
    }
}

impl TaskGuest {
    /// Start one with the folders so far, with Python warm where it is at once or has to be. What is pending lies below `place` for it, and what it sends goes by `outlet`, in a
    /// runtime of tokio.
    ///
    /// # Errors
    /// [`NoGuest`].
    pub(super) fn open(
        bridge: &Bridge,
        (workspace, extent): (&Workspace, Extent),
        place: &Path,
        (outlet, handle): (&Outlet, &Handle),
        needs_python: bool,
    ) -> Result<Self, NoGuest> {
        let layers = Layers::in_machine(workspace, extent, place)?;
        let way = {
            let _runtime = handle.enter();
            Way::open(outlet.clone(), place)?
        };
        let is_warm = needs_python || bridge.is_prepared(Warmth::Python);
        let warmth = if is_warm { Warmth::Python } else { Warmth::Booted };
        let reach = Reach { folders: layers.iter().map(share).collect(), proxy: Some(way.socket().to_owned()) };
        let guest = bridge.guest(&reach, warmth)?;
        let names = reach.folders.into_iter().map(|share| share.name).collect();
        Ok(Self { guest, layers, _way: way, names })
    }

    /// Run something in it. What it says is kept in a file of the guest as well, and comes as one where it is `merged`.
    ///
    /// # Errors
    /// The guest is gone.
    pub(super) fn start(
        &self,
        words: &[impl AsRef<OsStr>],
        folder: &Path,
        limits: Limits,
        merged: bool,
    ) -> Result<Job, VmError> {
        // plots are drawn into files
        let drawn = [("MPLBACKEND", "Agg".to_owned())];
        let environment = proxies().into_iter().chain(drawn).map(|(name, value)| (name.into(), value.into())).collect();
        let words = words.iter().map(|word| word.as_ref().as_bytes().to_vec()).collect();
        let folder = folder.as_os_str().as_bytes().to_vec();
        self.guest.start(Command { words, environment, folder, logged: true, merged }, limits)
    }

    /// Whether it is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.guest.lost().is_some()
    }

    /// Let it see what has changed in the task by other hands. False where a new guest is better. To be called while nothing
    /// of the task is applied.
    ///
    /// # Errors
    /// [`NoGuest`].
    pub(super) fn follow(&mut self, workspace: &Workspace, stop: &Stop) -> Result<bool, NoGuest> {
        let Some(steps) = self.layers.behind(workspace)? else { return Ok(false) };
        for step in steps {
            match self.make(step) {
                Err(VmError::Folders(_)) => return Ok(false),
                made => made?,
            }
        }
        self.collect(stop)?;
        self.layers.caught_up()?;
        Ok(true)
    }

    fn make(&self, step: overlay::Step) -> Result<(), VmError> {
        let (path, content) = match step {
            overlay::Step::Remove(path) => (path, Err(Step::Remove)),
            overlay::Step::Folder(path) => (path, Err(Step::Folder)),
            overlay::Step::Write(path, content) => (path, Ok(content)),
        };
        let below = path.strip_prefix(MOUNTS).unwrap_or(&path).as_os_str().as_bytes();
        let cut = below.iter().position(|byte| *byte == b'/').unwrap_or(below.len());
        let (name, rest) = (&below[..cut], below.get(cut + 1..).unwrap_or_default());
        let folder = self.names.iter().position(|known| known == name).and_then(|at| u16::try_from(at).ok());
        let folder = folder.ok_or_else(|| VmError::Folders(io::ErrorKind::NotFound.into()))?;
        let content = match content {
            Err(step) => return self.guest.make(folder, rest, step),
            Ok(content) => content,
        };
        let mut more = false;
        for piece in content.chunks(PIECE).chain(content.is_empty().then_some(&[][..])) {
            self.guest.make(folder, rest, Step::Write { more, bytes: piece.to_vec() })?;
            more = true;
        }
        Ok(())
    }

    fn collect(&mut self, stop: &Stop) -> Result<(), VmError> {
        self.guest.collect(&mut Collecting { telling: self.layers.told(), stop, until: None })
    }

    /// Let what was written since the last time join what is pending. Who stops meanwhile waits for that a little longer.
    ///
    /// # Errors
    /// [`NoGuest`]. Nothing of it is taken any more then.
    pub(super) fn take(&mut self, workspace: &Workspace, reason: &str, stop: &Stop) -> Result<overlay::Taken, NoGuest> {
        self.collect(stop)?;
        Ok(self.layers.take(workspace, reason)?)
    }
}

/// What the guest tells of its layers, on its way to the layers here.
struct Collecting<'a> {
    telling: Telling<'a>,
    stop: &'a Stop,
    /// When it is given up, once it is stopped.
    until: Option<Instant>,
}

impl Collector for Collecting<'_> {
    fn found(&mut self, folder: usize, path: &[u8], what: &What) -> Result<(), String> {
        let thing = match *what {
            What::File { size, mode, seconds, nanoseconds } => {
                return self.telling.file(folder, path, (size, mode), (seconds, nanoseconds));
            }
            What::Folder { opaque } => Thing::Folder { opaque },
            What::Link => Thing::Link,
            What::Whiteout => Thing::Nothing,
            What::Other => Thing::Special,
        };
        self.telling.thing(folder, path, thing)
    }

    fn content(&mut self, bytes: &[u8]) {
        self.telling.content(bytes);
    }

    fn hole(&mut self, bytes: u64) {
        self.telling.hole(bytes);
    }

    fn is_given_up(&mut self) -> bool {
        self.stop.is_stopped() && Instant::now() > *self.until.get_or_insert_with(|| Instant::now() + GRACE)
    }

    fn end(&mut self, whole: bool) {
        self.telling.end(whole);
    }

    fn lost(&mut self, folder: usize, path: &[u8]) -> Result<(), String> {
        self.telling.lost(folder, path)
    }
}
