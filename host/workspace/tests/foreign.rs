//! A disk without hard links, permissions and lasting inode numbers: writing over, copying and removing, undo after it was
//! mounted anew, and an apply that dies at any of its calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, unreachable_pub)]

mod support;

use deskhand_vocabulary::Stop;
use deskhand_workspace::{UndoOptions, recover};
use rustix::io::Errno;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use support::{Desk, cp, faults::Hooked, mv, outline, path, put, rm};

fn done(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A FAT disk in a file, mounted at a folder.
struct Disk {
    image: PathBuf,
    at: PathBuf,
    kind: &'static str,
}

impl Disk {
    fn all(place: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        for (kind, make) in [("vfat", &["mkfs.vfat", "-F", "32"][..]), ("exfat", &["mkfs.exfat"])] {
            let disk = Self { image: place.join(format!("{kind}.img")), at: place.join(kind), kind };
            fs::File::create(&disk.image).unwrap().set_len(48 << 20).unwrap();
            fs::create_dir(&disk.at).unwrap();
            if done(Command::new(make[0]).args(&make[1..]).arg(&disk.image)) && disk.mount() {
                found.push(disk);
            } else {
                eprintln!("skipped: no {kind} disk can be made and mounted here");
            }
        }
        found
    }

    fn mount(&self) -> bool {
        if done(Command::new("mount").args(["-t", self.kind, "-o", "loop"]).arg(&self.image).arg(&self.at)) {
            return true;
        }
        self.release();
        let device = Command::new("losetup").args(["-f", "--show"]).arg(&self.image).output();
        self.kind == "exfat"
            && device.is_ok_and(|device| {
                let device = String::from_utf8_lossy(&device.stdout).trim().to_owned();
                let mounted = done(Command::new("mount.exfat-fuse").arg(&device).arg(&self.at));
                // goes when it is unmounted
                let _ = done(Command::new("losetup").args(["-d", &device]));
                mounted
            })
    }

    /// A mount that fails leaves its loop device behind.
    fn release(&self) {
        let Ok(found) = Command::new("losetup").args(["-n", "-O", "NAME", "-j"]).arg(&self.image).output() else {
            return;
        };
        for device in String::from_utf8_lossy(&found.stdout).split_whitespace() {
            let _ = done(Command::new("losetup").args(["-d", device]));
        }
    }

    fn remount(&self) {
        assert!(done(Command::new("umount").arg(&self.at)), "{} is in use", self.kind);
        assert!(self.mount());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = done(Command::new("umount").arg(&self.at));
        self.release();
    }
}

/// A desk whose folder is on the disk, and its home beside it.
fn desk(place: &Path, disk: &Disk, name: &str) -> Desk {
    let desk = Desk::existing(&place.join(name));
    let folder = disk.at.join(name).join("Files");
    fs::create_dir_all(&folder).unwrap();
    let desk = Desk { folder, ..desk };
    for name in ["a", "b", "c", "d"] {
        desk.file(name, name);
    }
    desk
}

const OLD: [&str; 4] = ["a=a", "b=b", "c=c", "d=d"];
const NEW: [&str; 6] = ["B=b", "a=anew", "copy=c", "in/", "in/c=c", "in/deep/"];

fn change(task: &deskhand_workspace::Workspace) -> Result<(), deskhand_workspace::FileError> {
    put(task, "a", "anew")?;
    cp(task, "c", "copy")?;
    task.make_folder(&path("in"))?;
    task.make_folder(&path("in/deep"))?;
    mv(task, "c", "in/c")?;
    mv(task, "b", "B")?;
    rm(task, "d").map(drop)
}

#[test]
fn changes_are_made_and_undone_after_it_was_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    for disk in Disk::all(dir.path()) {
        fs::create_dir(dir.path().join("one")).unwrap();
        let desk = desk(dir.path(), &disk, "one");
        let task = desk.open();
        change(&task).unwrap();
        let done = desk.propose(&task).done.unwrap();
        assert_eq!(done.refused, [], "{}", disk.kind);
        drop(task);
        for (commit, now) in [(1, &OLD[..]), (2, &NEW), (3, &OLD)] {
            disk.remount();
            let undone = desk.undo_with(commit, &UndoOptions::default()).done.unwrap();
            assert_eq!(undone.refused, [], "{} {commit}", disk.kind);
            assert_eq!(outline(&desk.tree()), now, "{} {commit}", disk.kind);
        }
        assert_eq!(desk.history().missing().unwrap(), []);
        fs::remove_dir_all(dir.path().join("one")).unwrap();
    }
}

/// Every call after the first so many fails, so that nothing can be taken back at once; the disk is taken out, and the
/// next start finds what is left.
#[test]
fn an_apply_that_dies_is_recovered_after_it_was_taken_out() {
    let dir = tempfile::tempdir().unwrap();
    for disk in Disk::all(dir.path()) {
        let (mut old, mut new) = (0, 0);
        for calls in (1..).step_by(3) {
            let name = format!("{}-{calls}", disk.kind);
            fs::create_dir(dir.path().join(&name)).unwrap();
            let desk = desk(dir.path(), &disk, &name);
            let made = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&made);
            let hook = move |_: &support::faults::Call| match counted.fetch_add(1, Ordering::Relaxed) < calls {
                true => Ok(()),
                false => Err(Errno::IO),
            };
            let task = desk.open_with(Arc::new(Hooked::without_paths(hook)));
            // what is staged counts as well
            let whole = change(&task).is_ok() && desk.try_propose(&task, &Stop::default()).is_ok();
            let finished = whole && made.load(Ordering::Relaxed) < calls;
            drop(task);
            disk.remount();
            for recovered in recover(&desk.home, &*desk.log()).unwrap() {
                assert_eq!(recovered.notes, [""; 0], "{name}");
            }
            let now = outline(&desk.tree());
            if now == OLD {
                old += 1;
            } else {
                assert_eq!(now, NEW, "{name}");
                new += 1;
            }
            if finished {
                break;
            }
        }
        assert!(old > 3 && new > 0, "{}: {old} old, {new} new", disk.kind);
    }
}
