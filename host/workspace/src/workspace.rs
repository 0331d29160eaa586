//! The folders of one task and its pending set.

use crate::{
    commit::{self, Commit, Site},
    disk::{Disk, System},
    entry::{Entry, Kind},
    error::{Code, CommitError, FileError, WorkspaceError},
    facts,
    folder::{Folder, Masks, Root},
    layer::{Content, Key, Made, Over, State},
    planning::{self, Prepared, Undoes},
    purge, reliance,
    store::{Scratch, Staged, Stores},
    view::{Seen, View},
    walk::{Page, WalkOptions, Walker},
    workers,
};
use deskhand_permissions::{
    Permit,
    effect::{ApplyPlan, ChangeSensitive, Folders, OpenFolder, RemoveFiles},
};
use deskhand_vocabulary::{
    Access, ChangeKind, Clock, FilePath, FolderName, Home, Log, Plan, Principal, Sha256, Stop, TaskId, path::encode,
};
use jiff::tz::TimeZone;
use rustix::{fd::AsFd as _, io::Errno};
use sha2::Digest as _;
use std::{
    collections::{HashMap, VecDeque},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
};

/// A pending change's number, unique within the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeId(pub u64);

/// A pending change, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub kind: ChangeKind,
    /// What is moved, copied or removed, where it is now.
    pub source: Option<FilePath>,
    /// What comes to be.
    pub target: Option<FilePath>,
    /// Why, in the words of whoever proposed it.
    pub reason: String,
}

/// What was agreed to, for one plan.
#[derive(Debug)]
pub struct Permits {
    /// To apply the plan.
    pub apply: Permit<ApplyPlan>,
    /// To make its removals, if it has any.
    pub remove: Option<Permit<RemoveFiles>>,
    /// To make its sensitive changes, if it has any.
    pub sensitive: Option<Permit<ChangeSensitive>>,
}

/// Everything that all sets of a task share.
pub(crate) struct Shared {
    pub(crate) home: Home,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) task: Option<TaskId>,
    pub(crate) masks: Arc<Masks>,
    pub(crate) stores: Stores,
    pub(crate) roots: RwLock<Arc<Vec<Arc<Root>>>>,
    scratches: Mutex<Vec<Arc<Scratch>>>,
    walkers: Mutex<VecDeque<(String, Walker)>>,
    plans: Mutex<HashMap<Sha256, Arc<Prepared>>>,
    quota: OnceLock<u64>,
}

/// The folders of one task with its pending set. Cheap to clone; all clones are the same set.
#[derive(Clone)]
pub struct Workspace {
    pub(crate) shared: Arc<Shared>,
    layer: Arc<Layer>,
}

/// A pending set, and the one that it is nested in.
struct Layer {
    state: Mutex<Arc<State>>,
    /// The set that this one started from, and its revision then.
    above: Option<(Arc<Layer>, u64)>,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").field("folders", &self.folders()).finish_non_exhaustive()
    }
}

/// Plans that are remembered, so that what was shown can be applied.
const PLANS: usize = 8;
/// Changes in all of them; beyond it the older plans are forgotten.
const PLANNED: usize = 50_000;
/// Walks that are remembered between two pages.
const WALKERS: usize = 16;

pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workspace {
    /// Without folders yet.
    pub fn new(home: &Home, clock: Arc<dyn Clock>, log: Arc<dyn Log>) -> Result<Self, WorkspaceError> {
        Self::with_disk(home, clock, log, None, Arc::new(System))
    }

    /// Without folders yet, for a task, to which what happens is put down.
    pub fn for_task(
        home: &Home,
        clock: Arc<dyn Clock>,
        log: Arc<dyn Log>,
        task: TaskId,
    ) -> Result<Self, WorkspaceError> {
        Self::with_disk(home, clock, log, Some(task), Arc::new(System))
    }

    /// As [`Workspace::for_task`], with effects through `disk`.
    pub fn with_disk(
        home: &Home,
        clock: Arc<dyn Clock>,
        log: Arc<dyn Log>,
        task: Option<TaskId>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, WorkspaceError> {
        let masks = Arc::new(Masks::default());
        let stores = Stores::new(home, Arc::clone(&masks))?;
        let shared = Shared {
            home: home.clone(),
            clock,
            log,
            disk,
            task,
            masks,
            stores,
            roots: RwLock::default(),
            scratches: Mutex::default(),
            walkers: Mutex::default(),
            plans: Mutex::default(),
            quota: OnceLock::new(),
        };
        let layer = Layer { state: Mutex::default(), above: None };
        Ok(Self { shared: Arc::new(shared), layer: Arc::new(layer) })
    }

    /// Take a granted folder into the task. Its name is the last part of its path, with a number where two have the
    /// same. A folder that is there already keeps its name, and is writable if either grant says so.
    pub fn add_folder(&self, permit: Permit<OpenFolder>) -> Result<FolderName, WorkspaceError> {
        let effect = permit.redeem();
        let path = effect.path().to_owned();
        let writable = effect.access() == Access::Write;
        self.add(path, writable, effect.into_handle())
    }

    /// As [`Workspace::add_folder`], without a decision of the gate: for what this room does on its own behalf.
    pub(crate) fn add(
        &self,
        path: PathBuf,
        writable: bool,
        handle: rustix::fd::OwnedFd,
    ) -> Result<FolderName, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::Folder { path: path.clone(), reason: error.to_string() };
        let stamp = crate::entry::Stamp::of(&handle).map_err(failed)?;
        if stamp.kind != Kind::Folder {
            return Err(failed(Errno::NOTDIR));
        }
        let mut roots = self.shared.roots.write().unwrap_or_else(PoisonError::into_inner);
        let mut list = roots.as_ref().clone();
        if let Some(known) = list.iter_mut().find(|root| root.stamp.id() == stamp.id() && root.path == path) {
            let name = known.name.clone();
            if writable && !known.writable {
                *known = Arc::new(Root::new(name.clone(), path.clone(), true, handle).map_err(failed)?);
                *roots = Arc::new(list);
            }
            return Ok(name);
        }
        let base = path.file_name().map_or_else(|| "files".to_owned(), |name| encode(name.as_bytes()));
        let mut name = base.parse::<FolderName>();
        let mut number = 2;
        while let Ok(taken) = &name
            && list.iter().any(|root| root.name == *taken)
        {
            name = format!("{base} {number}").parse();
            number += 1;
        }
        let name = match name {
            Ok(name) => name,
            Err(_) => format!("folder {}", list.len() + 1).parse().map_err(|_| failed(Errno::INVAL))?,
        };
        list.push(Arc::new(Root::new(name.clone(), path.clone(), writable, handle).map_err(failed)?));
        *roots = Arc::new(list);
        Ok(name)
    }

    /// The folders of the task.
    pub fn folders(&self) -> Vec<Folder> {
        let folder =
            |root: &Arc<Root>| Folder { name: root.name.clone(), path: root.path.clone(), writable: root.writable };
        self.roots().iter().map(folder).collect()
    }

    /// The folders of the task as the gate wants them.
    pub fn folder_map(&self) -> Folders {
        self.roots().iter().map(|root| (root.name.clone(), root.shown())).collect()
    }

    pub(crate) fn roots(&self) -> Arc<Vec<Arc<Root>>> {
        Arc::clone(&self.shared.roots.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Change the set by a function that says whether its result is kept.
    pub(crate) fn transform<T, E>(&self, act: impl FnOnce(&[Arc<Root>], &mut State) -> Result<T, E>) -> Result<T, E> {
        let roots = self.roots();
        let mut state = locked(&self.layer.state);
        let mut draft = State::clone(&state);
        let result = act(&roots, &mut draft)?;
        *state = Arc::new(draft);
        Ok(result)
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&locked(&self.layer.state))
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        let roots = self.roots();
        let state = self.state();
        look(&View::new(&roots, &self.shared.masks, &state))
    }

    /// Look at the set and change it, with nobody between.
    pub(crate) fn change<T, E>(
        &self,
        decide: impl FnOnce(&View<'_>) -> Result<Box<dyn FnOnce(&mut State) -> T>, E>,
    ) -> Result<T, E> {
        let roots = self.roots();
        let mut state = locked(&self.layer.state);
        let act = decide(&View::new(&roots, &self.shared.masks, &state))?;
        Ok(act(Arc::make_mut(&mut state)))
    }

    /// What lies below `root`, at most `limit` entries at a time, in the order of names, a folder before what is in it.
    /// `cursor` is the `next` of the page before. Links are never followed; what could not be read is told and the rest
    /// goes on.
    pub fn walk(
        &self,
        root: &FilePath,
        options: &WalkOptions,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page, FileError> {
        let known = cursor.and_then(|cursor| {
            let mut walkers = locked(&self.shared.walkers);
            let at = walkers.iter().position(|(name, walker)| name == cursor && walker.is_for(root, options))?;
            walkers.remove(at).map(|(_, walker)| walker)
        });
        self.look(|view| {
            let mut walker = match (known, cursor) {
                (Some(walker), _) => walker,
                (None, None) => Walker::new(view, root, options)?,
                (None, Some(cursor)) => Walker::resume(view, root, options, cursor)?,
            };
            let page = walker.page(view, limit.clamp(1, 10_000));
            if let Some(next) = &page.next {
                let mut walkers = locked(&self.shared.walkers);
                walkers.push_back((next.clone(), walker));
                if walkers.len() > WALKERS {
                    walkers.pop_front();
                }
            }
            Ok(page)
        })
    }

    /// What each of `paths` is.
    pub fn stat(&self, paths: &[FilePath]) -> Vec<Result<Entry, FileError>> {
        self.look(|view| paths.iter().map(|path| view.find(path).map(|seen| seen.entry(path.clone()))).collect())
    }

    /// At most `length` bytes of a file from `offset`; fewer at its end. With `if_version`, only of that version.
    pub fn read(
        &self,
        path: &FilePath,
        if_version: Option<&str>,
        offset: u64,
        length: u32,
    ) -> Result<Vec<u8>, FileError> {
        self.look(|view| {
            let seen = view.find(path)?;
            check_version(path, &seen, if_version)?;
            let file = view.open(&seen).map_err(|error| FileError::system(error, path))?;
            let length = u64::from(length).min(seen.size.saturating_sub(offset).max(1 << 16));
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(1 << 16)];
            let mut filled = 0;
            while filled < bytes.len() {
                match rustix::io::pread(&file, &mut bytes[filled..], offset.saturating_add(filled as u64)) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(FileError::system(error, path)),
                }
            }
            bytes.truncate(filled);
            Ok(bytes)
        })
    }

    /// The SHA-256 of each file's content.
    pub fn digest(&self, paths: &[FilePath]) -> Vec<Result<Sha256, FileError>> {
        let one = |view: &View<'_>, path: &FilePath| {
            let seen = view.find(path)?;
            let file = view.open(&seen).map_err(|error| FileError::system(error, path))?;
            let mut hash = sha2::Sha256::new();
            let mut buffer = vec![0; 1 << 17];
            loop {
                match rustix::io::read(&file, &mut buffer) {
                    Ok(0) => return Ok(Sha256(hash.finalize().into())),
                    Ok(count) => hash.update(&buffer[..count]),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(FileError::system(error, path)),
                }
            }
        };
        self.look(|view| paths.iter().map(|path| one(view, path)).collect())
    }

    /// Well-known facts of each file, by name; unknown names are left out. Many files are read on a few threads. After
    /// `stop` no more are read.
    pub fn attributes(
        &self,
        paths: &[FilePath],
        names: &[String],
        zone: &TimeZone,
        stop: &Stop,
    ) -> Vec<Result<serde_json::Map<String, serde_json::Value>, FileError>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (roots, state) = (self.roots(), self.state());
        workers::each(paths, || {
            let view = View::new(&roots, &self.shared.masks, &state);
            let names = names.as_slice();
            move |path: &FilePath| match stop.is_stopped() {
                true => Err(FileError::new(Code::Failed, "stopped by you")),
                false => attributes(&view, path, names, zone),
            }
        })
    }

    /// The folder that is to be, and with it a free name in one that is there or pending.
    pub fn make_folder(&self, path: &FilePath) -> Result<ChangeId, FileError> {
        let path = path.clone();
        self.change(|view| {
            let target = view.target(&path)?;
            if target.taken.is_some() {
                return Err(taken(&path));
            }
            let spot = target.spot;
            Ok(Box::new(move |state: &mut State| {
                ChangeId(state.make(&spot, ChangeKind::MakeFolder, Made::Folder, None, None))
            }))
        })
    }

    /// A whole file: with `if_version` over the version that was seen, else only where nothing is.
    pub fn write(&self, path: &FilePath, bytes: &[u8], if_version: Option<&str>) -> Result<ChangeId, FileError> {
        // looked at first, so that nothing is staged for what is refused
        let root = self.look(|view| {
            view.target(path).and_then(|target| may_write(path, &target.taken, if_version).map(|()| target.root))
        })?;
        let content = Content::Staged(Arc::new(self.stage(root, path, bytes)?));
        let path = path.clone();
        self.change(|view| {
            let target = view.target(&path)?;
            may_write(&path, &target.taken, if_version)?;
            if let Some(old) = &target.taken {
                free_of_reliance(view, &path, old)?;
            }
            Ok(Box::new(move |state: &mut State| match target.taken {
                Some(old) => ChangeId(state.rewrite(&old.key, old.stamp, content, None)),
                None => ChangeId(state.make(&target.spot, ChangeKind::Write, Made::File(content), None, None)),
            }) as Box<dyn FnOnce(&mut State) -> ChangeId>)
        })
    }

    fn stage(&self, root: u16, path: &FilePath, bytes: &[u8]) -> Result<Staged, FileError> {
        let failed = |error: Errno| FileError::system(error, path);
        let scratch = self.scratch(root, path)?;
        let name = scratch.fresh();
        let disk = self.shared.disk.as_ref();
        let file = disk.create(scratch.handle(), name.as_bytes(), 0o666).map_err(failed)?;
        let written = disk.write(file.as_fd(), bytes);
        let mut staged =
            Staged { scratch, name, size: bytes.len() as u64, modified: (0, 0), digest: Sha256::of(bytes) };
        written.map_err(failed)?;
        staged.modified = crate::entry::Stamp::of(&file).map_err(failed)?.modified;
        Ok(staged)
    }

    fn scratch(&self, root: u16, path: &FilePath) -> Result<Arc<Scratch>, FileError> {
        let roots = self.roots();
        let root = roots.get(usize::from(root)).ok_or_else(|| FileError::missing(path))?;
        let said = |error: WorkspaceError| FileError::new(Code::Failed, error.to_string());
        let store = self.shared.stores.of(root).map_err(said)?;
        let mut scratches = locked(&self.shared.scratches);
        if let Some(scratch) = scratches.iter().find(|scratch| scratch.store.path == store.path) {
            return Ok(Arc::clone(scratch));
        }
        // recovery takes what nobody has locked
        let _home = crate::journal::lock_home(&self.shared.home).map_err(said)?;
        let scratch =
            Scratch::new(store, Arc::clone(&self.shared.disk)).map_err(|error| FileError::system(error, path))?;
        let scratch = Arc::new(scratch);
        scratches.push(Arc::clone(&scratch));
        Ok(scratch)
    }

    /// A file or folder under another name or in another folder. With `target_version` it takes the place of a file that
    /// is there, whose content goes to the recoverable store; else the target must be free.
    ///
    /// The set holds what is to be, not how: a thing that is moved twice is moved once, to where it is now. Names can be
    /// swapped through a third one; nothing of that is seen on the disk.
    pub fn move_(
        &self,
        source: &FilePath,
        source_version: &str,
        target: &FilePath,
        target_version: Option<&str>,
    ) -> Result<ChangeId, FileError> {
        let (source, target) = (source.clone(), target.clone());
        self.change(|view| {
            let seen = view.find(&source)?;
            check_version(&source, &seen, Some(source_version))?;
            may_go(view, &source, &seen)?;
            let goal = view.target(&target)?;
            if goal.trail.contains(&seen.key) {
                return Err(FileError::invalid(format!("`{source}` cannot be moved into itself (`{target}`)")));
            }
            let over = over(view, &target, &seen, goal.taken, target_version)?;
            Ok(Box::new(move |state: &mut State| {
                ChangeId(state.relocate(&seen.key, seen.stamp, &goal.spot, over.as_ref(), None))
            }))
        })
    }

    /// A copy of a file or link. With `target_version` as for [`Workspace::move_`].
    pub fn copy(
        &self,
        source: &FilePath,
        source_version: &str,
        target: &FilePath,
        target_version: Option<&str>,
    ) -> Result<ChangeId, FileError> {
        let (source, target) = (source.clone(), target.clone());
        self.change(|view| {
            let seen = view.find(&source)?;
            check_version(&source, &seen, Some(source_version))?;
            if !matches!(seen.kind, Kind::File | Kind::Link) {
                return Err(unsupported(&source, seen.kind, "copied"));
            }
            let goal = view.target(&target)?;
            let content = content_of(view, &seen).ok_or_else(|| FileError::missing(&source))?;
            let over = over(view, &target, &seen, goal.taken, target_version)?;
            Ok(Box::new(move |state: &mut State| {
                ChangeId(state.make(&goal.spot, ChangeKind::Copy, Made::File(content), over.as_ref(), None))
            }))
        })
    }

    /// A file, link or folder with all in it into the recoverable store. What is only pending just does not come.
    pub fn remove(&self, path: &FilePath, version: &str) -> Result<ChangeId, FileError> {
        let path = path.clone();
        self.change(|view| {
            let seen = view.find(&path)?;
            check_version(&path, &seen, Some(version))?;
            may_go(view, &path, &seen)?;
            free_of_reliance(view, &path, &seen)?;
            if seen.kind == Kind::Folder && view.state.has_arrivals(&seen.key) {
                return Err(FileError::conflict(format!(
                    "`{path}` holds pending changes. Remove or move what is to come into it first"
                )));
            }
            if let (Kind::Folder, Key::Base(root, at)) = (seen.kind, &seen.key) {
                // what cannot be looked into cannot be shown to whoever decides
                planning::survey_place(view, &(*root, at.clone()))?;
            }
            Ok(Box::new(move |state: &mut State| ChangeId(state.remove(&seen.key, seen.stamp, false, None))))
        })
    }

    /// Let a pending change stand on a file that it does not touch: it is made only while `path` is there as it was read,
    /// and is left out and told otherwise. A plan that changes or removes that file as well is refused; one that only
    /// moves it is not.
    pub fn expect(&self, change: ChangeId, path: &FilePath, version: &str) -> Result<(), FileError> {
        self.change(|view| {
            let seen = view.find(path)?;
            check_version(path, &seen, Some(version))?;
            let relied = reliance::on(view, change.0, path, &seen)?;
            Ok(Box::new(move |state: &mut State| {
                state.revision += 1;
                let relies = state.relies.entry(change.0).or_default();
                if !relies.contains(&relied) {
                    relies.push(relied);
                }
            }))
        })
    }

    /// Say why, in a few words, for the person who decides.
    pub fn explain(&self, change: ChangeId, reason: &str) -> Result<(), FileError> {
        let reason = deskhand_vocabulary::text::shortened(reason, 500);
        self.change(|view| {
            if !view.state.notes.contains_key(&change.0) {
                return Err(FileError::missing(format!("change {}", change.0)));
            }
            Ok(Box::new(move |state: &mut State| {
                if let Some(note) = state.notes.get_mut(&change.0) {
                    note.reason = reason;
                }
                state.revision += 1;
            }))
        })
    }

    /// Take back a pending change. Fails where another stands on it.
    pub fn withdraw(&self, change: ChangeId) -> Result<(), FileError> {
        let mut state = locked(&self.layer.state);
        Arc::make_mut(&mut state).withdraw(change.0)
    }

    /// The pending changes with a number over `after`, at most `limit`.
    pub fn pending(&self, after: Option<u64>, limit: u32) -> Vec<Pending> {
        self.look(|view| {
            let from = after.map_or(0, |after| after.saturating_add(1));
            let notes = view.state.notes.range(from..).take(usize::try_from(limit).unwrap_or(usize::MAX));
            notes.map(|(id, note)| pending(view, *id, note)).collect()
        })
    }

    /// Drop all that is pending, here and in the sets that this one is nested in, as far as it came from there.
    pub fn discard(&self) {
        let mut state = locked(&self.layer.state);
        *state = Arc::new(state.cleared());
        drop(state);
        if self.is_current() {
            self.clear_above();
        }
    }

    /// True if nothing is pending.
    pub fn is_unchanged(&self) -> bool {
        self.state().is_empty()
    }

    /// A set of an invocation's own: it starts as this one is, joins it with [`Nested::join`], and is dropped with all in
    /// it otherwise.
    pub fn nested(&self) -> Nested {
        let state = self.state();
        let above = Some((Arc::clone(&self.layer), state.revision));
        let layer = Layer { state: Mutex::new(state), above };
        Nested { workspace: Self { shared: Arc::clone(&self.shared), layer: Arc::new(layer) } }
    }

    /// The pending set as a plan, to be shown and decided. `view` says how to arrange it. The plan stays good for
    /// [`Workspace::commit`] until the set changes.
    pub fn plan(&self, title: &str, origin: Principal, view: serde_json::Value) -> Result<Arc<Plan>, WorkspaceError> {
        self.plan_undo(title, origin, view, None)
    }

    /// Keep at most so many bytes for undo, over all commits; without this, [`crate::QUOTA`] or a tenth of the disk. A
    /// plan that would put more aside says so, and takes a yes of its own.
    pub fn keep_at_most(&self, bytes: u64) {
        let _ = self.shared.quota.set(bytes);
    }

    fn kept_at_most(&self) -> Result<u64, WorkspaceError> {
        match self.shared.quota.get() {
            Some(quota) => Ok(*quota),
            None => purge::default_quota(&self.shared.stores.all()?),
        }
    }

    pub(crate) fn plan_undo(
        &self,
        title: &str,
        origin: Principal,
        shape: serde_json::Value,
        undoes: Option<Undoes>,
    ) -> Result<Arc<Plan>, WorkspaceError> {
        let limit = || self.kept_at_most();
        let prepared = self.look(|view| planning::prepare(view, title, origin, shape, undoes, limit))?;
        let plan = Arc::clone(&prepared.plan);
        let mut plans = locked(&self.shared.plans);
        let held: usize = plans.values().map(|known| known.items.len()).sum();
        if plans.len() >= PLANS || held + prepared.items.len() > PLANNED {
            plans.clear();
        }
        plans.insert(plan.digest, Arc::new(prepared));
        Ok(plan)
    }

    /// True if a plan can be applied as things are.
    pub(crate) fn is_current_plan(&self, plan: &Plan) -> bool {
        self.prepared(plan).is_some_and(|prepared| prepared.revision == self.state().revision)
    }

    pub(crate) fn prepared(&self, plan: &Plan) -> Option<Arc<Prepared>> {
        locked(&self.shared.plans).get(&plan.digest).map(Arc::clone)
    }

    /// Make a plan real, as one: every effect is in the journal, durably, before the first is made. A change whose file
    /// has changed since, or that the system refuses, is left out and told; the rest goes on. If it is stopped, or fails
    /// where half of a change would be left, everything is taken back.
    pub fn commit(
        &self,
        plan: &Arc<Plan>,
        permits: Permits,
        progress: &dyn Fn(u64, u64),
        stop: &Stop,
    ) -> Result<Commit, CommitError> {
        let Permits { apply, remove, sensitive } = permits;
        if apply.redeem().plan().digest != plan.digest {
            return Err(CommitError::NotPermitted("this plan"));
        }
        if plan.losses().next().is_some() && remove.is_none_or(|permit| permit.redeem().plan().digest != plan.digest) {
            return Err(CommitError::NotPermitted("the removals of this plan"));
        }
        if plan.sensitive().next().is_some()
            && sensitive.is_none_or(|permit| permit.redeem().plan().digest != plan.digest)
        {
            return Err(CommitError::NotPermitted("what can make something run"));
        }
        self.apply(plan, progress, stop)
    }

    /// [`Workspace::commit`] after its permits were redeemed.
    pub(crate) fn apply(&self, plan: &Plan, progress: &dyn Fn(u64, u64), stop: &Stop) -> Result<Commit, CommitError> {
        let prepared = self.prepared(plan).ok_or(CommitError::Stale)?;
        // nobody adds to the set while it is made real
        let mut state = locked(&self.layer.state);
        if state.revision != prepared.revision || !self.is_current() {
            return Err(CommitError::Stale);
        }
        let roots = self.roots();
        let shared = &self.shared;
        let site = Site {
            home: &shared.home,
            disk: shared.disk.as_ref(),
            clock: shared.clock.as_ref(),
            log: shared.log.as_ref(),
            task: shared.task,
            roots: &roots,
            masks: &shared.masks,
            stores: &shared.stores,
        };
        let done = commit::commit(&site, &prepared, progress, stop);
        let spent = match &done {
            Ok(commit) => !commit.rolled_back,
            Err(CommitError::Unsettled { .. }) => true,
            Err(_) => false,
        };
        if spent {
            *state = Arc::new(state.cleared());
            drop(state);
            self.clear_above();
            locked(&shared.plans).clear();
            locked(&shared.walkers).clear();
        }
        done
    }

    /// True if the sets that this one is nested in are as they were when it began.
    fn is_current(&self) -> bool {
        let mut layer = &self.layer;
        while let Some((above, revision)) = &layer.above {
            if locked(&above.state).revision != *revision {
                return false;
            }
            layer = above;
        }
        true
    }

    /// What was applied was also what was pending in the sets above.
    fn clear_above(&self) {
        let mut layer = &self.layer;
        while let Some((above, revision)) = &layer.above {
            let mut state = locked(&above.state);
            let mut cleared = state.cleared();
            // the sets below began with this revision, and still stand on the same ground
            cleared.revision = *revision;
            *state = Arc::new(cleared);
            drop(state);
            layer = above;
        }
    }
}

