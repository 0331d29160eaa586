//! A disk that fails, and a machine that stops with writes unsynced, some of them lost and some not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, unreachable_pub)]

mod support;

use deskhand_records::Filter;
use deskhand_vocabulary::{Entry, Event, EventId, Log, LogError, Stop};
use deskhand_workspace::{Decision, Outcome, State, disk::Disk};
use rustix::io::Errno;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use support::{
    Desk, Tree, differences,
    faults::{Call, Hooked},
    model::{Numbers, plant, work},
};

/// Every content of the old tree is in the tree or in the store.
fn nothing_lost(desk: &Desk, old: &Tree) {
    let mut contents: BTreeSet<Vec<u8>> = BTreeSet::new();
    for place in [&desk.folder, &desk.home.store()] {
        contents.extend(support::snapshot(place).into_values().map(|thing| thing.content));
    }
    for (path, thing) in old {
        assert!(contents.contains(&thing.content), "the content of {} is lost", String::from_utf8_lossy(path));
    }
}

/// Afterwards, on a disk that is well again: recovery, and what is then there is old, or new and can be undone to the old.
fn settle(desk: &Desk, old: &Tree, what: &str) -> bool {
    nothing_lost(desk, old);
    for recovered in deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap() {
        assert_eq!(recovered.notes, Vec::<String>::new(), "{what}");
    }
    let changed = !differences(old, &desk.tree()).is_empty();
    if std::env::var_os("SHOW_WORK").is_some() {
        eprintln!("{what}: {:#?}", differences(old, &desk.tree()));
    }
    let applied = desk.history().list().unwrap().iter().any(|listed| listed.not_undoable.is_none());
    if applied {
        let undone = desk.undo(1).done.unwrap();
        assert_eq!(undone.refused, [], "{what}");
    }
    assert_eq!(differences(old, &desk.tree()), Vec::<String>::new(), "{what}");
    changed
}

thread_local! {
    static ARMED: AtomicBool = const { AtomicBool::new(false) };
}

fn armed() -> bool {
    ARMED.with(|armed| armed.load(Ordering::SeqCst))
}

#[test]
fn a_failing_call_leaves_every_change_whole() {
    let (mut tried, mut partly, mut back) = (0, 0, 0);
    for (seed, errno) in (1..40).zip([Errno::NOSPC, Errno::IO, Errno::ACCESS].into_iter().cycle()) {
        for lasting in [false, true] {
            for at in 1.. {
                let desk = Desk::new();
                let calls = Arc::new(AtomicU64::new(0));
                let counted = Arc::clone(&calls);
                let disk = Hooked::without_paths(move |_| {
                    if !armed() {
                        return Ok(());
                    }
                    let now = counted.fetch_add(1, Ordering::SeqCst) + 1;
                    if now == at || lasting && now > at { Err(errno) } else { Ok(()) }
                });
                let (old, decision) = attempt(&desk, seed, Arc::new(disk));
                match &decision {
                    Some(decision) if decision.state == State::Applied => {
                        partly += u64::from(!decision.done.as_ref().unwrap().refused.is_empty());
                    }
                    _ => back += 1,
                }
                settle(&desk, &old, &format!("seed {seed}, {errno:?} at {at}, lasting: {lasting}"));
                tried += 1;
                if calls.load(Ordering::SeqCst) < at {
                    break;
                }
            }
        }
    }
    assert!(tried > 2000 && partly > 50 && back > 500, "{tried} tried, {partly} applied in part, {back} not at all");
}

/// Some random work; the faults are for its commit alone. The tree as it was before, and what came of it.
fn attempt(desk: &Desk, seed: u64, disk: Arc<dyn Disk>) -> (Tree, Option<Decision>) {
    let mut model = plant(desk);
    let old = desk.tree();
    let task = desk.open_with(disk);
    let mut ops = Numbers(seed).ops(8 + usize::try_from(seed % 8).unwrap());
    if seed.is_multiple_of(3) {
        // nothing but moves: nothing is staged, so nothing but the journal is synced before the effects
        ops.iter_mut().for_each(|op| op.kind = 0);
    }
    work(&task, &mut model, &ops);
    ARMED.with(|armed| armed.store(true, Ordering::SeqCst));
    let decision = if task.is_unchanged() { None } else { desk.try_propose(&task, &Stop::default()).ok() };
    drop(task);
    ARMED.with(|armed| armed.store(false, Ordering::SeqCst));
    (old, decision)
}

