//! Making the effects of a commit, each with its preconditions, and bringing it to its end.

use crate::{
    commit::{Commit, Ready, Site},
    disk,
    entry::{Kind, Stamp},
    error::{CommitError, FileError},
    journal::{self, At, End, Outcome, Step, Text, Times},
    places::Places,
    planning::{Item, Place, Prepared, What, follow, survey},
    reliance::Relied,
    settle,
};
use deskhand_vocabulary::{Change, ChangeKind, CommitId, Entry, Event, Stop, Tally};
use rustix::{fd::AsFd as _, io::Errno};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How the effects went.
pub(crate) enum Went {
    Through,
    /// Stopped by the person, or a failure after which the rest would be half.
    Back(Option<String>),
}

pub(crate) struct Engine<'a> {
    site: &'a Site<'a>,
    prepared: &'a Prepared,
    ready: &'a Ready,
    places: Places<'a>,
    /// Inodes whose times of change are ours by now.
    touched: HashSet<(u64, u64)>,
    refused: BTreeMap<u32, String>,
    /// Those of them that are folders to be made which somebody else has made meanwhile: what was wanted is there.
    there: HashSet<u32>,
    done: Vec<usize>,
}

/// Why a change is not made that stands on a file which is not as it was read.
pub(crate) fn without(relied: &Relied, found: Option<&Stamp>) -> String {
    let what = match found {
        Some(_) => "has changed meanwhile",
        None => "is not there any more",
    };
    format!("`{}`, because of which it was proposed, {what}", relied.path)
}

impl<'a> Engine<'a> {
    pub(crate) fn new(site: &'a Site<'a>, prepared: &'a Prepared, ready: &'a Ready) -> Self {
        let places = Places::new(site.roots, ready.stores.clone(), site.masks, site.disk);
        Self {
            site,
            prepared,
            ready,
            places,
            touched: HashSet::new(),
            refused: BTreeMap::new(),
            there: HashSet::new(),
            done: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self, progress: &dyn Fn(u64, u64), stop: &Stop) -> Went {
        let total = self.ready.steps.len() as u64;
        self.leave_conflicts();
        self.check_all_relied();
        for (index, step) in self.ready.steps.iter().enumerate() {
            progress(index as u64, total);
            if stop.is_stopped() {
                return Went::Back(None);
            }
            if self.refused.contains_key(&step.change) {
                continue;
            }
            match self.step(step) {
                Ok(()) => self.done.push(index),
                Err(reason) => {
                    if self.is_there(step) {
                        self.there.insert(step.change);
                    }
                    self.refused.insert(step.change, reason.clone());
                    // an earlier step of the same change is taken back, or else everything is
                    let earlier: Vec<usize> =
                        self.done.iter().copied().filter(|at| self.ready.steps[*at].change == step.change).collect();
                    for at in earlier.into_iter().rev() {
                        let earlier = &self.ready.steps[at];
                        if self.places.rename(&earlier.to, &earlier.from, &earlier.what).is_err() {
                            return Went::Back(Some(reason));
                        }
                        self.done.retain(|done| *done != at);
                    }
                }
            }
        }
        progress(total, total);
        Went::Through
    }

    fn is_there(&mut self, step: &Step) -> bool {
        self.item(step).is_some_and(|item| item.change.kind == ChangeKind::MakeFolder)
            && self.places.stat(&step.to).is_ok_and(|there| there.is_some_and(|there| there.kind == Kind::Folder))
    }

    /// One effect with its preconditions, or why it was not made; then nothing has changed.
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let item = self.item(step);
        let path = item.map_or_else(String::new, |item| {
            let change = &item.change;
            change.source.as_ref().or(change.target.as_ref()).map_or_else(String::new, ToString::to_string)
        });
        let say = |error: Errno| FileError::system(error, &path).message;
        let changed = || format!("`{path}` has changed since it was read");
        let now = self.places.stat(&step.from).map_err(say)?.ok_or_else(|| say(Errno::NOENT))?;
        let as_known = match &step.from {
            At::Store(..) => step.what.same_thing(&now),
            At::Tree(..) if self.touched.contains(&now.id()) => step.what.same_content(&now),
            At::Tree(..) => step.what.unchanged(&now),
        };
        if !as_known {
            return Err(changed());
        }
        self.check_folder(item, step).map_err(|error| error.unwrap_or_else(changed))?;
        self.check_relied(item)?;
        let Some(other) = &step.other else {
            self.places.rename(&step.from, &step.to, &step.what).map_err(|error| self.say_target(item, error))?;
            self.touched.insert(now.id());
            // two that each remove what the other stands on would both have looked before; one of them looks after
            if let Err(reason) = self.check_relied(item) {
                self.places.rename(&step.to, &step.from, &step.what).map_err(|error| self.say_target(item, error))?;
                return Err(reason);
            }
            return self.check_tidied(item, step);
        };
        let old = self.places.stat(&step.to).map_err(say)?.ok_or_else(|| self.say_target(item, Errno::NOENT))?;
        let as_known = if self.touched.contains(&old.id()) { other.same_content(&old) } else { other.unchanged(&old) };
        if !as_known {
            return Err(self.target(item).map_or_else(changed, |to| format!("`{to}` has changed since it was read")));
        }
        self.places.exchange(&step.from, &step.to).map_err(|error| self.say_target(item, error))?;
        self.touched.extend([now.id(), old.id()]);
        // whoever saved it between the look and the exchange keeps what they saved
        match self.places.stat(&step.from) {
            Ok(Some(landed)) if other.same_content(&landed) => {
                let Err(reason) = self.check_relied(item) else { return Ok(()) };
                self.places.exchange(&step.from, &step.to).map_err(|error| self.say_target(item, error))?;
                Err(reason)
            }
            _ => {
                self.places.exchange(&step.from, &step.to).map_err(|error| self.say_target(item, error))?;
                Err(self.target(item).map_or_else(changed, |to| format!("`{to}` was changed just now")))
            }
        }
    }

