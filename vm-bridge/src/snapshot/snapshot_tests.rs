use super::*;
use std::os::unix::fs::FileExt as _;

/// A snapshot with a memory that is mostly holes.
fn made(snapshots: &Snapshots, key: Sha256) -> PathBuf {
    let making = snapshots.make(key, &[]).unwrap();
    let memory = making.file("memory", 64 << 20).unwrap();
    memory.write_all_at(b"a page", 5 << 20).unwrap();
    memory.write_all_at(b"another page", 40 << 20).unwrap();
    making.file("devices", 0).unwrap().write_all_at(b"devices", 0).unwrap();
    making.file("scratch", 1 << 30).unwrap().write_all_at(b"a file system", 1024).unwrap();
    making.keep(snapshots).unwrap();
    snapshots.0.join(key.to_string())
}

#[test]
fn a_snapshot_is_restored_as_it_was_made_and_its_disk_is_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(folder.path().join("snapshots")).unwrap();
    let key = Sha256::of("key");
    assert!(snapshots.restore(key).unwrap().is_none());
    made(&snapshots, key);
    let mut snapshot = snapshots.restore(key).unwrap().unwrap();
    let copy = snapshots.scratch_of(&mut snapshot.scratch).unwrap();
    let mut text = [0; 13];
    copy.read_exact_at(&mut text, 1024).unwrap();
    assert_eq!((&text, copy.metadata().unwrap().len()), (b"a file system", 1 << 30));
    copy.write_all_at(b"something else", 1024).unwrap();
    assert!(snapshots.restore(key).unwrap().is_some());
    // the copy has no name
    assert_eq!(fs::read_dir(&snapshots.0).unwrap().count(), 1);
}

/// What is done to a snapshot, and how.
type Change = (&'static str, fn(&Path));

#[test]
fn a_snapshot_that_is_not_what_it_was_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(folder.path()).unwrap();
    let key = Sha256::of("key");
    let changes: [Change; 6] = [
        ("a bit of the memory", |path| write(path, "memory", b"b", 5 << 20)),
        ("a page moved into a hole", |path| write(path, "memory", b"a page", 20 << 20)),
        ("a bit of the devices", |path| write(path, "devices", b"D", 0)),
        ("a bit of the disk", |path| write(path, "scratch", b"A", 1024)),
        ("a part that is missing", |path| fs::remove_file(path.join("scratch")).unwrap()),
        ("no seal", |path| fs::write(path.join("seal.json"), "{}").unwrap()),
    ];
    for (what, change) in changes {
        let path = made(&snapshots, key);
        change(&path);
        assert!(snapshots.restore(key).unwrap().is_none(), "{what}");
        assert!(!path.exists(), "{what}");
    }
}

fn write(folder: &Path, part: &str, bytes: &[u8], at: u64) {
    File::options().write(true).open(folder.join(part)).unwrap().write_all_at(bytes, at).unwrap();
}

#[test]
fn a_part_that_is_a_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(folder.path().join("snapshots")).unwrap();
    let key = Sha256::of("key");
    let path = made(&snapshots, key);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(path.join("memory"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, path.join("memory")).unwrap();
    assert!(snapshots.restore(key).unwrap().is_none());
}

#[test]
fn snapshots_of_other_keys_go_when_a_new_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::open(folder.path()).unwrap();
    let (old, new) = (Sha256::of("old"), Sha256::of("new"));
    let old_path = made(&snapshots, old);
    let new_path = made(&snapshots, new);
    assert_eq!((old_path.exists(), new_path.exists()), (false, true));
    assert!(snapshots.clear().unwrap() > 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
