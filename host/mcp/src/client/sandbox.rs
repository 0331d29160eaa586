//! The sandbox of the programs of a task: its folders, of which what a program writes becomes a part of what is pending, and
//! what there is of each server beside them.

use deskhand_confine::{Extent, Helper, Kept, Layers, Taken, Unavailable, available, overlay::Mount};
use deskhand_egress::Outlet;
use deskhand_vocabulary::ServerName;
use deskhand_workspace::Workspace;
use std::{
    fmt,
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::OnceCell;

/// Before the number of the process, in the name of a proxy's socket.
const SOCKET: &str = "proxy-";

/// Told apart within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// What a sandbox is made of.
pub struct Within {
    /// What makes it.
    pub helper: Helper,
    /// Where what is written to the folders lies until it is taken.
    pub layers: PathBuf,
    /// Where each server has a folder, with what its program keeps.
    pub homes: PathBuf,
    /// Where what is taken is kept until it is decided on.
    pub kept: Option<Kept>,
    /// The folders that programs see; none in a command of the person, where folders that a program is given are there and
    /// empty.
    pub workspace: Option<Workspace>,
    /// The way out of a server.
    pub outlet: Box<dyn Fn(&ServerName) -> Outlet + Send + Sync>,
}

/// See the module. Nothing is made before the first program runs.
pub struct Sandbox {
    within: Within,
    there: OnceCell<Result<(), Unavailable>>,
    /// What several programs wrote is taken one after another.
    turn: Arc<Mutex<()>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("there", &self.there).finish_non_exhaustive()
    }
}

/// The name of the folder of a server: that of a plugin has a slash in its own.
pub fn room(server: &ServerName) -> String {
    server.as_str().replace('/', "~")
}

/// What there is of one server.
pub(super) struct Room {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The home of its program.
    pub(super) home: PathBuf,
    /// The name of the socket of its proxy.
    pub(super) socket: String,
}

/// What came of what a program wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrote {
    /// How many changes are pending now that were not.
    pub added: u64,
    /// What is not, each with why.
    pub refused: Vec<String>,
    /// How much more is not that is not listed.
    pub more: u64,
    /// The number under which it is kept until it is decided on.
    pub kept: Option<u64>,
}

impl Wrote {
    pub(super) fn unread(reason: &str) -> Self {
        let refused = vec![format!("what it wrote could not be read: {reason}")];
        Self { refused, ..Self::default() }
    }

    /// True if there is nothing to tell.
    pub const fn is_nothing(&self) -> bool {
        self.added == 0 && self.refused.is_empty() && self.more == 0
    }

    /// It is pending, and would not be again if the task went on in another process.
    fn unkept(&mut self, error: &io::Error) {
        let why = format!("what it wrote is pending, and is lost if Deskhand ends before it is decided on: {error}");
        self.refused.push(why);
    }

    fn of(taken: Taken) -> Self {
        let each = taken.refused.iter().map(|refused| format!("{}: {}", refused.path, refused.reason));
        let refused = each.chain(taken.bits()).collect();
        Self { added: taken.added() as u64, refused, more: taken.more, kept: None }
    }
}

impl Sandbox {
    /// Of these parts.
    pub fn new(within: Within) -> Self {
        Self { within, there: OnceCell::new(), turn: Arc::default() }
    }

    /// Whether there is one on this machine. It is tried once.
    ///
    /// # Errors
    /// What it lacks, and what to do about it.
    pub async fn is_there(&self) -> Result<(), Unavailable> {
        let Within { helper, layers, .. } = &self.within;
        self.there.get_or_init(|| available(helper, layers)).await.clone()
    }

    pub(super) const fn helper(&self) -> &Helper {
        &self.within.helper
    }

    pub(super) fn outlet(&self, server: &ServerName) -> Outlet {
        (self.within.outlet)(server)
    }

