//! What an image is made of.

use crate::ImageError;
use deskhand_vocabulary::Sha256;

/// One Debian package, by the digest of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name, as Debian has it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its file below the root of a Debian archive.
    pub place: String,
    /// Bytes of its file.
    pub size: u64,
    /// The digest of its file.
    pub sha256: Sha256,
}

/// All packages of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// What the root image is made of, in the order of their names.
    pub(crate) packages: Vec<Package>,
    /// The kernel and its modules.
    pub(crate) kernel: Package,
    /// Of all that goes in.
    pub(crate) digest: Sha256,
}

impl Recipe {
    /// The recipe that comes with the program.
    pub fn standard() -> Result<Self, ImageError> {
        Self::parse(include_str!("../recipe/lock"))
    }

    /// Read a list of packages: a line each, with name, version, place, size and SHA-256 between tabulators. The one
    /// whose name begins with `linux-image-` is the kernel.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let mut packages = Vec::new();
        for (number, line) in text.lines().enumerate() {
            packages.push(package(line).ok_or(ImageError::Recipe(number + 1))?);
        }
        let kernel = packages.iter().position(|package| package.name.starts_with("linux-image-"));
        let kernel = packages.remove(kernel.ok_or(ImageError::Kernel("the list names none"))?);
        Ok(Self { packages, kernel, digest: Sha256::of(text) })
    }

    /// All packages, the kernel last.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().chain([&self.kernel])
    }
}

fn package(line: &str) -> Option<Package> {
    let [name, version, place, size, sha256] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let (name, version, place) = (name.to_owned(), version.to_owned(), place.to_owned());
    Some(Package { name, version, place, size: size.parse().ok()?, sha256: sha256.parse().ok()? })
}
