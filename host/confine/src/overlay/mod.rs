//! A granted folder in a sandbox: the folder itself below, read-only, and above it a layer of its own on the disk that takes
//! all that is written. The layer begins with what is pending in the task, and what is written to it joins that.
//!
//! Nothing in the layer is believed. It is read like a folder of a stranger: from open handles, no link followed, with limits
//! on everything; and what it would do to the person's folder is worked out against a listing of that which was made before
//! the sandbox began. What has changed there since is a conflict, and stays as it is.

mod base;
mod extent;
mod follow;
mod kept;
mod layers;
mod mount;
pub(crate) mod room;
mod scan;
mod seed;
mod take;
mod told;

use base::Base;
use deskhand_vocabulary::{FilePath, FolderName};
use deskhand_workspace::{FileError, Ground, Workspace};
pub use extent::Extent;
pub use follow::Step;
pub use kept::Kept;
pub use layers::Layers;
pub use mount::Mount;
pub(crate) use mount::Place;
use rustix::io::Errno;
use scan::{Marks, Scan};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use told::Machine;
pub use told::{Telling, Thing};

/// A granted folder, and the layer over it.
#[derive(Debug)]
pub struct Overlay {
    folder: FolderName,
    ground: Ground,
    extent: Extent,
    /// The layer; of one in a machine, what its files hold.
    place: Arc<Place>,
    /// Where the layer is in a machine: what is known of it.
    machine: Option<Machine>,
    /// What the task saw of the folder when the sandbox last saw the same.
    base: Base,
    /// What it is about to see the same as.
    next: Option<Base>,
    /// What in the layer has been dealt with.
    settled: Marks,
}

/// What came of what a sandbox wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The changes that were added to the pending set, in their order.
    pub made: Vec<Made>,
    /// What was not, and why.
    pub refused: Vec<Refused>,
    /// How many more were not that are not listed.
    pub more: u64,
    /// Files that were made executable, which is not taken of them.
    pub executable: Vec<FilePath>,
}

/// A change that was added to a pending set, told so that it can be added again in another process. The versions are those
/// that were there before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "made", rename_all = "kebab-case")]
pub enum Made {
    /// A folder that is to be.
    Folder {
        /// Which.
        path: FilePath,
    },
    /// A file that is written, as a whole; what it holds is read from the pending set.
    File {
        /// Which.
        path: FilePath,
        /// None where there was none.
        version: Option<String>,
    },
    /// A file that is to be elsewhere.
    Moved {
        /// Which.
        path: FilePath,
        /// Its version.
        version: String,
        /// Where it comes to be.
        to: FilePath,
    },
    /// Something that is removed.
    Removed {
        /// What.
        path: FilePath,
        /// Its version.
        version: String,
    },
}

/// Something that a sandbox wrote and that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub path: FilePath,
    /// Why, in words for the person.
    pub reason: String,
}

impl Taken {
    /// The most refusals that are listed.
    const LISTED: usize = 200;
    /// The most files that are named whose executable bit is not taken.
    const NAMED: usize = 5;

    /// How many changes were added to the pending set.
    pub fn added(&self) -> usize {
        self.made.len()
    }

    /// And what another one came to.
    pub fn add(&mut self, other: Self) {
        let Self { made, refused, more, executable } = other;
        self.made.extend(made);
        self.more += more;
        self.executable.extend(executable);
        for Refused { path, reason } in refused {
            self.refuse(path, reason);
        }
    }

    /// The executable bits that were not taken, and what to do about them, to stand behind `not taken:`. None where there were none.
    pub fn bits(&self) -> Option<String> {
        let named: Vec<String> = self.executable.iter().take(Self::NAMED).map(|path| format!("`{path}`")).collect();
        let more = self.executable.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!named.is_empty()).then(|| {
            format!(
                "the executable bit of {}{more}; the content is taken. To run such a file, name its interpreter, or have the person make it executable (chmod +x)",
                named.join(", ")
            )
        })
    }

    fn refuse(&mut self, path: FilePath, reason: impl Into<String>) {
        if self.refused.len() < Self::LISTED {
            self.refused.push(Refused { path, reason: reason.into() });
        } else {
            self.more += 1;
        }
    }
}

/// Why a granted folder cannot be in a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The layer could not be made.
    #[error(
        "what is written in the sandbox cannot be kept in {place}: {reason}. Check that the folder is yours and its disk has room (`deskhand doctor`)"
    )]
    Place {
        /// Where it was to be.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// There is more in the folder than is looked at.
    #[error(
        "`{folder}` has more than {most} files and folders, and a sandbox is given fewer. Grant the folder in it that is needed"
    )]
    TooMuch {
        /// The folder.
        folder: FolderName,
        /// The most that is looked at.
        most: usize,
    },
    /// Something in the folder, or pending in it.
    #[error(transparent)]
    File(#[from] FileError),
}