    /// What was shown as a change that cannot be made is not made, whatever it would find by now.
    fn leave_conflicts(&mut self) {
        let items = (0..).zip(&self.prepared.items);
        self.refused.extend(items.filter_map(|(index, item)| Some((index, item.change.conflict.clone()?))));
    }

    /// Before the first effect: what stands on a file that is not as it was read is left out.
    fn check_all_relied(&mut self) {
        if self.prepared.relies.is_empty() {
            return;
        }
        for (index, item) in self.prepared.items.iter().enumerate() {
            if let (Err(reason), Ok(index)) = (self.check_relied(Some(item)), u32::try_from(index)) {
                self.refused.entry(index).or_insert(reason);
            }
        }
    }

    /// What a change stands on is there as it was read: where it was, or where the plan has brought it.
    fn check_relied(&mut self, item: Option<&Item>) -> Result<(), String> {
        let Some(relies) = item.and_then(|item| self.prepared.relies.get(&item.change.id)) else { return Ok(()) };
        for relied in relies {
            let at = |place: &Place| At::Tree(place.0, Text(place.1.clone()));
            let here = self.places.stat(&at(&relied.from)).ok().flatten();
            if here.is_some_and(|here| self.is_as_read(relied, &here)) {
                continue;
            }
            let mut ways = Vec::new();
            if relied.to != relied.from {
                ways.push(at(&relied.to));
                // on its way there it may be in the store
                let moved = self.done.iter().rev().map(|at| &self.ready.steps[*at]);
                ways.extend(
                    moved.filter(|step| step.what.id() == relied.seen.id()).map(|step| step.to.clone()).take(1),
                );
            }
            let found = ways.iter().any(|way| {
                let there = self.places.stat(way).ok().flatten();
                there.is_some_and(|there| self.is_as_read(relied, &there))
            });
            if !found {
                return Err(without(relied, here.as_ref()));
            }
        }
        Ok(())
    }

    fn is_as_read(&self, relied: &Relied, found: &Stamp) -> bool {
        if self.touched.contains(&found.id()) { relied.seen.same_content(found) } else { relied.seen.unchanged(found) }
    }

