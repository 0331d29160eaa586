//! What is kept for undo has a quota and a time; what is given up is gone for good, and says how much it frees.

use crate::{
    disk::{self, System},
    entry::{Kind, Stamp},
    error::WorkspaceError,
    history::History,
    journal,
    store::{self, Store},
};
use deskhand_vocabulary::{CommitId, Entry, Event, Log};
use jiff::{SignedDuration, Timestamp};
use rustix::{
    fd::{AsFd as _, BorrowedFd},
    io::Errno,
};
use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How much is kept where nothing else is said, in bytes: this or a tenth of the disk, whichever is less.
pub const QUOTA: u64 = 10 << 30;
/// How long it is kept where nothing else is said, in days.
pub const RETENTION: u32 = 30;

/// What to give up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeOptions {
    /// At most so many bytes stay on each file system; the oldest of those that take room there go first. None for
    /// [`QUOTA`] or a tenth of that disk.
    pub quota: Option<u64>,
    /// What is older than so many days goes.
    pub days: u32,
    /// These go in any case.
    pub commits: Vec<CommitId>,
    /// Of those, all that tells what they were about goes too: they cannot be undone at all any more.
    pub names: bool,
    /// Only say what would go.
    pub dry_run: bool,
}

impl Default for PurgeOptions {
    fn default() -> Self {
        Self { quota: None, days: RETENTION, commits: Vec::new(), names: false, dry_run: false }
    }
}

/// What was given up, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Purged {
    /// Of which commits, the oldest first. They cannot be undone any more, but for moves.
    pub commits: Vec<CommitId>,
    /// How much it frees, in bytes on the disk.
    pub bytes: u64,
    /// How much stays, in bytes on the disk.
    pub kept: u64,
    /// Commits whose journal is damaged or gone. While there are any, nothing but what is named is given up.
    pub damaged: Vec<CommitId>,
}

impl History {
    /// Give up what is kept for undo: what is too old, what is too much, and what is named. Applies that are under way,
    /// and what they need, are never touched.
    pub fn purge(&self, log: &dyn Log, now: Timestamp, options: &PurgeOptions) -> Result<Purged, WorkspaceError> {
        let stores = self.stores()?.all()?;
        // nobody begins a commit while this decides
        let _home = journal::lock_home(self.home())?;
        let mut kept = stores.iter().map(|store| Kept::on(store, options.quota)).collect::<Result<Vec<_>, _>>()?;
        let mut numbers: BTreeSet<u64> = kept.iter().flat_map(|kept| kept.sizes.keys().copied()).collect();
        if options.names {
            numbers.extend(options.commits.iter().map(|commit| commit.0));
        }
        let (at, busy) = self.ages()?;
        // asked for only where something would go: it reads the log
        let damaged = LazyCell::new(|| self.open_damage());
        let total = kept.iter().fold(0_u64, |sum, kept| sum.saturating_add(kept.bytes));
        let limit = now.checked_sub(SignedDuration::from_hours(i64::from(options.days) * 24)).unwrap_or(Timestamp::MIN);
        let mut purged = Purged { kept: total, ..Purged::default() };
        let mut held = false;
        for number in &numbers {
            // what no journal knows is not ours to judge
            let named = options.commits.contains(&CommitId(*number));
            let known = at.get(number).filter(|_| !busy.contains(number)).copied();
            let Some(at) = known.or_else(|| (named && damaged.contains(number)).then_some(Timestamp::MAX)) else {
                continue;
            };
            let due = named || at < limit || kept.iter().any(|kept| kept.is_too_much(*number));
            // what is damaged may need what is older to be understood
            if due && !named && !damaged.is_empty() {
                held = true;
                continue;
            }
            if due {
                purged.commits.push(CommitId(*number));
                let size = kept.iter_mut().fold(0_u64, |sum, kept| sum.saturating_add(kept.give_up(*number)));
                purged.bytes = purged.bytes.saturating_add(size);
                purged.kept = purged.kept.saturating_sub(size);
            }
        }
        // of those that a person names, that nothing was kept is put on record too: they are done with
        for named in options.commits.iter().filter(|named| damaged.contains(&named.0)) {
            if !purged.commits.contains(named) {
                purged.commits.push(*named);
            }
        }
        if held {
            purged.damaged = damaged.iter().copied().map(CommitId).collect();
        }
        if options.dry_run || purged.commits.is_empty() {
            return Ok(purged);
        }
        let event = Event::Purged { commits: purged.commits.clone(), bytes: purged.bytes };
        log.append(Entry { task: None, event, content: None })?;
        for store in &stores {
            for commit in &purged.commits {
                match store::remove_tree(&System, store.handle(), commit.to_string().as_bytes()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(error) => return Err(WorkspaceError::home(&store.path, error)),
                }
            }
        }
        if options.names {
            for commit in options.commits.iter().filter(|named| purged.commits.contains(named)) {
                journal::give_up(self.home(), *commit)?;
            }
        }
        Ok(purged)
    }

