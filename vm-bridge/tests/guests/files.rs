//! Folders of the host in a guest: read there, written to there alone, and told of.

use crate::kit::{alone, bridge, run};
use deskhand_vm_bridge::{Collector, Guest, Reach, Share, Step, VmError, Warmth, What};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
};

/// What was told, by folder and path: what it is, and of a file what it holds.
#[derive(Default)]
struct Told {
    found: BTreeMap<String, String>,
    last: String,
}

impl Collector for Told {
    fn found(&mut self, folder: usize, path: &[u8], what: &What) -> Result<(), String> {
        self.last = format!("{folder}/{}", String::from_utf8_lossy(path));
        let what = match what {
            What::File { mode, .. } => format!("file {mode:o}: "),
            What::Folder { opaque } => format!("folder{}", if *opaque { ", opaque" } else { "" }),
            What::Link => "link".to_owned(),
            What::Whiteout => "whiteout".to_owned(),
            What::Other => "other".to_owned(),
        };
        self.found.insert(self.last.clone(), what);
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) {
        self.found.get_mut(&self.last).unwrap().push_str(&String::from_utf8_lossy(bytes));
    }

    fn hole(&mut self, bytes: u64) {
        self.found.get_mut(&self.last).unwrap().push_str(&format!("({bytes} zeros)"));
    }

    fn end(&mut self, whole: bool) {
        if !whole {
            self.found.get_mut(&self.last).unwrap().push_str("(cut short)");
        }
    }

    fn lost(&mut self, folder: usize, path: &[u8]) -> Result<(), String> {
        self.found.insert(format!("{folder}/{}", String::from_utf8_lossy(path)), "lost".to_owned());
        Ok(())
    }
}

fn collect(guest: &Guest) -> Vec<String> {
    let mut told = Told::default();
    guest.collect(&mut told).unwrap();
    told.found.iter().map(|(path, what)| format!("{path} {what}")).collect()
}

fn share(name: &str, path: &Path, writable: bool) -> Share {
    let path = path.canonicalize().unwrap();
    let found = fs::metadata(&path).unwrap();
    let id = (found.dev(), found.ino());
    Share { name: name.as_bytes().to_vec(), path, id, covered: Vec::new(), pending: None, writable, live: true }
}

fn reach(folders: Vec<Share>) -> Reach {
    Reach { folders, proxy: None }
}

fn sh(guest: &Guest, line: &str) -> String {
    let came = run(guest, &["sh", "-c", line]);
    format!("{}{}", came.output, came.error)
}