    fn item(&self, step: &Step) -> Option<&'a Item> {
        self.prepared.items.get(usize::try_from(step.change).ok()?)
    }

    fn target(&self, item: Option<&Item>) -> Option<String> {
        item.and_then(|item| item.change.target.as_ref().or(item.change.source.as_ref())).map(ToString::to_string)
    }

    fn say_target(&self, item: Option<&Item>, error: Errno) -> String {
        let target = self.target(item).unwrap_or_default();
        match error {
            Errno::INVAL | Errno::NOENT if is_foreign(&target) => {
                format!("the disk that `{target}` is to be on does not take such a name")
            }
            Errno::NOENT => format!("the folder that `{target}` is to be in is not there"),
            error => FileError::system(error, target).message,
        }
    }

    /// A folder is removed only with what was shown to be in it, and neither removed nor moved with Deskhand's own in it.
    fn check_folder(&self, item: Option<&Item>, step: &Step) -> Result<(), Option<String>> {
        let (Some(item), At::Tree(index, path)) = (item, &step.from) else { return Ok(()) };
        if step.what.kind != Kind::Folder {
            return Ok(());
        }
        let root = self.places.root(*index).map_err(|_| None)?;
        if self.site.masks.lie_in(&root.absolute(&path.0)) {
            return Err(Some(format!("Deskhand's own folders lie in `{}`", path.0)));
        }
        let held = |error: Errno| Some(FileError::system(error, &path.0).message);
        match &item.what {
            What::Remove { tree: Some(tree), .. } => {
                let now = survey(root, &path.0, self.site.masks, &|_| false).map_err(held)?;
                if now.digest == tree.digest { Ok(()) } else { Err(None) }
            }
            What::Remove { tidy: true, .. } => {
                let way = root.way(&path.0, self.site.masks).map_err(held)?;
                let names = disk::names(way.as_fd()).map_err(held)?;
                if names.is_empty() { Ok(()) } else { Err(Some(format!("`{}` is not empty", path.0))) }
            }
            _ => Ok(()),
        }
    }

    /// What was put into an empty folder in the moment it was taken away comes back with it.
    fn check_tidied(&mut self, item: Option<&Item>, step: &Step) -> Result<(), String> {
        if !item.is_some_and(Item::is_tidy) {
            return Ok(());
        }
        let At::Store(store, folder, name) = &step.to else { return Ok(()) };
        let kept = self.places.kept(*store, *folder).and_then(|kept| disk::open_folder(kept, name.as_bytes()));
        match kept.and_then(|kept| disk::names(kept.as_fd())) {
            Ok(names) if names.is_empty() => Ok(()),
            _ => {
                let back = self.places.rename(&step.to, &step.from, &step.what);
                back.map_err(|error| self.say_target(item, error))?;
                Err("it is not empty".to_owned())
            }
        }
    }

    pub(crate) fn finish(mut self, writer: &journal::Writer, went: Went) -> Result<Commit, CommitError> {
        let id = writer.commit;
        let mut astray = Vec::new();
        let (outcome, why) = match went {
            Went::Through if self.done.is_empty() => (Outcome::Nothing, None),
            Went::Through => (Outcome::Applied, None),
            Went::Back(why) => (Outcome::RolledBack, why),
        };
        if outcome == Outcome::RolledBack {
            let done: Vec<Step> = self.done.iter().map(|at| self.ready.steps[*at].clone()).collect();
            astray = match settle::take_back(&mut self.places, &|change| self.prepared.about(change), &done) {
                Ok(astray) => astray,
                Err(error) => return Err(self.unsettled(id, &error.to_string())),
            };
        }
        let settled = match outcome {
            Outcome::Applied => settle::restore_times(&self.places, self.restore()),
            Outcome::RolledBack | Outcome::Nothing => settle::restore_times(&self.places, &self.ready.folders),
        };
        let settled = settled.and_then(|()| self.sync());
        self.discard_unused(id, outcome);
        let end = End {
            outcome,
            refused: self.refusals().iter().map(|(change, reason)| (change.id, reason.clone())).collect(),
            folders: self.folders_after(outcome),
            astray: astray.clone(),
        };
        if let Err(error) = settled.and_then(|()| writer.end(self.site.disk, &end)) {
            return Err(self.unsettled(id, &error.to_string()));
        }
        let mut warnings = astray;
        warnings.extend(why);
        let total = self.prepared.plan.changes.len() as u64;
        let left_out = self.refusals().len() as u64;
        let applied = if outcome == Outcome::Applied { total.saturating_sub(left_out) } else { 0 };
        let refused = self.told();
        let made = if outcome == Outcome::Applied { self.tally() } else { Tally::default() };
        let content = serde_json::json!({
            "made": made,
            "warnings": warnings,
            "refused": refused.iter().map(|(change, reason)| {
                serde_json::json!({ "change": change, "reason": reason })
            }).collect::<Vec<_>>(),
        });
        let ended = Event::CommitEnded {
            commit: id,
            outcome: outcome.name().to_owned(),
            applied,
            refused: refused.len() as u64,
        };
        let log = self.site.log;
        let task = self.site.task;
        let mut unlogged = log.append(Entry { task, event: ended, content: task.map(|_| content) }).err();
        let mut undone = 0;
        if let Some(undoes) = &self.prepared.undoes
            && outcome == Outcome::Applied
        {
            undone = self
                .prepared
                .items
                .iter()
                .enumerate()
                .filter(|(at, item)| {
                    item.undoes.is_some() && !self.refused.contains_key(&u32::try_from(*at).unwrap_or(u32::MAX))
                })
                .count() as u64;
            let left = undoes.left + refused.len() as u64;
            let event = Event::Undone { commit: undoes.commit, by: id, undone, left };
            if let Err(error) = log.append(Entry { task, event, content: None }) {
                unlogged = unlogged.or(Some(error));
            }
        }
        match unlogged {
            None => writer.close(self.site.disk),
            // the lock stays, and the next start puts it on record
            Some(error) => warnings.push(format!(
                "how commit {id} ended is in its journal, but could not be put on record: {}. The next start does so",
                error.reason
            )),
        }
        Ok(Commit { id, applied, made, refused, rolled_back: outcome == Outcome::RolledBack, undone, warnings })
    }

    fn unsettled(&self, id: CommitId, reason: &str) -> CommitError {
        CommitError::Unsettled { commit: id.0, reason: reason.to_owned() }
    }

    fn restore(&self) -> &[Times] {
        let left = self.prepared.undoes.as_ref().map_or(0, |undoes| undoes.left);
        if self.refused.is_empty() && left == 0 { &self.ready.restore } else { &[] }
    }

    /// Everything durable: each touched folder where they are few, else the file systems.
    fn sync(&self) -> Result<(), Errno> {
        let mut done = BTreeSet::new();
        for store in &self.ready.stores {
            if done.insert(store.stamp.dev) {
                self.site.disk.sync_all(store.handle())?;
            }
        }
        Ok(())
    }

    /// When each touched folder was last changed, wherever it is now.
    fn folders_after(&self, outcome: Outcome) -> Vec<Option<crate::entry::Moment>> {
        let mut moved = HashMap::new();
        for (index, item) in self.prepared.items.iter().enumerate() {
            let refused = self.refused.contains_key(&u32::try_from(index).unwrap_or(u32::MAX));
            if outcome != Outcome::Applied || refused {
                continue;
            }
            match &item.what {
                What::Move { from, to, seen, .. } if seen.kind == Kind::Folder => {
                    moved.insert(from.clone(), Some(to.clone()));
                }
                What::Remove { from, seen, .. } if seen.kind == Kind::Folder => {
                    moved.insert(from.clone(), None);
                }
                _ => {}
            }
        }
        let modified = |times: &Times| {
            let path = Text::try_from(times.path.clone()).ok()?;
            let (root, path) = follow(&moved, &(times.root, path.0))?;
            let stamp = self.places.root(root).ok()?.stat(&path, self.site.masks).ok()?;
            stamp.same_thing(&times.stamp).then_some(stamp.modified)
        };
        self.ready.folders.iter().map(modified).collect()
    }

    /// What was made of what was shown.
    fn tally(&self) -> Tally {
        let made = |(index, item): &(usize, &Item)| {
            !item.hidden && !self.refused.contains_key(&u32::try_from(*index).unwrap_or(u32::MAX))
        };
        Tally::of(self.prepared.items.iter().enumerate().filter(made).map(|(_, item)| item.change.as_ref()))
    }

    /// What was not made of what was shown.
    fn refusals(&self) -> Vec<(Change, String)> {
        self.refused.iter().filter_map(|refused| self.shown(refused)).collect()
    }

    /// The same, but for what is there all the same.
    fn told(&self) -> Vec<(Change, String)> {
        let missing = self.refused.iter().filter(|(index, _)| !self.there.contains(index));
        missing.filter_map(|refused| self.shown(refused)).collect()
    }

    fn shown(&self, (index, reason): (&u32, &String)) -> Option<(Change, String)> {
        let item = self.prepared.items.get(usize::try_from(*index).ok()?)?;
        (!item.hidden).then(|| (Change::clone(&item.change), reason.clone()))
    }

    /// Staged content of changes that were not made is nobody's.
    fn discard_unused(&mut self, id: CommitId, outcome: Outcome) {
        for step in &self.ready.steps {
            if outcome == Outcome::Applied && !self.refused.contains_key(&step.change) {
                continue;
            }
            if let At::Store(store, folder, name) = &step.from
                && *folder == id.0
                && name.starts_with('s')
                && let Ok(Some(found)) = self.places.stat(&step.from)
                && found.same_content(&step.what)
            {
                // a folder that was made empty and is not any more holds what is not ours
                let made = self.item(step).is_some_and(|item| matches!(item.what, What::MakeFolder { .. }));
                let kept = self.places.kept(*store, *folder);
                let _ = kept.and_then(|kept| match made {
                    true => self.site.disk.remove_folder(kept, name.as_bytes()),
                    false => crate::store::remove_tree(self.site.disk, kept, name.as_bytes()),
                });
            }
        }
        for store in &self.ready.stores {
            let _ = self.site.disk.remove_folder(store.handle(), id.to_string().as_bytes());
        }
    }
}

/// True for a name with something in it that FAT and NTFS cannot hold (Microsoft, `Naming Files, Paths, and Namespaces`).
fn is_foreign(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.chars().any(|c| c.is_control() || "\"*:<>?\\|".contains(c)) || name.ends_with(['.', ' '])
}
