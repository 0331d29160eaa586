//! The one place where a change set becomes real: checks, journal, effects, end; or all of it taken back.

use crate::{
    disk::{self, Disk},
    entry::{Kind, Stamp},
    error::{CommitError, FileError, WorkspaceError, shown},
    folder::{Masks, Root},
    journal::{self, At, Before, End, Head, Outcome, Recorded, Step, Text, Times, Top},
    layer::{Content, Kept},
    places::Places,
    planning::{Item, Past, Place, Prepared, What, follow, survey},
    reliance::Relied,
    settle,
    staging::Stage,
    store::{Store, Stores},
};
use deskhand_vocabulary::{
    Change, Clock, CommitId, Entry, Event, Home, Log, RelativePath, Sha256, Stop, Tally, TaskId, path::encode,
};
use rustix::{fd::AsFd as _, fs::Access, io::Errno};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    os::unix::ffi::OsStrExt as _,
    sync::Arc,
};

/// What came of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Its number: what `deskhand undo` takes.
    pub id: CommitId,
    /// How many changes were made.
    pub applied: u64,
    /// How much they did, of each kind.
    pub made: Tally,
    /// The changes that were not made, each with the reason.
    pub refused: Vec<(Change, String)>,
    /// True if it was stopped or failed, and everything is as it was.
    pub rolled_back: bool,
    /// How many changes of an earlier commit it took back.
    pub undone: u64,
    /// What the person should know besides.
    pub warnings: Vec<String>,
}

/// What a commit works with.
pub(crate) struct Site<'a> {
    pub(crate) home: &'a Home,
    pub(crate) disk: &'a dyn Disk,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) log: &'a dyn Log,
    pub(crate) task: Option<TaskId>,
    pub(crate) roots: &'a [Arc<Root>],
    pub(crate) masks: &'a Masks,
    pub(crate) stores: &'a Stores,
}

/// Names in the commit's folder of a store, by the number of the change's item.
pub(crate) fn staged(index: usize) -> String {
    format!("s{index}")
}

fn before(index: usize) -> String {
    format!("b{index}")
}

struct Ready {
    changes: Vec<Recorded>,
    steps: Vec<Step>,
    stores: Vec<Arc<Store>>,
    folders: Vec<Times>,
    restore: Vec<Times>,
    /// True if something comes from another file system.
    across: bool,
}

pub(crate) fn commit(
    site: &Site<'_>,
    prepared: &Prepared,
    progress: &dyn Fn(u64, u64),
    stop: &Stop,
) -> Result<Commit, CommitError> {
    writable(site, prepared)?;
    let stores = stores(site, prepared)?;
    in_place(site, stores.keys())?;
    room(site, prepared, &stores)?;
    if stop.is_stopped() {
        return Err(CommitError::Stopped);
    }
    let writer = journal::Writer::begin(site.home, site.disk)?;
    let id = writer.commit;
    let all: Vec<Arc<Store>> = stores.values().map(Arc::clone).collect();
    let touched: Vec<u16> = stores.keys().copied().collect();
    let mut ready = match ready(site, prepared, stores, id) {
        Ok(ready) => ready,
        Err(error) => {
            give_up(site, &writer, prepared, &all);
            return Err(error);
        }
    };
    let mut head = head(site, prepared, &ready, id);
    journal::without_inodes(site.roots, &mut head, &mut ready.changes, &mut ready.steps);
    let durable = writer
        .intend(site.disk, head, &ready.changes, &ready.steps)
        .and_then(|()| sync_stores(site, &ready, id))
        .and_then(|()| writer.sync(site.home, site.disk));
    ready.changes = Vec::new(); // they are in the journal, and only there from here on
    if let Err(error) = durable {
        give_up(site, &writer, prepared, &ready.stores);
        return Err(WorkspaceError::home(site.home.commits(), error).into());
    }
    // looked at again, because copying may have taken long
    if let Err(error) = in_place(site, touched.iter()) {
        give_up(site, &writer, prepared, &ready.stores);
        return Err(error);
    }
    let count = prepared.plan.changes.len() as u64;
    let started = Event::CommitStarted { commit: id, plan: prepared.plan.digest, changes: count };
    if let Err(error) = site.log.append(Entry { task: site.task, event: started, content: None }) {
        give_up(site, &writer, prepared, &ready.stores);
        return Err(error.into());
    }
    let mut engine = Engine::new(site, prepared, &ready);
    let outcome = engine.run(progress, stop);
    engine.finish(&writer, outcome)
}

