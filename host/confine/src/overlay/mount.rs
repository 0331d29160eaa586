//! Where the layer of an overlay lies, and how it is mounted.

use crate::{confined::MOUNTS, layout, order::Layers};
use deskhand_vocabulary::{FolderName, path::decode};
use deskhand_workspace::{Ground, disk};
use rustix::{
    fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
    fs::{AtFlags, CWD, FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// Before the number of the process, in the name of a layer's folder.
const NAME: &str = "layer-";

/// Told apart within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The folder of one layer. It goes with its last holder; where its process dies, with the next that is made beside it.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    parent: OwnedFd,
    name: String,
    /// Locked as long as this lives.
    handle: OwnedFd,
    upper: OwnedFd,
}

impl Place {
    pub(crate) fn new(parent: &Path) -> Result<Self, Errno> {
        std::fs::create_dir_all(parent).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let parent_handle = open(CWD, parent.as_os_str().as_bytes())?;
        // a layer that is just being made is not yet locked itself
        rustix::fs::flock(&parent_handle, FlockOperation::LockExclusive)?;
        Self::made(parent, parent_handle)
    }

    fn made(parent: &Path, parent_handle: OwnedFd) -> Result<Self, Errno> {
        sweep(parent_handle.as_fd());
        loop {
            let name = format!("{NAME}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            match rustix::fs::mkdirat(&parent_handle, &name, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(error),
            }
            let handle = open(parent_handle.as_fd(), name.as_bytes())?;
            rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive)?;
            for part in ["upper", "work", "at"] {
                rustix::fs::mkdirat(&handle, part, Mode::RWXU)?;
            }
            let upper = open(handle.as_fd(), b"upper")?;
            rustix::fs::flock(&parent_handle, FlockOperation::Unlock)?;
            return Ok(Self { path: parent.join(&name), parent: parent_handle, name, handle, upper });
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The layer's top folder, open.
    pub(crate) fn upper(&self) -> BorrowedFd<'_> {
        self.upper.as_fd()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = clear(self.handle.as_fd()); // what is left goes with the next layer
        let _ = rustix::fs::unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR);
    }
}

fn open(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, OsStr::from_bytes(name), flags, Mode::empty())
}

/// Remove the layers of processes that died.
fn sweep(parent: BorrowedFd<'_>) {
    for name in disk::names(parent).unwrap_or_default() {
        if !name.starts_with(NAME.as_bytes()) {
            continue;
        }
        let Ok(handle) = open(parent, &name) else { continue };
        if rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = clear(handle.as_fd());
            let _ = rustix::fs::unlinkat(parent, OsStr::from_bytes(&name), AtFlags::REMOVEDIR);
        }
    }
}

/// Remove all that is in a folder. What was written in a sandbox may be nested deeper than a path is long or a process has
/// handles, so each folder is first brought to the top and emptied there.
fn clear(top: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut fresh = 0_u64;
    loop {
        let names = disk::names(top)?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            match rustix::fs::unlinkat(top, OsStr::from_bytes(&name), AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => empty(top, &name, &mut fresh)?,
                result => result?,
            }
        }
    }
}

/// Remove a folder in `top`, whose own folders come to lie there.
fn empty(top: BorrowedFd<'_>, name: &[u8], fresh: &mut u64) -> Result<(), Errno> {
    let folder = open(unlocked(top, name)?.as_fd(), b".")?;
    for inner in disk::names(folder.as_fd())? {
        let name = OsStr::from_bytes(&inner);
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {
                // it could not be moved either
                unlocked(folder.as_fd(), &inner)?;
                *fresh += 1;
                // not a name that anything else has: those in `top` come from outside
                rustix::fs::renameat(&folder, name, top, format!("{fresh}\u{7f}"))?;
            }
            result => result?,
        }
    }
    rustix::fs::unlinkat(top, OsStr::from_bytes(name), AtFlags::REMOVEDIR)
}

/// A folder that may have forbidden its owner everything, and does not any more.
fn unlocked(parent: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let way = rustix::fs::openat(parent, OsStr::from_bytes(name), flags, Mode::empty())?;
    rustix::fs::chmod(format!("/proc/self/fd/{}", way.as_raw_fd()), Mode::RWXU)?;
    Ok(way)
}

/// A granted folder, to be mounted in a sandbox. Holds its layer.
#[derive(Clone, Debug)]
pub struct Mount {
    inside: PathBuf,
    /// Where it is as well.
    also: Option<PathBuf>,
    ground: Ground,
    place: Arc<Place>,
}

impl Mount {
    pub(crate) fn new(folder: &FolderName, ground: &Ground, place: &Arc<Place>) -> Self {
        let name = OsString::from_vec(decode(folder.as_str()));
        let inside = Path::new(MOUNTS).join(name);
        Self { inside, also: None, ground: ground.clone(), place: Arc::clone(place) }
    }

    /// Over an empty folder below `place`, to see whether it can be.
    pub(crate) fn of_nothing(place: &Path) -> Result<Self, Errno> {
        let place = Place::new(place)?;
        rustix::fs::mkdirat(&place.handle, "lower", Mode::RWXU)?;
        let stat = rustix::fs::statat(&place.handle, "lower", AtFlags::SYMLINK_NOFOLLOW)?;
        let path = place.path.join("lower");
        let ground = Ground { path, id: (stat.st_dev, stat.st_ino), writable: true, hidden: Vec::new() };
        Ok(Self { inside: Path::new(MOUNTS).join("probe"), also: None, ground, place: Arc::new(place) })
    }

    /// The same, which is also where it lies on this machine, for a program that was told of that path. Where the sandbox has
    /// something of its own there, it is not.
    #[must_use]
    pub fn at_home(mut self) -> Self {
        self.also = Some(self.ground.path.clone()).filter(|path| layout::is_free(path));
        self
    }

    /// Whether it lies in another one on this machine.
    pub(super) fn lies_in(&self, other: &Self) -> bool {
        self.ground.path != other.ground.path && self.ground.path.starts_with(&other.ground.path)
    }

    /// Where a program finds it that was told where it lies on this machine: there, or where it is in every sandbox.
    pub fn found(&self) -> &Path {
        self.also.as_deref().unwrap_or(&self.inside)
    }

    /// Where it is in the sandbox.
    pub fn inside(&self) -> &Path {
        &self.inside
    }

    /// Where it is mounted for bubblewrap to find it.
    pub(crate) fn at(&self) -> PathBuf {
        self.place.path.join("at")
    }

    pub(crate) fn upper(&self) -> PathBuf {
        self.place.path.join("upper")
    }

    /// Each place where it is in the sandbox, with what of it is covered there.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&Path, Vec<PathBuf>)> {
        let covered = |at: &Path| self.ground.hidden.iter().map(|path| at.join(path.as_path())).collect();
        std::iter::once(self.inside.as_path()).chain(self.also.as_deref()).map(move |at| (at, covered(at)))
    }

    pub(crate) fn layers(&self) -> Layers {
        Layers {
            lower: self.ground.path.clone().into(),
            id: self.ground.id,
            upper: self.upper().into(),
            work: self.place.path.join("work").into(),
            at: self.at().into(),
            writable: self.ground.writable,
            covered: self.ground.hidden.iter().map(|path| path.as_path().into()).collect(),
        }
    }
}