/// A pending set of an invocation's own. It reads and changes as a [`Workspace`]; without [`Nested::join`] nothing of it
/// stays.
#[derive(Debug)]
pub struct Nested {
    workspace: Workspace,
}

impl Nested {
    /// The set, to read and to change.
    pub const fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Let what is pending here be pending where this was nested. Fails if that has changed in the meantime; then nothing
    /// of this joins it.
    pub fn join(self) -> Result<(), FileError> {
        let Some((above, revision)) = &self.workspace.layer.above else { return Ok(()) };
        let own = self.workspace.state();
        let mut state = locked(&above.state);
        if Arc::ptr_eq(&own, &state) || own.revision == *revision {
            return Ok(());
        }
        if state.revision != *revision {
            return Err(FileError::conflict(
                "the pending changes of the task changed while this ran. Run it again; nothing of it was kept",
            ));
        }
        *state = own;
        Ok(())
    }
}

impl std::ops::Deref for Nested {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

fn check_version(path: &FilePath, seen: &Seen, version: Option<&str>) -> Result<(), FileError> {
    match version {
        Some(version) if version != seen.version() => {
            Err(FileError::conflict(format!("`{path}` has changed since it was listed. Ask for it again")))
        }
        _ => Ok(()),
    }
}

fn taken(path: &FilePath) -> FileError {
    FileError::conflict(format!("`{path}` is there already. Choose another name"))
}

fn unsupported(path: &FilePath, kind: Kind, what: &str) -> FileError {
    FileError::new(Code::Unsupported, format!("`{path}` is a {}, which is never {what}. Leave it out", kind.name()))
}

fn may_write(path: &FilePath, old: &Option<Seen>, version: Option<&str>) -> Result<(), FileError> {
    match (old, version) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(FileError::missing(path)),
        (Some(_), None) => Err(taken(path)),
        (Some(seen), version) => {
            check_version(path, seen, version)?;
            if seen.kind == Kind::File { Ok(()) } else { Err(unsupported(path, seen.kind, "written over")) }
        }
    }
}

