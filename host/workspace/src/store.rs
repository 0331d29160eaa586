//! Where before-images, removed files and staged content lie: one store for each file system, so that everything moves in
//! and out of it by a rename.

use crate::{
    disk::{self, Disk},
    entry::Stamp,
    error::WorkspaceError,
    folder::{Masks, Root},
};
use deskhand_files::{MOST, Origin};
use deskhand_vocabulary::{Home, path::encode};
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::DirBuilderExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// A store, open. Below it lie a folder for each commit, named by its number, and one for each task's staged content.
#[derive(Debug)]
pub(crate) struct Store {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
    handle: OwnedFd,
}

impl Store {
    /// One that exists already.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        let stamp = Stamp::of(&handle)?;
        if stamp.uid != rustix::process::geteuid().as_raw() {
            return Err(Errno::PERM);
        }
        Ok(Self { path: path.to_owned(), stamp, handle })
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// A folder in it, made if it is not there.
    pub(crate) fn folder(&self, disk: &dyn Disk, name: &str) -> Result<OwnedFd, Errno> {
        match self.existing(name) {
            Err(Errno::NOENT) => {}
            found => return found,
        }
        match disk.make_folder(self.handle(), name.as_bytes(), 0o700) {
            Ok(()) | Err(Errno::EXIST) => self.existing(name),
            Err(error) => Err(error),
        }
    }

    /// A folder in it that must be there.
    pub(crate) fn existing(&self, name: &str) -> Result<OwnedFd, Errno> {
        disk::open_folder(self.handle(), name.as_bytes())
    }

    /// True if a rename reaches from it into `root`.
    fn serves(&self, root: &Root) -> bool {
        self.stamp.dev == root.stamp.dev && self.stamp.mount == root.stamp.mount
    }

    /// Bytes free for us.
    pub(crate) fn free(&self) -> Result<u64, Errno> {
        let stat = rustix::fs::fstatvfs(self.handle())?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// All stores of a home.
pub(crate) struct Stores {
    home: Home,
    masks: Arc<Masks>,
    open: Mutex<Vec<Arc<Store>>>,
}

/// The places of all stores that were ever used, in `stores.json` of the home.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Register {
    stores: Vec<String>,
}

impl Stores {
    pub(crate) fn new(home: &Home, masks: Arc<Masks>) -> Result<Self, WorkspaceError> {
        for folder in [&home.data, &home.commits(), &home.store()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|error| WorkspaceError::home(folder, error))?;
        }
        for folder in home.top().into_iter().chain(home.folders()) {
            masks.add(folder);
        }
        masks.add_own(home);
        for path in registered(home)? {
            masks.add(&path);
        }
        Ok(Self { home: home.clone(), masks, open: Mutex::new(Vec::new()) })
    }

