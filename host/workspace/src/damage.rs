//! Commits whose journal is damaged or gone: what the log and the store still know of them.
//!
//! The log says of every commit that it was begun, before its first effect; the journal says what it did. A journal that is
//! whole ends with how the commit ended, or is locked by the process that applies. Where that does not hold, the commit is
//! named as damaged, and nothing of what is kept is given up on its account.

use crate::{
    disk,
    entry::{Kind, Stamp},
    error::WorkspaceError,
    history::History,
    journal::{self, Before, Journal, Outcome},
    store::Store,
};
use deskhand_records::{Filter, Records};
use deskhand_vocabulary::{
    ChangeKind, CommitId, Event, FilePath, Home, Principal, Sha256, SystemClock, TaskId, path::encode,
};
use jiff::Timestamp;
use rustix::fd::AsFd as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
    sync::Arc,
};

/// What the log says of the commits of a home.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logged {
    pub(crate) begun: BTreeMap<u64, Begun>,
    /// Commits of which what was kept was given up.
    pub(crate) purged: BTreeSet<u64>,
    /// Commits of which it says how they ended.
    pub(crate) ended: BTreeSet<u64>,
}

/// A commit that the log says was begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) at: Timestamp,
    pub(crate) task: Option<TaskId>,
    pub(crate) plan: Sha256,
    pub(crate) changes: u64,
}

impl Logged {
    /// Read it. A log that cannot be read says nothing here; `deskhand doctor` tells that it cannot.
    pub(crate) fn of(home: &Home) -> Self {
        let mut logged = Self::default();
        let Some(records) = open(home) else { return logged };
        let kinds = ["commit-started", "purged", "commit-ended", "recovered"].map(str::to_owned).to_vec();
        for recorded in records.events(Filter { kinds, ..Filter::default() }).flatten() {
            match recorded.event {
                Event::CommitStarted { commit, plan, changes } => {
                    let begun = Begun { at: recorded.at, task: recorded.task, plan, changes };
                    logged.begun.insert(commit.0, begun);
                }
                Event::CommitEnded { commit, .. } | Event::Recovered { commit, .. } => logged.ended.extend([commit.0]),
                Event::Purged { commits, .. } => logged.purged.extend(commits.iter().map(|commit| commit.0)),
                _ => {}
            }
        }
        logged
    }
}

fn open(home: &Home) -> Option<Records> {
    let path = home.log_file();
    path.is_file().then(|| Records::open(&path, Arc::new(SystemClock)).ok()).flatten()
}

/// A commit whose journal is damaged or gone.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    /// Completes "its journal …".
    pub(crate) why: String,
    /// What of it could still be read.
    pub(crate) rest: Option<Journal>,
}

/// What is found of a commit.
#[derive(Debug)]
pub(crate) enum Found {
    Whole(Journal),
    /// A number of which nothing was begun, or of which nothing is to be known any more.
    Nothing,
    Damaged(Damage),
}

/// Look at the journal of a commit. `whole` for one with its changes.
pub(crate) fn look(home: &Home, number: u64, logged: &Logged, whole: bool) -> Found {
    let path = home.commits().join(number.to_string());
    if journal::is_given_up(&path) {
        return Found::Nothing;
    }
    let begun = logged.begun.contains_key(&number);
    // looked at first: the lock goes after the end was written
    let locked = path.join("lock").exists();
    let read = if whole { journal::read_changes(&path, number) } else { journal::read_outline(&path, number) };
    let there = path.join("journal").exists();
    let why = match read {
        Ok(Some(journal)) if journal.ready && (journal.end.is_some() || locked) => return Found::Whole(journal),
        Ok(Some(journal)) if !journal.ready && locked && !begun => return Found::Whole(journal),
        Ok(None) if !there && !begun => return Found::Nothing,
        Ok(None) if locked && !begun => return Found::Nothing,
        Ok(None) if !there => "is gone".to_owned(),
        Ok(Some(journal)) if journal.ready => "is damaged at its end, so how it ended is not known".to_owned(),
        Ok(_) => "is damaged".to_owned(),
        Err(WorkspaceError::Journal { reason, .. } | WorkspaceError::Home { reason, .. }) => {
            format!("cannot be read: {reason}")
        }
        Err(error) => format!("cannot be read: {error}"),
    };
    Found::Damaged(Damage { why, rest: journal::salvage(&path) })
}

