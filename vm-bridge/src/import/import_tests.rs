use super::*;
use std::{
    fs::{self, FileTimes, Permissions},
    os::unix::{
        ffi::OsStringExt as _,
        fs::{MetadataExt as _, PermissionsExt as _},
    },
    process::Command,
    time::{Duration, SystemTime},
};

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

/// What is in an image, as the format's own tools have it.
fn unpacked(disk: &fs::File) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let image = place.path().join("image");
    std::io::copy(&mut { disk }, &mut fs::File::create(&image).unwrap()).unwrap();
    let mut extract = std::ffi::OsString::from("--extract=");
    extract.push(place.path().join("files"));
    let ran = Command::new("fsck.erofs").arg(extract).arg("--preserve-perms").arg(&image).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    place
}

#[test]
fn what_is_packed_is_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut share = many(folder.path());
    let sizes = [0, 1, 4031, 4032, 4033, 4096, 4097, 8192, 300_000];
    let content = |size: usize| (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect::<Vec<u8>>();
    for size in sizes {
        fs::write(folder.path().join(format!("of {size}")), content(size)).unwrap();
    }
    let deep = folder.path().join("deep/deeper");
    fs::create_dir_all(&deep).unwrap();
    for number in 0..300 {
        fs::write(deep.join(format!("{number}{}", "x".repeat(240))), format!("{number}")).unwrap();
    }
    fs::write(deep.join(std::ffi::OsString::from_vec(b"\xff\n".to_vec())), "odd").unwrap();
    std::os::unix::fs::symlink("deep/deeper/7", folder.path().join("link")).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    let file = File::options().write(true).open(folder.path().join("of 1")).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
    file.set_permissions(Permissions::from_mode(0o4751)).unwrap();
    fs::create_dir_all(folder.path().join("covered/in")).unwrap();
    share.covered.push("covered".into());

    let disk = tempfile::tempfile().unwrap();
    assert_eq!(pack(&[share.clone(), share], &disk).unwrap(), [true, true]);
    let image = unpacked(&disk);
    for own in ["0", "1"] {
        let path = |inner: &str| image.path().join("files").join(own).join(inner);
        for size in sizes {
            assert!(fs::read(path(&format!("of {size}"))).unwrap() == content(size), "{size}");
        }
        let names = |inner: &str| fs::read_dir(path(inner)).unwrap().count();
        assert_eq!((names("deep/deeper"), names("deep"), names("")), (301, 1, FEWEST + 12));
        assert_eq!(fs::read(path(&format!("deep/deeper/299{}", "x".repeat(240)))).unwrap(), b"299");
        let odd = path("deep/deeper").join(std::ffi::OsString::from_vec(b"\xff\n".to_vec()));
        assert_eq!(fs::read(odd).unwrap(), b"odd");
        assert_eq!(fs::read_link(path("link")).unwrap(), Path::new("deep/deeper/7"));
        let one = fs::metadata(path("of 1")).unwrap();
        assert_eq!((one.mode() & 0o7777, one.mtime(), one.mtime_nsec()), (0o751, 1_700_000_000, 123_456_789));
        let covered = fs::metadata(path("covered")).unwrap();
        assert_eq!((covered.mode() & 0o7777, covered.nlink(), fs::metadata(path("deep")).unwrap().nlink()), (0, 2, 3));
    }
}
