//! Journals that are damaged or gone: each commit is still named, nothing is given up, and what is kept can be had again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_vocabulary::{CommitId, Log as _};
use deskhand_workspace::{PurgeOptions, Standing, UndoOptions, recover};
use std::{fs, path::PathBuf};
use support::{Desk, age_all, mv, outline, path, put, rm};

/// A folder in which one commit has moved, written over and removed.
fn changed() -> Desk {
    let desk = Desk::new();
    for name in ["a", "b", "removed", "written"] {
        desk.file(name, name);
    }
    age_all(&desk.folder);
    let task = desk.open();
    task.make_folder(&path("in")).unwrap();
    mv(&task, "a", "in/a").unwrap();
    put(&task, "written", "anew").unwrap();
    rm(&task, "removed").unwrap();
    assert_eq!(desk.propose(&task).done.unwrap().refused, []);
    desk
}

fn journal(desk: &Desk) -> PathBuf {
    desk.home.commits().join("1/journal")
}

/// What a person is told of commit 1 must be the truth, whatever has become of its journal.
fn check(desk: &Desk, what: &str) {
    let listed = desk.history().list().unwrap();
    assert_eq!(listed.len(), 1, "{what}: the commit is named");
    let one = &listed[0];
    assert_eq!((one.commit, one.standing, one.title.as_str()), (CommitId(1), Standing::Damaged, "Test"), "{what}");
    assert!(one.not_undoable.as_ref().unwrap().contains("`deskhand restore 1`"), "{what}");
    let damaged = desk.history().damage_of(CommitId(1)).unwrap().unwrap();
    assert_eq!(
        damaged.changes,
        ["remove Files/removed", "make-folder Files/in", "write Files/written", "move Files/a -> Files/in/a"],
        "{what}"
    );
    let kept: Vec<_> = damaged.kept.iter().map(|kept| kept.was.clone().unwrap()).collect();
    assert_eq!(kept, [desk.folder.join("removed"), desk.folder.join("written")], "{what}");
    // nothing of it is thrown away: not by a start, not by age, not by its quota
    assert!(recover(&desk.home, &*desk.log()).unwrap().iter().all(|one| one.outcome.is_none()), "{what}");
    let options = PurgeOptions { quota: Some(0), days: 0, ..PurgeOptions::default() };
    let purged = desk.history().purge(&*desk.log(), jiff::Timestamp::MAX, &options).unwrap();
    assert_eq!(purged.commits, [], "{what}");
    let error = desk.preview(1, &UndoOptions::default()).unwrap_err().to_string();
    assert!(error.contains("its journal"), "{what}: {error}");
    assert_eq!(outline(&desk.tree()), ["b=b", "in/", "in/a=a", "written=anew"], "{what}");
}

fn restored(desk: &Desk) {
    let damaged = desk.history().damage_of(CommitId(1)).unwrap().unwrap();
    let task = desk.open();
    for (kept, to) in damaged.kept.iter().zip(["back", "old"]) {
        desk.history().restore_kept(&task, &damaged, kept, &path(to)).unwrap();
    }
    desk.propose(&task);
    assert_eq!((desk.read("back"), desk.read("old")), ("removed".to_owned(), "written".to_owned()));
}

#[test]
fn a_journal_that_is_gone() {
    let desk = changed();
    fs::remove_file(journal(&desk)).unwrap();
    check(&desk, "journal");
    fs::remove_dir(desk.home.commits().join("1")).unwrap();
    check(&desk, "its folder");
    fs::remove_dir_all(desk.home.commits()).unwrap();
    check(&desk, "all journals");
    restored(&desk);
    // the number of what is not known any more is not given again
    assert_eq!(desk.history().list().unwrap()[0].commit, CommitId(2));
}

#[test]
fn a_journal_cut_off_anywhere() {
    let desk = changed();
    let whole = fs::read(journal(&desk)).unwrap();
    for length in (0..whole.len()).step_by(61).chain([whole.len() - 1]) {
        fs::write(journal(&desk), &whole[..length]).unwrap();
        check(&desk, &format!("cut to {length} of {}", whole.len()));
    }
    restored(&desk);
    fs::write(journal(&desk), &whole).unwrap();
    assert_eq!(desk.history().list().unwrap()[1].standing, Standing::Applied);
}

