//! What is pending in the task, laid into a new layer, so that a sandbox sees the folder as the task does.

use super::{OverlayError, mount::Place};
use deskhand_vocabulary::{FilePath, FolderName, RelativePath, Stop, path::decode};
use deskhand_workspace::{Code, Entry, FileError, Kind, WalkOptions, Workspace, disk};
use jiff::tz::TimeZone;
use rustix::{
    fd::{AsFd as _, OwnedFd},
    fs::{FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::Write as _,
    os::{fd::AsRawFd as _, unix::ffi::OsStrExt as _},
};

/// How much of a file is read at a time, in bytes.
const PIECE: u32 = 1 << 20;

/// Why not.
pub(super) enum Failed {
    Pending(FileError),
    Layer(Errno),
}

impl Failed {
    pub(super) fn at(self, layer: impl Fn(Errno) -> OverlayError) -> OverlayError {
        match self {
            Self::Pending(error) => OverlayError::File(error),
            Self::Layer(error) => layer(error),
        }
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        Self::Pending(error)
    }
}

impl From<Errno> for Failed {
    fn from(error: Errno) -> Self {
        Self::Layer(error)
    }
}

/// See the module.
pub(super) fn lay(workspace: &Workspace, folder: &FolderName, place: &Place) -> Result<(), Failed> {
    let mut seed = Seed { workspace, folder, place, whole: BTreeSet::new() };
    let (sources, targets) = seed.pending();
    for target in &targets {
        seed.lay(target)?;
    }
    for source in &sources {
        seed.hide(source)?;
    }
    Ok(())
}

struct Seed<'a> {
    workspace: &'a Workspace,
    folder: &'a FolderName,
    place: &'a Place,
    /// Folders that nothing below is seen of.
    whole: BTreeSet<RelativePath>,
}

impl Seed<'_> {
    /// What is not any more where it was, and what has come to be.
    fn pending(&self) -> (BTreeSet<RelativePath>, BTreeSet<RelativePath>) {
        let (mut sources, mut targets) = (BTreeSet::new(), BTreeSet::new());
        let mut after = None;
        loop {
            let page = self.workspace.pending(after, 1000);
            let Some(last) = page.last() else { return (sources, targets) };
            after = Some(last.id);
            let here = |path: Option<FilePath>| path.filter(|path| path.folder == *self.folder).map(|path| path.path);
            for change in page {
                sources.extend(here(change.source));
                targets.extend(here(change.target));
            }
        }
    }

    fn path(&self, path: &RelativePath) -> FilePath {
        FilePath { folder: self.folder.clone(), path: path.clone() }
    }

    fn find(&self, path: &RelativePath) -> Result<Option<Entry>, FileError> {
        match self.workspace.stat(&[self.path(path)]).pop() {
            Some(Ok(entry)) => Ok(Some(entry)),
            Some(Err(error)) if error.code != Code::NotFound => Err(error),
            _ => Ok(None),
        }
    }

    fn lay(&mut self, path: &RelativePath) -> Result<(), Failed> {
        let Some(entry) = self.find(path)? else { return Ok(()) };
        self.put(&entry)?;
        if entry.kind != Kind::Folder {
            return Ok(());
        }
        self.whole.insert(path.clone());
        let options = WalkOptions { deep: true, hidden: true, glob: None };
        let mut cursor = None;
        loop {
            let page = self.workspace.walk(&entry.path, &options, cursor.as_deref(), 1000)?;
            for inner in &page.entries {
                self.put(inner)?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn put(&self, entry: &Entry) -> Result<(), Failed> {
        let (Some(parent), Some(name)) = (entry.path.path.parent(), entry.path.path.name()) else { return Ok(()) };
        let above = self.folder_at(&parent)?;
        match entry.kind {
            Kind::Folder => {
                let made = self.make_folder(&above, name, entry)?;
                let made = format!("/proc/self/fd/{}", made.as_raw_fd());
                // nothing of the person's folder shines through what is new or comes from elsewhere
                Ok(rustix::fs::setxattr(made, "user.overlay.opaque", b"y", XattrFlags::empty())?)
            }
            Kind::File => self.copy(&above, name, entry),
            Kind::Link => self.link(&above, name, entry),
            Kind::Fifo | Kind::Socket | Kind::Device => Ok(()),
        }
    }

    fn make_folder(&self, above: &OwnedFd, name: &[u8], entry: &Entry) -> Result<OwnedFd, Failed> {
        match rustix::fs::mkdirat(above, OsStr::from_bytes(name), Mode::from_raw_mode(entry.mode & 0o777 | 0o700)) {
            Ok(()) | Err(Errno::EXIST) => Ok(disk::open_folder(above.as_fd(), name)?),
            Err(error) => Err(error.into()),
        }
    }

    /// The folder of the layer that stands for a folder of the view, with all above it.
    fn folder_at(&self, path: &RelativePath) -> Result<OwnedFd, Failed> {
        let mut at = rustix::io::fcntl_dupfd_cloexec(self.place.upper(), 0)?;
        let mut walked = RelativePath::root();
        for name in path.names() {
            walked = walked.join(name).map_err(|_| Errno::NAMETOOLONG)?;
            at = match disk::open_folder(at.as_fd(), name) {
                Err(Errno::NOENT) => {
                    let entry = self.find(&walked)?.ok_or(Errno::NOENT)?;
                    self.make_folder(&at, name, &entry)?
                }
                found => found?,
            };
        }
        Ok(at)
    }

    fn copy(&self, above: &OwnedFd, name: &[u8], entry: &Entry) -> Result<(), Failed> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(entry.mode & 0o777 | 0o600);
        let file = match rustix::fs::openat(above, OsStr::from_bytes(name), flags, mode) {
            Err(Errno::EXIST) => return Ok(()),
            file => std::fs::File::from(file?),
        };
        let mut at = 0;
        loop {
            let piece = self.workspace.read(&entry.path, Some(&entry.version), at, PIECE)?;
            if piece.is_empty() {
                break;
            }
            let written = (&file).write_all(&piece);
            written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            at += piece.len() as u64;
        }
        let modified =
            Timespec { tv_sec: entry.modified.as_second(), tv_nsec: entry.modified.subsec_nanosecond().into() };
        Ok(rustix::fs::futimens(&file, &Timestamps { last_access: modified, last_modification: modified })?)
    }

    fn link(&self, above: &OwnedFd, name: &[u8], entry: &Entry) -> Result<(), Failed> {
        let wanted = ["link-target".to_owned()];
        let paths = [entry.path.clone()];
        let told = self.workspace.attributes(&paths, &wanted, &TimeZone::UTC, &Stop::default()).pop().transpose()?;
        let target = told.as_ref().and_then(|told| told.get("link-target")?.as_str()).map(decode).unwrap_or_default();
        match rustix::fs::symlinkat(OsStr::from_bytes(&target), above, OsStr::from_bytes(name)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Hide what lies in the person's folder and is not in the view any more.
    fn hide(&self, path: &RelativePath) -> Result<(), Failed> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(()) };
        let hidden = self.whole.iter().any(|whole| parent.is_within(whole));
        if hidden || self.find(path)?.is_some() || self.find(&parent)?.is_none_or(|parent| parent.kind != Kind::Folder)
        {
            return Ok(());
        }
        let above = self.folder_at(&parent)?;
        let made = rustix::fs::mknodat(&above, OsStr::from_bytes(name), FileType::CharacterDevice, Mode::empty(), 0);
        match made {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