    /// The folder of a server. Sockets of processes that are gone are removed from it.
    pub(super) fn room(&self, server: &ServerName) -> io::Result<Room> {
        let folder = self.within.homes.join(room(server));
        let home = folder.join("home");
        DirBuilder::new().recursive(true).mode(0o700).create(&home)?;
        for entry in std::fs::read_dir(&folder)?.flatten() {
            let name = entry.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(SOCKET)?.split('-').next());
            if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
                let _ = std::fs::remove_file(entry.path()); // somebody else may have done it
            }
        }
        let socket = format!("{SOCKET}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(Room { folder, home, socket })
    }

    /// Folders that a program is given and does not see, where nothing is to be done with them.
    pub(super) fn stand_ins(&self, arguments: &[String]) -> Vec<PathBuf> {
        if self.within.workspace.is_some() {
            return Vec::new();
        }
        arguments.iter().map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir()).collect()
    }

    /// The folders as they are now, for a program of the server.
    pub(super) async fn state(&self, server: &ServerName, folders: bool) -> Result<State, String> {
        let workspace = self.within.workspace.clone().filter(|_| folders);
        let Some(workspace) = workspace else { return Ok(State::default()) };
        let (layers, kept, turn) = (self.within.layers.clone(), self.within.kept.clone(), Arc::clone(&self.turn));
        let reason = format!("written by the MCP server {server}");
        let laid = tokio::task::spawn_blocking(move || {
            // a change that is made meanwhile is seen as one that is not in it
            let revision = workspace.revision();
            let folders = workspace.folders();
            let layers = Layers::over(&workspace, Extent::Remove, &layers).map_err(|error| error.to_string())?;
            let mounts = layers.mounts_at_home();
            let names = folders.into_iter().map(|folder| folder.name.to_string());
            let names = mounts.iter().map(|mount| mount.found().to_owned()).zip(names).collect();
            let folders = Folders { workspace, layers, kept, turn, reason, revision: Some(revision) };
            Ok(State { mounts, names, folders: Some(Arc::new(Mutex::new(folders))) })
        });
        laid.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// What a program sees of the folders of the task.
#[derive(Default)]
pub(super) struct State {
    mounts: Vec<Mount>,
    names: Vec<(PathBuf, String)>,
    folders: Option<Arc<Mutex<Folders>>>,
}

struct Folders {
    workspace: Workspace,
    layers: Layers,
    kept: Option<Kept>,
    /// Held by who takes.
    turn: Arc<Mutex<()>>,
    /// What the person is told of each change.
    reason: String,
    /// What was pending when the program last saw the same; none where it never will again.
    revision: Option<u64>,
}

impl State {
    pub(super) fn mounts(&self) -> Vec<Mount> {
        self.mounts.clone()
    }

    /// Where it finds each, and its name.
    pub(super) fn folders(&self) -> Vec<(PathBuf, String)> {
        self.names.clone()
    }

    pub(super) const fn sees_folders(&self) -> bool {
        self.folders.is_some()
    }

    /// Whether something else is pending than what it sees.
    pub(super) fn is_behind(&self) -> bool {
        let Some(folders) = &self.folders else { return false };
        let folders = folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.revision != Some(folders.workspace.revision())
    }

    /// Let what was written since the last time be pending. To be called while nothing is written.
    pub(super) async fn take(&self) -> Wrote {
        let Some(folders) = &self.folders else { return Wrote::default() };
        let folders = Arc::clone(folders);
        let taken = tokio::task::spawn_blocking(move || folders.lock().unwrap_or_else(PoisonError::into_inner).take());
        taken.await.unwrap_or_else(|error| Wrote::unread(&error.to_string()))
    }
}

impl Folders {
    fn take(&mut self) -> Wrote {
        let turn = Arc::clone(&self.turn);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let was_seen = self.revision == Some(self.workspace.revision());
        let taken = match self.layers.take(&self.workspace, &self.reason) {
            Ok(taken) => taken,
            Err(error) => {
                self.revision = None;
                return Wrote::unread(&error.to_string());
            }
        };
        // what is pending now is what it sees, but for what others made pending before
        if was_seen {
            self.revision = Some(self.workspace.revision());
        }
        let kept = self.kept.as_ref().map_or(Ok(None), |kept| kept.keep(&self.reason, &taken.made, &self.workspace));
        let mut wrote = Wrote::of(taken);
        match kept {
            Ok(kept) => wrote.kept = kept,
            Err(error) => wrote.unkept(&error),
        }
        wrote
    }
}
