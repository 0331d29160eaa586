//! What was done, and taking it back: commits, their changes, undo, the recoverable store.

use crate::{
    commit::restored,
    damage::{self, Damage, Found, Logged},
    edit::ensure_above,
    entry::Stamp,
    error::WorkspaceError,
    folder::{Masks, Root},
    journal::{self, Before, Journal, Outcome, Recorded, Text, Times},
    layer::Made,
    planning::{Past, Undoes, follow},
    proposal::{self, Decision, ProposeError},
    reversal::Reversal,
    store::Stores,
    view::View,
    workspace::Workspace,
};
use deskhand_permissions::{Context, Gate};
use deskhand_vocabulary::{Change, ChangeKind, CommitId, FilePath, Home, Person, Plan, Principal, Stop, TaskId};
use jiff::Timestamp;
use rustix::fd::AsFd as _;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// How a commit stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Its changes are made.
    Applied,
    /// All of them are taken back.
    Undone,
    /// Some of them are taken back.
    PartlyUndone,
    /// It was stopped or failed, and everything is as it was before.
    RolledBack,
    /// Every change was refused.
    Nothing,
    /// It is being applied, or waits for recovery.
    Unfinished,
    /// Its journal is damaged or gone, so that it is not known what it did.
    Damaged,
}

impl Standing {
    /// In words for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Undone => "undone",
            Self::PartlyUndone => "partly undone",
            Self::RolledBack => "rolled back",
            Self::Nothing => "nothing done",
            Self::Unfinished => "unfinished",
            Self::Damaged => "damaged",
        }
    }
}

/// A commit, in short.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Listed {
    /// Its number.
    pub commit: CommitId,
    /// The task that it belongs to.
    pub task: Option<TaskId>,
    /// When it was applied.
    pub at: Timestamp,
    /// What it was for, in the words of whoever proposed it. Not trusted.
    pub title: String,
    /// Who proposed it.
    pub origin: Principal,
    /// The folders that it was about, absolute.
    pub folders: Vec<PathBuf>,
    /// How many changes were made.
    pub applied: u64,
    /// How many were refused.
    pub refused: u64,
    /// How it stands.
    pub standing: Standing,
    /// The commit that it takes back, if it is an undo.
    pub undoes: Option<CommitId>,
    /// The commits that brought it to where it stands: those that took it back, or those that made it again after.
    pub by: Vec<CommitId>,
    /// Why it cannot be undone, if it cannot.
    pub not_undoable: Option<String>,
}

impl Listed {
    /// How it stands, in words for a person, with the numbers of the commits that brought it there.
    pub fn state(&self) -> String {
        let by = numbers(&self.by);
        match self.standing {
            _ if self.by.is_empty() => self.standing.words().to_owned(),
            Standing::Applied => format!("applied again by {by}"),
            standing => format!("{} by {by}", standing.words()),
        }
    }
}

/// `2`, `2 and 3`, `2, 3 and 4`.
fn numbers(commits: &[CommitId]) -> String {
    match commits {
        [] => String::new(),
        [one] => one.to_string(),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
            format!("{} and {last}", rest.join(", "))
        }
    }
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Shown {
    /// What.
    pub change: Change,
    /// Why it was not made, if it was not.
    pub refused: Option<String>,
    /// The commit that took it back, if one did.
    pub undone_by: Option<CommitId>,
    /// True if a commit took it back, even if that was undone itself.
    pub was_undone: bool,
    /// True if what it removed or replaced is kept and can be restored.
    pub kept: bool,
}

/// What is left as it is by an undo, and why.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Left {
    /// The change that is not taken back.
    pub change: Change,
    /// Why.
    pub reason: String,
    /// True if the old version is kept, so that it can be written beside the file ([`UndoOptions::beside`]).
    pub offer: bool,
    /// Where the old version will be, if it was asked for.
    pub beside: Option<FilePath>,
}

/// What to undo, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoOptions {
    /// Only changes of files and folders at or below these absolute paths, where they are or where they were; empty for
    /// all.
    pub only: Vec<PathBuf>,
    /// Write old versions that cannot go back to their place beside it, as `report (before 7).txt`.
    pub beside: bool,
}

/// An undo that is ready to be decided.
#[derive(Debug)]
pub struct Preview {
    /// What will be done.
    pub plan: Arc<Plan>,
    /// What will be left as it is.
    pub left: Vec<Left>,
    undoes: Option<Undoes>,
}

