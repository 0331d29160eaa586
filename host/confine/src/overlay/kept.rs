//! What was taken out of sandboxes, kept on the disk so that it can be pending again when the task goes on in another process:
//! a program is not run twice for it. Each taking has a folder, with the list of its changes and the content of files.

use deskhand_vocabulary::{FilePath, text};
use deskhand_workspace::{ChangeId, Code, Entry, FileError, Kind, Workspace};
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags, fsync, open, openat},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// The list in a folder.
const LIST: &str = "changes";
/// What a folder is called until it is whole.
const PART: &str = "part";
/// How the version of a file begins that is pending and nowhere on the disk: another process gives it another.
const PENDING: &str = "new-";

/// A change that was made pending, with what was there before as it was seen.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Made {
    Folder { path: FilePath },
    File { path: FilePath, over: Option<String>, content: u32 },
    Move { from: FilePath, version: String, to: FilePath },
    Remove { path: FilePath, version: String },
}

/// What is being taken, as far as it is kept yet. One at a time in a folder.
#[derive(Debug)]
pub struct Keeping {
    place: PathBuf,
    /// Open once there is something to keep.
    folder: Option<OwnedFd>,
    made: Vec<Made>,
    files: u32,
    failed: Option<io::Error>,
}

impl Keeping {
    /// In a folder of this machine that is Deskhand's own, and of the task alone. Made when there is something to keep.
    pub fn begin(place: &Path) -> Self {
        Self { place: place.to_owned(), folder: None, made: Vec::new(), files: 0, failed: None }
    }

    pub(super) fn add(&mut self, made: Made) {
        self.made.push(made);
    }

    /// Keep the content of a file.
    pub(super) fn file(&mut self, path: FilePath, over: Option<String>, content: OwnedFd) {
        let number = self.files;
        self.files += 1;
        if let Err(error) = self.copy(&number.to_string(), &mut File::from(content)) {
            self.failed.get_or_insert(error);
        }
        self.made.push(Made::File { path, over, content: number });
    }

    fn copy(&mut self, name: &str, from: &mut impl io::Read) -> io::Result<()> {
        let folder = match &mut self.folder {
            Some(folder) => folder,
            folder => folder.insert(fresh(&self.place)?),
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&*folder, name, flags, Mode::RUSR | Mode::WUSR)?);
        io::copy(from, &mut file)?;
        file.sync_all()
    }

    /// All of it, durably. Gives the name of the taking; none where nothing was taken.
    ///
    /// # Errors
    /// Where not all of it could be kept. It is pending all the same.
    pub fn finish(mut self) -> io::Result<Option<String>> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.made.is_empty() {
            return Ok(None);
        }
        let list = postcard::to_allocvec(&self.made).map_err(io::Error::other)?;
        self.copy(LIST, &mut list.as_slice())?;
        self.folder.iter().try_for_each(fsync)?;
        let free = |number: &u32| !self.place.join(number.to_string()).exists();
        let name = (1..).find(free).unwrap_or_default().to_string();
        std::fs::rename(self.place.join(PART), self.place.join(&name))?;
        File::open(&self.place)?.sync_all()?;
        Ok(Some(name))
    }
}

/// A folder to be filled. What another process left of its own goes.
fn fresh(place: &Path) -> io::Result<OwnedFd> {
    DirBuilder::new().recursive(true).mode(0o700).create(place)?;
    let part = place.join(PART);
    match std::fs::remove_dir_all(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => DirBuilder::new().mode(0o700).create(&part)?,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(open(&part, flags, Mode::empty())?)
}

/// Let what was taken under this name be pending again, as it was then. Gives what cannot be, a line each.
///
/// # Errors
/// Where what was kept is not there, or is not what [`Keeping`] writes.
pub fn again(workspace: &Workspace, place: &Path, name: &str, reason: &str) -> io::Result<Vec<String>> {
    let number: u32 = name.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = place.join(number.to_string());
    let list = std::fs::read(folder.join(LIST))?;
    let made: Vec<Made> = postcard::from_bytes(&list).map_err(io::Error::other)?;
    let mut lost = Vec::new();
    for made in &made {
        match make(workspace, &folder, made) {
            Ok(Some(change)) => drop(workspace.explain(change, reason)),
            Ok(None) => {}
            Err((path, why)) => lost.push(format!("{}: {why}", text::safe(&path.to_string(), false))),
        }
    }
    Ok(lost)
}

fn make<'a>(workspace: &Workspace, folder: &Path, made: &'a Made) -> Result<Option<ChangeId>, (&'a FilePath, String)> {
    let at = |path: &'a FilePath| move |error: FileError| (path, error.message);
    match made {
        Made::Folder { path } => match seen(workspace, path).map_err(at(path))? {
            Some(entry) if entry.kind == Kind::Folder => Ok(None),
            _ => workspace.make_folder(path).map(Some).map_err(at(path)),
        },
        Made::File { path, over, content } => {
            let over = over.as_deref().map(|was| version(workspace, path, was)).transpose().map_err(at(path))?;
            let content = File::open(folder.join(content.to_string())).map_err(|error| (path, error.to_string()))?;
            workspace.write_file(path, content, over.as_deref()).map(Some).map_err(at(path))
        }
        Made::Move { from, version: was, to } => {
            let is = version(workspace, from, was).map_err(at(from))?;
            workspace.move_(from, &is, to, None).map(Some).map_err(at(from))
        }
        Made::Remove { path, version: was } => {
            let is = version(workspace, path, was).map_err(at(path))?;
            workspace.remove(path, &is).map(Some).map_err(at(path))
        }
    }
}

fn seen(workspace: &Workspace, path: &FilePath) -> Result<Option<Entry>, FileError> {
    match workspace.stat(std::slice::from_ref(path)).pop() {
        Some(Ok(entry)) => Ok(Some(entry)),
        Some(Err(error)) if error.code != Code::NotFound => Err(error),
        _ => Ok(None),
    }
}

/// The version of what is there now, where it is what was there: on the disk the very same, and pending where that was.
fn version(workspace: &Workspace, path: &FilePath, was: &str) -> Result<String, FileError> {
    match seen(workspace, path)? {
        Some(entry) if entry.version.starts_with(PENDING) && was.starts_with(PENDING) => Ok(entry.version),
        // the workspace says what is wrong where it is another
        _ => Ok(was.to_owned()),
    }
}
