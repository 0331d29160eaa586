//! An apply that the person stops is taken back, on real folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_vocabulary::Stop;
use deskhand_workspace::{Standing, State};
use std::fs;
use support::{Desk, age_all, differences, mv, outline, path};

#[test]
fn a_stopped_apply_is_taken_back() {
    let desk = Desk::new();
    for index in 0..20 {
        desk.file(&format!("file {index:02}"), &index.to_string());
    }
    age_all(&desk.folder);
    let before = desk.tree();
    let stop = Stop::default();
    let disk = support_faults::StopAfter { stop: stop.clone(), renames: std::sync::atomic::AtomicU64::new(10) };
    let task = desk.open_with(std::sync::Arc::new(disk));
    task.make_folder(&path("In")).unwrap();
    for index in 0..20 {
        mv(&task, &format!("file {index:02}"), &format!("In/{index}")).unwrap();
    }
    let decision = desk.try_propose(&task, &stop).unwrap();
    assert_eq!(decision.state, State::Cancelled);
    assert!(decision.done.unwrap().rolled_back);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
    assert_eq!(desk.history().list().unwrap()[0].standing, Standing::RolledBack);
}

/// A disk during whose work the person stops.
mod support_faults {
    use deskhand_vocabulary::Stop;
    use deskhand_workspace::disk::{Disk, System};
    use rustix::{
        fd::{BorrowedFd, OwnedFd},
        io::Errno,
    };
    use std::{
        ffi::OsStr,
        sync::atomic::{AtomicU64, Ordering},
    };

    pub struct StopAfter {
        pub stop: Stop,
        pub renames: AtomicU64,
    }

    type Done = Result<(), Errno>;

    impl Disk for StopAfter {
        fn rename(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Done {
            if self.renames.fetch_sub(1, Ordering::SeqCst) == 1 {
                self.stop.stop();
            }
            System.rename(from, name, to, new)
        }
        fn exchange(&self, a: BorrowedFd<'_>, name: &[u8], b: BorrowedFd<'_>, other: &[u8]) -> Done {
            System.exchange(a, name, b, other)
        }
        fn link(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Done {
            System.link(from, name, to, new)
        }
        fn unlink(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Done {
            System.unlink(folder, name)
        }
        fn remove_folder(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Done {
            System.remove_folder(folder, name)
        }
        fn make_folder(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Done {
            System.make_folder(folder, name, mode)
        }
        fn make_link(&self, text: &[u8], folder: BorrowedFd<'_>, name: &[u8]) -> Done {
            System.make_link(text, folder, name)
        }
        fn create(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd, Errno> {
            System.create(folder, name, mode)
        }
        fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Done {
            System.write(file, bytes)
        }
        fn copy(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> Done {
            System.copy(from, to, size)
        }
        fn set_size(&self, file: BorrowedFd<'_>, size: u64) -> Done {
            System.set_size(file, size)
        }
        fn sync(&self, file: BorrowedFd<'_>) -> Done {
            System.sync(file)
        }
        fn sync_all(&self, file: BorrowedFd<'_>) -> Done {
            System.sync_all(file)
        }
        fn set_times(&self, folder: BorrowedFd<'_>, name: &[u8], accessed: (i64, u32), modified: (i64, u32)) -> Done {
            System.set_times(folder, name, accessed, modified)
        }
        fn set_times_of(&self, file: BorrowedFd<'_>, accessed: (i64, u32), modified: (i64, u32)) -> Done {
            System.set_times_of(file, accessed, modified)
        }
        fn set_mode(&self, file: BorrowedFd<'_>, mode: u32) -> Done {
            System.set_mode(file, mode)
        }
        fn set_owner(&self, file: BorrowedFd<'_>, uid: u32, gid: u32) -> Done {
            System.set_owner(file, uid, gid)
        }
        fn set_xattr(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Done {
            System.set_xattr(file, name, value)
        }
    }
}

/// A new folder is a place where others may put things at once; taking the folder back takes nothing of that along.
#[test]
fn what_came_into_a_new_folder_survives_a_stop() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.file(name, name);
    }
    let stop = Stop::default();
    let (stopper, folder) = (stop.clone(), desk.folder.clone());
    let hook = move |call: &support::faults::Call| {
        if call.name == "rename" && call.paths[0].ends_with("Files/a") {
            fs::write(folder.join("In/mine"), "mine").unwrap();
            stopper.stop();
        }
        Ok(())
    };
    let task = desk.open_with(std::sync::Arc::new(support::faults::Hooked::new(hook)));
    task.make_folder(&path("In")).unwrap();
    task.make_folder(&path("In/deep")).unwrap();
    mv(&task, "a", "In/a").unwrap();
    mv(&task, "b", "In/b").unwrap();
    let decision = desk.try_propose(&task, &stop).unwrap();
    assert!(decision.done.unwrap().rolled_back);
    assert_eq!(outline(&desk.tree()), ["In/", "In/mine=mine", "a=a", "b=b"]);
    assert_eq!(desk.history().list().unwrap()[0].standing, Standing::RolledBack);
}