#[test]
fn a_folder_is_read_and_what_is_written_to_it_stays_in_the_guest_and_is_told() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("My photos");
    fs::create_dir_all(photos.join("sub/deep")).unwrap();
    fs::write(photos.join("a.txt"), "one\n").unwrap();
    fs::write(photos.join("sub/b.txt"), "two\n").unwrap();
    fs::write(photos.join("sub/deep/c.txt"), "three\n").unwrap();
    fs::write(photos.join("private"), "mine\n").unwrap();
    fs::set_permissions(photos.join("private"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(photos.join(".covered")).unwrap();
    fs::write(photos.join(".covered/secret"), "secret\n").unwrap();
    fs::write(folder.path().join("outside"), "outside\n").unwrap();
    symlink(folder.path().join("outside"), photos.join("link")).unwrap();
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("k.txt"), "kept\n").unwrap();

    let mut first = share("My photos", &photos, true);
    first.covered.push(".covered".into());
    let guest = bridge().guest(&reach(vec![first, share("kept", &kept, false)]), Warmth::Booted).unwrap();
    assert_eq!(
        sh(&guest, "ls /mnt; cat '/mnt/My photos/a.txt' /mnt/kept/k.txt '/mnt/My photos/private'"),
        "My photos\nkept\none\nkept\nmine\n"
    );
    assert!(
        sh(&guest, "cat '/mnt/My photos/link' '/mnt/My photos/.covered/secret'; ls '/mnt/My photos/.covered'")
            .lines()
            .all(|line| line.contains("No such file") || line.contains("Permission denied"))
    );
    assert!(
        sh(&guest, "touch /mnt/kept/x /mnt/x")
            .lines()
            .all(|line| line.contains("Read-only") || line.contains("Permission denied"))
    );
    assert_eq!(collect(&guest), [] as [String; 0]);

    let script = "cd '/mnt/My photos'; echo more >> a.txt; echo new > new.txt; rm -r sub; mkdir sub; echo again > sub/d.txt; \
        ln -s a.txt l; mkfifo p; mkdir -p n/m; truncate -s 1T huge; chmod 4755 new.txt";
    assert_eq!(sh(&guest, script), "");
    let expected = [
        "0/a.txt file 644: one\nmore\n",
        "0/huge file 644: (cut short)",
        "0/l link",
        "0/n folder",
        "0/n/m folder",
        "0/new.txt file 4755: new\n",
        "0/p other",
        "0/sub folder, opaque",
        "0/sub/d.txt file 644: again\n",
    ];
    assert_eq!(collect(&guest), expected);
    // only what is new since
    assert_eq!(collect(&guest), [] as [String; 0]);
    // and there are no devices to tell of
    let devices = "cd '/mnt/My photos'; mknod disk b 8 0 2>/dev/null || mknod null c 1 3 2>/dev/null || echo denied";
    assert_eq!(sh(&guest, devices), "denied\n");
    assert_eq!(sh(&guest, "cd '/mnt/My photos'; rm huge l p a.txt; echo newer > new.txt"), "");
    assert_eq!(
        collect(&guest),
        ["0/a.txt whiteout", "0/huge lost", "0/l lost", "0/new.txt file 755: newer\n", "0/p lost"]
    );

    // what was changed in the task is made known
    guest.make(0, b"made", Step::Folder).unwrap();
    let write = |more, bytes: &[u8]| Step::Write { more, bytes: bytes.to_vec() };
    guest.make(0, b"made/file", write(false, b"ab")).unwrap();
    guest.make(0, b"made/file", write(true, b"cd")).unwrap();
    guest.make(0, b"n", Step::Remove).unwrap();
    assert_eq!(
        sh(&guest, "cd '/mnt/My photos'; cat made/file; echo ef >> made/file; ls"),
        "abcdlink\nmade\nnew.txt\nprivate\nsub\n"
    );
    // and not where a job has put a link in the way
    assert_eq!(sh(&guest, "cd '/mnt/My photos'; ln -s /home/user away"), "");
    assert!(matches!(guest.make(0, b"away/x", write(false, b"x")), Err(VmError::Folders(_))));
    assert_eq!(sh(&guest, "find /home/user -type f"), "");

    // all of it is gone in the guest, and nothing of it here
    assert_eq!(sh(&guest, "rm -rf '/mnt/My photos/'* ; ls '/mnt/My photos'"), "");
    drop(guest);
    assert_eq!(fs::read_to_string(photos.join("a.txt")).unwrap(), "one\n");
    assert_eq!(fs::read_dir(&photos).unwrap().count(), 5);
    assert_eq!(fs::read_to_string(photos.join("sub/deep/c.txt")).unwrap(), "three\n");
}

