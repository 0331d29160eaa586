//! What an image is made of.

use crate::{ImageError, PackageName};
use deskhand_vocabulary::Sha256;
use serde::Serialize;

/// One package, by the digest of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name, as the place has it where it is.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where its file is.
    pub place: Place,
    /// Bytes of its file.
    pub size: u64,
    /// The digest of its file.
    pub sha256: Sha256,
}

/// Where the file of a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Place {
    /// A Debian package: its path below the root of a Debian archive.
    Archive(String),
    /// The list of all packages that a Debian archive has, likewise. The archive also has it under its digest, in the folder
    /// `by-hash/SHA256` beside it, and there a while longer (Debian's "RepositoryFormat").
    List(String),
    /// A wheel of Python (PEP 427): its file's name, which a package index has on the page of the package (PEP 503).
    Index(String),
}

/// All packages of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipe {
    /// Modules of Python that Debian does not have.
    pub(crate) wheels: Vec<Package>,
    /// What else the root image is made of, in the order of their names.
    pub(crate) packages: Vec<Package>,
    /// The kernel and its modules.
    pub(crate) kernel: Package,
    /// Where `more` is looked up.
    #[serde(skip)]
    pub(crate) list: Package,
    /// Debian packages that lie over the root image with what they need, in the order of their names.
    #[serde(skip)]
    pub(crate) more: Vec<PackageName>,
}

impl Recipe {
    /// The recipe that comes with the program.
    pub fn standard() -> Result<Self, ImageError> {
        Self::parse(concat!(
            include_str!("../recipe/lock"),
            include_str!("../recipe/wheels"),
            include_str!("../recipe/list")
        ))
    }

    /// Read a list of packages: a line each, with name, version, place, size and SHA-256 between tabulators. A place that ends
    /// with `.whl` is that of a wheel, and one that ends with `/Packages.xz` that of the list of all packages; the package whose
    /// name begins with `linux-image-` is the kernel.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let (mut wheels, mut packages, mut list) = (Vec::new(), Vec::new(), None);
        for (number, line) in text.lines().enumerate() {
            let package = package(line).ok_or(ImageError::Recipe(number + 1))?;
            match package.place {
                Place::Archive(_) => packages.push(package),
                Place::List(_) => list = Some(package),
                Place::Index(_) => wheels.push(package),
            }
        }
        let kernel = packages.iter().position(|package| package.name.starts_with("linux-image-"));
        let kernel = packages.remove(kernel.ok_or(ImageError::Kernel("the list names none"))?);
        let list = list.ok_or(ImageError::NoList)?;
        Ok(Self { wheels, packages, kernel, list, more: Vec::new() })
    }

    /// The same with more Debian packages and what these need, in a layer of their own over the root image.
    #[must_use]
    pub fn with(self, more: &[PackageName]) -> Self {
        let mut more = more.to_vec();
        more.sort_unstable();
        more.dedup();
        Self { more, ..self }
    }

    /// The same without such a layer.
    #[must_use]
    pub fn without_layer(&self) -> Self {
        Self { more: Vec::new(), ..self.clone() }
    }

    /// What is in the layer, beside what it needs.
    pub fn layer(&self) -> &[PackageName] {
        &self.more
    }

    /// The same without what comes from a package index of Python, for whoever reaches none. It makes another image.
    #[must_use]
    pub fn without_wheels(self) -> Self {
        Self { wheels: Vec::new(), ..self }
    }

    /// What comes from a package index of Python.
    pub fn wheels(&self) -> &[Package] {
        &self.wheels
    }

    /// All packages but those of the layer: first the wheels, which are the least likely to come, and the kernel last.
    pub fn packages(&self) -> impl Iterator<Item = &Package> + Clone {
        self.wheels.iter().chain(&self.packages).chain([&self.kernel])
    }
}

fn package(line: &str) -> Option<Package> {
    let [name, version, place, size, sha256] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let (name, version) = (name.to_owned(), version.to_owned());
    let place = match place.to_owned() {
        place if place.ends_with(".whl") => Place::Index(place),
        place if place.ends_with("/Packages.xz") => Place::List(place),
        place => Place::Archive(place),
    };
    Some(Package { name, version, place, size: size.parse().ok()?, sha256: sha256.parse().ok()? })
}