impl OverlayError {
    pub(crate) fn place(place: &Path, error: Errno) -> Self {
        Self::Place { place: place.display().to_string(), reason: error.to_string() }
    }
}

impl Overlay {
    /// Over a granted folder of the task, in a folder of its own below `place`, which lies on a disk of this machine and in
    /// Deskhand's own home. What is pending in the task is seen in it.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn over(workspace: &Workspace, folder: &FolderName, place: &Path) -> Result<Self, OverlayError> {
        let ground = workspace.ground(folder)?;
        let failed = |error: Errno| OverlayError::place(place, error);
        let place = Arc::new(Place::new(place).map_err(failed)?);
        let base = Base::of(workspace, folder)?;
        seed::lay(workspace, folder, &place).map_err(|error| error.at(failed))?;
        let scan = scan::scan(&place, folder).map_err(failed)?;
        let (folder, settled, extent) = (folder.clone(), scan.found, Extent::Remove);
        Ok(Self { folder, ground, extent, place, machine: None, base, next: None, settled })
    }

    /// The same where the layer is in a machine, which tells what is in it ([`Layers::told`]).
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn in_machine(workspace: &Workspace, folder: &FolderName, place: &Path) -> Result<Self, OverlayError> {
        let ground = workspace.ground(folder)?;
        let failed = |error: Errno| OverlayError::place(place, error);
        let pending = Place::new(place).map_err(failed)?;
        let base = Base::of(workspace, folder)?;
        seed::lay(workspace, folder, &pending).map_err(|error| error.at(failed))?;
        let place = Arc::new(Place::new(place).map_err(failed)?);
        let (folder, settled, extent) = (folder.clone(), Marks::new(), Extent::Remove);
        Ok(Self { folder, ground, extent, place, machine: Some(Machine::new(pending)), base, next: None, settled })
    }

    /// The same, no further than this.
    #[must_use]
    pub fn limited(mut self, extent: Extent) -> Self {
        self.extent = self.extent.min(extent);
        self.ground.writable &= self.extent >= Extent::Change;
        self
    }

    /// What the task calls it.
    pub const fn folder(&self) -> &FolderName {
        &self.folder
    }

    /// The folder as it lies on the disk.
    pub const fn ground(&self) -> &Ground {
        &self.ground
    }

    /// For a machine: the layer that what is pending lies in; none where nothing is.
    pub fn pending(&self) -> Option<PathBuf> {
        let place = &self.machine.as_ref()?.pending;
        let is_empty = deskhand_workspace::disk::names(place.upper()).is_ok_and(|names| names.is_empty());
        (!is_empty).then(|| place.path().join("upper"))
    }

    fn scan(&self) -> Result<Scan, OverlayError> {
        match &self.machine {
            Some(machine) => Ok(Scan { found: machine.told.clone(), ..Scan::default() }),
            None => {
                scan::scan(&self.place, &self.folder).map_err(|error| OverlayError::place(self.place.path(), error))
            }
        }
    }

    /// For [`crate::Confined::folders`].
    pub fn mount(&self) -> Mount {
        Mount::new(&self.folder, &self.ground, &self.place)
    }

    /// What has to be done in the sandbox, for it to see the folder as the task does now. None where a new layer is better.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn behind(&mut self, workspace: &Workspace) -> Result<Option<Vec<Step>>, OverlayError> {
        let now = Base::of(workspace, &self.folder)?;
        let steps = follow::steps(workspace, &self.folder, self.mount().inside(), (&self.base, &now))?;
        self.next = Some(now);
        Ok(steps)
    }

    /// The sandbox sees the folder as the task did when it was last asked what is [behind](Self::behind), and not as it may be
    /// by now: what it writes from now on is taken, against that. To be called while nothing in it writes.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn caught_up(&mut self) -> Result<(), OverlayError> {
        if let Some(next) = self.next.take() {
            self.base = next;
        }
        self.settled = self.scan()?.found;
        Ok(())
    }

    /// Let what was written since the last time join the task's pending set, with `reason` as the reason for the person. What
    /// cannot be is told, and stays as it was. To be called while nothing in the sandbox writes.
    ///
    /// What is pending must not be applied while the sandbox goes on: it would not see it.
    ///
    /// # Errors
    /// [`OverlayError::Place`] where the layer cannot be read at all.
    pub fn take(&mut self, workspace: &Workspace, reason: &str) -> Result<Taken, OverlayError> {
        let scan = self.scan()?;
        let at = take::At { workspace, folder: &self.folder, extent: self.extent, place: &self.place, reason };
        let mut taken = take::take(&at, &scan, &self.settled, &mut self.base);
        taken.more += self.machine.as_mut().map_or(0, |machine| std::mem::take(&mut machine.unnamed));
        self.settled = scan.found;
        Ok(taken)
    }
}
