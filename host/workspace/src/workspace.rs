//! The folders of one task and its pending set.

use crate::{
    commit::{self, Commit, Site},
    disk::{Disk, System},
    entry::Kind,
    error::{CommitError, FileError, WorkspaceError},
    folder::{Folder, Masks, Root},
    layer::State,
    planning::{self, Prepared, Undoes},
    purge,
    store::{Scratch, Stores},
    view::View,
    walk::Walker,
};
use deskhand_permissions::{
    Permit,
    effect::{ApplyPlan, ChangeSensitive, Folders, OpenFolder, RemoveFiles},
};
use deskhand_vocabulary::{
    Access, ChangeKind, Clock, FilePath, FolderName, Home, Log, Plan, Principal, Sha256, Stop, TaskId, path::encode,
};
use rustix::io::Errno;
use std::{
    collections::{HashMap, VecDeque},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
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

/// What a pending set was at a moment: another one, where it has changed since, or was applied or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    revision: u64,
    settled: u64,
}

impl Moment {
    /// True if what was pending at the other was applied or dropped since.
    pub const fn is_settled_since(self, other: Self) -> bool {
        self.settled != other.settled
    }
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
    pub(crate) scratches: Mutex<Vec<Arc<Scratch>>>,
    pub(crate) walkers: Mutex<VecDeque<(String, Walker)>>,
    plans: Mutex<HashMap<Sha256, Arc<Prepared>>>,
    /// How often what was pending was applied or dropped.
    settled: AtomicU64,
    quota: OnceLock<u64>,
}

/// The folders of one task with its pending set. Cheap to clone; all clones are the same set.
#[derive(Clone)]
pub struct Workspace {
    pub(crate) shared: Arc<Shared>,
    pub(crate) layer: Arc<Layer>,
}

/// A pending set, and the one that it is nested in.
pub(crate) struct Layer {
    pub(crate) state: Mutex<Arc<State>>,
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
pub(crate) const WALKERS: usize = 16;

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
            settled: AtomicU64::new(0),
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
        // what another home of this person keeps there is as little seen as what this one does
        self.shared.masks.add(&path.join(Home::store_elsewhere(rustix::process::geteuid().as_raw())));
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

    /// The same as if nothing were pending.
    pub(crate) fn look_beneath<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View::new(&self.roots(), &self.shared.masks, &State::default()))
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

    /// Drop all that is pending, here and in the sets that this one is nested in, as far as it came from there.
    pub fn discard(&self) {
        let mut state = locked(&self.layer.state);
        *state = Arc::new(state.cleared());
        self.shared.settled.fetch_add(1, Ordering::SeqCst);
        drop(state);
        if self.is_current() {
            self.clear_above();
        }
    }

    /// What the set is now, as far as it can be told from what it was before and comes to be.
    pub fn moment(&self) -> Moment {
        Moment { revision: self.state().revision, settled: self.shared.settled.load(Ordering::SeqCst) }
    }

    /// True if nothing is pending.
    pub fn is_unchanged(&self) -> bool {
        self.state().is_empty()
    }

    /// Which state of the pending set this is: another number as soon as anything in it is another.
    pub fn revision(&self) -> u64 {
        self.state().revision
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

    /// Keep at most so many bytes for undo on each file system, over all commits; without this, [`crate::QUOTA`] or a tenth
    /// of the disk. A plan that would put more aside says so, and takes a yes of its own.
    pub fn keep_at_most(&self, bytes: u64) {
        let _ = self.shared.quota.set(bytes);
    }

    /// How much is kept on the file system of a folder: it need not have a store yet.
    fn kept_at_most(&self, root: &Root) -> Result<u64, WorkspaceError> {
        match self.shared.quota.get() {
            Some(quota) => Ok(*quota),
            None => purge::default_quota(root.handle()).map_err(|error| WorkspaceError::home(&root.path, error)),
        }
    }

    pub(crate) fn plan_undo(
        &self,
        title: &str,
        origin: Principal,
        shape: serde_json::Value,
        undoes: Option<Undoes>,
    ) -> Result<Arc<Plan>, WorkspaceError> {
        let limit = |root: &Root| self.kept_at_most(root);
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
            shared.settled.fetch_add(1, Ordering::SeqCst);
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
