use super::*;
use std::{fs, os::unix::fs::MetadataExt as _};

fn share(path: &Path) -> Share {
    let path = path.canonicalize().unwrap();
    let found = fs::metadata(&path).unwrap();
    let id = (found.dev(), found.ino());
    Share { name: b"files".to_vec(), path, id, covered: Vec::new(), pending: None, writable: true, live: false }
}

fn many(folder: &Path) -> Share {
    for number in 0..FEWEST {
        fs::write(folder.join(number.to_string()), "content").unwrap();
    }
    share(folder)
}

fn packed(shares: &[Share]) -> Vec<bool> {
    let disk = tempfile::tempfile().unwrap();
    let packed = pack(shares, &disk).unwrap();
    assert_eq!(disk.metadata().unwrap().len(), SIZE);
    packed
}

#[test]
fn what_is_packed_is_chosen_by_what_it_is() {
    let [all, few, wanted] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let all = many(all.path());
    fs::write(few.path().join("one"), "").unwrap();
    let few = share(few.path());
    let live = Share { live: true, ..many(wanted.path()) };
    let replaced = Share { id: (1, 2), ..all.clone() };
    assert_eq!(packed(&[all, few, live, replaced]), [true, false, false, false]);
    assert_eq!(packed(&[]), [] as [bool; 0]);
}

#[test]
fn what_only_the_folder_itself_can_show_is_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    let share = many(folder.path());
    assert_eq!(packed(std::slice::from_ref(&share)), [true]);
    rustix::fs::mknodat(CWD, folder.path().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(packed(std::slice::from_ref(&share)), [false]);
    fs::remove_file(folder.path().join("pipe")).unwrap();
    fs::File::create(folder.path().join("large")).unwrap().set_len(BYTES + 1).unwrap();
    assert_eq!(packed(&[share]), [false]);
}

#[test]
fn a_file_that_is_another_when_it_is_read_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let share = many(folder.path());
    let found = find(&share).unwrap();
    fs::remove_file(folder.path().join("7")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("7")).unwrap();
    assert!(write(vec![found], &tempfile::tempfile().unwrap()).is_err());
}