fn may_go(view: &View<'_>, path: &FilePath, seen: &Seen) -> Result<(), FileError> {
    if !seen.kind.is_ordinary() {
        return Err(unsupported(path, seen.kind, "changed"));
    }
    let root = view.root(path)?;
    if !view.root_of(root).is_ok_and(|root| root.writable) {
        return Err(FileError::new(
            Code::Denied,
            format!("the folder `{}` was granted for reading only. Grant it for writing to change it", path.folder),
        ));
    }
    if path.path.is_root() {
        return Err(FileError::invalid(format!("`{path}` is the granted folder itself, which stays")));
    }
    // a file holds nothing of Deskhand's
    if seen.kind == Kind::Folder && !view.may_leave(&seen.key) {
        return Err(FileError::new(
            Code::Denied,
            format!("Deskhand keeps its own things in `{path}`, so it stays. Leave it out"),
        ));
    }
    Ok(())
}

/// What another change stands on is neither removed nor written over.
fn free_of_reliance(view: &View<'_>, path: &FilePath, seen: &Seen) -> Result<(), FileError> {
    match reliance::standing_on(view.state, &seen.key) {
        None => Ok(()),
        Some(change) => Err(FileError::conflict(format!(
            "change {change} is pending only because `{path}` stays as it is. Withdraw that first, or leave this out"
        ))),
    }
}