/// What is known of a commit with a damaged journal.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Damaged {
    /// Its number.
    pub commit: CommitId,
    /// What is wrong: completes "its journal …".
    pub why: String,
    /// Its changes, a line each, as far as the journal or the log still tells them: `move A -> B`.
    pub changes: Vec<String>,
    /// What the stores hold of it.
    pub kept: Vec<Kept>,
    /// True if what it kept was given up by a person who knew of it; then nothing is left to be done.
    pub given_up: bool,
}

/// Something in a store that a commit with a damaged journal had removed or replaced.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Kept {
    /// What it is called in the store; what to name it by where its path is not known.
    pub name: String,
    /// Where it was, absolute, if that is still known.
    pub was: Option<PathBuf>,
    /// Its size in bytes; of a folder, 0.
    pub bytes: u64,
    /// True for a folder.
    pub folder: bool,
    /// Where it is.
    pub at: PathBuf,
    #[serde(skip)]
    store: PathBuf,
}

/// What is missing of what a commit keeps for its undo.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Missing {
    /// Which commit.
    pub commit: CommitId,
    /// The files whose old version is gone, though nothing gave it up.
    pub files: Vec<FilePath>,
}

impl History {
    /// The commits whose journal is damaged or gone, the latest first.
    pub fn damaged(&self) -> Result<Vec<Damaged>, WorkspaceError> {
        let logged = Logged::of(self.home());
        let mut numbers: BTreeSet<u64> = journal::numbers(self.home())?.into_iter().collect();
        numbers.extend(logged.begun.keys());
        let mut found = Vec::new();
        for number in numbers.into_iter().rev() {
            if let Found::Damaged(damage) = look(self.home(), number, &logged, false) {
                found.push(self.known(number, &damage, &logged)?);
            }
        }
        Ok(found)
    }

    /// Commits of which the log knows nothing, though their journal says that something was done: the log was deleted or
    /// replaced since.
    pub fn unrecorded(&self) -> Result<Vec<CommitId>, WorkspaceError> {
        let logged = Logged::of(self.home());
        let done = |number: &u64| match look(self.home(), *number, &logged, false) {
            Found::Whole(journal) => journal.end.is_some_and(|end| end.outcome == Outcome::Applied),
            Found::Nothing | Found::Damaged(_) => false,
        };
        let numbers = journal::numbers(self.home())?.into_iter();
        let unknown = numbers.filter(|number| !logged.begun.contains_key(number) && !logged.ended.contains(number));
        Ok(unknown.filter(done).map(CommitId).collect())
    }

    /// Their numbers, but for those whose remains were given up by name. What cannot be listed has none.
    pub(crate) fn open_damage(&self) -> BTreeSet<u64> {
        let logged = Logged::of(self.home());
        let mut numbers: BTreeSet<u64> = journal::numbers(self.home()).unwrap_or_default().into_iter().collect();
        numbers.extend(logged.begun.keys());
        numbers.retain(|number| {
            !logged.purged.contains(number) && matches!(look(self.home(), *number, &logged, false), Found::Damaged(_))
        });
        numbers
    }

    /// What is known of one of them; none if its journal is whole.
    pub fn damage_of(&self, commit: CommitId) -> Result<Option<Damaged>, WorkspaceError> {
        let logged = Logged::of(self.home());
        match look(self.home(), commit.0, &logged, false) {
            Found::Damaged(damage) => self.known(commit.0, &damage, &logged).map(Some),
            Found::Whole(_) | Found::Nothing => Ok(None),
        }
    }

