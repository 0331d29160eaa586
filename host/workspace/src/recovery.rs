//! What is done at the start of every run: applies whose process has died are brought to a whole state, and what such
//! processes had staged is cleared away. Journals of processes that live are left to them.

use crate::{
    damage::Logged,
    disk::Disk,
    error::WorkspaceError,
    folder::{Masks, Root},
    journal::{self, At, End, Head, Journal, Outcome, Recorded, Writer},
    places::Places,
    planning::follow,
    settle,
    store::{self, SCRATCH, Store, Stores},
};
use deskhand_vocabulary::{ChangeKind, CommitId, Entry, Event, FilePath, Home, Log, Tally, event::LogError};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{collections::HashMap, os::unix::ffi::OsStrExt as _, path::Path, sync::Arc};

/// What recovery did, or could not do, about one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Which.
    pub commit: CommitId,
    /// [`Outcome::Applied`] if it was found complete, [`Outcome::RolledBack`] if it was taken back, and none if it waits
    /// for a folder that is not there now.
    pub outcome: Option<Outcome>,
    /// What could not be brought back to its place, and where it is; or what it waits for.
    pub notes: Vec<String>,
}

/// Bring every commit whose process is gone to a whole state.
pub fn recover(home: &Home, log: &dyn Log) -> Result<Vec<Recovered>, WorkspaceError> {
    recover_with(home, log, Arc::new(crate::disk::System))
}

/// As [`recover`], with effects through `disk`.
pub fn recover_with(home: &Home, log: &dyn Log, disk: Arc<dyn Disk>) -> Result<Vec<Recovered>, WorkspaceError> {
    let masks = Arc::new(Masks::default());
    let stores = Stores::new(home, Arc::clone(&masks))?;
    let claimed = claim(home)?;
    let mut done = Vec::new();
    for (number, lock) in claimed {
        let recovered = one(home, log, disk.as_ref(), &masks, &stores, number, lock)?;
        done.extend(recovered);
    }
    clear_scratch(home, disk.as_ref(), &stores)?;
    Ok(done)
}

/// The commits that [`recover`] has something to do about, or would if it could: their process is gone.
pub fn interrupted(home: &Home) -> Result<Vec<CommitId>, WorkspaceError> {
    if !home.commits().is_dir() {
        return Ok(Vec::new());
    }
    Ok(claim(home)?.into_iter().map(|(number, _)| CommitId(number)).collect())
}

/// The commits that have not ended and whose process is gone, with their locks.
fn claim(home: &Home) -> Result<Vec<(u64, OwnedFd)>, WorkspaceError> {
    let _home = journal::lock_home(home)?;
    let mut claimed = Vec::new();
    for number in journal::numbers(home)? {
        let path = home.commits().join(number.to_string());
        if !path.join("lock").exists() {
            continue; // ended
        }
        match journal::claim(&path) {
            Ok(Some(lock)) => claimed.push((number, lock)),
            Ok(None) => {}
            Err(error) => return Err(WorkspaceError::home(path, error)),
        }
    }
    Ok(claimed)
}

fn one(
    home: &Home,
    log: &dyn Log,
    disk: &dyn Disk,
    masks: &Masks,
    stores: &Stores,
    number: u64,
    lock: OwnedFd,
) -> Result<Option<Recovered>, WorkspaceError> {
    let commit = CommitId(number);
    let path = home.commits().join(number.to_string());
    let failed = |error: Errno| WorkspaceError::home(&path, error);
    let journal = match journal::read(&path, number) {
        Ok(journal) => journal,
        // a journal of a later version, or one that is damaged, is no reason not to start; it is told and left
        Err(error) => return Ok(Some(Recovered { commit, outcome: None, notes: vec![error.to_string()] })),
    };
    let Some(journal) = journal.filter(|journal| journal.ready) else {
        if Logged::of(home).begun.contains_key(&number) {
            // effects came after it was written whole: it was damaged since, and is left for the person
            let note = format!(
                "its journal is damaged, so it cannot be made whole. `deskhand history {number}` says what is known of it, \
                 and `deskhand restore {number}` lists what is kept of it"
            );
            return Ok(Some(Recovered { commit, outcome: None, notes: vec![note] }));
        }
        // the intent was not all there, so nothing was begun
        for store in stores.all()? {
            discard_all_staged(disk, &store, number).map_err(failed)?;
        }
        let folder = journal::open_folder(&path).map_err(failed)?;
        drop(lock);
        return journal::forget(disk, folder.as_fd()).map_err(failed).map(|()| None);
    };
    if let Some(end) = &journal.end {
        let unlogged = !Logged::of(home).ended.contains(&number);
        if unlogged {
            log_ended(log, &journal, end)?;
        }
        let folder = journal::open_folder(&path).map_err(failed)?;
        journal::ended(disk, folder.as_fd()).map_err(failed)?;
        let recovered = Recovered { commit, outcome: Some(end.outcome), notes: end.astray.clone() };
        return Ok(unlogged.then_some(recovered));
    }
    let (roots, open) = match places(&journal, stores) {
        Ok(found) => found,
        Err(what) => return Ok(Some(Recovered { commit, outcome: None, notes: vec![what] })),
    };
    let mut places = Places::new(&roots, open, masks, disk);
    let (outcome, astray) = settle(&mut places, &journal).map_err(failed)?;
    let writer = Writer::resume(&path, commit, lock, journal.length).map_err(failed)?;
    // they had no effects to be made
    let conflict = |recorded: &Recorded| Some((recorded.change.id, recorded.change.conflict.clone()?));
    let refused = journal.changes.iter().filter_map(conflict).collect();
    let folders = after(&places, &journal, outcome);
    if outcome == Outcome::RolledBack {
        discard_staged(&mut places, &journal, number);
    }
    log_recovered(log, &journal, outcome)?;
    writer.end(disk, &End { outcome, refused, folders, astray: astray.clone() }).map_err(failed)?;
    writer.close(disk);
    Ok(Some(Recovered { commit, outcome: Some(outcome), notes: astray }))
}

