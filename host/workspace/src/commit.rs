//! The one place where a change set becomes real: checks, journal, effects, end; or all of it taken back.

use crate::{
    disk::Disk,
    engine::Engine,
    entry::{Kind, Stamp},
    error::{CommitError, WorkspaceError, shown},
    folder::{Masks, Root},
    journal::{self, At, Before, Head, Recorded, Step, Text, Times, Top},
    layer::{Content, Kept},
    places::Places,
    planning::{Item, Past, Place, Prepared, What, survey},
    staging::Stage,
    store::{Store, Stores},
};
use deskhand_vocabulary::{
    Change, Clock, CommitId, Entry, Event, Home, Log, RelativePath, Sha256, Stop, Tally, TaskId, path::encode,
};
use rustix::{fd::AsFd as _, fs::Access, io::Errno};
use std::{
    collections::{BTreeMap, BTreeSet},
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

/// What is staged, and every effect told beforehand.
pub(crate) struct Ready {
    pub(crate) changes: Vec<Recorded>,
    pub(crate) steps: Vec<Step>,
    pub(crate) stores: Vec<Arc<Store>>,
    pub(crate) folders: Vec<Times>,
    pub(crate) restore: Vec<Times>,
    /// True if something comes from another file system.
    pub(crate) across: bool,
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
            wrote: match &item.what {
                What::Arrive { content: Content::Staged(staged), .. }
                | What::Rewrite { content: Content::Staged(staged), .. } => Some(staged.digest),
                _ => None,
            },
            tree: None,
            before: None,
        };
        // nothing of it is staged: what it is about is not as it was
        if item.change.conflict.is_some() {
            changes.push(recorded);
            continue;
        }
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
    together(&mut then, prepared);
    let mut steps = first;
    steps.extend(then);
    steps.extend(last);
    let folders = folders(site, prepared);
    let restore = restore(prepared, &folders);
    let across = prepared.items.iter().any(|item| matches!(item.what, What::Move { across: true, .. }));
    Ok(Ready { changes, steps, stores, folders, restore, across })
}

/// Of effects that may come in any order, as deep as each other, those in the same folders follow one another: each folder is
/// opened once.
fn together(steps: &mut [Step], prepared: &Prepared) {
    let rank = |step: &Step| {
        let item = usize::try_from(step.change).ok().and_then(|change| prepared.items.get(change));
        let depth = if let At::Tree(_, path) = &step.to { path.0.names().count() } else { 0 };
        (depth, item.is_some_and(|item| matches!(item.what, What::Rewrite { .. })))
    };
    for equal in steps.chunk_by_mut(|a, b| rank(a) == rank(b)) {
        equal.sort_by(|a, b| (a.to.folder(), a.from.folder()).cmp(&(b.to.folder(), b.from.folder())));
    }
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
        left: prepared.undoes.as_ref().map_or(0, |undoes| undoes.left),
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