#[test]
fn what_is_pending_lies_over_a_folder() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (own, layer) = (folder.path().join("own"), folder.path().join("layer"));
    fs::create_dir_all(own.join("sub")).unwrap();
    fs::create_dir_all(layer.join("sub")).unwrap();
    fs::write(own.join("gone.txt"), "gone\n").unwrap();
    fs::write(own.join("sub/hidden.txt"), "hidden\n").unwrap();
    fs::write(layer.join("new.txt"), "new\n").unwrap();
    fs::write(layer.join("sub/shown.txt"), "shown\n").unwrap();
    rustix::fs::setxattr(layer.join("sub"), "user.overlay.opaque", b"y", rustix::fs::XattrFlags::empty()).unwrap();
    let whiteout = rustix::fs::FileType::CharacterDevice;
    rustix::fs::mknodat(rustix::fs::CWD, layer.join("gone.txt"), whiteout, rustix::fs::Mode::empty(), 0).unwrap();

    let shared = Share { pending: Some(layer), ..share("Files", &own, true) };
    let guest = bridge().guest(&reach(vec![shared]), Warmth::Booted).unwrap();
    assert_eq!(sh(&guest, "cd /mnt/Files; find . -type f | sort; cat new.txt"), "./new.txt\n./sub/shown.txt\nnew\n");
    assert_eq!(sh(&guest, "cd /mnt/Files; rm new.txt sub/shown.txt"), "");
    assert_eq!(collect(&guest), ["0/new.txt whiteout", "0/sub folder", "0/sub/shown.txt whiteout"]);
}

#[test]
fn a_folder_that_is_not_the_one_that_was_granted_is_in_no_guest() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let shared = Share { id: (0, 0), ..share("Files", folder.path(), true) };
    assert!(
        matches!(bridge().guest(&reach(vec![shared]), Warmth::Booted), Err(VmError::NotThere(path)) if path == folder.path().canonicalize().unwrap())
    );
}

#[test]
fn many_small_files_are_packed_for_the_guest_and_are_there_as_they_are_here() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (many, few) = (folder.path().join("many"), folder.path().join("few"));
    fs::create_dir_all(many.join("sub/.covered")).unwrap();
    fs::create_dir(&few).unwrap();
    for number in 0..600 {
        fs::write(many.join(format!("sub/{number}.txt")), format!("{number}\n")).unwrap();
    }
    fs::write(many.join("sub/.covered/secret"), "secret\n").unwrap();
    fs::write(many.join("large"), vec![b'x'; 300_000]).unwrap();
    fs::write(many.join("none"), "").unwrap();
    fs::set_permissions(many.join("none"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("sub/7.txt", many.join("link")).unwrap();
    fs::write(few.join("own"), "own\n").unwrap();
    let mut first = Share { live: false, ..share("many", &many, true) };
    first.covered.push("sub/.covered".into());
    let second = Share { live: false, ..share("few", &few, true) };
    let guest = bridge().guest(&reach(vec![first, second]), Warmth::Booted).unwrap();
    // it sees what was there when it began, and of the other one what is there
    fs::write(many.join("later"), "").unwrap();
    fs::write(few.join("later"), "").unwrap();
    let script = "cd /mnt/many; cat sub/*.txt | sort -n | md5sum; wc -c < large; stat -c '%n %s %a %U' none sub/599.txt
        cat link; ls; ls ../few; ls sub/.covered";
    let sorted = (0..600).map(|number| format!("{number}\n")).collect::<String>();
    let digest = {
        let file = folder.path().join("sorted");
        fs::write(&file, sorted).unwrap();
        let said = std::process::Command::new("md5sum").stdin(fs::File::open(file).unwrap()).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    let expected = format!(
        "{digest}300000\nnone 0 640 user\nsub/599.txt 4 644 user\n7\nlarge\nlink\nnone\nsub\nlater\nown\n\
         ls: cannot open directory 'sub/.covered': Permission denied\n"
    );
    assert_eq!(sh(&guest, script), expected);
    assert_eq!(sh(&guest, "cd /mnt/many; rm none; echo more >> sub/1.txt; mv sub/2.txt 2.txt"), "");
    let expected = [
        "0/2.txt file 644: 2\n",
        "0/none whiteout",
        "0/sub folder",
        "0/sub/1.txt file 644: 1\nmore\n",
        "0/sub/2.txt whiteout",
    ];
    assert_eq!(collect(&guest), expected);
}