/// The commits of a home.
pub struct History {
    home: Home,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("home", &self.home).finish_non_exhaustive()
    }
}

/// What is known of one commit without its changes.
struct Outline {
    journal: Journal,
    /// Which of the changes of the commit that it undoes are taken back by it.
    takes_back: BTreeSet<u64>,
}

/// Commits whose journal is whole, by their numbers.
type Outlines = BTreeMap<u64, Outline>;
/// Commits whose journal is not.
type Damages = BTreeMap<u64, Damage>;

impl History {
    /// Of this home.
    pub fn new(home: &Home) -> Self {
        Self { home: home.clone() }
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// All commits, the latest first.
    pub fn list(&self) -> Result<Vec<Listed>, WorkspaceError> {
        let logged = Logged::of(&self.home);
        let (outlines, damaged) = self.look(&logged)?;
        let mut listed: Vec<Listed> =
            outlines.iter().map(|(number, outline)| self.listed(*number, outline, &outlines)).collect();
        listed.extend(damaged.iter().map(|(number, damage)| self.listed_damaged(*number, damage, &logged)));
        listed.sort_by_key(|listed| std::cmp::Reverse(listed.commit));
        Ok(listed)
    }

    fn outlines(&self) -> Result<BTreeMap<u64, Outline>, WorkspaceError> {
        self.look(&Logged::of(&self.home)).map(|(outlines, _)| outlines)
    }

    /// All commits that were begun: those whose journal is whole, and the others.
    fn look(&self, logged: &Logged) -> Result<(Outlines, Damages), WorkspaceError> {
        let mut numbers: BTreeSet<u64> = journal::numbers(&self.home)?.into_iter().collect();
        numbers.extend(logged.begun.keys());
        let (mut outlines, mut damaged) = (BTreeMap::new(), BTreeMap::new());
        for number in numbers {
            match damage::look(&self.home, number, logged, false) {
                Found::Whole(journal) => {
                    let takes_back = takes_back(&journal);
                    outlines.insert(number, Outline { journal, takes_back });
                }
                Found::Nothing => {}
                Found::Damaged(damage) => drop(damaged.insert(number, damage)),
            }
        }
        Ok((outlines, damaged))
    }

    /// The whole journal of a commit.
    fn read(&self, commit: CommitId, whole: bool) -> Result<Journal, WorkspaceError> {
        match damage::look(&self.home, commit.0, &Logged::of(&self.home), whole) {
            Found::Whole(journal) => Ok(journal),
            Found::Nothing => Err(WorkspaceError::NoCommit(commit.0)),
            Found::Damaged(damage) => {
                Err(WorkspaceError::NotUndoable { commit: commit.0, why: is_damaged(commit.0, &damage) })
            }
        }
    }

    fn listed_damaged(&self, number: u64, damage: &Damage, logged: &Logged) -> Listed {
        let told = self.told(number, damage, logged);
        Listed {
            commit: CommitId(number),
            task: told.task,
            at: told.at.unwrap_or(Timestamp::UNIX_EPOCH),
            title: told.title.unwrap_or_else(|| "(not known any more)".to_owned()),
            origin: told.origin.unwrap_or(Principal::Person),
            folders: told.folders.into_values().collect(),
            applied: told.changes.unwrap_or(0),
            refused: 0,
            standing: Standing::Damaged,
            undoes: told.undoes,
            by: Vec::new(),
            not_undoable: Some(is_damaged(number, damage)),
        }
    }

    fn listed(&self, number: u64, outline: &Outline, all: &BTreeMap<u64, Outline>) -> Listed {
        let Outline { journal, .. } = outline;
        let head = &journal.head;
        let (applied, refused) = match &journal.end {
            Some(end) if end.outcome == Outcome::Applied => {
                let refused = end.refused.len() as u64;
                (head.changes.saturating_sub(refused), refused)
            }
            Some(end) => (0, end.refused.len() as u64),
            None => (0, 0),
        };
        // what only follows from its plan does not count
        let hidden: HashSet<u64> =
            journal.changes.iter().filter(|recorded| recorded.tidy).map(|recorded| recorded.change.id).collect();
        let mut undone = undone_by(number, all);
        undone.retain(|id, _| !hidden.contains(id));
        let taken_back = undone.iter().filter(|(_, back)| !back.redone).count() as u64;
        let standing = match &journal.end {
            None => Standing::Unfinished,
            Some(end) => match end.outcome {
                Outcome::RolledBack => Standing::RolledBack,
                Outcome::Nothing => Standing::Nothing,
                Outcome::Applied if taken_back == 0 => Standing::Applied,
                Outcome::Applied if taken_back >= applied => Standing::Undone,
                Outcome::Applied => Standing::PartlyUndone,
            },
        };
        let stands = |back: &&Back| back.redone == (standing == Standing::Applied);
        let by: BTreeSet<CommitId> = undone.values().filter(stands).map(|back| back.last).collect();
        let by: Vec<CommitId> = if standing == Standing::Applied && (undone.len() as u64) < applied {
            Vec::new() // some of it was never taken back
        } else {
            by.into_iter().collect()
        };
        let not_undoable = not_undoable(standing, &undone, applied, &by);
        Listed {
            commit: CommitId(number),
            task: head.task,
            at: head.at,
            title: head.title.clone(),
            origin: head.origin.clone(),
            folders: head.roots.iter().map(|top| journal::absolute(&top.path)).collect(),
            applied,
            refused,
            standing,
            undoes: head.undoes,
            by,
            not_undoable,
        }
    }

    /// One commit and all its changes.
    pub fn show(&self, commit: CommitId) -> Result<(Listed, Vec<Shown>), WorkspaceError> {
        let journal = self.read(commit, true)?;
        let outlines = self.outlines()?;
        let outline = outlines.get(&commit.0).ok_or(WorkspaceError::NoCommit(commit.0))?;
        let listed = self.listed(commit.0, outline, &outlines);
        let undone = undone_by(commit.0, &outlines);
        let refused: HashMap<u64, &String> =
            journal.end.iter().flat_map(|end| end.refused.iter().map(|(id, why)| (*id, why))).collect();
        let shown = journal.changes.iter().filter(|recorded| !recorded.tidy).map(|recorded| Shown {
            change: Change::clone(&recorded.change),
            refused: refused.get(&recorded.change.id).map(|why| (*why).clone()),
            undone_by: undone.get(&recorded.change.id).filter(|back| !back.redone).map(|back| back.last),
            was_undone: undone.contains_key(&recorded.change.id),
            kept: self.kept(&journal, recorded).is_some(),
        });
        let shown = shown.collect();
        Ok((listed, shown))
    }

    /// The before-image of a change, if it is still there.
    pub(crate) fn kept(&self, journal: &Journal, recorded: &Recorded) -> Option<(PathBuf, Before)> {
        let before = recorded.before.as_ref()?;
        let path = journal::absolute(journal.head.stores.get(usize::from(before.store))?);
        let stamp = kept_stamp(&path, before.folder, &before.name);
        if stamp.is_some_and(|stamp| stamp.same_content(&before.stamp)) {
            return Some((path, Before::clone(before)));
        }
        // changed through another of its names: the copy is what it was
        let name = before.copy.clone()?;
        let stamp = kept_stamp(&path, before.folder, &name)?;
        Some((path, Before { name, stamp, copy: None, ..Before::clone(before) }))
    }

    /// The last commit of which something can still be taken back; with paths, something about what lies at or below them.
    pub fn latest(&self, only: &[PathBuf]) -> Result<Option<CommitId>, WorkspaceError> {
        let outlines = self.outlines()?;
        for (number, outline) in outlines.iter().rev() {
            if self.listed(*number, outline, &outlines).not_undoable.is_some() {
                continue;
            }
            if only.is_empty() {
                return Ok(Some(CommitId(*number)));
            }
            let journal = self.read(CommitId(*number), true)?;
            if !wanted(&journal, &undone_by(*number, &outlines), only).is_empty() {
                return Ok(Some(CommitId(*number)));
            }
        }
        Ok(None)
    }

    /// The folders that an undo of this commit needs in its workspace, absolute.
    pub fn folders(&self, commit: CommitId) -> Result<Vec<PathBuf>, WorkspaceError> {
        let journal = self.read(commit, false)?;
        let used: BTreeSet<u16> = journal.head.folders.iter().map(|times| times.root).collect();
        Ok(journal
            .head
            .roots
            .iter()
            .enumerate()
            .filter(|(index, _)| used.is_empty() || u16::try_from(*index).is_ok_and(|index| used.contains(&index)))
            .map(|(_, top)| journal::absolute(&top.path))
            .collect())
    }

    /// Make the undo of a commit pending in `workspace`, which must have its folders and nothing pending, and say what
    /// will be done and what will be left. Nothing is touched yet.
    pub fn preview(
        &self,
        workspace: &Workspace,
        commit: CommitId,
        options: &UndoOptions,
    ) -> Result<Preview, WorkspaceError> {
        let not = |why: String| WorkspaceError::NotUndoable { commit: commit.0, why };
        let journal = self.read(commit, true)?;
        let outlines = self.outlines()?;
        let outline = outlines.get(&commit.0).ok_or(WorkspaceError::NoCommit(commit.0))?;
        let listed = self.listed(commit.0, outline, &outlines);
        if let Some(why) = listed.not_undoable {
            return Err(not(why));
        }
        if !workspace.is_unchanged() {
            return Err(not("other changes are pending in this task. Apply or withdraw them first".to_owned()));
        }
        let undone = undone_by(commit.0, &outlines);
        let roots = workspace.roots();
        let map = map_roots(&journal, &roots).map_err(not)?;
        let refused: HashSet<u64> = journal.end.iter().flat_map(|end| end.refused.iter().map(|(id, _)| *id)).collect();
        let wanted = wanted(&journal, &undone, &options.only);
        if wanted.is_empty() {
            return Err(not("none of its changes is about what you named. `deskhand history` shows them".to_owned()));
        }
        let whole = wanted.len() == journal.changes.len() - refused.len();
        let reversal = Reversal {
            history: self,
            journal: &journal,
            map: &map,
            masks: &workspace.shared.masks,
            roots: &roots,
            beside: options.beside,
            ways: Rc::default(),
        };
        let left = workspace.transform(|_, state| reversal.run(state, &wanted))?;
        let times = if whole && left.is_empty() { past(&journal, &map) } else { Vec::new() };
        let undoes = Some(Undoes { commit, left: left.len() as u64, times });
        let title = title(commit, &outlines);
        let shape = serde_json::json!({ "arrange": "tree" });
        drop(journal); // it can be large, and so is what follows
        match workspace.plan_undo(&title, Principal::Person, shape, undoes.clone()) {
            Ok(plan) => Ok(Preview { plan, left, undoes }),
            Err(WorkspaceError::Nothing) => {
                workspace.discard();
                let why = left.first().map_or_else(
                    || "there is nothing to take back".to_owned(),
                    |one| {
                        let beside = if left.iter().any(|left| left.offer) {
                            ". What it was before is kept: add --beside to have it next to what is there"
                        } else {
                            ""
                        };
                        format!("all of it is left as it is, such as: {}{beside}", one.reason)
                    },
                );
                Err(not(why))
            }
            Err(error) => {
                workspace.discard();
                Err(error)
            }
        }
    }

    /// Decide and apply a previewed undo, by the same way as any other plan.
    pub fn undo(
        &self,
        workspace: &Workspace,
        gate: &Gate,
        context: &Context,
        person: &dyn Person,
        preview: &Preview,
        stop: &Stop,
    ) -> Result<Decision, ProposeError> {
        let Preview { plan, undoes, .. } = preview;
        let previewed = Cell::new(plan.origin == context.principal && workspace.is_current_plan(plan));
        let make = || match previewed.take() {
            true => Ok(Arc::clone(plan)),
            false => workspace.plan_undo(&plan.title, context.principal.clone(), plan.view.clone(), undoes.clone()),
        };
        proposal::decide(workspace, gate, context, person, &make, stop)
    }

    /// Make it pending in `workspace` to write what a change had removed or replaced to `target`, as a copy. The
    /// recoverable store keeps its own.
    pub fn restore(
        &self,
        workspace: &Workspace,
        commit: CommitId,
        change: u64,
        target: &FilePath,
    ) -> Result<(), WorkspaceError> {
        let journal = self.read(commit, true)?;
        let not = |why: &str| WorkspaceError::NotUndoable { commit: commit.0, why: why.to_owned() };
        let recorded = journal
            .changes
            .iter()
            .find(|recorded| recorded.change.id == change)
            .ok_or_else(|| not("it has no such change. `deskhand history` shows them"))?;
        let (store, before) =
            self.kept(&journal, recorded).ok_or_else(|| not("nothing of that change is kept any more"))?;
        self.put_back(workspace, &store, &before, target)
    }

    /// Make it pending to write what is kept to `target`, as a copy.
    pub(crate) fn put_back(
        &self,
        workspace: &Workspace,
        store: &Path,
        before: &Before,
        target: &FilePath,
    ) -> Result<(), WorkspaceError> {
        let masks = Arc::clone(&workspace.shared.masks);
        workspace.transform(|roots, state| {
            let conflict = |why: String| WorkspaceError::File(crate::error::FileError::conflict(why));
            ensure_above(roots, &masks, state, target).map_err(conflict)?;
            let goal = View::new(roots, &masks, state).target(target)?;
            if goal.taken.is_some() {
                return Err(conflict(format!("`{target}` is there already. Choose another name")));
            }
            let made = Made::File(restored(store, before, true));
            state.make(&goal.spot, ChangeKind::Write, made, None, None);
            Ok(())
        })
    }

    pub(crate) fn stores(&self) -> Result<Stores, WorkspaceError> {
        Stores::new(&self.home, Arc::new(Masks::default()))
    }
}

/// Why a damaged commit is not taken back, and what can be had of it.
fn is_damaged(number: u64, damage: &Damage) -> String {
    format!(
        "its journal {}. `deskhand history {number}` says what is known of it, and `deskhand restore {number}` lists what is \
         kept of it",
        damage.why
    )
}

fn kept_stamp(store: &Path, folder: u64, name: &str) -> Option<Stamp> {
    let store = crate::store::Store::open(store).ok()?;
    let folder = store.existing(&folder.to_string()).ok()?;
    Stamp::at(folder.as_fd(), name.as_bytes()).ok()
}

/// A change that was taken back.
#[derive(Clone, Copy, Debug)]
struct Back {
    by: CommitId,
    /// True if the commit that took it back has itself been undone.
    redone: bool,
    /// The last of all these.
    last: CommitId,
}

fn takes_back(journal: &Journal) -> BTreeSet<u64> {
    let Some(end) = journal.end.as_ref().filter(|end| end.outcome == Outcome::Applied) else { return BTreeSet::new() };
    let refused: HashSet<u64> = end.refused.iter().map(|(id, _)| *id).collect();
    let made = journal.changes.iter().filter(|recorded| !refused.contains(&recorded.change.id));
    made.filter_map(|recorded| recorded.undoes).collect()
}

fn undone_by(number: u64, all: &BTreeMap<u64, Outline>) -> BTreeMap<u64, Back> {
    let mut undone = BTreeMap::new();
    for (by, outline) in all.range(number + 1..) {
        if outline.journal.head.undoes != Some(CommitId(number)) || outline.takes_back.is_empty() {
            continue;
        }
        // it was redone if the undo was itself taken back and that was not
        let again = undone_by(*by, all);
        for recorded in &outline.journal.changes {
            let Some(id) = recorded.undoes.filter(|id| outline.takes_back.contains(id)) else { continue };
            let again = again.get(&recorded.change.id);
            let redone = again.is_some_and(|back| !back.redone);
            let last = again.map_or(CommitId(*by), |back| back.last);
            undone.insert(id, Back { by: CommitId(*by), redone, last });
        }
    }
    undone
}

/// The changes of a commit that are to be taken back.
fn wanted<'j>(journal: &'j Journal, undone: &BTreeMap<u64, Back>, only: &[PathBuf]) -> Vec<&'j Recorded> {
    let refused: HashSet<u64> = journal.end.iter().flat_map(|end| end.refused.iter().map(|(id, _)| *id)).collect();
    let is_wanted = |recorded: &&Recorded| {
        let id = recorded.change.id;
        !refused.contains(&id) && !undone.contains_key(&id) && is_selected(only, recorded, journal)
    };
    journal.changes.iter().filter(is_wanted).collect()
}