/// What was done and may be lost.
#[derive(Clone, Debug)]
enum Done {
    Rename(PathBuf, PathBuf),
    Exchange(PathBuf, PathBuf),
    Link(PathBuf),
    Create(PathBuf),
    MakeFolder(PathBuf),
    Unlink(PathBuf, PathBuf),
    Write(PathBuf, u64),
    Times(PathBuf, (i64, i64), (i64, i64)),
}

impl Done {
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Rename(a, b) | Self::Exchange(a, b) => vec![a, b],
            Self::Link(a) | Self::Create(a) | Self::MakeFolder(a) | Self::Unlink(a, _) | Self::Write(a, _) => vec![a],
            Self::Times(..) => vec![],
        }
    }
}

/// Calls that were made and are not known to be durable, as a strict reading of POSIX has it: a name is durable once its
/// folder is synced, content once its file is, all once the file system is.
#[derive(Default)]
struct Unsynced {
    done: Vec<Done>,
    graves: u64,
}

impl Unsynced {
    fn note(&mut self, call: &Call, grave: &Path) {
        let p = &call.paths;
        match call.name {
            "rename" => self.done.push(Done::Rename(p[0].clone(), p[1].clone())),
            "exchange" => self.done.push(Done::Exchange(p[0].clone(), p[1].clone())),
            "link" => self.done.push(Done::Link(p[1].clone())),
            "create" => self.done.push(Done::Create(p[0].clone())),
            "make-folder" => self.done.push(Done::MakeFolder(p[0].clone())),
            "unlink" => {
                // kept elsewhere by another name, so that the loss of the unlink can be played
                self.graves += 1;
                let kept = grave.join(self.graves.to_string());
                if fs::hard_link(&p[0], &kept).is_ok() {
                    self.done.push(Done::Unlink(p[0].clone(), kept));
                }
            }
            "write" => {
                let length = fs::metadata(&p[0]).map_or(0, |meta| meta.len());
                self.done.push(Done::Write(p[0].clone(), length));
            }
            "set-times-of" => {
                let meta = fs::metadata(&p[0]).unwrap();
                let (a, m) = ((meta.atime(), meta.atime_nsec()), (meta.mtime(), meta.mtime_nsec()));
                self.done.push(Done::Times(p[0].clone(), a, m));
            }
            "sync-all" => self.done.clear(),
            "sync" => {
                let synced = &p[0];
                let parent = |path: &Path| path.parent().unwrap().to_owned();
                self.done.retain_mut(|done| match done {
                    Done::Write(path, _) | Done::Times(path, ..) => path != synced,
                    Done::Create(path) | Done::MakeFolder(path) | Done::Link(path) | Done::Unlink(path, _) => {
                        parent(path) != *synced
                    }
                    // both folders are needed; the one that is synced last makes it durable
                    Done::Rename(..) | Done::Exchange(..) => true,
                });
            }
            _ => {}
        }
    }