    /// Files whose old version is gone from the store, though no `purge` gave it up.
    pub fn missing(&self) -> Result<Vec<Missing>, WorkspaceError> {
        let logged = Logged::of(self.home());
        let mut found = Vec::new();
        for listed in self.list()? {
            let number = listed.commit.0;
            if listed.applied == 0 || logged.purged.contains(&number) {
                continue;
            }
            let Found::Whole(journal) = look(self.home(), number, &logged, true) else { continue };
            let (_, shown) = self.show(listed.commit)?;
            let open: BTreeSet<u64> = shown
                .iter()
                .filter(|shown| shown.refused.is_none() && !shown.was_undone && !shown.kept)
                .map(|shown| shown.change.id)
                .collect();
            let lost = journal.changes.iter().filter(|recorded| {
                open.contains(&recorded.change.id)
                    && recorded.before.as_ref().is_some_and(|before| !logged.purged.contains(&before.folder))
            });
            let about = |change: &deskhand_vocabulary::Change| change.source.clone().or_else(|| change.target.clone());
            let files: Vec<FilePath> = lost.filter_map(|recorded| about(&recorded.change)).collect();
            if !files.is_empty() {
                found.push(Missing { commit: listed.commit, files });
            }
        }
        Ok(found)
    }

    fn known(&self, number: u64, damage: &Damage, logged: &Logged) -> Result<Damaged, WorkspaceError> {
        let told = self.told(number, damage, logged);
        let mut kept = Vec::new();
        for store in self.stores()?.all()? {
            let Ok(folder) = store.existing(&number.to_string()) else { continue };
            let names = disk::names(folder.as_fd()).map_err(|error| WorkspaceError::home(&store.path, error))?;
            for name in names {
                let (Ok(text), Ok(stamp)) = (std::str::from_utf8(&name), Stamp::at(&folder, &name)) else { continue };
                // staged content that was never put in place was nobody's; what took its place in an exchange was somebody's
                let index = text.get(1..).and_then(|rest| rest.split('.').next()).and_then(|rest| rest.parse().ok());
                let was = told.was(index, text);
                kept.push(Kept {
                    name: text.to_owned(),
                    was,
                    bytes: stamp.size,
                    folder: stamp.kind == Kind::Folder,
                    at: store.path.join(number.to_string()).join(text),
                    store: store.path.clone(),
                });
            }
        }
        kept.sort_by(|a, b| (&a.was, &a.name).cmp(&(&b.was, &b.name)));
        Ok(Damaged {
            commit: CommitId(number),
            why: damage.why.clone(),
            changes: told.lines,
            kept,
            given_up: logged.purged.contains(&number),
        })
    }

    /// What journal and log still tell.
    pub(crate) fn told(&self, number: u64, damage: &Damage, logged: &Logged) -> Told {
        let mut told = Told::default();
        if let Some(begun) = logged.begun.get(&number) {
            told.at = Some(begun.at);
            told.task = begun.task;
            told.changes = Some(begun.changes);
            told.read_log(self.home(), begun);
        }
        if let Some(rest) = &damage.rest {
            told.read_journal(number, rest);
        }
        told
    }

    /// Make it pending in `workspace` to write what a damaged commit keeps under `name` to `target`, as a copy.
    pub fn restore_kept(
        &self,
        workspace: &crate::Workspace,
        damaged: &Damaged,
        kept: &Kept,
        target: &FilePath,
    ) -> Result<(), WorkspaceError> {
        let failed = |error| WorkspaceError::home(&kept.at, error);
        let store = Store::open(&kept.store).map_err(failed)?;
        let folder = store.existing(&damaged.commit.to_string()).map_err(failed)?;
        let stamp = Stamp::at(&folder, kept.name.as_bytes()).map_err(failed)?;
        let before =
            Before { store: 0, folder: damaged.commit.0, name: kept.name.clone(), stamp, home: None, copy: None };
        self.put_back(workspace, &kept.store, &before, target)
    }
}