/// Before anything was touched: the number is used up, and that is all. If even that cannot be written, recovery finds
/// nothing done and does it.
fn give_up(site: &Site<'_>, writer: &journal::Writer, prepared: &Prepared, stores: &[Arc<Store>]) {
    for store in stores {
        let _ = discard(site.disk, store, writer.commit, prepared.items.len());
    }
    let _ = writer.forget(site.disk);
}

/// Remove what was staged and not used.
fn discard(disk: &dyn Disk, store: &Store, commit: CommitId, items: usize) -> Result<(), Errno> {
    let folder = match store.existing(&commit.to_string()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    for index in 0..items {
        for name in [staged(index), format!("c{index}")] {
            match crate::store::remove_tree(disk, folder.as_fd(), name.as_bytes()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
    }
    match disk.remove_folder(store.handle(), commit.to_string().as_bytes()) {
        Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The stores of all folders that the plan touches; the first is that of the folder with the lowest number.
fn stores(site: &Site<'_>, prepared: &Prepared) -> Result<BTreeMap<u16, Arc<Store>>, CommitError> {
    let mut found = BTreeMap::new();
    for item in &prepared.items {
        let (from, to) = item.what.ends();
        for place in [from, to].into_iter().flatten() {
            if found.contains_key(&place.0) {
                continue;
            }
            let root = site.roots.get(usize::from(place.0)).ok_or(CommitError::Stale)?;
            if !root.writable {
                return Err(CommitError::ReadOnly {
                    folder: root.shown(),
                    reason: "it was granted for reading only".to_owned(),
                });
            }
            found.insert(place.0, site.stores.of(root)?);
        }
    }
    Ok(found)
}

/// Refuse where a folder was renamed or replaced since it was opened: the handle would lead to what the person may not
/// mean any more.
fn in_place<'r>(site: &Site<'_>, roots: impl Iterator<Item = &'r u16>) -> Result<(), CommitError> {
    for index in roots {
        let root = site.roots.get(usize::from(*index)).ok_or(CommitError::Stale)?;
        if !root.is_in_place() {
            return Err(CommitError::Elsewhere { folder: root.shown() });
        }
    }
    Ok(())
}

/// The folders on the disk whose entries change, where they are now.
fn touched(prepared: &Prepared) -> BTreeSet<Place> {
    let left = |item: &Item| {
        let (from, _) = item.what.ends();
        from.and_then(|(root, path)| Some((*root, path.parent()?)))
    };
    prepared.items.iter().flat_map(|item| [left(item), item.into.clone()]).flatten().collect()
}

/// Refuse where nothing at all could be done; single folders that cannot be written are left to their changes.
fn writable(site: &Site<'_>, prepared: &Prepared) -> Result<(), CommitError> {
    let mut failed = None;
    for (index, path) in touched(prepared) {
        let root = site.roots.get(usize::from(index)).ok_or(CommitError::Stale)?;
        let Ok(way) = root.way(&path, site.masks) else { continue };
        let flags = rustix::fs::AtFlags::EACCESS;
        match rustix::fs::accessat(&way, ".", Access::WRITE_OK | Access::EXEC_OK, flags) {
            Ok(()) => return Ok(()),
            Err(error) => {
                let reason = match error {
                    Errno::ROFS => "its disk is read-only",
                    _ => "you may not write to it",
                };
                let folder = encode(root.absolute(&path).as_os_str().as_bytes());
                failed = failed.or(Some(CommitError::ReadOnly { folder, reason: reason.to_owned() }));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// File systems that copy without taking room: btrfs, xfs, bcachefs (statfs(2)).
const SHARING: [u64; 3] = [0x9123_683e, 0x5846_5342, 0xca45_1a4e];

/// Refuse before the first effect when the disks cannot hold what is staged and kept.
fn room(site: &Site<'_>, prepared: &Prepared, stores: &BTreeMap<u16, Arc<Store>>) -> Result<(), CommitError> {
    let mut needed: BTreeMap<u16, u64> = BTreeMap::new();
    for item in &prepared.items {
        let block = 4096;
        let (root, bytes) = match &item.what {
            What::MakeFolder { to } => (to.0, block),
            What::Arrive { content: Content::Copy { seen, .. }, to, .. } => (to.0, seen.blocks.saturating_mul(512)),
            What::Arrive { content: Content::Stored(kept), to, .. } if kept.copy => (to.0, kept.stamp.size),
            What::Rewrite { content: Content::Copy { seen, .. }, at, .. } => (at.0, seen.blocks.saturating_mul(512)),
            What::Rewrite { at, seen, .. } if seen.links > 1 => (at.0, seen.blocks.saturating_mul(512)),
            What::Move { to, seen, across: true, .. } => (to.0, item.change.bytes.max(seen.size)),
            _ => continue,
        };
        let sum = needed.entry(root).or_default();
        *sum = sum.saturating_add(bytes);
    }
    // a journal takes less than this for each change
    let mut by_store: Vec<(Arc<Store>, u64, String)> = Vec::new();
    let shown = |root: u16| site.roots.get(usize::from(root)).map_or_else(String::new, |root| root.shown());
    for (root, store) in stores {
        let bytes = needed.get(root).copied().unwrap_or(0);
        match by_store.iter_mut().find(|(known, ..)| known.stamp.dev == store.stamp.dev) {
            Some((_, sum, _)) => *sum = sum.saturating_add(bytes),
            None => by_store.push((Arc::clone(store), bytes, shown(*root))),
        }
    }
    let journal = (prepared.items.len() as u64).saturating_mul(1024) + (64 << 10);
    let own = Store::open(&site.home.store()).map_err(|error| WorkspaceError::home(site.home.store(), error))?;
    match by_store.iter_mut().find(|(known, ..)| known.stamp.dev == own.stamp.dev) {
        Some((_, sum, _)) => *sum = sum.saturating_add(journal),
        None => by_store.push((Arc::new(own), journal, encode(site.home.data.as_os_str().as_bytes()))),
    }
    for (store, bytes, folder) in by_store {
        let failed = |error| WorkspaceError::home(&store.path, error);
        #[expect(clippy::cast_sign_loss, reason = "a magic number is a bit pattern")]
        let magic = rustix::fs::fstatfs(store.handle()).map(|stat| stat.f_type as u64 & 0xffff_ffff).map_err(failed)?;
        let free = store.free().map_err(failed)?;
        let bytes = if SHARING.contains(&magic) { bytes.min(journal + (1 << 20)) } else { bytes };
        if bytes > free {
            return Err(CommitError::NoSpace { folder, needed: bytes, free });
        }
    }
    Ok(())
}

/// Stage all content and tell every effect beforehand.
fn ready(
    site: &Site<'_>,
    prepared: &Prepared,
    by_root: BTreeMap<u16, Arc<Store>>,
    id: CommitId,
) -> Result<Ready, CommitError> {
    let mut stores: Vec<Arc<Store>> = Vec::new();
    let mut indices: BTreeMap<u16, u16> = BTreeMap::new();
    let mut add = |store: &Arc<Store>| {
        let known = stores.iter().position(|known| known.path == store.path).unwrap_or_else(|| {
            stores.push(Arc::clone(store));
            stores.len() - 1
        });
        u16::try_from(known).unwrap_or(u16::MAX)
    };
    for (root, store) in &by_root {
        let index = add(store);
        indices.insert(*root, index);
    }
    let mut kept_in = BTreeMap::new();
    for item in &prepared.items {
        if let What::Arrive { content: Content::Stored(kept), .. }
        | What::Rewrite { content: Content::Stored(kept), .. } = &item.what
        {
            let store = site.stores.at(&kept.store).map_err(|error| WorkspaceError::home(&kept.store, error))?;
            kept_in.insert(kept.store.clone(), add(&store));
        }
    }
    let mut stage = Stage { site, id: id.0, places: Places::new(site.roots, stores.clone(), site.masks, site.disk) };
    let mut first = Vec::new();
    let mut then = Vec::new();
    let mut last = Vec::new();
    let mut changes = Vec::with_capacity(prepared.items.len());
    for (index, item) in prepared.items.iter().enumerate() {
        let number = u32::try_from(index).map_err(|_| CommitError::Stale)?;
        let store = |place: &Place| indices.get(&place.0).copied().unwrap_or_default();
        let tree = |place: &Place| At::Tree(place.0, Text(place.1.clone()));
        let step =
            |from, to, what: &Arc<Stamp>, other| Step { change: number, from, to, what: Arc::clone(what), other };
        let kept = |store, name: String, stamp: &Stamp| Before {
            store,
            folder: id.0,
            name,
            stamp: *stamp,
            home: item.over.clone(),
            copy: None,
        };
        let mut recorded = Recorded {
            change: Arc::clone(&item.change),
            undoes: item.undoes,
            tidy: item.hidden,
            made: None,
            tree: None,
            before: None,
        };
        match &item.what {
            What::MakeFolder { to } => {
                let stamp = Arc::new(stage.folder(store(to), &staged(index), to)?);
                recorded.made = Some(Arc::clone(&stamp));
                then.push(step(At::Store(store(to), id.0, staged(index)), tree(to), &stamp, None));
            }
            What::Arrive { content, to, replaces } => {
                let (from, stamp) = stage.content(store(to), index, content, Some(to), None, &kept_in)?;
                let stamp = Arc::new(stamp);
                recorded.made = Some(Arc::clone(&stamp));
                if let (Kind::Folder, Content::Stored(kept)) = (stamp.kind, content) {
                    recorded.tree = came_back(kept)?;
                }
                if let (Some(old), At::Store(store, folder, name)) = (replaces, &from) {
                    let before = Before {
                        store: *store,
                        folder: *folder,
                        name: name.clone(),
                        stamp: **old,
                        home: item.over.clone(),
                        copy: None,
                    };
                    recorded.before = Some(Box::new(before));
                }
                then.push(step(from, tree(to), &stamp, replaces.clone()));
            }
            What::Move { from, seen, to, across: true, replaces, .. } => {
                let stamp = Arc::new(stage.across(store(to), &staged(index), from, seen)?);
                recorded.made = Some(Arc::clone(&stamp));
                if let Some(old) = replaces {
                    recorded.before = Some(Box::new(kept(store(to), staged(index), old)));
                }
                first.push(step(tree(from), At::Store(store(from), id.0, before(index)), seen, None));
                then.push(step(At::Store(store(to), id.0, staged(index)), tree(to), &stamp, replaces.clone()));
            }
            What::Move { from, seen, to, lifted: true, replaces, .. } => {
                let way = At::Store(store(to), id.0, before(index));
                recorded.made = Some(Arc::clone(seen));
                if let Some(old) = replaces {
                    recorded.before = Some(Box::new(kept(store(to), before(index), old)));
                }
                first.push(step(tree(from), way.clone(), seen, None));
                then.push(step(way, tree(to), seen, replaces.clone()));
            }
            What::Move { from, seen, to, .. } => {
                recorded.made = Some(Arc::clone(seen));
                then.push(step(tree(from), tree(to), seen, None));
            }
            What::Rewrite { content, at, from: now, seen } => {
                let over = Some((now, seen.as_ref()));
                let (from, stamp) = stage.content(store(at), index, content, None, over, &kept_in)?;
                let stamp = Arc::new(stamp);
                recorded.made = Some(Arc::clone(&stamp));
                if let At::Store(store, folder, name) = &from {
                    let copy = if seen.links > 1 { Some(stage.copy(*store, index, now, seen)?) } else { None };
                    let before =
                        Before { store: *store, folder: *folder, name: name.clone(), stamp: **seen, home: None, copy };
                    recorded.before = Some(Box::new(before));
                }
                then.push(step(from, tree(at), &stamp, Some(Arc::clone(seen))));
            }
            What::Remove { from, seen, tidy, early, .. } => {
                let to = At::Store(store(from), id.0, before(index));
                recorded.before = Some(Box::new(kept(store(from), before(index), seen)));
                let list = if *tidy && !early { &mut last } else { &mut first };
                list.push(step(tree(from), to, seen, None));
            }
        }
        changes.push(recorded);
    }
    let depth = |step: &Step| match &step.from {
        At::Tree(_, path) => path.0.names().count(),
        At::Store(..) => 0,
    };
    first.sort_by_key(|step| std::cmp::Reverse(depth(step)));
    let mut steps = first;
    steps.extend(then);
    steps.extend(last);
    let folders = folders(site, prepared);
    let restore = restore(prepared, &folders);
    let across = prepared.items.iter().any(|item| matches!(item.what, What::Move { across: true, .. }));
    Ok(Ready { changes, steps, stores, folders, restore, across })
}

fn folders(site: &Site<'_>, prepared: &Prepared) -> Vec<Times> {
    let mut places = touched(prepared);
    places.extend(prepared.undoes.iter().flat_map(|undoes| &undoes.times).filter_map(|past| past.now.clone()));
    let found = |(index, path): Place| {
        let root = site.roots.get(usize::from(index))?;
        let stamp = Stamp::of(root.way(&path, site.masks).ok()?).ok()?;
        Some(times(index, &path.to_string(), &stamp))
    };
    places.into_iter().filter_map(found).collect()
}

/// The folders that get their former times: those in which nothing else has happened since. Looked at before the effects.
fn restore(prepared: &Prepared, folders: &[Times]) -> Vec<Times> {
    let unchanged = |past: &&Past| {
        let Some((root, path)) = &past.now else { return true };
        let path = path.to_string();
        let now = folders.iter().find(|known| known.root == *root && known.path == path);
        now.is_some_and(|now| now.stamp.same_thing(&past.times.stamp) && Some(now.modified) == past.after)
    };
    prepared.undoes.iter().flat_map(|undoes| &undoes.times).filter(unchanged).map(|past| past.times.clone()).collect()
}

fn times(root: u16, path: &str, stamp: &Stamp) -> Times {
    Times { root, path: path.to_owned(), stamp: *stamp, accessed: stamp.accessed, modified: stamp.modified }
}

fn head(site: &Site<'_>, prepared: &Prepared, ready: &Ready, id: CommitId) -> Head {
    Head {
        version: journal::VERSION,
        commit: id,
        task: site.task,
        at: site.clock.now(),
        title: prepared.plan.title.clone(),
        origin: prepared.plan.origin.clone(),
        plan: prepared.plan.digest,
        changes: prepared.plan.changes.len() as u64,
        undoes: prepared.undoes.as_ref().map(|undoes| undoes.commit),
        roots: site
            .roots
            .iter()
            .map(|root| Top { name: root.name.to_string(), path: root.shown(), stamp: root.stamp })
            .collect(),
        stores: ready.stores.iter().map(|store| encode(store.path.as_os_str().as_bytes())).collect(),
        folders: ready.folders.clone(),
        restore: ready.restore.clone(),
    }
}

/// The digest of what is in a folder that comes back from a store; none if nothing is.
fn came_back(kept: &Kept) -> Result<Option<Sha256>, CommitError> {
    let failed = |error: Errno| WorkspaceError::home(&kept.store, error);
    let handle = Store::open(&kept.store).and_then(|store| store.existing(&kept.folder)).map_err(failed)?;
    let name = "store".parse().map_err(|_| CommitError::Stale)?;
    let root = Root::new(name, kept.store.join(&kept.folder), false, handle).map_err(failed)?;
    let path = RelativePath::root().join(kept.name.as_bytes()).map_err(|_| CommitError::Stale)?;
    // a store is in no view, so nothing is masked in it
    let tree = survey(&root, &path, &Masks::default(), &|_| false).map_err(failed)?;
    let digest = Sha256(tree.digest);
    Ok((digest != Sha256::of(b"")).then_some(digest))
}

/// What is staged is durable before the journal says so: new folders by their names, content with all of its file system.
fn sync_stores(site: &Site<'_>, ready: &Ready, id: CommitId) -> Result<(), Errno> {
    for (index, store) in ready.stores.iter().enumerate() {
        let (mut used, mut names, mut content) = (false, false, false);
        for step in &ready.steps {
            used |= [&step.from, &step.to]
                .into_iter()
                .any(|at| matches!(at, At::Store(of, folder, _) if usize::from(*of) == index && *folder == id.0));
            if let At::Store(of, folder, name) = &step.from
                && usize::from(*of) == index
                && *folder == id.0
                && name.starts_with('s')
            {
                names = true;
                content |= step.what.kind != Kind::Folder || step.other.is_some();
            }
        }
        // a folder that was copied from another file system holds content as well
        content |= names && ready.across;
        if used {
            let folder = store.folder(site.disk, &id.to_string())?;
            if content {
                site.disk.sync_all(store.handle())?;
            } else {
                site.disk.sync(folder.as_fd())?;
                site.disk.sync(store.handle())?;
            }
        }
    }
    Ok(())
}

/// How the effects went.
enum Went {
    Through,
    /// Stopped by the person, or a failure after which the rest would be half.
    Back(Option<String>),
}

struct Engine<'a> {
    site: &'a Site<'a>,
    prepared: &'a Prepared,
    ready: &'a Ready,
    places: Places<'a>,
    /// Inodes whose times of change are ours by now.
    touched: HashSet<(u64, u64)>,
    refused: BTreeMap<u32, String>,
    done: Vec<usize>,
}

/// Why a change is not made that stands on a file which is not as it was read.
fn without(relied: &Relied, found: Option<&Stamp>) -> String {
    let what = match found {
        Some(_) => "has changed meanwhile",
        None => "is not there any more",
    };
    format!("`{}`, because of which it was proposed, {what}", relied.path)
}

impl<'a> Engine<'a> {
    fn new(site: &'a Site<'a>, prepared: &'a Prepared, ready: &'a Ready) -> Self {
        let places = Places::new(site.roots, ready.stores.clone(), site.masks, site.disk);
        Self { site, prepared, ready, places, touched: HashSet::new(), refused: BTreeMap::new(), done: Vec::new() }
    }

    fn run(&mut self, progress: &dyn Fn(u64, u64), stop: &Stop) -> Went {
        let total = self.ready.steps.len() as u64;
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

    /// Before the first effect: what stands on a file that is not as it was read is left out.
    fn check_all_relied(&mut self) {
        if self.prepared.relies.is_empty() {
            return;
        }
        for (index, item) in self.prepared.items.iter().enumerate() {
            if let (Err(reason), Ok(index)) = (self.check_relied(Some(item)), u32::try_from(index)) {
                self.refused.insert(index, reason);
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

    fn finish(mut self, writer: &journal::Writer, went: Went) -> Result<Commit, CommitError> {
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
        if let Err(error) = settled.and_then(|()| writer.end(self.site.disk, end)) {
            return Err(self.unsettled(id, &error.to_string()));
        }
        let mut warnings = astray;
        warnings.extend(why);
        let refused = self.refusals();
        let total = self.prepared.plan.changes.len() as u64;
        let applied = if outcome == Outcome::Applied { total.saturating_sub(refused.len() as u64) } else { 0 };
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
        if let Err(error) = log.append(Entry { task, event: ended, content: task.map(|_| content) }) {
            warnings.push(error.to_string());
        }
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
                warnings.push(error.to_string());
            }
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

    fn refusals(&self) -> Vec<(Change, String)> {
        let shown = |(index, reason): (&u32, &String)| {
            let item = self.prepared.items.get(usize::try_from(*index).ok()?)?;
            (!item.hidden).then(|| (Change::clone(&item.change), reason.clone()))
        };
        self.refused.iter().filter_map(shown).collect()
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
                && found.same_thing(&step.what)
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

/// A kept thing as content to be restored.
pub(crate) fn restored(store: &std::path::Path, before: &Before, copy: bool) -> Content {
    Content::Stored(Arc::new(Kept {
        store: store.to_owned(),
        folder: before.folder.to_string(),
        name: before.name.clone(),
        stamp: before.stamp,
        copy,
    }))
}

/// Bytes of a name for a message.
pub(crate) fn name(bytes: &[u8]) -> String {
    shown(bytes)
}