    /// Take back some of what is not durable, as if it had never reached the disk: any of it, but each rename whole, and
    /// nothing that something rests on which did reach it.
    fn lose(self, numbers: &mut Numbers, share: u64) {
        let mut torn: BTreeMap<PathBuf, u64> = BTreeMap::new();
        let mut stays: Vec<PathBuf> = Vec::new();
        for done in self.done.iter().rev() {
            let paths = done.paths();
            let needed = paths.iter().any(|path| stays.iter().any(|stays| stays.starts_with(path)));
            if numbers.next() % 100 >= share || needed {
                stays.extend(paths.into_iter().map(Path::to_owned));
                continue;
            }
            match done {
                Done::Rename(from, to) => {
                    if from.symlink_metadata().is_err() && to.symlink_metadata().is_ok() {
                        let _ = fs::rename(to, from);
                    }
                }
                Done::Exchange(a, b) => {
                    if a.symlink_metadata().is_ok() && b.symlink_metadata().is_ok() {
                        let flags = rustix::fs::RenameFlags::EXCHANGE;
                        rustix::fs::renameat_with(rustix::fs::CWD, a, rustix::fs::CWD, b, flags).unwrap();
                    }
                }
                // only our own new files have these; a file of the person is never linked or created
                Done::Link(path) | Done::Create(path) => drop(fs::remove_file(path)),
                Done::MakeFolder(path) => drop(fs::remove_dir(path)),
                Done::Unlink(path, kept) => drop(fs::hard_link(kept, path)),
                Done::Write(path, length) => {
                    torn.insert(path.clone(), *length);
                }
                Done::Times(path, a, m) => {
                    let spec = |(tv_sec, tv_nsec): (i64, i64)| rustix::fs::Timespec { tv_sec, tv_nsec };
                    let times = rustix::fs::Timestamps { last_access: spec(*a), last_modification: spec(*m) };
                    let _ = rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty());
                }
            }
        }
        for (path, least) in torn {
            let Ok(file) = fs::OpenOptions::new().write(true).open(&path) else { continue };
            let length = file.metadata().unwrap().len();
            file.set_len(least + numbers.next() % (length.saturating_sub(least) + 1)).unwrap();
        }
    }
}

/// The machine stops just before the `at`-th call, and of all that is not known to be durable, some is lost.
fn power_cut(seed: u64, at: u64, share: u64, numbers: &mut Numbers) -> Option<bool> {
    let desk = Desk::new();
    let grave = desk.place().join("grave");
    fs::create_dir(&grave).unwrap();
    let unsynced = Arc::new(Mutex::new(Unsynced::default()));
    let calls = Arc::new(AtomicU64::new(0));
    let (noted, counted, graves) = (Arc::clone(&unsynced), Arc::clone(&calls), grave.clone());
    let disk = Hooked::new(move |call| {
        if !armed() {
            return Ok(());
        }
        if counted.fetch_add(1, Ordering::SeqCst) + 1 >= at {
            return Err(Errno::IO); // the machine is off: nothing reaches the disk any more
        }
        noted.lock().unwrap().note(call, &graves);
        Ok(())
    });
    let (old, _) = attempt(&desk, seed, Arc::new(disk));
    let ended = calls.load(Ordering::SeqCst) < at;
    std::mem::take(&mut *unsynced.lock().unwrap()).lose(numbers, share);
    fs::remove_dir_all(&grave).unwrap();
    // opened anew, as after a start
    let desk = Desk::existing(&desk.place()).with(desk.dir);
    let changed = settle(&desk, &old, &format!("seed {seed}, cut at {at}, {share} % lost"));
    if ended { None } else { Some(changed) }
}

#[test]
fn writes_that_are_lost_or_reordered_are_recovered_from() {
    let mut numbers = Numbers(7);
    let (mut tried, mut new) = (0_u64, 0_u64);
    for seed in 100..130 {
        for share in [0, 50, 100] {
            for at in 1.. {
                match power_cut(seed, at, share, &mut numbers) {
                    None => break,
                    Some(changed) => {
                        tried += 1;
                        new += u64::from(changed);
                    }
                }
            }
        }
    }
    assert!(tried > 2000 && new > 20, "{tried} tried, {new} found new");
}

