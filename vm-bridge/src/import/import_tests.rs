use super::*;
use erofs_rs::{EroFS, backend::SliceImage, types::Inode};
use std::{
    fs::{self, FileTimes, Permissions},
    os::unix::{
        ffi::OsStringExt as _,
        fs::{FileExt as _, MetadataExt as _, PermissionsExt as _},
    },
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

/// An image, as another reader of its format has it.
struct Image<'a>(EroFS<SliceImage<'a>>);

impl Image<'_> {
    /// The names in a folder, and what is there under them.
    fn list(&self, path: &[u8]) -> Vec<(Vec<u8>, Inode)> {
        let entries = self.0.read_dir(path).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.dir_entry.file_name().to_vec(), entry.inode)).collect()
    }

    fn at(&self, path: &[u8]) -> Inode {
        let cut = path.iter().rposition(|byte| *byte == b'/').unwrap();
        self.list(&path[..cut]).into_iter().find(|(name, _)| *name == path[cut + 1..]).unwrap().1
    }

    fn content(&self, path: &[u8]) -> Vec<u8> {
        let file = self.0.open(path).unwrap();
        let mut bytes = vec![0; usize::try_from(file.size()).unwrap()];
        let mut at = 0;
        while at < bytes.len() {
            let read = file.read_at(&mut bytes[at..], at as u64).unwrap();
            assert!(read > 0);
            at += read;
        }
        bytes
    }
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
    let mut bytes = vec![0; usize::try_from(SIZE).unwrap()];
    disk.read_exact_at(&mut bytes, 0).unwrap();
    let image = Image(EroFS::new(SliceImage::new(&bytes)).unwrap());
    for own in ["0", "1"] {
        let path = |inner: &str| format!("/{own}/{inner}").into_bytes();
        for size in sizes {
            assert_eq!(image.content(&path(&format!("of {size}"))), content(size), "{size}");
        }
        let names = |inner: &str| image.list(&path(inner)).len();
        assert_eq!((names("deep/deeper"), names("deep"), names("covered")), (301, 1, 0));
        assert_eq!(image.content(&path(&format!("deep/deeper/299{}", "x".repeat(240)))), b"299");
        assert_eq!(image.content(&[&path("deep/deeper/")[..], b"\xff\n"].concat()), b"odd");
        let link = image.at(&path("link"));
        assert_eq!(image.0.read_link_inode(link).unwrap().as_bytes(), b"deep/deeper/7");
        let one = image.at(&path("of 1"));
        assert_eq!((one.permissions(), one.modified_unix()), (0o751, (1_700_000_000, 123_456_789)));
        assert_eq!((one.uid(), one.gid(), one.nlink()), (OWNER, OWNER, 1));
        assert_eq!((image.at(&path("covered")).permissions(), image.at(&path("deep")).nlink()), (0, 3));
    }
}
