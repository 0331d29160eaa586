//! Where packages come from, which is the caller's to say: the host fetches them through its own way to the network.

use crate::{ImageError, Package, Place};
use deskhand_vocabulary::Sha256;
use sha2::Digest as _;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Gets packages.
pub trait Fetch {
    /// Write the package's file to `to`. More than its size is refused there, and what came is checked against its
    /// digest.
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()>;
}

/// The file of a package in `folder`, fetched where it is not there. A file there is checked as if it had just come.
pub(crate) fn file(package: &Package, fetch: &dyn Fetch, folder: &Path) -> Result<PathBuf, ImageError> {
    let path = folder.join(name(package));
    if path.is_file() && Sha256::of_reader(File::open(&path)?)? == package.sha256 {
        return Ok(path);
    }
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    let found = {
        let to = BufWriter::new(temporary.as_file_mut());
        let mut checked = Checked { to, left: package.size, hash: sha2::Sha256::new() };
        let came = fetch.fetch(package, &mut checked).and_then(|()| checked.flush());
        came.map_err(|why| ImageError::Fetch { package: package.name.clone(), why })?;
        Sha256(checked.hash.finalize().into())
    };
    if found != package.sha256 {
        return Err(ImageError::Digest { package: package.name.clone(), expected: package.sha256, found });
    }
    temporary.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

/// What the file of a package is called here.
fn name(package: &Package) -> String {
    let kind = match package.place {
        Place::Archive(_) => "deb",
        Place::List(_) => "xz",
        Place::Index(_) => "whl",
    };
    format!("{}.{kind}", package.sha256)
}

/// Remove what does not belong to `packages`, which keeps the folder from growing with each recipe.
pub(crate) fn tidy(packages: &[&Package], folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name();
        if !packages.iter().any(|package| found.to_str() == Some(&name(package))) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Takes at most `left` bytes, and their digest.
struct Checked<W> {
    to: W,
    left: u64,
    hash: sha2::Sha256,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other("it is longer than it should be"))?;
        self.to.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
