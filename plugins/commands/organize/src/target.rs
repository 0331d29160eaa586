//! The folders that files go into: which of the wanted ones are there already, under which name, and what they hold.

use crate::layout::Folder;
use deskhand_filing::{
    entry::Kind,
    name::{Taken, join, key, numbered_stem},
    survey::marks_repository,
};
use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

/// What lies directly in a folder: names and what they are.
pub type Listing = Vec<(String, Kind)>;

/// Lists a folder that is there. The planning asks for the few folders that files go into, each once.
pub trait Lister {
    /// Why a folder could not be listed.
    type Error;
    /// What lies directly in the folder at `path`.
    fn list(&mut self, path: &str) -> Result<Listing, Self::Error>;
}

/// A folder that files go into.
#[derive(Debug, Default)]
pub struct Target {
    /// The names that are taken in it.
    pub taken: Taken,
    folders: HashMap<String, String>,
    is_repository: bool,
    is_new: bool,
    /// True once a file goes into it.
    pub is_used: bool,
}

impl Target {
    fn of(listing: Listing) -> Self {
        let mut target = Self::default();
        for (name, kind) in listing {
            target.is_repository |= marks_repository(&name);
            if kind == Kind::Folder {
                target.folders.entry(key(&name)).or_insert_with(|| name.clone());
            }
            target.taken.take(&name);
        }
        target
    }
}

/// All folders that files go into, below one root.
#[derive(Debug)]
pub struct Targets {
    root: String,
    known: HashMap<String, Target>,
    resolved: HashMap<String, Rc<str>>,
}

impl Targets {
    /// None yet.
    pub fn below(root: &str) -> Self {
        Self { root: root.to_owned(), known: HashMap::new(), resolved: HashMap::new() }
    }

    /// The path of a wanted folder: the one that is there, whatever the case or normalisation of its name; else a new one. Where
    /// something that is not a folder has the name, or a repository, it is ` (2)`.
    pub fn resolve<L: Lister>(&mut self, wanted: &[Folder], lister: &mut L) -> Result<Rc<str>, L::Error> {
        let mut label = String::new();
        for folder in wanted {
            label.push_str(&folder.name);
            label.push('/');
        }
        if let Some(path) = self.resolved.get(&label) {
            return Ok(Rc::clone(path));
        }
        let mut path = self.root.clone();
        for folder in wanted {
            path = self.step(&path, folder, lister)?;
        }
        self.load(&path, lister)?;
        let path: Rc<str> = path.into();
        self.resolved.insert(label, Rc::clone(&path));
        Ok(path)
    }

    fn step<L: Lister>(&mut self, parent: &str, folder: &Folder, lister: &mut L) -> Result<String, L::Error> {
        let mut alternatives = vec![folder.name.clone()];
        alternatives.extend(folder.also.iter().map(|name| (*name).to_owned()));
        for name in alternatives {
            let there = self.load(parent, lister)?.folders.get(&key(&name)).cloned();
            if let Some(there) = there {
                let path = join(parent, &there);
                if !self.load(&path, lister)?.is_repository {
                    return Ok(path);
                }
            }
        }
        let mut name = folder.name.clone();
        let mut n = 1;
        loop {
            let target = self.load(parent, lister)?;
            let there = target.folders.get(&key(&name)).cloned();
            match there {
                Some(there) => {
                    let path = join(parent, &there);
                    if !self.load(&path, lister)?.is_repository {
                        return Ok(path);
                    }
                }
                None if target.taken.by(&name).is_some() => {}
                None => {
                    let path = join(parent, &name);
                    if let Some(target) = self.known.get_mut(parent) {
                        target.taken.take(&name);
                        target.folders.insert(key(&name), name);
                    }
                    self.known.insert(path.clone(), Target { is_new: true, ..Target::default() });
                    return Ok(path);
                }
            }
            n += 1;
            name = numbered_stem(&folder.name, "", n);
        }
    }

    fn load<L: Lister>(&mut self, path: &str, lister: &mut L) -> Result<&Target, L::Error> {
        if !self.known.contains_key(path) {
            self.known.insert(path.to_owned(), Target::of(lister.list(path)?));
        }
        Ok(self.known.entry(path.to_owned()).or_default())
    }

    /// A resolved folder.
    pub fn at(&mut self, path: &str) -> &mut Target {
        self.known.entry(path.to_owned()).or_default()
    }

    /// The new folders that are used and those that they lie in, the outer before the inner.
    pub fn to_make(&self) -> Vec<String> {
        let mut make = BTreeSet::new();
        for (path, _) in self.known.iter().filter(|(_, target)| target.is_used) {
            let mut path = path.as_str();
            while self.known.get(path).is_some_and(|target| target.is_new) && make.insert(path.to_owned()) {
                path = deskhand_filing::name::parent(path);
            }
        }
        make.into_iter().collect()
    }
}