/// What an undo of a commit is called: by what it takes back in the end, or makes again.
fn title(commit: CommitId, all: &BTreeMap<u64, Outline>) -> String {
    let (mut at, mut again) = (commit, false);
    while let Some(earlier) = all.get(&at.0).and_then(|outline| outline.journal.head.undoes) {
        if earlier >= at || !all.contains_key(&earlier.0) {
            break;
        }
        at = earlier;
        again = !again;
    }
    let what = all.get(&at.0).map_or("", |outline| outline.journal.head.title.as_str());
    format!("{} commit {at}: {what}", if again { "Redo" } else { "Undo" })
}

fn not_undoable(standing: Standing, undone: &BTreeMap<u64, Back>, applied: u64, last: &[CommitId]) -> Option<String> {
    let by: BTreeSet<CommitId> = undone.values().map(|back| back.by).collect();
    let by: Vec<CommitId> = by.into_iter().collect();
    match standing {
        Standing::Applied | Standing::PartlyUndone if (undone.len() as u64) < applied => None,
        Standing::Applied | Standing::PartlyUndone if by.is_empty() => Some("it made no change".to_owned()),
        Standing::Applied => Some(format!(
            "it was undone by {} and applied again by {}. Undo {} instead",
            numbers(&by),
            numbers(last),
            numbers(last)
        )),
        Standing::PartlyUndone => Some(format!(
            "all of it was undone, by {}, and some of that was undone again since. Undo the latest of these instead",
            numbers(&by)
        )),
        Standing::Undone => {
            let (last, one) = (numbers(last), if last.len() == 1 { "" } else { " each" });
            Some(format!("it is undone already, by {last}. To have it again, undo {last}{one}"))
        }
        Standing::RolledBack => {
            Some("it was taken back when it failed or was stopped; nothing of it was kept".to_owned())
        }
        Standing::Nothing => Some("it made no change".to_owned()),
        Standing::Damaged => Some("its journal is damaged".to_owned()),
        Standing::Unfinished => {
            Some("it is being applied just now, or waits for its folder. Try again when that is done".to_owned())
        }
    }
}

