//! What else in its task has changed while a sandbox is open, made known to it: a folder is brought up to date through its mount,
//! by the runner of the session, so that an interpreter need not be begun anew.

use super::base::Base;
use deskhand_vocabulary::{FilePath, FolderName, RelativePath};
use deskhand_workspace::{FileError, Kind, Workspace};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The most steps that are worth it, and the most bytes of a file and of all files in them: beyond, a new layer is quicker.
const STEPS: usize = 1000;
const FILE: u64 = 2 << 20;
const BYTES: u64 = 32 << 20;

/// Something to be done in the sandbox. The paths are those there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// What is there no more.
    Remove(PathBuf),
    /// A folder that has come to be.
    Folder(PathBuf),
    /// A file, and all that it holds now.
    Write(PathBuf, Vec<u8>),
}

/// What leads from `before` to `now`. None where it is too much, or of a kind that is not made.
pub(super) fn steps(
    workspace: &Workspace,
    folder: &FolderName,
    inside: &Path,
    (before, now): (&Base, &Base),
) -> Result<Option<Vec<Step>>, FileError> {
    let gone = before.paths().filter(|path| now.get(path).is_none());
    let mut steps: Vec<Step> = gone.map(|path| Step::Remove(inside.join(path.as_path()))).collect();
    let mut bytes = 0;
    for path in now.paths().filter(|path| before.get(path) != now.get(path)) {
        let at = FilePath { folder: folder.clone(), path: path.clone() };
        let Some(entry) = workspace.stat(std::slice::from_ref(&at)).pop().transpose()? else { return Ok(None) };
        let there = inside.join(path.as_path());
        match entry.kind {
            Kind::Folder => steps.push(Step::Folder(there)),
            Kind::File => {
                bytes += entry.size;
                if entry.size > FILE || bytes > BYTES {
                    return Ok(None);
                }
                steps.push(Step::Write(there, content(workspace, &at, entry.size)?));
            }
            Kind::Link | Kind::Fifo | Kind::Socket | Kind::Device => return Ok(None),
        }
        if steps.len() > STEPS {
            return Ok(None);
        }
    }
    Ok((steps.len() <= STEPS).then_some(steps))
}

fn content(workspace: &Workspace, path: &FilePath, size: u64) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    while (content.len() as u64) < size {
        let piece = workspace.read(path, None, content.len() as u64, 1 << 20)?;
        if piece.is_empty() {
            break;
        }
        content.extend(piece);
    }
    Ok(content)
}

impl Base {
    fn paths(&self) -> impl Iterator<Item = RelativePath> + '_ {
        self.all().filter_map(|path| RelativePath::from_bytes(path).ok())
    }
}
