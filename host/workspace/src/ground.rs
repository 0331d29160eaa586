//! What somebody needs who lays something over a granted folder, as the sandbox does.

use crate::{error::FileError, workspace::Workspace};
use deskhand_vocabulary::{FilePath, FolderName, RelativePath};
use rustix::io::Errno;
use std::path::PathBuf;

/// A granted folder as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// Where it is: canonical and absolute.
    pub path: PathBuf,
    /// What is there, if it is still that folder: device and inode.
    pub id: (u64, u64),
    /// Whether changes to it may be proposed.
    pub writable: bool,
    /// Folders below it that are in no view, since they are Deskhand's own.
    pub hidden: Vec<RelativePath>,
}

impl Workspace {
    /// Where a granted folder lies.
    ///
    /// # Errors
    /// Where it is not granted to this task.
    pub fn ground(&self, folder: &FolderName) -> Result<Ground, FileError> {
        let top = FilePath { folder: folder.clone(), path: RelativePath::root() };
        self.look(|view| {
            let failed = |error: Errno| FileError::system(error, &top);
            let root = view.root_of(view.root(&top)?).map_err(failed)?;
            Ok(Ground {
                path: root.path.clone(),
                id: root.stamp.id(),
                writable: root.writable,
                hidden: view.masks.below(&root.path),
            })
        })
    }
}
