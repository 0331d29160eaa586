//! Working out an undo: from the journal of a commit and what is there now to a pending set.

use crate::{
    commit::restored,
    disk,
    edit::ensure_above,
    entry::{Kind, Stamp},
    error::WorkspaceError,
    folder::{Masks, Root},
    history::{History, Left},
    journal::{Before, Journal, Recorded},
    layer::{Key, Made, State},
    planning::survey,
    repository,
    view::{Seen, View, Ways},
};
use deskhand_vocabulary::{Change, ChangeKind, FilePath, FolderName, RelativePath, Sha256};
use rustix::fd::AsFd as _;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// What is kept of a change: the store, and what in it.
type Old = (PathBuf, Before);
/// Changes that are not taken back: why, and what is kept of them.
type Leaving = BTreeMap<u64, (String, Option<Old>)>;

/// One undo being worked out.
pub(crate) struct Reversal<'a> {
    pub(crate) history: &'a History,
    pub(crate) journal: &'a Journal,
    pub(crate) map: &'a HashMap<String, u16>,
    pub(crate) masks: &'a Masks,
    pub(crate) roots: &'a [Arc<Root>],
    pub(crate) beside: bool,
    /// Folders that were looked into.
    pub(crate) ways: Rc<Ways>,
}

/// What taking back one change means.
enum Step<'a> {
    /// Back to where it was; what it had replaced comes back after it.
    MoveBack { recorded: &'a Recorded, key: Key, seen: Stamp, to: FilePath, replaced: Option<Old> },
    /// Old content back.
    Rewrite { recorded: &'a Recorded, key: Key, seen: Stamp, kept: Old },
    /// Something that came goes.
    Remove { recorded: &'a Recorded, key: Key, seen: Stamp },
    /// Something that went comes back.
    Return { recorded: &'a Recorded, to: FilePath, kept: Old },
    /// A folder that was made goes if nothing is in it.
    Tidy { recorded: &'a Recorded, key: Key, seen: Stamp, at: FilePath },
}

impl<'a> Step<'a> {
    const fn recorded(&self) -> &'a Recorded {
        match self {
            Self::MoveBack { recorded, .. }
            | Self::Rewrite { recorded, .. }
            | Self::Remove { recorded, .. }
            | Self::Return { recorded, .. }
            | Self::Tidy { recorded, .. } => recorded,
        }
    }
}

impl Reversal<'_> {
    pub(crate) fn run(&self, state: &mut State, wanted: &[&Recorded]) -> Result<Vec<Left>, WorkspaceError> {
        let clean = state.clone();
        let mut left: Leaving = BTreeMap::new();
        // what cannot go back keeps its name, which may be in the way of others: so again, until all fit
        loop {
            *state = clean.clone();
            let before = left.len();
            let steps = self.steps(state, wanted, &mut left);
            self.keep_objects(wanted, &steps, &mut left);
            if left.len() == before {
                self.make(state, &steps, &mut left);
            }
            if left.len() == before {
                break;
            }
        }
        let mut told = Vec::new();
        for recorded in wanted {
            let Some((reason, kept)) = left.remove(&recorded.change.id) else { continue };
            let mut beside = None;
            if let Some((store, before)) = kept.as_ref().filter(|_| self.beside) {
                beside = self.put_beside(state, recorded, store, before);
            }
            told.push(Left { change: Change::clone(&recorded.change), reason, offer: kept.is_some(), beside });
        }
        Ok(told)
    }

    /// Where something in the `.git` of a repository stays, the objects that came with it stay: it may name them.
    fn keep_objects(&self, wanted: &[&Recorded], steps: &[Step<'_>], left: &mut Leaving) {
        let place = |recorded: &Recorded| recorded.change.target.clone().or_else(|| recorded.change.source.clone());
        let staying: Vec<FilePath> =
            wanted.iter().filter(|one| left.contains_key(&one.change.id)).filter_map(|one| place(one)).collect();
        for step in steps.iter().filter(|step| matches!(step, Step::Remove { .. })) {
            let recorded = step.recorded();
            let Some(object) = place(recorded).filter(repository::is_object) else { continue };
            let around = repository::around(&object);
            if let Some(named_by) = staying.iter().find(|stays| repository::around(stays) == around) {
                let why = format!("`{object}` may be needed by `{named_by}`, which stays; it is left as it is");
                left.insert(recorded.change.id, (why, None));
            }
        }
    }

    /// A path of the journal in this workspace.
    fn here(&self, path: &FilePath) -> Option<FilePath> {
        let index = *self.map.get(path.folder.as_str())?;
        let name: FolderName = self.roots.get(usize::from(index))?.name.clone();
        Some(FilePath { folder: name, path: path.path.clone() })
    }

    fn find(&self, state: &State, path: &FilePath) -> Option<Seen> {
        View::with(self.roots, self.masks, state, &self.ways).find(path).ok()
    }

    fn kept(&self, recorded: &Recorded) -> Option<Old> {
        self.history.kept(self.journal, recorded)
    }

    fn steps<'r>(&self, state: &State, wanted: &[&'r Recorded], left: &mut Leaving) -> Vec<Step<'r>> {
        // a file that was moved and then written is, at its place, what was written
        let mut latest: HashMap<&FilePath, &Stamp> = HashMap::new();
        let refused: HashSet<u64> =
            self.journal.end.iter().flat_map(|end| end.refused.iter().map(|(id, _)| *id)).collect();
        for recorded in self.journal.changes.iter().filter(|recorded| !refused.contains(&recorded.change.id)) {
            if let (Some(target), Some(made)) = (&recorded.change.target, &recorded.made) {
                latest.insert(target, made);
            }
        }
        let mut steps = Vec::new();
        for recorded in wanted {
            if left.contains_key(&recorded.change.id) {
                continue;
            }
            match self.step(state, recorded, &latest) {
                Ok(step) => steps.push(step),
                Err(reason) => {
                    left.insert(recorded.change.id, (reason, self.kept(recorded)));
                }
            }
        }
        steps
    }

    fn step<'r>(
        &self,
        state: &State,
        recorded: &'r Recorded,
        latest: &HashMap<&FilePath, &Stamp>,
    ) -> Result<Step<'r>, String> {
        let change = &recorded.change;
        let elsewhere = || "its folder is not part of this undo".to_owned();
        let source = change.source.as_ref().map(|path| self.here(path).ok_or_else(elsewhere)).transpose()?;
        let target = change.target.as_ref().map(|path| self.here(path).ok_or_else(elsewhere)).transpose()?;
        let lost = |path: &FilePath| format!("what was at `{path}` is not kept any more");
        if change.kind == ChangeKind::Remove {
            let to = source.ok_or_else(elsewhere)?;
            let kept = self.kept(recorded).ok_or_else(|| lost(&to))?;
            return Ok(Step::Return { recorded, to, kept });
        }
        let at = target.ok_or_else(elsewhere)?;
        let gone = || format!("`{at}` is not there any more; you moved or removed it since");
        let seen = self.find(state, &at).ok_or_else(gone)?;
        let stamp = seen.stamp.ok_or_else(gone)?;
        let made = recorded.made.as_ref().ok_or_else(gone)?;
        if change.kind == ChangeKind::MakeFolder {
            if !made.same_thing(&stamp) {
                return Err(format!("`{at}` is another folder now"));
            }
            return Ok(Step::Tidy { recorded, key: seen.key, seen: stamp, at });
        }
        let expected = change.target.as_ref().and_then(|target| latest.get(target)).copied().unwrap_or(made);
        let same = expected.same_content(&stamp)
            || expected.only_touched(&stamp)
                && (change.kind == ChangeKind::Move || self.has_content(&seen, recorded, state));
        if !same {
            return Err(format!("you changed `{at}` since; it is left as it is"));
        }
        match change.kind {
            ChangeKind::Move => {
                let to = source.ok_or_else(elsewhere)?;
                let replaced = match &recorded.before {
                    Some(_) => Some(self.kept(recorded).ok_or_else(|| lost(&at))?),
                    None => None,
                };
                Ok(Step::MoveBack { recorded, key: seen.key, seen: stamp, to, replaced })
            }
            _ if recorded.before.is_some() => {
                let kept = self.kept(recorded).ok_or_else(|| lost(&at))?;
                Ok(Step::Rewrite { recorded, key: seen.key, seen: stamp, kept })
            }
            // an empty folder that came back goes only if it is empty again
            _ if stamp.kind == Kind::Folder && recorded.tree.is_none() => {
                Ok(Step::Tidy { recorded, key: seen.key, seen: stamp, at })
            }
            _ => Ok(Step::Remove { recorded, key: seen.key, seen: stamp }),
        }
    }

    /// True if a file holds what the change wrote, read as it is now.
    fn has_content(&self, seen: &Seen, recorded: &Recorded, state: &State) -> bool {
        let Some(wrote) = recorded.wrote else { return false };
        let view = View::with(self.roots, self.masks, state, &self.ways);
        view.open(seen).and_then(|file| disk::digest(file.as_fd())).is_ok_and(|digest| digest == wrote)
    }

    fn make(&self, state: &mut State, steps: &[Step<'_>], left: &mut Leaving) {
        let mut order: Vec<&Step<'_>> = steps.iter().collect();
        let leaving = self.leaving(steps);
        // what is to go away leaves first, so that its name is free
        for step in steps {
            match step {
                Step::MoveBack { key, .. } => state.lift(key),
                Step::Remove { recorded, key, seen } => {
                    if seen.kind == Kind::Folder && self.holds(key, &leaving) != recorded.tree {
                        let at = recorded.change.target.as_ref().map_or_else(String::new, ToString::to_string);
                        let why = format!("you changed what is in `{at}` since; it is left as it is");
                        left.insert(recorded.change.id, (why, None));
                        continue;
                    }
                    state.remove(key, Some(*seen), false, Some(recorded.change.id));
                }
                Step::Rewrite { .. } | Step::Return { .. } | Step::Tidy { .. } => {}
            }
        }
        // what then is empty of what the commit had made goes as well, and with it its name
        self.tidy(state, steps, left);
        // old content before its file moves back, folders before what lies in them
        let depth = |step: &Step<'_>| match step {
            Step::MoveBack { to, .. } | Step::Return { to, .. } => to.path.names().count(),
            Step::Rewrite { .. } | Step::Remove { .. } | Step::Tidy { .. } => 0,
        };
        order.sort_by_key(|step| depth(step));
        for step in &order {
            let id = step.recorded().change.id;
            let done = match step {
                Step::MoveBack { key, seen, to, .. } => self.put(state, to, |state, spot| {
                    state.relocate(key, Some(*seen), spot, None, Some(id));
                }),
                Step::Return { to, kept, .. } => self.put(state, to, |state, spot| {
                    let made = Made::File(restored(&kept.0, &kept.1, false));
                    state.make(spot, ChangeKind::Write, made, None, Some(id));
                }),
                Step::Rewrite { key, seen, kept, .. } => {
                    let copy = kept.1.copy.is_none() && kept.1.name.starts_with('c');
                    state.rewrite(key, Some(*seen), restored(&kept.0, &kept.1, copy), Some(id));
                    Ok(())
                }
                Step::Remove { .. } | Step::Tidy { .. } => Ok(()),
            };
            if let Err(reason) = done {
                left.insert(id, (reason, self.kept(step.recorded())));
            }
        }
        for step in &order {
            let Step::MoveBack { recorded, replaced: Some((store, before)), .. } = step else { continue };
            let home = before.home.as_ref().or(recorded.change.target.as_ref());
            let Some(at) = home.and_then(|home| self.here(home)) else { continue };
            let done = self.put(state, &at, |state, spot| {
                let made = Made::File(restored(store, before, false));
                state.make(spot, ChangeKind::Write, made, None, None);
            });
            if let Err(reason) = done {
                left.insert(recorded.change.id, (reason, self.kept(recorded)));
            }
        }
    }

    /// What is not where it is now after all this: what moves, what is removed, and empty folders that go with it.
    fn leaving<'s>(&self, steps: &'s [Step<'_>]) -> HashSet<&'s Key> {
        let mut leaving = HashSet::new();
        let mut empty = Vec::new();
        for step in steps {
            match step {
                Step::MoveBack { key, .. } | Step::Remove { key, .. } => drop(leaving.insert(key)),
                Step::Tidy { key, at, .. } => empty.push((at.path.names().count(), key)),
                Step::Rewrite { .. } | Step::Return { .. } => {}
            }
        }
        empty.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        for (_, key) in empty {
            if self.holds(key, &leaving) == Some(Sha256::of(b"")) {
                leaving.insert(key);
            }
        }
        leaving
    }

    /// The digest of what a folder holds but for what leaves it.
    fn holds(&self, key: &Key, leaving: &HashSet<&Key>) -> Option<Sha256> {
        let Key::Base(index, path) = key else { return None };
        let root = self.roots.get(usize::from(*index))?;
        let leaves = |inside: &RelativePath| leaving.contains(&Key::Base(*index, inside.clone()));
        survey(root, path, self.masks, &leaves).ok().map(|tree| Sha256(tree.digest))
    }

    /// Folders that the commit had made and that nothing is in go with it, the deepest first.
    fn tidy(&self, state: &mut State, steps: &[Step<'_>], left: &mut Leaving) {
        let mut made: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Tidy { recorded, key, seen, at } => Some((at.path.names().count(), recorded, key, seen, at)),
                _ => None,
            })
            .collect();
        made.sort_by_key(|(depth, ..)| std::cmp::Reverse(*depth));
        for (_, recorded, key, seen, at) in made {
            let empty =
                View::with(self.roots, self.masks, state, &self.ways).list(key).is_ok_and(|names| names.is_empty());
            if empty && !state.has_arrivals(key) {
                state.remove(key, Some(*seen), true, Some(recorded.change.id));
            } else if recorded.change.kind != ChangeKind::MakeFolder {
                let why = format!(
                    "`{at}` is not empty; a folder with something in it is removed by a request, not by an undo"
                );
                left.insert(recorded.change.id, (why, None));
            }
        }
    }

    fn put(
        &self,
        state: &mut State,
        to: &FilePath,
        act: impl FnOnce(&mut State, &crate::layer::Spot),
    ) -> Result<(), String> {
        ensure_above(self.roots, self.masks, state, to)?;
        let goal = View::with(self.roots, self.masks, state, &self.ways).target(to).map_err(|error| error.message)?;
        if goal.taken.is_some() {
            return Err(format!("something else is at `{to}` now; it is left as it is"));
        }
        act(state, &goal.spot);
        Ok(())
    }

    /// The old version under a free name in the same folder.
    fn put_beside(&self, state: &mut State, recorded: &Recorded, store: &Path, before: &Before) -> Option<FilePath> {
        if before.stamp.kind == Kind::Folder {
            return None;
        }
        let change = &recorded.change;
        let at = self.here(change.target.as_ref().or(change.source.as_ref())?)?;
        let name = at.path.name()?.to_vec();
        let cut = name.iter().rposition(|b| *b == b'.').filter(|at| *at > 0).unwrap_or(name.len());
        let (stem, ending) = name.split_at(cut);
        for number in 1..1000_u32 {
            let mark = match number {
                1 => format!(" (before {})", self.journal.head.commit),
                number => format!(" (before {}, {number})", self.journal.head.commit),
            };
            let room = 255_usize.saturating_sub(mark.len() + ending.len());
            let free = [&stem[..stem.len().min(room)], mark.as_bytes(), ending].concat();
            let to = FilePath { folder: at.folder.clone(), path: at.path.parent()?.join(&free).ok()? };
            let done = self.put(state, &to, |state, spot| {
                let made = Made::File(restored(store, before, true));
                state.make(spot, ChangeKind::Write, made, None, None);
            });
            if done.is_ok() {
                return Some(to);
            }
        }
        None
    }
}