fn is_selected(only: &[PathBuf], recorded: &Recorded, journal: &Journal) -> bool {
    only.is_empty()
        || [&recorded.change.source, &recorded.change.target].into_iter().flatten().any(|path| {
            let top = journal.head.roots.iter().find(|top| top.name == path.folder.as_str());
            top.is_some_and(|top| {
                let absolute = journal::absolute(&top.path).join(path.path.as_path());
                only.iter().any(|wanted| absolute.starts_with(wanted))
            })
        })
}

/// The folders of a journal by those of the workspace.
fn map_roots(journal: &Journal, roots: &[Arc<Root>]) -> Result<HashMap<String, u16>, String> {
    let mut map = HashMap::new();
    for top in &journal.head.roots {
        let path = journal::absolute(&top.path);
        let found = roots.iter().position(|root| root.path == path && root.stamp.same_thing(&top.stamp));
        if let Some(index) = found.and_then(|index| u16::try_from(index).ok()) {
            map.insert(top.name.clone(), index);
        } else if roots.iter().any(|root| root.path == path) {
            let kept = if journal.changes.iter().any(|recorded| recorded.before.is_some()) {
                ". What was removed or replaced is kept in any case; `deskhand restore` brings back single files of it"
            } else {
                ""
            };
            return Err(format!(
                "another folder now stands at {}. Put the one that this was about back under that name, then undo again{kept}",
                path.display()
            ));
        }
    }
    if map.is_empty() {
        Err("its folder is not there. Put it back under its name, or mount its disk, then undo again".to_owned())
    } else {
        Ok(map)
    }
}

/// The folders that the commit touched, as they were before it, and where it has brought them.
fn past(journal: &Journal, map: &HashMap<String, u16>) -> Vec<Past> {
    let Some(end) = &journal.end else { return Vec::new() };
    let here = |path: &FilePath| Some((*map.get(path.folder.as_str())?, path.path.clone()));
    let moved = journal.moved_folders(&here);
    let after = end.folders.iter().copied().chain(std::iter::repeat(None));
    let one = |(times, after): (&Times, _)| {
        let name = &journal.head.roots.get(usize::from(times.root))?.name;
        let times = Times { root: *map.get(name)?, ..times.clone() };
        let path = Text::try_from(times.path.clone()).ok()?;
        let now = follow(&moved, &(times.root, path.0));
        Some(Past { times, now, after })
    };
    journal.head.folders.iter().zip(after).filter_map(one).collect()
}
