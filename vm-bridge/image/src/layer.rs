//! What is to lie over the root image: packages that a person names, and what these need that is not there yet.

use crate::{ImageError, Package, PackageName, list::List};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The most bytes of packages.
const LARGEST: u64 = 2 << 30;

/// The packages of `names` and all that they need, without those that `base` names, in the order of their names. Of what can be met
/// in several ways, what is there already counts first, then the first that the list has.
pub(crate) fn choose<'a>(
    list: &'a List,
    base: impl Iterator<Item = &'a str>,
    names: &'a [PackageName],
) -> Result<Vec<Package>, ImageError> {
    let mut chosen = Chosen { list, there: BTreeSet::new(), packages: BTreeMap::new(), open: VecDeque::new() };
    base.for_each(|name| chosen.count(name));
    for name in names {
        let unknown = || ImageError::Unknown { package: name.to_string() };
        if !chosen.there.contains(name.as_str()) {
            chosen.add(&list.get(name.as_str()).ok_or_else(unknown)?.package);
        }
    }
    while let Some(name) = chosen.open.pop_front() {
        for alternatives in list.get(name).into_iter().flat_map(|listed| &listed.needs) {
            if alternatives.iter().any(|one| chosen.there.contains(one.as_str())) {
                continue;
            }
            let found = alternatives.iter().find_map(|one| list.serving(one));
            let found = found
                .ok_or_else(|| ImageError::Unmet { package: name.to_owned(), needed: alternatives.join(" or ") })?;
            chosen.add(&found.package);
        }
    }
    let packages: Vec<Package> = chosen.packages.into_values().cloned().collect();
    let bytes = packages.iter().fold(0_u64, |bytes, package| bytes.saturating_add(package.size));
    if bytes > LARGEST {
        return Err(ImageError::Large { mebibytes: bytes >> 20, most: LARGEST >> 20 });
    }
    Ok(packages)
}

struct Chosen<'a> {
    list: &'a List,
    /// All names that are met.
    there: BTreeSet<&'a str>,
    packages: BTreeMap<&'a str, &'a Package>,
    /// Whose needs were not looked at.
    open: VecDeque<&'a str>,
}

impl<'a> Chosen<'a> {
    fn count(&mut self, name: &'a str) {
        self.there.insert(name);
        self.there.extend(self.list.provided_by(name).iter().map(String::as_str));
    }

    fn add(&mut self, package: &'a Package) {
        self.count(&package.name);
        if self.packages.insert(&package.name, package).is_none() {
            self.open.push_back(&package.name);
        }
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