fn settle(places: &mut Places<'_>, journal: &Journal) -> Result<(Outcome, Vec<String>), Errno> {
    let (outcome, astray) = if settle::is_done(places, &journal.steps)? {
        settle::restore_times(places, &journal.head.restore)?;
        (Outcome::Applied, Vec::new())
    } else {
        let astray = settle::take_back(places, &|change| name(journal, change), &journal.steps)?;
        settle::restore_times(places, &journal.head.folders)?;
        (Outcome::RolledBack, astray)
    };
    let mut done = Vec::new();
    for store in &places.stores {
        if !done.contains(&store.stamp.dev) {
            places.disk.sync_all(store.handle())?;
            done.push(store.stamp.dev);
        }
    }
    Ok((outcome, astray))
}

/// What a change is about, in the words of the plan.
fn name(journal: &Journal, change: u32) -> Option<FilePath> {
    let change = &journal.changes.get(usize::try_from(change).ok()?)?.change;
    change.source.clone().or_else(|| change.target.clone())
}

/// When each touched folder was last changed, wherever it is now.
fn after(places: &Places<'_>, journal: &Journal, outcome: Outcome) -> Vec<Option<crate::entry::Moment>> {
    let here = |path: &FilePath| {
        let index = journal.head.roots.iter().position(|top| top.name == path.folder.as_str())?;
        Some((u16::try_from(index).ok()?, path.path.clone()))
    };
    let moved = if outcome == Outcome::Applied { journal.moved_folders(&here) } else { HashMap::new() };
    let modified = |times: &journal::Times| {
        let path = journal::Text::try_from(times.path.clone()).ok()?;
        let (root, path) = follow(&moved, &(times.root, path.0))?;
        let stamp = places.root(root).ok()?.stat(&path, places.masks).ok()?;
        stamp.same_thing(&times.stamp).then_some(stamp.modified)
    };
    journal.head.folders.iter().map(modified).collect()
}

/// What the process would have put on record, had it lived.
fn log_ended(log: &dyn Log, journal: &Journal, end: &End) -> Result<(), LogError> {
    let Head { commit, task, undoes, left, changes: total, .. } = &journal.head;
    let refused: HashMap<u64, &String> = end.refused.iter().map(|(id, reason)| (*id, reason)).collect();
    let is_applied = end.outcome == Outcome::Applied;
    let applied = if is_applied { total.saturating_sub(refused.len() as u64) } else { 0 };
    let made = |recorded: &&Recorded| is_applied && !refused.contains_key(&recorded.change.id);
    let shown = journal.changes.iter().filter(|recorded| !recorded.tidy);
    let content = serde_json::json!({
        "made": Tally::of(shown.clone().filter(made).map(|recorded| recorded.change.as_ref())),
        "warnings": end.astray,
        "refused": shown.filter_map(|recorded| {
            let reason = refused.get(&recorded.change.id)?;
            Some(serde_json::json!({ "change": recorded.change, "reason": reason }))
        }).collect::<Vec<_>>(),
    });
    let refused = refused.len() as u64;
    let event = Event::CommitEnded { commit: *commit, outcome: end.outcome.name().to_owned(), applied, refused };
    log.append(Entry { task: *task, event, content: task.map(|_| content) })?;
    if let Some(undoes) = undoes.filter(|_| is_applied) {
        let undone = journal.changes.iter().filter(made).filter(|recorded| recorded.undoes.is_some()).count() as u64;
        let event = Event::Undone { commit: undoes, by: *commit, undone, left: left + refused };
        log.append(Entry { task: *task, event, content: None })?;
    }
    Ok(())
}