/// True if what was found under another spelling is the very same file. Where inode numbers are made up, it is known by
/// the rest; if that is wrong, the rename finds the name taken.
fn is_other_spelling(view: &View<'_>, source: &Seen, old: &Seen) -> bool {
    let (Some(stamp), Some(seen)) = (old.stamp, source.stamp) else { return false };
    if old.links != 1 {
        return false;
    }
    if old.file_id() == source.file_id() {
        return true;
    }
    let (Key::Base(a, from), Key::Base(b, to)) = (&source.key, &old.key) else { return false };
    a == b
        && from.parent() == to.parent()
        && crate::view::alike(from.name().unwrap_or_default(), to.name().unwrap_or_default())
        && view.root_of(*a).is_ok_and(|root| !root.inodes_last)
        && stamp.without_inode().same_thing(&seen)
}

/// What a move or copy takes the place of, if it may.
fn over(
    view: &View<'_>,
    target: &FilePath,
    source: &Seen,
    old: Option<Seen>,
    version: Option<&str>,
) -> Result<Option<Over>, FileError> {
    match (old, version) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(FileError::missing(target)),
        // another spelling of its own name, on a disk that takes both for one
        (Some(old), None) if old.key != source.key && is_other_spelling(view, source, &old) => Ok(None),
        (Some(_), None) => Err(taken(target)),
        (Some(old), version) => {
            check_version(target, &old, version)?;
            free_of_reliance(view, target, &old)?;
            if old.file_id() == source.file_id() {
                return Err(FileError::invalid(format!("`{target}` is the same file; nothing is to be done")));
            }
            if old.kind != Kind::File || source.kind != Kind::File {
                return Err(FileError::new(
                    Code::Unsupported,
                    format!("only a file can take the place of a file; `{target}` stays. Choose another name"),
                ));
            }
            Ok(Some(Over { key: old.key, seen: old.stamp }))
        }
    }
}

