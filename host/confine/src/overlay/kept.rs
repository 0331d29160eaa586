//! What was written in the sandboxes of a task and is pending, on the disk: a program is not run again when its task goes on in
//! another process, so what it wrote is kept until it is applied or given up.

use super::Made;
use deskhand_files::Origin;
use deskhand_vocabulary::FilePath;
use deskhand_workspace::{ChangeId, Code, FileError, Workspace, holds_the_same};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// The list of what was changed, beside what was written.
const LIST: &str = "list.json";
/// The most bytes of a list.
const LIST_MOST: u64 = 256 << 20;
/// How much of a file is copied at a time, in bytes.
const PIECE: u32 = 1 << 20;
/// What the versions of pending content begin with.
const PENDING: &str = "new-";
/// The most changes that are named which could not be made again.
const NAMED: usize = 5;

/// What was added to the pending set at one time.
#[derive(Serialize, Deserialize)]
struct List {
    /// For the person.
    reason: String,
    made: Vec<Made>,
}

/// The folder of one task.
#[derive(Clone, Debug)]
pub struct Kept(PathBuf);

impl Kept {
    /// In this folder, which need not be there.
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Keep these changes, which are pending in `workspace`, with the reason that the person was given. Gives the number by
    /// which [`Self::again`] finds them; none where there are none.
    ///
    /// # Errors
    /// Where not all of it could be kept. It is pending all the same.
    pub fn keep(&self, reason: &str, made: &[Made], workspace: &Workspace) -> io::Result<Option<u64>> {
        if made.is_empty() {
            return Ok(None);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let temporary = tempfile::Builder::new().prefix(".keeping-").tempdir_in(&self.0)?;
        for (at, change) in made.iter().enumerate() {
            if let Made::File { path, .. } = change {
                copy(workspace, path, &temporary.path().join(at.to_string()))?;
            }
        }
        let mut list = File::create(temporary.path().join(LIST))?;
        list.write_all(&serde_json::to_vec(&List { reason: reason.to_owned(), made: made.to_vec() })?)?;
        // one call for all of it, however many files there are
        rustix::fs::syncfs(&list)?;
        let number = self.place(temporary)?;
        File::open(&self.0)?.sync_all()?;
        Ok(Some(number))
    }

    /// Put what is whole in its place, under the next number. Several programs may be kept something of at a time.
    fn place(&self, whole: tempfile::TempDir) -> io::Result<u64> {
        let numbers = fs::read_dir(&self.0)?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut number = numbers.max().unwrap_or(0) + 1;
        loop {
            match fs::rename(whole.path(), self.0.join(number.to_string())) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => number += 1,
                Err(error) => return Err(error),
                Ok(()) => {
                    drop(whole.keep());
                    return Ok(number);
                }
            }
        }
    }

    /// Let the changes of this number be pending once more, as far as nothing of it has changed since.
    ///
    /// # Errors
    /// What could not be, for the person. The rest is pending.
    pub fn again(&self, number: u64, workspace: &Workspace) -> Result<(), String> {
        let folder = self.0.join(number.to_string());
        let list = deskhand_files::read(&folder.join(LIST), Origin::Own, LIST_MOST);
        let List { reason, made } = list
            .and_then(|list| Ok(serde_json::from_slice(&list)?))
            .map_err(|error| format!("what it wrote was not kept: {error}"))?;
        let mut refused = Vec::new();
        for (at, change) in made.iter().enumerate() {
            match make(workspace, change, &folder.join(at.to_string())) {
                Ok(Some(id)) => drop(workspace.explain(id, &reason)), // what took another change back is none itself
                Ok(None) => {}
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() {
            return Ok(());
        }
        let more = refused.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let named = &refused[..refused.len().min(NAMED)];
        Err(format!("{} of {} changes: {}{more}", refused.len(), made.len(), named.join("; ")))
    }

    /// Nothing of it is pending any more.
    ///
    /// # Errors
    /// Where it is there still.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn copy(workspace: &Workspace, from: &FilePath, to: &Path) -> io::Result<()> {
    let mut file = File::create_new(to)?;
    let mut at = 0;
    loop {
        let piece = workspace.read(from, None, at, PIECE).map_err(|error| io::Error::other(error.message))?;
        if piece.is_empty() {
            return Ok(());
        }
        file.write_all(&piece)?;
        at += piece.len() as u64;
    }
}

/// Make one change again. `content` is where what was written is kept, if something was. Gives nothing where it has come to be
/// meanwhile.
fn make(workspace: &Workspace, change: &Made, content: &Path) -> Result<Option<ChangeId>, String> {
    let made = match change {
        Made::Folder { path } => match workspace.make_folder(path) {
            Err(error) if error.code == Code::Conflict => return Ok(None),
            made => made,
        },
        Made::File { path, version } => {
            let content = deskhand_files::open(content, Origin::Own)
                .map_err(|error| format!("`{path}`: what it holds was not kept: {error}"))?;
            let version = version.as_ref().map(|version| now(workspace, path, version)).transpose();
            version.and_then(|version| workspace.write_file(path, content, version.as_deref()))
        }
        Made::Moved { path, version, to } => {
            now(workspace, path, version).and_then(|version| workspace.move_(path, &version, to, None))
        }
        Made::Removed { path, version } => {
            now(workspace, path, version).and_then(|version| workspace.remove(path, &version))
        }
    };
    made.map(Some).map_err(|error| error.message)
}

/// The version that something has now which had this one, if it holds the same still.
fn now(workspace: &Workspace, path: &FilePath, version: &str) -> Result<String, FileError> {
    let entry = workspace.stat(std::slice::from_ref(path)).pop().transpose()?;
    let now = entry.map(|entry| entry.version).unwrap_or_default();
    let pending = |version: &str| version.starts_with(PENDING);
    // what is pending is numbered anew
    let same = if pending(version) { pending(&now) } else { holds_the_same(version, &now) };
    if same {
        return Ok(now);
    }
    let message = format!("`{path}` has changed in your folder meanwhile, and stays as it is there");
    Err(FileError { code: Code::Conflict, message })
}