/// What is still told of a commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) at: Option<Timestamp>,
    pub(crate) task: Option<TaskId>,
    pub(crate) title: Option<String>,
    pub(crate) origin: Option<Principal>,
    pub(crate) changes: Option<u64>,
    pub(crate) undoes: Option<CommitId>,
    /// Granted folders: what the task called them, and where they are.
    pub(crate) folders: BTreeMap<String, PathBuf>,
    lines: Vec<String>,
    /// Source and target of each change, in the order of the plan.
    about: Vec<(Option<FilePath>, Option<FilePath>)>,
    /// From the journal: where what lies in a store was, by its name there.
    homes: BTreeMap<String, FilePath>,
}

impl Told {
    fn absolute(&self, path: &FilePath) -> Option<PathBuf> {
        let folder = self.folders.get(path.folder.as_str())?;
        Some(if path.path.is_root() { folder.clone() } else { folder.join(path.path.as_path()) })
    }

    fn was(&self, index: Option<usize>, name: &str) -> Option<PathBuf> {
        let told = || {
            let (source, target) = self.about.get(index?)?;
            // what was put aside was the source of its change; what was exchanged out was at the target
            if name.starts_with('b') {
                source.as_ref().or(target.as_ref())
            } else {
                target.as_ref().or(source.as_ref())
            }
        };
        self.absolute(self.homes.get(name).or_else(told)?)
    }

    /// The plan as it was put on record, and the folders that its task had.
    fn read_log(&mut self, home: &Home, begun: &Begun) {
        let Some(records) = open(home) else { return };
        let filter = Filter { task: begun.task, ..Filter::default() };
        for recorded in records.events(filter).flatten() {
            match &recorded.event {
                Event::Decided { action, .. } => {
                    if let Some(folder) = action.folder() {
                        self.folder(&journal::absolute(folder));
                    }
                }
                Event::Proposed { plan, .. } if *plan == begun.plan => {
                    let Some(shown) = recorded.content.as_ref().map(|content| &content["plan"]) else { continue };
                    self.title = shown["title"].as_str().map(str::to_owned);
                    self.origin = serde_json::from_value(shown["origin"].clone()).ok();
                    let lines = shown["changes"].as_array().into_iter().flatten().filter_map(|line| line.as_str());
                    self.lines = lines.map(|line| without_number(line).to_owned()).collect();
                    self.about = self.lines.iter().map(|line| about(line)).collect();
                }
                _ => {}
            }
        }
    }

    fn folder(&mut self, path: &std::path::Path) {
        if let Some(name) = path.file_name() {
            self.folders.insert(encode(name.as_bytes()), path.to_owned());
        }
    }

    /// What of the journal could still be read knows better.
    fn read_journal(&mut self, number: u64, rest: &Journal) {
        let head = &rest.head;
        if head.version > 0 {
            self.title = Some(head.title.clone());
            self.origin = Some(head.origin.clone());
            self.undoes = head.undoes;
            self.at = Some(head.at);
            for top in &head.roots {
                self.folders.insert(top.name.clone(), journal::absolute(&top.path));
            }
        }
        for recorded in &rest.changes {
            let Some(before) = recorded.before.as_ref().filter(|before| before.folder == number) else { continue };
            let home = before.home.as_ref().or(match recorded.change.kind {
                ChangeKind::Remove => recorded.change.source.as_ref(),
                _ => recorded.change.target.as_ref(),
            });
            if let Some(home) = home {
                for name in [Some(&before.name), before.copy.as_ref()].into_iter().flatten() {
                    self.homes.insert(name.clone(), home.clone());
                }
            }
        }
    }
}

/// A line of a plan on record without the number of the change at its head.
fn without_number(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(_, rest)| rest)
}

/// The source and target in a line of a plan on record.
fn about(line: &str) -> (Option<FilePath>, Option<FilePath>) {
    let Some((kind, rest)) = line.split_once(' ') else { return (None, None) };
    match (kind, rest.split_once(" -> ")) {
        ("remove", _) => (rest.parse().ok(), None),
        (_, Some((source, target))) => (source.parse().ok(), target.parse().ok()),
        (_, None) => (None, rest.parse().ok()),
    }
}