    /// The store at `path`, which a journal names.
    pub(crate) fn at(&self, path: &Path) -> Result<Arc<Store>, Errno> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.iter().find(|store| store.path == path) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(Store::open(path)?);
        open.push(Arc::clone(&store));
        Ok(store)
    }

    /// All that are there now.
    pub(crate) fn all(&self) -> Result<Vec<Arc<Store>>, WorkspaceError> {
        let mut paths = vec![self.home.store()];
        paths.extend(registered(&self.home)?);
        Ok(paths.iter().filter_map(|path| self.at(path).ok()).collect())
    }

    /// The store for a granted folder: the home's own where a rename reaches it; else a folder of ours at the topmost
    /// folder of that mount that we may write to; else within the granted folder, where no view shows it.
    pub(crate) fn of(&self, root: &Root) -> Result<Arc<Store>, WorkspaceError> {
        let known = |stores: &[Arc<Store>]| stores.iter().find(|store| store.serves(root)).map(Arc::clone);
        if let Some(store) = known(&self.open.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(store);
        }
        let own = self.home.store();
        let store = self.at(&own).map_err(|error| WorkspaceError::home(&own, error))?;
        if store.serves(root) {
            return Ok(store);
        }
        for path in registered(&self.home)? {
            if let Ok(store) = self.at(&path)
                && store.serves(root)
            {
                self.masks.add(path.parent().unwrap_or(&path));
                return Ok(store);
            }
        }
        let base = Home::store_elsewhere(rustix::process::geteuid().as_raw());
        let mut error = Errno::ACCESS;
        for folder in mount_from_top(root) {
            let path = folder.join(&base);
            match private_folder(&path).and_then(|()| private_folder(&path.join(self.id()?))) {
                Ok(()) => {
                    let path = path.join(self.id().map_err(|error| WorkspaceError::home(&self.home.data, error))?);
                    self.masks.add(path.parent().unwrap_or(&path));
                    register(&self.home, &path)?;
                    let store = self.at(&path).map_err(|error| WorkspaceError::home(&path, error))?;
                    if store.serves(root) {
                        return Ok(store);
                    }
                }
                Err(failed) => error = failed,
            }
        }
        Err(WorkspaceError::Folder {
            path: root.path.clone(),
            reason: format!("there is no place on its disk where removed and replaced files can be kept ({error})"),
        })
    }

    /// A name of this home, so that two homes of one person share no store.
    fn id(&self) -> Result<String, Errno> {
        let path = self.home.data.join("home-id");
        if let Ok(text) = deskhand_files::read_text(&path, Origin::Own, 1024)
            && text.len() == 16
            && text.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return Ok(text);
        }
        let id = random()?;
        let temporary = self.home.data.join(format!("home-id.{id}"));
        write_durably(&temporary, id.as_bytes()).map_err(errno)?;
        // the first of two processes wins, both then read the same
        let linked = fs::hard_link(&temporary, &path);
        let _ = fs::remove_file(&temporary);
        match linked {
            Ok(()) => Ok(id),
            Err(_) => deskhand_files::read_text(&path, Origin::Own, 1024).map_err(errno),
        }
    }
}

pub(crate) fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// 16 hexadecimal digits.
pub(crate) fn random() -> Result<String, Errno> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|_| Errno::IO)?;
    Ok(hex::encode(bytes))
}

/// The folders from the top of the mount that `root` is on down to `root`.
fn mount_from_top(root: &Root) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = root
        .path
        .ancestors()
        .take_while(|path| {
            Stamp::at(rustix::fs::CWD, path.as_os_str().as_bytes())
                .is_ok_and(|stamp| stamp.dev == root.stamp.dev && stamp.mount == root.stamp.mount)
        })
        .map(Path::to_owned)
        .collect();
    found.reverse();
    found
}

/// Make a folder that only we may enter, or see that one that is there is ours.
fn private_folder(path: &Path) -> Result<(), Errno> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    let stamp = Stamp::at(rustix::fs::CWD, path.as_os_str().as_bytes())?;
    if stamp.kind != crate::entry::Kind::Folder || stamp.uid != rustix::process::geteuid().as_raw() {
        return Err(Errno::PERM);
    }
    if stamp.mode & 0o077 != 0 {
        // it is ours; a disk without permissions (FAT) shows what it was mounted with and takes no other
        let _ = rustix::fs::chmod(path, Mode::RWXU);
    }
    Ok(())
}

fn register_path(home: &Home) -> PathBuf {
    home.data.join("stores.json")
}

fn registered(home: &Home) -> Result<Vec<PathBuf>, WorkspaceError> {
    let path = register_path(home);
    let text = match deskhand_files::read(&path, Origin::Own, MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(WorkspaceError::home(path, error)),
    };
    let register: Register = serde_json::from_slice(&text).map_err(|error| WorkspaceError::home(&path, error))?;
    let path = |text: &String| PathBuf::from(std::ffi::OsStr::from_bytes(&deskhand_vocabulary::path::decode(text)));
    Ok(register.stores.iter().map(path).collect())
}