    /// When each commit was applied; and those that an apply under way, or one that waits for recovery, may need.
    fn ages(&self) -> Result<(BTreeMap<u64, Timestamp>, BTreeSet<u64>), WorkspaceError> {
        let mut at = BTreeMap::new();
        let mut busy = BTreeSet::new();
        for number in journal::numbers(self.home())? {
            let path = self.home().commits().join(number.to_string());
            let Ok(Some(journal)) = journal::read_outline(&path, number) else { continue };
            if journal.end.is_none() {
                busy.insert(number);
                busy.extend(journal.head.undoes.map(|commit| commit.0));
            }
            at.insert(number, journal.head.at);
        }
        Ok((at, busy))
    }
}

/// What is kept on one file system: what lies on another does not count against it.
struct Kept {
    quota: u64,
    /// Of each commit, in bytes on the disk.
    sizes: BTreeMap<u64, u64>,
    /// Of all that are not given up.
    bytes: u64,
}

impl Kept {
    fn on(store: &Arc<Store>, quota: Option<u64>) -> Result<Self, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::home(&store.path, error);
        let mut sizes = BTreeMap::new();
        for name in disk::names(store.handle()).map_err(failed)? {
            let Some(number) = std::str::from_utf8(&name).ok().and_then(|name| name.parse().ok()) else { continue };
            sizes.insert(number, size(store.handle(), &name).map_err(failed)?);
        }
        let quota = match quota {
            Some(quota) => quota,
            None => default_quota(store.handle()).map_err(failed)?,
        };
        Ok(Self { quota, bytes: sizes.values().fold(0_u64, |sum, size| sum.saturating_add(*size)), sizes })
    }

    fn is_too_much(&self, commit: u64) -> bool {
        self.bytes > self.quota && self.sizes.get(&commit).is_some_and(|size| *size > 0)
    }

    fn give_up(&mut self, commit: u64) -> u64 {
        let size = self.sizes.remove(&commit).unwrap_or(0);
        self.bytes = self.bytes.saturating_sub(size);
        size
    }
}

/// What is kept at most on the file system of this folder where nothing else is said, in bytes on the disk.
pub(crate) fn default_quota(folder: BorrowedFd<'_>) -> Result<u64, Errno> {
    let stat = rustix::fs::fstatvfs(folder)?;
    Ok(QUOTA.min(stat.f_blocks.saturating_mul(stat.f_frsize) / 10))
}

/// Bytes on the disk of the files of a tree in a store. Folders of ours are not counted, so that it is never more than what
/// the plan was held against the quota with. Other processes bring things there and take them away meanwhile: what goes is
/// not counted.
fn size(folder: BorrowedFd<'_>, name: &[u8]) -> Result<u64, Errno> {
    let stamp = match Stamp::at(folder, name) {
        Ok(stamp) => stamp,
        Err(Errno::NOENT) => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut sum = 0_u64;
    if stamp.kind != Kind::Folder {
        sum = stamp.blocks.saturating_mul(512);
    } else {
        let names = disk::open_folder(folder, name).and_then(|inner| Ok((disk::names(inner.as_fd())?, inner)));
        let (names, inner) = match names {
            Ok(found) => found,
            // a removed folder may forbid to be listed; it is counted without what is in it
            Err(Errno::ACCESS) => return Ok(sum),
            Err(Errno::NOENT) => return Ok(0),
            Err(error) => return Err(error),
        };
        for inside in names {
            sum = sum.saturating_add(size(inner.as_fd(), &inside)?);
        }
    }
    Ok(sum)
}
