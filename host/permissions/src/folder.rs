//! What a folder truly is, told from an open handle, and where Deskhand's own folders are.

use crate::effect::Hidden;
use deskhand_vocabulary::{Home, path::encode};
use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};
use std::{
    os::{
        fd::{AsFd, AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Component, Path, PathBuf},
};

/// Why a folder was not opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CannotOpen {
    /// Nothing there.
    #[error("{path} does not exist. Check the spelling, then try again", path = .0.display())]
    Missing(PathBuf),
    /// A file, or something else that holds nothing.
    #[error("{path} is not a folder. Give the folder that it lies in", path = .0.display())]
    NotAFolder(PathBuf),
    /// The system does not let us.
    #[error("{path} may not be opened by you. Give yourself the right to read it, or choose another folder", path = .0.display())]
    Forbidden(PathBuf),
    /// A loop of links.
    #[error("{path} leads in a circle of links. Give the folder itself", path = .0.display())]
    Loop(PathBuf),
    /// Deskhand's own home, or something in it.
    #[error(
        "{path} is where Deskhand keeps its log, its keys and what undo needs. No task gets it. Choose another folder",
        path = .0.display()
    )]
    Home(PathBuf),
    /// It was deleted or taken away while it was opened.
    #[error("{path} was moved or deleted while it was opened. Try again", path = .0.display())]
    Gone(PathBuf),
    /// Anything else.
    #[error("{path} could not be opened: {reason}. Check the disk that it is on, then try again", path = .path.display())]
    Failed {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// An open folder and what it is.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) folder: String,
    pub(crate) handle: OwnedFd,
    pub(crate) hidden: Vec<Hidden>,
}

impl Opened {
    pub(crate) fn at(given: &Path, home: &Home) -> Result<Self, CannotOpen> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(given, flags, Mode::empty()).map_err(|error| explain(error, given))?;
        let path = true_path(&handle, given)?;
        let own = OwnFolders::of(home);
        if own.hold(&path) || own.is_above(&handle).map_err(|error| explain(error, given))? {
            return Err(CannotOpen::Home(path));
        }
        let hidden = own.within(&path);
        Ok(Self { folder: encode(path.as_os_str().as_bytes()), path, handle, hidden })
    }
}

fn explain(error: Errno, path: &Path) -> CannotOpen {
    let path = path.to_owned();
    match error {
        Errno::NOENT => CannotOpen::Missing(path),
        Errno::NOTDIR => CannotOpen::NotAFolder(path),
        Errno::ACCESS | Errno::PERM => CannotOpen::Forbidden(path),
        Errno::LOOP => CannotOpen::Loop(path),
        error => CannotOpen::Failed { path, reason: error.to_string() },
    }
}

/// The path that the kernel knows the handle by (proc(5), `/proc/self/fd`). A folder that is deleted or unreachable has a
/// path that leads elsewhere or nowhere, so the path is opened once more and must be the same folder.
fn true_path(handle: &OwnedFd, given: &Path) -> Result<PathBuf, CannotOpen> {
    let link = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let path = std::fs::read_link(link)
        .map_err(|error| CannotOpen::Failed { path: given.to_owned(), reason: error.to_string() })?;
    let same = identity(handle).is_some_and(|known| path_identity(&path) == Some(known));
    if path.is_absolute() && same { Ok(path) } else { Err(CannotOpen::Gone(given.to_owned())) }
}

fn identity(handle: impl AsFd) -> Option<(u64, u64)> {
    rustix::fs::fstat(handle).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

fn path_identity(path: &Path) -> Option<(u64, u64)> {
    rustix::fs::stat(path).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Whose stores on other disks are ours.
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Deskhand's own folders, by their true paths and identities; and the stores on other disks, by what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnFolders(Vec<Hidden>);

impl OwnFolders {
    pub(crate) fn of(home: &Home) -> Self {
        let own = |path: &Path| {
            let path = true_place(path);
            Hidden { identity: path_identity(&path), path }
        };
        Self(home.top().into_iter().chain(home.folders()).map(own).collect())
    }

    /// True if `path`, which must be canonical, is one of them or lies in one.
    pub(crate) fn hold(&self, path: &Path) -> bool {
        Home::is_elsewhere(path, user()) || self.0.iter().any(|own| path.starts_with(&own.path))
    }

    /// True if the open folder or one above it is one of them, under whatever name it was reached.
    fn is_above(&self, handle: &OwnedFd) -> Result<bool, Errno> {
        let store = Home::store_elsewhere(user());
        let mut at: Option<OwnedFd> = None;
        let mut below = None;
        loop {
            let here = identity(at.as_ref().unwrap_or(handle));
            if here.is_some() && self.0.iter().any(|own| own.identity == here) {
                return Ok(true);
            }
            if here == below {
                return Ok(false); // the root is its own parent
            }
            below = here;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            match rustix::fs::openat(at.as_ref().unwrap_or(handle), "..", flags, Mode::empty()) {
                Ok(parent) => {
                    let own = rustix::fs::statat(&parent, &store, AtFlags::SYMLINK_NOFOLLOW);
                    if here.is_some() && own.ok().map(|stat| (stat.st_dev, stat.st_ino)) == here {
                        return Ok(true);
                    }
                    at = Some(parent);
                }
                // what may not be passed through from below is judged by its path alone
                Err(Errno::ACCESS) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Those that lie below `path`, without what lies in another of them.
    fn within(&self, path: &Path) -> Vec<Hidden> {
        let outermost = |own: &&Hidden| {
            let mut others = self.0.iter().filter(|other| other.path != own.path);
            !others.any(|other| own.path.starts_with(&other.path))
        };
        self.0.iter().filter(|own| own.path.starts_with(path)).filter(outermost).cloned().collect()
    }
}

/// Where `path` truly is, though its last part may not exist yet: links in what exists are followed, `.` and `..` in the
/// rest are taken by the letter.
pub(crate) fn true_place(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path;
    loop {
        if let Ok(mut found) = at.canonicalize() {
            for name in missing.iter().rev() {
                match name {
                    Component::ParentDir => drop(found.pop()),
                    Component::Normal(name) => found.push(name),
                    Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
                }
            }
            return found;
        }
        match (at.components().next_back(), at.parent()) {
            (Some(last), Some(parent)) => {
                missing.push(last);
                at = parent;
            }
            _ => return path.to_owned(),
        }
    }
}
