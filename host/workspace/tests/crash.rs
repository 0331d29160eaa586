//! The applying process is killed, and recovery brings the tree to what it was before or to what it was to be, byte for
//! byte and with all that belongs to it. Nothing is in neither.
//!
//! `CRASH_SCHEDULES` sets how many kills are tried (2,400 where it is not set).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use support::{
    Desk, Tree, differences,
    model::{plant, read_model},
    scratch,
};

/// The program that is killed, as it is built with these tests.
fn victim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| support::built("victim"))
}

/// Run the victim. True if it was killed; else it has ended well, and says how many calls it made.
fn run(desk: &Path, arguments: &[&str]) -> Result<u64, ()> {
    let output = Command::new(victim()).arg(desk).args(arguments).env_remove("RUST_BACKTRACE").output().unwrap();
    if output.status.signal() == Some(9) {
        return Err(());
    }
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).unwrap().trim().parse().unwrap())
}

/// A copy of a tree that keeps hard links, times and attributes, as `cp -a` makes it.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

/// A tree without what differs from one run to the next: inodes, and the times of what came to be in it.
fn comparable(tree: &Tree, before: &Tree) -> Vec<String> {
    let known: Vec<_> = before.values().map(|thing| thing.modified).collect();
    tree.iter()
        .map(|(path, thing)| {
            let folder = thing.mode & 0o170_000 == 0o040_000;
            let time = if folder || !known.contains(&thing.modified) { None } else { Some(thing.modified) };
            format!(
                "{} {:o} {:?} {time:?} {:?} {:?} {}",
                String::from_utf8_lossy(path),
                thing.mode,
                thing.owner,
                thing.content,
                thing.xattrs,
                thing.links
            )
        })
        .collect()
}

struct Count {
    tried: u64,
    old: u64,
    new: u64,
}

/// After a kill: recover, and see that the tree is one of the two; if it is the new one, that it can be undone.
fn judge(place: &Path, old: &Tree, new: &[String], commit: u64, count: &mut Count) {
    count.tried += 1;
    let desk = Desk::existing(place);
    let recovered = deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap();
    for one in &recovered {
        assert_eq!(one.notes, Vec::<String>::new(), "{recovered:?}");
    }
    let tree = desk.tree();
    let lost = differences(old, &tree);
    if lost.is_empty() {
        count.old += 1;
    } else {
        assert_eq!(comparable(&tree, old), new, "neither old nor new; from old: {lost:#?}");
        count.new += 1;
        let undone = desk.undo(commit);
        assert_eq!(undone.done.unwrap().refused, []);
        assert_eq!(differences(old, &desk.tree()), Vec::<String>::new(), "the new tree could not be undone");
    }
    assert!(deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap().is_empty(), "recovery is not done");
    // nothing staged is left behind where nothing was done
    if lost.is_empty() && commit == 1 {
        let left: Vec<_> = support::snapshot(&desk.home.store()).into_keys().filter(|path| !path.is_empty()).collect();
        assert_eq!(left, Vec::<Vec<u8>>::new(), "{recovered:?}");
    }
}

fn schedules() -> u64 {
    std::env::var("CRASH_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_400)
}

#[test]
fn a_killed_apply_or_undo_leaves_the_old_tree_or_the_new_one() {
    let wanted = schedules();
    let next = std::sync::atomic::AtomicU64::new(1);
    let total = std::sync::Mutex::new(Count { tried: 0, old: 0, new: 0 });
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while total.lock().unwrap().tried < wanted {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    let mut count = Count { tried: 0, old: 0, new: 0 };
                    one_piece_of_work(seed, &mut count);
                    let mut total = total.lock().unwrap();
                    total.tried += count.tried;
                    total.old += count.old;
                    total.new += count.new;
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    assert!(total.tried >= wanted);
    assert!(total.old > total.tried / 4 && total.new > total.tried / 20, "{} old, {} new", total.old, total.new);
}

/// Kill one random apply at each of its calls, then its undo at each of its calls, and some of the recoveries too.
fn one_piece_of_work(seed: u64, count: &mut Count) {
    let (seed_text, ops) = (seed.to_string(), (4 + seed % 14).to_string());
    let planted = scratch();
    let place = planted.path().join("planted");
    fs::create_dir(&place).unwrap();
    plant(&Desk::existing(&place));

    // once without a kill, to know what is to come
    let whole = planted.path().join("whole");
    copy(&place, &whole);
    let before = support::snapshot(&whole.join("Files"));
    let calls = run(&whole, &["apply", &seed_text, &ops, "0"]).unwrap();
    let after = comparable(&support::snapshot(&whole.join("Files")), &before);
    if after == comparable(&before, &before) {
        return;
    }
    for at in 1..=calls {
        let here = planted.path().join("here");
        copy(&place, &here);
        let old = support::snapshot(&here.join("Files"));
        run(&here, &["apply", &seed_text, &ops, &at.to_string()]).unwrap_err();
        if at % 5 == 0 {
            // recovery is killed as well, and begun again
            for kill in 1.. {
                count.tried += 1;
                if run(&here, &["recover", &kill.to_string()]).is_ok() {
                    count.tried -= 1;
                    break;
                }
            }
        }
        judge(&here, &old, &after, 1, count);
        fs::remove_dir_all(&here).unwrap();
    }

    // the undo of that, killed at each call: what was, or what the apply had made
    let total = {
        let here = planted.path().join("counted");
        copy(&place, &here);
        run(&here, &["apply", &seed_text, &ops, "0"]).unwrap();
        run(&here, &["undo", "1", "0"]).unwrap()
    };
    for at in (1..=total).step_by(2) {
        let here = planted.path().join("here");
        copy(&place, &here);
        let original = support::snapshot(&here.join("Files"));
        run(&here, &["apply", &seed_text, &ops, "0"]).unwrap();
        let applied = support::snapshot(&here.join("Files"));
        run(&here, &["undo", "1", &at.to_string()]).unwrap_err();
        let back = comparable(&original, &applied);
        judge(&here, &applied, &back, 2, count);
        // and whichever it is, nothing is lost: the original comes back
        let desk = Desk::existing(&here);
        let standing: Vec<_> = desk.history().list().unwrap();
        let undoable = standing.iter().find(|listed| listed.commit.0 != 2 && listed.not_undoable.is_none());
        if let Some(listed) = undoable {
            desk.undo(listed.commit.0);
        }
        assert_eq!(read_model(&desk.folder), read_model(&place.join("Files")));
        fs::remove_dir_all(&here).unwrap();
    }
}
