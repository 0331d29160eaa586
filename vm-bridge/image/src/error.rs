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
