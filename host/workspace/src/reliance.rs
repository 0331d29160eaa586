//! What a change stands on: a file that is not touched by it and without which it would be wrong, such as the one that is
//! kept when its duplicate is removed. The change is made only while that file is there as it was read.

use crate::{
    entry::{Kind, Stamp},
    error::{Code, FileError},
    layer::{Key, State},
    planning::Place,
    view::{Seen, View},
};
use deskhand_vocabulary::FilePath;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A file that a change stands on, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reliance {
    pub(crate) key: Key,
    pub(crate) seen: Stamp,
}

/// What the changes of a set stand on, found from both ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relies {
    of: BTreeMap<u64, Vec<Reliance>>,
    on: HashMap<Key, BTreeSet<u64>>,
}

impl Relies {
    pub(crate) fn add(&mut self, change: u64, relied: Reliance) {
        self.on.entry(relied.key.clone()).or_default().insert(change);
        let relies = self.of.entry(change).or_default();
        if !relies.contains(&relied) {
            relies.push(relied);
        }
    }

    /// A change has become another one.
    pub(crate) fn hand_over(&mut self, old: u64, new: u64) {
        for relied in self.of.remove(&old).into_iter().flatten() {
            if let Some(changes) = self.on.get_mut(&relied.key) {
                changes.remove(&old);
            }
            self.add(new, relied);
        }
    }
}

/// A file that a change of a plan stands on.
#[derive(Clone, Debug)]
pub(crate) struct Relied {
    /// As the plan names it: where it lies on the disk.
    pub(crate) path: FilePath,
    pub(crate) from: Place,
    /// Where the plan itself brings it; the same, if it leaves it alone.
    pub(crate) to: Place,
    pub(crate) seen: Stamp,
}

/// What the changes of a plan stand on, by their numbers.
pub(crate) type All = BTreeMap<u64, Vec<Relied>>;

/// What is to be recorded for a change that is to stand on `seen`, which was looked up as `path`.
pub(crate) fn on(view: &View<'_>, change: u64, path: &FilePath, seen: &Seen) -> Result<Reliance, FileError> {
    let note = view.state.notes.get(&change).ok_or_else(|| FileError::missing(format!("change {change}")))?;
    if note.key == seen.key {
        return Err(FileError::invalid(format!("change {change} is about `{path}` itself; name another file")));
    }
    let written = view.state.nodes.get(&seen.key).is_some_and(|node| node.content.is_some());
    match (seen.kind, seen.stamp) {
        (Kind::File | Kind::Link, Some(stamp)) if !written => Ok(Reliance { key: seen.key.clone(), seen: stamp }),
        (Kind::File | Kind::Link, _) => Err(FileError::new(
            Code::Unsupported,
            format!("`{path}` is itself pending, so nothing can stand on it. Name a file that is there"),
        )),
        _ => Err(FileError::new(Code::Unsupported, format!("`{path}` is no file. Name a file"))),
    }
}

/// Two changes that cannot both be: one stands on a file that the other does away with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) change: u64,
    pub(crate) about: String,
    pub(crate) relied: FilePath,
}

impl Contradiction {
    pub(crate) fn why(&self) -> String {
        format!("it is in the plan only because `{}` stays as it is, and the plan takes that away", self.relied)
    }
}

impl From<Contradiction> for FileError {
    fn from(found: Contradiction) -> Self {
        Self::conflict(format!("`{}` cannot be changed: {}. Leave one of the two out", found.about, found.why()))
    }
}

/// What the pending changes stand on; or the first that stands on what the others remove or write over.
pub(crate) fn all(view: &View<'_>) -> Result<All, Contradiction> {
    let state = view.state;
    let mut folders = HashMap::new();
    let mut all = All::new();
    for (change, relies) in &state.relies.of {
        let Some(note) = state.notes.get(change) else { continue };
        for Reliance { key, seen } in relies {
            let Key::Base(root, path) = key else { continue };
            let Some(shown) = view.path(*root, path.clone()) else { continue };
            let written = state.nodes.get(key).is_some_and(|node| node.content.is_some());
            let to = state.place_through(key, &mut folders).filter(|_| !written);
            let Some(to) = to else {
                return Err(Contradiction { change: *change, about: about(view, &note.key), relied: shown });
            };
            let relied = Relied { path: shown, from: (*root, path.clone()), to, seen: *seen };
            all.entry(*change).or_default().push(relied);
        }
    }
    Ok(all)
}

/// A change of the set that stands on `key`, or on what lies in it. A file is looked up, whatever the size of the set.
pub(crate) fn standing_on(state: &State, key: &Key, kind: Kind) -> Option<u64> {
    let pending = |changes: &BTreeSet<u64>| changes.iter().copied().find(|id| state.notes.contains_key(id));
    let relies = &state.relies.on;
    if kind != Kind::Folder || relies.is_empty() {
        return relies.get(key).and_then(pending);
    }
    let (root, path) = state.place(key)?;
    let within = |other: &Key| state.place(other).is_some_and(|(r, at)| r == root && at.is_within(&path));
    relies.iter().filter(|(other, _)| within(other)).filter_map(|(_, changes)| pending(changes)).min()
}

fn about(view: &View<'_>, key: &Key) -> String {
    let place = match key {
        Key::Base(root, path) => Some((*root, path.clone())),
        Key::New(_) => view.state.place(key),
    };
    place.and_then(|(root, path)| view.path(root, path)).map_or_else(String::new, |path| path.to_string())
}
