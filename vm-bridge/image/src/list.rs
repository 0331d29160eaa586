//! The list of all packages that an archive has (a `Packages` file; Debian's "RepositoryFormat" and deb-control(5)), of which the
//! recipe names one state by its digest.

use crate::{Package, Place};
use lzma_rust2::XzReader;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

/// The most bytes of a list, unpacked.
const LARGEST: u64 = 1 << 30;

/// What a package needs of one kind: whichever of these.
type Alternatives = Vec<String>;

/// One package of the list.
pub(crate) struct Listed {
    pub(crate) package: Package,
    /// What it needs, with what it needs to be set up.
    pub(crate) needs: Vec<Alternatives>,
    provides: Vec<String>,
}

/// The list.
#[derive(Default)]
pub(crate) struct List {
    packages: BTreeMap<String, Listed>,
    providers: BTreeMap<String, BTreeSet<String>>,
}

impl List {
    /// Read a list that is packed with xz.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        Self::parse(BufReader::new(XzReader::new(BufReader::new(File::open(path)?), false).take(LARGEST)))
    }

    pub(crate) fn parse(text: impl BufRead) -> io::Result<Self> {
        let mut list = Self::default();
        let mut fields = BTreeMap::new();
        for line in text.lines() {
            let line = line?;
            if line.is_empty() {
                list.add(&std::mem::take(&mut fields))?;
            } else if let Some((name, value)) = line.split_once(": ").filter(|(name, _)| READ.contains(name)) {
                fields.insert(name.to_owned(), value.to_owned());
            }
        }
        list.add(&fields)?;
        Ok(list)
    }

    fn add(&mut self, fields: &BTreeMap<String, String>) -> io::Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let name = text("Package").to_owned();
        let senseless = || io::Error::other(format!("what it says of {name} makes no sense"));
        let package = Package {
            name: name.clone(),
            version: text("Version").to_owned(),
            place: Place::Archive(text("Filename").to_owned()),
            size: text("Size").parse().map_err(|_| senseless())?,
            sha256: text("SHA256").parse().map_err(|_| senseless())?,
        };
        let needs = [text("Pre-Depends"), text("Depends")].into_iter().flat_map(relations).collect();
        let provides: Vec<String> = relations(text("Provides")).into_iter().flatten().collect();
        for provided in &provides {
            self.providers.entry(provided.clone()).or_default().insert(name.clone());
        }
        self.packages.insert(name, Listed { package, needs, provides });
        Ok(())
    }

    /// The package of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Listed> {
        self.packages.get(name)
    }

    /// The package that serves as `name`: that of the name, else the first that provides it.
    pub(crate) fn serving(&self, name: &str) -> Option<&Listed> {
        self.get(name).or_else(|| self.get(self.providers.get(name)?.first()?))
    }

    /// What a package counts as, beside its name.
    pub(crate) fn provided_by(&self, name: &str) -> &[String] {
        self.get(name).map_or(&[], |listed| &listed.provides)
    }
}

/// The fields that are read.
const READ: [&str; 8] = ["Package", "Version", "Filename", "Size", "SHA256", "Pre-Depends", "Depends", "Provides"];

/// The names of a relation (Debian Policy, 7.1), such as `a (>= 1) | b:any, c`. Versions are passed over: a list is that of one
/// suite, and so are the packages of an image.
fn relations(text: &str) -> Vec<Alternatives> {
    let name = |one: &str| one.trim().split([' ', '(', ':', '[', '<']).next().unwrap_or_default().to_owned();
    let groups = text.split(',').map(|group| group.split('|').map(name).filter(|name| !name.is_empty()).collect());
    groups.filter(|group: &Alternatives| !group.is_empty()).collect()
}

#[cfg(test)]
#[path = "list_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