/// The folders on other disks that hold what undo needs of a home, or have held it.
///
/// # Errors
/// Where the list of them cannot be read.
pub fn kept_elsewhere(home: &Home) -> Result<Vec<PathBuf>, WorkspaceError> {
    Ok(registered(home)?.iter().filter_map(|store| store.parent()).map(Path::to_owned).collect())
}

fn register(home: &Home, store: &Path) -> Result<(), WorkspaceError> {
    let _lock = crate::journal::lock_home(home)?;
    let mut paths = registered(home)?;
    if paths.iter().any(|path| path == store) {
        return Ok(());
    }
    paths.push(store.to_owned());
    let stores = paths.iter().map(|path| encode(path.as_os_str().as_bytes())).collect();
    let path = register_path(home);
    let text = serde_json::to_vec(&Register { stores }).map_err(|error| WorkspaceError::home(&path, error))?;
    let temporary = path.with_extension("new");
    let write = || {
        write_durably(&temporary, &text)?;
        fs::rename(&temporary, &path)?;
        fs::File::open(&home.data)?.sync_all()
    };
    write().map_err(|error| WorkspaceError::home(&path, error))
}

pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    // what a crash has left under this name is not written into
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A task's own folder in a store, where content waits until the change set is applied. Goes with the task; if its process
/// dies, recovery removes it, told by the lock on it.
pub(crate) struct Scratch {
    pub(crate) store: Arc<Store>,
    name: String,
    handle: OwnedFd,
    disk: Arc<dyn Disk>,
    next: AtomicU64,
}

pub(crate) const SCRATCH: &str = "pending-";

impl Scratch {
    pub(crate) fn new(store: Arc<Store>, disk: Arc<dyn Disk>) -> Result<Self, Errno> {
        let name = format!("{SCRATCH}{}", random()?);
        let handle = store.folder(disk.as_ref(), &name)?;
        rustix::fs::flock(&handle, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { store, name, handle, disk, next: AtomicU64::new(1) })
    }

    pub(crate) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    pub(crate) fn fresh(&self) -> String {
        self.next.fetch_add(1, Ordering::Relaxed).to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = clear(self.disk.as_ref(), self.handle.as_fd());
        let _ = self.disk.remove_folder(self.store.handle(), self.name.as_bytes());
    }
}

/// Remove the files of a scratch folder. It never holds anything that was a person's.
pub(crate) fn clear(disk: &dyn Disk, folder: BorrowedFd<'_>) -> Result<(), Errno> {
    for name in disk::names(folder)? {
        match disk.unlink(folder, &name) {
            Err(Errno::ISDIR) => remove_tree(disk, folder, &name)?,
            result => result?,
        }
    }
    Ok(())
}

/// Delete a tree in a store for good. Used on what is purged and on staged copies, nowhere else.
pub(crate) fn remove_tree(disk: &dyn Disk, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let stamp = Stamp::at(folder, name)?;
    if stamp.kind != crate::entry::Kind::Folder {
        return disk.unlink(folder, name);
    }
    let inner = match disk::open_folder(folder, name) {
        Ok(inner) => inner,
        Err(Errno::ACCESS) => {
            // a removed folder may forbid its owner to list it
            let way = disk::open_way(folder, name)?;
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&way));
            rustix::fs::chmod(path, Mode::RWXU)?;
            disk::open_folder(folder, name)?
        }
        Err(error) => return Err(error),
    };
    if stamp.mode & 0o300 != 0o300 {
        disk.set_mode(inner.as_fd(), 0o700)?;
    }
    for inside in disk::names(inner.as_fd())? {
        remove_tree(disk, inner.as_fd(), &inside)?;
    }
    disk.remove_folder(folder, name)
}

/// A file of staged content. It goes when nothing names it any more, unless it was taken into a commit.
pub(crate) struct Staged {
    pub(crate) scratch: Arc<Scratch>,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) modified: crate::entry::Moment,
    pub(crate) digest: deskhand_vocabulary::Sha256,
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = self.scratch.disk.unlink(self.scratch.handle(), self.name.as_bytes());
    }
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "staged {} ({} bytes)", self.name, self.size)
    }
}