#[test]
fn a_journal_with_one_bit_changed() {
    let desk = changed();
    let whole = fs::read(journal(&desk)).unwrap();
    for at in (0..whole.len()).step_by(47) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(journal(&desk), &bytes).unwrap();
        check(&desk, &format!("byte {at} of {}", whole.len()));
    }
}

/// The process died while it applied, and its journal was damaged after.
#[test]
fn a_damaged_journal_of_an_apply_under_way() {
    let desk = changed();
    let whole = fs::read(journal(&desk)).unwrap();
    fs::write(desk.home.commits().join("1/lock"), "").unwrap();
    fs::write(journal(&desk), &whole[..whole.len() / 2]).unwrap();
    check(&desk, "locked");
    assert!(journal(&desk).is_file(), "it is left as it is");
    restored(&desk);
}

/// The contents of the log may be gone as well; then what lies in the store has no name, but is there.
#[test]
fn without_the_plan_on_record() {
    let desk = changed();
    fs::remove_file(journal(&desk)).unwrap();
    desk.records.forget_task(desk.task).unwrap();
    let damaged = desk.history().damage_of(CommitId(1)).unwrap().unwrap();
    assert_eq!(damaged.changes, [""; 0]);
    assert_eq!(damaged.kept.len(), 2);
    assert!(damaged.kept.iter().all(|kept| kept.was.is_none()));
}

#[test]
fn what_a_person_gives_up_by_name_is_gone() {
    let desk = changed();
    fs::remove_file(journal(&desk)).unwrap();
    let options = PurgeOptions { commits: vec![CommitId(1)], ..PurgeOptions::default() };
    let purged = desk.history().purge(&*desk.log(), jiff::Timestamp::UNIX_EPOCH, &options).unwrap();
    assert_eq!(purged.commits, [CommitId(1)]);
    let damaged = desk.history().damaged().unwrap();
    assert!(damaged[0].given_up && damaged[0].kept.is_empty());
}

/// So that nobody learns what a task was about that is to be forgotten.
#[test]
fn what_a_person_gives_up_with_its_names_is_not_known_any_more() {
    let desk = changed();
    let options = PurgeOptions { commits: vec![CommitId(1)], names: true, ..PurgeOptions::default() };
    let would = PurgeOptions { dry_run: true, ..options.clone() };
    let purge = |options| desk.history().purge(&*desk.log(), jiff::Timestamp::UNIX_EPOCH, options).unwrap();
    assert_eq!((purge(&would).commits, desk.history().list().unwrap().len()), (vec![CommitId(1)], 1));
    assert_eq!(purge(&options).commits, [CommitId(1)]);
    assert_eq!(desk.history().list().unwrap(), []);
    assert!(!journal(&desk).exists());
    assert_eq!((desk.history().damaged().unwrap(), desk.history().missing().unwrap()), (vec![], vec![]));
    let unknown = desk.preview(1, &UndoOptions::default()).unwrap_err();
    assert_eq!(unknown.to_string(), deskhand_workspace::WorkspaceError::NoCommit(1).to_string());
    // no number is given twice
    let task = desk.open();
    put(&task, "more", "more").unwrap();
    assert_eq!(desk.propose(&task).commit, Some(CommitId(2)));
    desk.undo(2);
}

#[test]
fn what_is_missing_from_the_store_is_told() {
    let desk = changed();
    assert_eq!(desk.history().missing().unwrap(), []);
    let stored = desk.home.store().join("1");
    for entry in fs::read_dir(&stored).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let missing = desk.history().missing().unwrap();
    assert_eq!((missing.len(), missing[0].commit), (1, CommitId(1)));
    assert_eq!(missing[0].files, [path("removed"), path("written")]);
    // what can be taken back still is
    let undone = desk.undo(1).done.unwrap();
    assert_eq!(undone.undone, 2);
    assert_eq!(outline(&desk.tree())[0], "a=a");
    // an undo takes what was kept with it: that is no loss
    let other = changed();
    other.undo(1);
    assert_eq!(other.history().missing().unwrap(), []);
    desk.records
        .append(deskhand_vocabulary::Entry {
            task: None,
            event: deskhand_vocabulary::Event::Purged { commits: vec![CommitId(1)], bytes: 0 },
            content: None,
        })
        .unwrap();
    assert_eq!(desk.history().missing().unwrap(), []);
}