/// What a copy of a thing is made of, now.
fn content_of(view: &View<'_>, seen: &Seen) -> Option<Content> {
    let node = view.state.nodes.get(&seen.key);
    if let Some(node) = node {
        match (&node.content, &node.made) {
            (Some((_, content)), _) | (None, Some((_, Made::File(content)))) => return Some(content.clone()),
            _ => {}
        }
    }
    match (&seen.key, seen.stamp) {
        (Key::Base(root, path), Some(stamp)) => {
            Some(Content::Copy { root: *root, path: path.clone(), seen: Box::new(stamp) })
        }
        _ => None,
    }
}

fn pending(view: &View<'_>, id: u64, note: &crate::layer::Note) -> Pending {
    let here = view.state.place(&note.key).and_then(|(root, path)| view.path(root, path));
    let home = match &note.key {
        Key::Base(root, path) => view.path(*root, path.clone()),
        Key::New(_) => None,
    };
    let (source, target) = match note.kind {
        ChangeKind::Move => (home, here),
        ChangeKind::Remove => (home, None),
        ChangeKind::Copy => {
            let source = match view.state.nodes.get(&note.key).and_then(|node| node.made.as_ref()) {
                Some((_, Made::File(Content::Copy { root, path, .. }))) => view.path(*root, path.clone()),
                _ => None,
            };
            (source, here)
        }
        ChangeKind::MakeFolder | ChangeKind::Write => (None, here),
    };
    Pending { id, kind: note.kind, source, target, reason: note.reason.clone() }
}

fn attributes(
    view: &View<'_>,
    path: &FilePath,
    names: &[&str],
    zone: &TimeZone,
) -> Result<serde_json::Map<String, serde_json::Value>, FileError> {
    let seen = view.find(path)?;
    let failed = |error| FileError::system(error, path);
    let link = match (&seen.key, seen.kind) {
        (Key::Base(root, at), Kind::Link) => {
            let root = view.root_of(*root).map_err(failed)?;
            Some(root.link_text(at, view.masks).map_err(failed)?)
        }
        _ => None,
    };
    let file = match seen.kind {
        Kind::File => view.open(&seen).map(std::fs::File::from),
        _ => std::fs::File::open("/dev/null").map_err(crate::store::errno),
    }
    .map_err(failed)?;
    let known = facts::Known {
        name: path.path.name().unwrap_or_default(),
        size: seen.size,
        modified: crate::entry::timestamp(seen.modified),
        mode: seen.mode | seen.kind.bits(),
        blocks: seen.blocks,
        link_target: link.as_deref(),
    };
    Ok(facts::read(&file, &known, names, zone))
}
