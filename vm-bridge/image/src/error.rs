//! What can go wrong with an image.

use deskhand_vocabulary::Sha256;
use std::io;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is no guest's program for this machine.
    #[error("there is no guest for this kind of machine yet; only 64-bit PCs with Linux have one")]
    Unsupported,
    /// The recipe does not parse.
    #[error("line {0} of the list of packages makes no sense")]
    Recipe(usize),
    /// The recipe names no list of the archive.
    #[error("the list of packages names no list of what the archive has")]
    NoList,
    /// The list of what the archive has did not come, or is another one.
    #[error(
        "the list of what the archive has did not come as the recipe names it: {0}. Try again. If the archive has moved on, it has \
         another list: use a newer Deskhand, an archive that keeps older states (--mirror URL), or no `vm.packages` in the settings"
    )]
    List(String),
    /// The archive has no such package.
    #[error("there is no Debian package `{package}`; nothing was built. Mend `vm.packages` in the settings")]
    Unknown {
        /// Its name.
        package: String,
    },
    /// A package needs what the archive does not have.
    #[error(
        "the Debian package `{package}` needs {needed}, which the archive does not have; nothing was built. Take out of \
         `vm.packages` in the settings what needs it"
    )]
    Unmet {
        /// Its name.
        package: String,
        /// What it needs.
        needed: String,
    },
    /// More than a layer may hold.
    #[error(
        "what `vm.packages` in the settings names and needs is {mebibytes} MiB of packages, and at most {most} MiB are taken; \
         nothing was built. Name fewer"
    )]
    Large {
        /// MiB of packages.
        mebibytes: u64,
        /// MiB that are taken.
        most: u64,
    },
    /// A package did not come.
    #[error("the package {package} could not be fetched: {why}. Try again; packages that came are kept")]
    Fetch {
        /// Its name.
        package: String,
        /// The cause.
        why: io::Error,
    },
    /// A package came, and is another one.
    #[error(
        "the package {package} is not the one that the recipe names (sha256 {found} instead of {expected}); \
         nothing of it was used"
    )]
    Digest {
        /// Its name.
        package: String,
        /// What the recipe names.
        expected: Sha256,
        /// What came.
        found: Sha256,
    },
    /// A package cannot be unpacked.
    #[error("the package {package} cannot be unpacked: {why}")]
    Package {
        /// Its name.
        package: String,
        /// The cause.
        why: io::Error,
    },
    /// The kernel's package has no kernel that can be started.
    #[error("the package of the kernel is not as expected: {0}")]
    Kernel(&'static str),
    /// Writing the root image.
    #[error("the root image cannot be written: {0}")]
    Root(#[from] backhand::BackhandError),
    /// A part of a stored image is not what it was.
    #[error("the {part} of the image is not what was built; it was thrown away. Build it again")]
    Changed {
        /// Which.
        part: &'static str,
    },
    /// There is no image yet.
    #[error("there is no image of the guest yet. Build it first")]
    Absent,
    /// The disk.
    #[error("the image cannot be stored or read: {0}")]
    Disk(#[from] io::Error),
}
