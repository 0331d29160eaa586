//! Snapshots: a guest that has booted and has run nothing yet, kept so that the next one need not boot. A snapshot is
//! code, so it is made here, for this very image, monitor and processor, and is never taken from elsewhere.
//!
//! ```text
//! KEY/  seal.json, memory, devices, scratch
//! ```

mod sparse;

use crate::{Size, VmError, Vmm, Warmth, vmm::Start};
use deskhand_files::Origin;
use deskhand_vm_protocol::VERSION;
use deskhand_vocabulary::{Blake3, Sha256};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Seek as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The most bytes of a seal.
const SEAL_MOST: u64 = 4096;

/// Snapshots in a folder of our own.
#[derive(Clone, Debug)]
pub struct Snapshots(PathBuf);

/// What a snapshot must still be.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    memory: Blake3,
    devices: Blake3,
    scratch: Blake3,
}

/// A verified snapshot, ready to be restored.
pub(crate) struct Snapshot {
    pub(crate) start: Start,
    pub(crate) scratch: File,
}

/// A snapshot in the making. Dropped, nothing of it stays.
pub(crate) struct Making {
    folder: tempfile::TempDir,
    key: Sha256,
}

impl Snapshots {
    /// The snapshots in a folder, which is made (mode 0700) where it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    /// Everything that a snapshot depends on.
    pub(crate) fn key(vmm: &dyn Vmm, image: Sha256, size: Size, warmth: Warmth) -> Sha256 {
        let Size { memory, scratch } = size;
        let warmth = match warmth {
            Warmth::Booted => "booted",
            Warmth::Python => "python",
        };
        Sha256::of(format!("{VERSION} {} {} {memory} {scratch} {warmth}", vmm.identity(size), image))
    }

    /// Whether there is one, whatever it is worth.
    pub(crate) fn has(&self, key: Sha256) -> bool {
        self.0.join(key.to_string()).exists()
    }

    /// Open a snapshot and verify all of it. One that is not what it was is thrown away.
    pub(crate) fn restore(&self, key: Sha256) -> io::Result<Option<Snapshot>> {
        let folder = self.0.join(key.to_string());
        match open(&folder) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(_) if !folder.exists() => Ok(None),
            Err(_) => {
                fs::remove_dir_all(&folder)?;
                Ok(None)
            }
        }
    }

    /// Begin a snapshot. Those that are not in `keep` are thrown away: what they depend on is gone.
    pub(crate) fn make(&self, key: Sha256, keep: &[Sha256]) -> io::Result<Making> {
        self.prune(keep)?;
        Ok(Making { folder: tempfile::Builder::new().prefix(".making-").tempdir_in(&self.0)?, key })
    }

    /// Remove all but those in `keep`; one in the making by a process that is gone goes too. Says how many bytes that
    /// freed.
    pub(crate) fn prune(&self, keep: &[Sha256]) -> io::Result<u64> {
        let mut freed = 0;
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let kept = name.to_str().and_then(|name| name.parse().ok()).is_some_and(|name| keep.contains(&name));
            if !kept && !is_being_made(&entry.path()) {
                freed += sparse::allocated(&entry.path())?;
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(freed)
    }

    /// Remove all. Says how many bytes that freed.
    pub fn clear(&self) -> io::Result<u64> {
        self.prune(&[])
    }

    /// A file that is in no folder, and gone with its last user.
    pub(crate) fn unnamed(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.0)
    }

    /// A fresh disk that is in no folder, and gone with its last user.
    pub(crate) fn scratch(&self, size: Size) -> io::Result<File> {
        let file = self.unnamed()?;
        file.set_len(u64::from(size.scratch) << 30)?;
        Ok(file)
    }

    /// A copy of a disk, likewise.
    pub(crate) fn scratch_of(&self, disk: &mut File) -> io::Result<File> {
        let mut copy = self.unnamed()?;
        sparse::copy(disk, &mut copy)?;
        Ok(copy)
    }
}

/// Whoever makes a snapshot changes its folder all the while.
fn is_being_made(folder: &Path) -> bool {
    const LONGEST: std::time::Duration = std::time::Duration::from_secs(600);
    let making = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(".making-"));
    let age = fs::metadata(folder).and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
    making && age.is_none_or(|age| age < LONGEST)
}

fn open(folder: &Path) -> io::Result<Snapshot> {
    let seal = deskhand_files::read(&folder.join("seal.json"), Origin::Own, SEAL_MOST)?;
    let seal: Seal = serde_json::from_slice(&seal)?;
    let part = |name: &str, expected: Blake3, write: bool| {
        let path = folder.join(name);
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = File::options().read(true).write(write).custom_flags(flags).open(path)?;
        if sparse::digest(&mut file)? != expected {
            return Err(io::ErrorKind::InvalidData.into());
        }
        file.rewind()?;
        Ok::<_, io::Error>(file)
    };
    // QEMU opens memory for writing, and then writes to pages of its own
    let start =
        Start::Restored { memory: part("memory", seal.memory, true)?, devices: part("devices", seal.devices, false)? };
    Ok(Snapshot { start, scratch: part("scratch", seal.scratch, false)? })
}

impl Making {
    /// A new file of the snapshot.
    pub(crate) fn file(&self, name: &str, size: u64) -> io::Result<File> {
        let path = self.folder.path().join(name);
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.set_len(size)?;
        Ok(file)
    }

    /// Seal it and put it in its place.
    pub(crate) fn keep(self, snapshots: &Snapshots) -> Result<(), VmError> {
        let folder = self.folder.path();
        let part = |name| sparse::digest(&mut File::open(folder.join(name))?);
        let seal = Seal { memory: part("memory")?, devices: part("devices")?, scratch: part("scratch")? };
        fs::write(folder.join("seal.json"), serde_json::to_vec(&seal).map_err(io::Error::from)?)?;
        match fs::rename(folder, snapshots.0.join(self.key.to_string())) {
            // somebody else was quicker, with as good a one
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(error.into()),
            Ok(()) => drop(self.folder.keep()),
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "snapshot/snapshot_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