fn log_recovered(log: &dyn Log, journal: &Journal, outcome: Outcome) -> Result<(), LogError> {
    let outcome = if outcome == Outcome::Applied { "completed" } else { "rolled-back" };
    let event = Event::Recovered { commit: journal.head.commit, outcome: outcome.to_owned() };
    log.append(Entry { task: journal.head.task, event, content: None }).map(|_| ())
}

/// Folders and stores.
type Found = (Vec<Arc<Root>>, Vec<Arc<Store>>);

/// The folders and stores that a journal names, if they are still the same. Else what is missing, in words.
fn places(journal: &Journal, stores: &Stores) -> Result<Found, String> {
    let mut roots = Vec::new();
    for top in &journal.head.roots {
        let path = journal::absolute(&top.path);
        let gone = |why: &str| {
            format!("the folder {} {why}. Put it back or mount its disk, then start Deskhand again", path.display())
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::open(&path, flags, Mode::empty()).map_err(|_| gone("is not there"))?;
        let name = top.name.parse().map_err(|_| gone("has no name that can be used"))?;
        let root = Root::new(name, path.clone(), true, handle).map_err(|_| gone("cannot be read"))?;
        if !root.stamp.same_thing(&top.stamp) {
            return Err(gone("is another one now"));
        }
        roots.push(Arc::new(root));
    }
    let open = journal.head.stores.iter().map(|text| {
        let path = journal::absolute(text);
        stores.at(&path).map_err(|_| {
            format!("{}, where removed and replaced files are kept, is not there. Mount its disk, then start Deskhand again", path.display())
        })
    });
    Ok((roots, open.collect::<Result<_, _>>()?))
}

/// What a commit had staged, where nothing of it was begun: everything that bears a name of staged content.
fn discard_all_staged(disk: &dyn Disk, store: &Store, number: u64) -> Result<(), Errno> {
    let folder = match store.existing(&number.to_string()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    for name in disk_names(&folder)? {
        if matches!(name.first(), Some(b's' | b'c')) {
            store::remove_tree(disk, folder.as_fd(), &name)?;
        }
    }
    match disk.remove_folder(store.handle(), number.to_string().as_bytes()) {
        Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a commit had staged and was taken back, told by what the journal says that it was. Failures leave it to `purge`.
fn discard_staged(places: &mut Places<'_>, journal: &Journal, number: u64) {
    let disk = places.disk;
    for step in &journal.steps {
        if let At::Store(store, folder, name) = &step.from
            && *folder == number
            && name.starts_with('s')
            && let Ok(Some(found)) = places.stat(&step.from)
            && found.same_content(&step.what)
            && let Ok(kept) = places.kept(*store, *folder)
        {
            // a folder that was made empty and is not any more holds what is not ours
            let change = usize::try_from(step.change).ok().and_then(|at| journal.changes.get(at));
            let made = change.is_some_and(|recorded| recorded.change.kind == ChangeKind::MakeFolder);
            let _ = match made {
                true => disk.remove_folder(kept, name.as_bytes()),
                false => store::remove_tree(disk, kept, name.as_bytes()),
            };
        }
    }
    for before in journal.changes.iter().filter_map(|change| change.before.as_ref()) {
        if let Some(copy) = &before.copy
            && before.folder == number
            && let Ok(kept) = places.kept(before.store, before.folder)
        {
            let _ = store::remove_tree(disk, kept, copy.as_bytes());
        }
    }
    for store in places.stores.clone() {
        let _ = places.disk.remove_folder(store.handle(), number.to_string().as_bytes());
    }
}

fn disk_names(folder: &OwnedFd) -> Result<Vec<Vec<u8>>, Errno> {
    crate::disk::names(folder.as_fd())
}

/// Staged content of processes that are gone.
fn clear_scratch(home: &Home, disk: &dyn Disk, stores: &Stores) -> Result<(), WorkspaceError> {
    let _home = journal::lock_home(home)?;
    for store in stores.all()? {
        let failed = |error: Errno| WorkspaceError::home(&store.path, error);
        for name in crate::disk::names(store.handle()).map_err(failed)? {
            if !name.starts_with(SCRATCH.as_bytes()) {
                continue;
            }
            let text = Path::new(std::ffi::OsStr::from_bytes(&name)).display().to_string();
            let Ok(folder) = store.existing(&text) else { continue };
            if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok() {
                match store::remove_tree(disk, store.handle(), &name) {
                    // its task ended just now, and took it along
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        }
    }
    Ok(())
}
