//! Snapshots: one is made, used, and thrown away when it is not what it was.

use crate::kit::{alone, bridge_at, run, shell};
use deskhand_vm_bridge::Reach;
use std::{fs, io::Write as _, os::unix::fs::FileExt as _, path::Path};

/// The one snapshot of a folder.
fn only(folder: &Path) -> std::path::PathBuf {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn two_guests_of_one_snapshot_are_two_machines() {
    let _alone = alone();
    let folder = tempfile::tempdir_in(crate::kit::folder()).unwrap();
    let bridge = bridge_at(folder.path());
    let random = || {
        let guest = bridge.guest(&Reach::default()).unwrap();
        let output =
            shell(&guest, "od -An -tx1 -N32 /dev/urandom; python3 -c 'import uuid; print(uuid.uuid4())'; date +%s")
                .output;
        let time = output.lines().last().unwrap().parse::<u64>().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(time) < 60, "{time} is not {now}");
        output
    };
    let (first, second) = (random(), random());
    assert_ne!(first.lines().next(), second.lines().next());
    assert_ne!(first.lines().nth(2), second.lines().nth(2));
}

#[test]
fn what_one_guest_writes_no_other_sees() {
    let _alone = alone();
    let folder = tempfile::tempdir_in(crate::kit::folder()).unwrap();
    let bridge = bridge_at(folder.path());
    let guest = bridge.guest(&Reach::default()).unwrap();
    assert_eq!(
        shell(&guest, "echo secret > here; head -c 50000000 /dev/urandom > /tmp/large; cat here").output,
        "secret\n"
    );
    drop(guest);
    let guest = bridge.guest(&Reach::default()).unwrap();
    assert_eq!(shell(&guest, "ls -A . /tmp").output, ".:\n\n/tmp:\n");
}

#[test]
fn a_snapshot_that_was_changed_is_thrown_away_and_made_again() {
    let _alone = alone();
    let folder = tempfile::tempdir_in(crate::kit::folder()).unwrap();
    let bridge = bridge_at(folder.path());
    drop(bridge.guest(&Reach::default()).unwrap());
    for part in ["memory", "devices", "scratch"] {
        let snapshot = only(folder.path());
        let file = fs::File::options().read(true).write(true).open(snapshot.join(part)).unwrap();
        let mut bytes = vec![0; 4096];
        // one bit, where there is something
        let read = file.read_at(&mut bytes, if part == "devices" { 0 } else { 4 << 20 }).unwrap();
        bytes[read / 2] ^= 1;
        file.write_at(&bytes[..read], if part == "devices" { 0 } else { 4 << 20 }).unwrap();
        let before = fs::read(snapshot.join("seal.json")).unwrap();
        assert_eq!(run(&bridge.guest(&Reach::default()).unwrap(), &["echo", part]).output, format!("{part}\n"));
        assert_ne!(fs::read(only(folder.path()).join("seal.json")).unwrap(), before);
    }
    let snapshot = only(folder.path());
    fs::File::create(snapshot.join("seal.json")).unwrap().write_all(b"{}").unwrap();
    assert_eq!(run(&bridge.guest(&Reach::default()).unwrap(), &["echo", "seal"]).output, "seal\n");
}
