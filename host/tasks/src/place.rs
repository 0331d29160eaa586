//! Where the supervisor is: the lock that makes it the only one, and its socket, both for nobody but their owner.

use deskhand_files::open_lock;
use deskhand_vocabulary::Home;
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    io::Errno,
};
use std::{
    fs::{DirBuilder, File, Permissions},
    io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{
            fs::{DirBuilderExt as _, PermissionsExt as _},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// The name of the socket.
const SOCKET: &str = "supervisor.sock";
/// The name of the lock.
const LOCK: &str = "supervisor.lock";
/// The name of what the supervisor itself has to say.
const LOG: &str = "supervisor.log";

/// See the module.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
}

/// The place is held by this process, until this is dropped.
#[derive(Debug)]
pub struct Holding {
    place: Place,
    _lock: File,
}

impl Place {
    /// In a home.
    pub fn of(home: &Home) -> Self {
        Self { folder: home.data.join("tasks") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the supervisor writes what it itself has to say.
    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Make the folder.
    pub fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// Hold it; nothing where another process does.
    pub fn hold(&self) -> io::Result<Option<Holding>> {
        self.make()?;
        let lock = open_lock(&self.folder.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Holding { place: self.clone(), _lock: lock })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Connect to the supervisor. An error of the kinds `NotFound` and `ConnectionRefused` means that there is none.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let (_held, path) = self.through()?;
        UnixStream::connect(path)
    }

    /// The socket by a path that is never too long for one (108 bytes; unix(7)): through the open folder.
    fn through(&self) -> io::Result<(OwnedFd, PathBuf)> {
        let handle = open(&self.folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", handle.as_raw_fd()));
        Ok((handle, path))
    }
}

impl Holding {
    /// Open the socket. One that a process left behind which is gone goes away.
    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        self.close();
        let (_held, through) = self.place.through()?;
        let listener = UnixListener::bind(through)?;
        // the folder lets nobody else in; this says the same once more
        std::fs::set_permissions(self.place.folder.join(SOCKET), Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Close it: whoever connects from now on finds none.
    pub(crate) fn close(&self) {
        // one that is not there is closed
        let _ = std::fs::remove_file(self.place.folder.join(SOCKET));
    }
}