/// The order of calls: nothing is done to the folder before the journal of it is durable, with its name.
#[test]
fn no_effect_precedes_the_sync_of_its_journal() {
    for seed in 1..20 {
        let desk = Desk::new();
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let noted = Arc::clone(&calls);
        let disk = Hooked::new(move |call| {
            if armed() {
                noted.lock().unwrap().push(call.clone());
            }
            Ok(())
        });
        attempt(&desk, seed, Arc::new(disk));
        let calls = std::mem::take(&mut *calls.lock().unwrap());
        let journal = desk.home.commits().join("1/journal");
        let written =
            calls.iter().rposition(|call| call.name == "write" && call.paths[0] == journal && !is_end(&calls, call));
        let effect = |call: &Call| {
            // a copy reads from the folder
            call.name != "copy" && call.paths.iter().any(|path| path.starts_with(&desk.folder))
        };
        let Some(first) = calls.iter().position(effect) else { continue };
        let before = &calls[..first];
        let at = |name: &str, path: &Path| {
            before
                .iter()
                .rposition(|call| call.name == name && call.paths[0] == path)
                .unwrap_or_else(|| panic!("no {name} of {}", path.display()))
        };
        let synced = at("sync", &journal);
        assert!(at("write", &journal) < synced);
        assert!(at("create", &journal) < at("sync", journal.parent().unwrap()));
        assert!(at("make-folder", journal.parent().unwrap()) < at("sync", &desk.home.commits()));
        assert!(written.is_some());
        // and all that was staged is durable before the journal says so
        let staged = before.iter().rposition(|call| {
            matches!(call.name, "link" | "copy" | "create" | "make-folder")
                && call.paths.iter().any(|path| path.starts_with(desk.home.store()))
        });
        if let Some(staged) = staged {
            let store = desk.home.store();
            let flushed =
                |call: &Call| call.name == "sync-all" || call.name == "sync" && call.paths[0].starts_with(&store);
            let flushed = before.iter().rposition(flushed).unwrap();
            assert!(staged < flushed && flushed < synced);
        }
    }
}

fn is_end(calls: &[Call], call: &Call) -> bool {
    calls.iter().rev().find(|other| other.name == "write").is_some_and(|last| std::ptr::eq(last, call))
}

/// What the hook counts is what is there.
#[test]
fn the_old_tree_is_told_from_a_new_one() {
    let desk = Desk::new();
    plant(&desk);
    let old = desk.tree();
    support::age(&desk.folder.join("a"), 5);
    assert_eq!(differences(&old, &desk.tree()).len(), 1);
    let known: HashMap<_, _> = old.iter().map(|(path, thing)| (thing.inode, path)).collect();
    assert!(known.len() >= old.len() - 1, "only the twin shares an inode");
}

/// A log that fails where a commit ends.
struct Unfinished(Arc<dyn Log>);

impl Log for Unfinished {
    fn append(&self, entry: Entry) -> Result<EventId, LogError> {
        match entry.event {
            Event::CommitEnded { .. } => Err(LogError { reason: "the disk reports an error".to_owned() }),
            _ => self.0.append(entry),
        }
    }

    fn queue(&self, entry: Entry) {
        self.0.queue(entry);
    }

    fn flush(&self) -> Result<(), LogError> {
        self.0.flush()
    }
}

#[test]
fn what_the_log_lacks_of_an_end_is_put_on_record_by_the_next_start() {
    let desk = Desk::new();
    desk.file("a.txt", "a");
    let (disk, log) = (Arc::new(deskhand_workspace::disk::System), Arc::new(Unfinished(desk.log())));
    let workspace =
        deskhand_workspace::Workspace::with_disk(&desk.home, Arc::new(support::Standstill), log, Some(desk.task), disk)
            .unwrap();
    desk.add(&workspace, &desk.folder, deskhand_vocabulary::Access::Write);
    support::mv(&workspace, "a.txt", "b.txt").unwrap();
    let done = desk.propose(&workspace).done.unwrap();
    assert_eq!((done.applied, done.rolled_back), (1, false));
    assert_eq!(
        done.warnings,
        [
            "how commit 1 ended is in its journal, but could not be put on record: the disk reports an error. The next start does so"
        ]
    );
    drop(workspace);
    let ended = || {
        let filter = Filter { kinds: vec!["commit-ended".to_owned()], ..Filter::default() };
        let events = desk.records.events(filter).collect::<Result<Vec<_>, _>>().unwrap();
        events.into_iter().map(|recorded| recorded.event).collect::<Vec<_>>()
    };
    assert_eq!(ended(), []);
    let recovered = deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap();
    assert_eq!(recovered.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Some(Outcome::Applied)]);
    let event = Event::CommitEnded { commit: done.id, outcome: "applied".to_owned(), applied: 1, refused: 0 };
    assert_eq!(ended(), [event]);
    assert_eq!(deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap(), []);
    assert_eq!(desk.read("b.txt"), "a");
}
