//! Disks that cannot do what most can: no letters' case, no hard links, no permissions, no attributes, times of two seconds,
//! inode numbers that are made up anew at each mount.

use deskhand_tests::Place;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A disk in a file, mounted.
struct Disk {
    image: PathBuf,
    at: PathBuf,
    kind: &'static str,
}

fn done(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Disk {
    /// Make one of this kind, or say what is missing here.
    fn new(place: &Path, kind: &'static str) -> Result<Self, String> {
        let disk = Self { image: place.join(format!("{kind}.img")), at: place.join(format!("home/{kind}")), kind };
        fs::File::create(&disk.image).unwrap().set_len(64 << 20).unwrap();
        fs::create_dir(&disk.at).unwrap();
        let make: &[&str] = match kind {
            "vfat" => &["mkfs.vfat", "-F", "32"],
            "exfat" => &["mkfs.exfat"],
            _ => &["mkfs.ext4", "-q", "-O", "casefold", "-E", "encoding=utf8"],
        };
        if !done(Command::new(make[0]).args(&make[1..]).arg(&disk.image)) {
            return Err(format!("{} cannot make it", make[0]));
        }
        if !disk.mount() {
            return Err("it cannot be mounted by this user or kernel".to_owned());
        }
        Ok(disk)
    }

    fn mount(&self) -> bool {
        let by_kernel = ["-t", if self.kind == "casefold" { "ext4" } else { self.kind }, "-o", "loop"];
        if done(Command::new("mount").args(by_kernel).arg(&self.image).arg(&self.at)) {
            return true;
        }
        self.release();
        self.kind == "exfat" && {
            let device = Command::new("losetup").args(["-f", "--show"]).arg(&self.image).output();
            device.is_ok_and(|device| {
                let device = String::from_utf8_lossy(&device.stdout).trim().to_owned();
                let mounted = done(Command::new("mount.exfat-fuse").arg(&device).arg(&self.at));
                // goes when it is unmounted
                let _ = done(Command::new("losetup").args(["-d", &device]));
                mounted
            })
        }
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

    /// As if it had been taken out and put in again.
    fn remount(&self) {
        assert!(done(Command::new("umount").arg(&self.at)), "{} is in use", self.kind);
        assert!(self.mount(), "{} cannot be mounted again", self.kind);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = done(Command::new("umount").arg(&self.at));
        self.release();
    }
}

/// Names, contents and times below a folder, Deskhand's store left out.
fn files(folder: &Path) -> BTreeMap<String, (String, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                if !name.starts_with(".deskhand") {
                    open.push(path);
                }
            } else {
                let time = path.metadata().unwrap().mtime();
                found.insert(name, (fs::read_to_string(&path).unwrap(), time));
            }
        }
    }
    found
}

/// The whole life on each of these disks that can be had here; those that cannot are named.
#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is told")]
fn organize_rename_duplicates_and_undo() {
    let place = Place::with_plugins();
    let mut tried = 0;
    for kind in ["vfat", "exfat", "casefold"] {
        match Disk::new(place.dir.path(), kind) {
            Ok(disk) => {
                life(&place, &disk);
                tried += 1;
            }
            Err(why) => eprintln!("skipped: no {kind} disk here: {why}"),
        }
    }
    eprintln!("{tried} kinds of disk were tried");
}

fn life(place: &Place, disk: &Disk) {
    let folder = disk.at.join("In");
    fs::create_dir(&folder).unwrap();
    if disk.kind == "casefold" {
        assert!(done(Command::new("chattr").arg("+F").arg(&folder)));
    }
    for (name, content) in [("Brief.TXT", "letter"), ("b.md", "b"), ("photo.jpg", "photo"), ("Photo (2).jpg", "photo")]
    {
        fs::write(folder.join(name), content).unwrap();
    }
    assert!(done(Command::new("sh").args(["-c", "touch -d @1700000000 -- *"]).current_dir(&folder)));
    let before = files(&folder);
    let path = folder.strip_prefix(place.path("home")).unwrap().display().to_string();
    let run = |request: &str, code: i32| {
        let ran = place.deskhand(["run", "--yes", "--allow-removals", "9", "--folder", &path, request]);
        assert_eq!(ran.code, code, "{}: {request}\n{}{}", disk.kind, ran.stdout, ran.stderr);
        ran.stdout
    };
    let undo = |expected: &BTreeMap<String, (String, i64)>| {
        disk.remount();
        let ran = place.deskhand(["undo", "--yes", "--allow-removals", "9"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}\n{}", disk.kind, ran.stdout);
        assert_eq!(files(&folder), *expected, "{}", disk.kind);
    };

    run("/organize by type", 0);
    let organized = files(&folder);
    assert_eq!(organized.len(), 4);
    assert!(organized.contains_key("Documents/Brief.TXT"), "{organized:?}");
    undo(&before);
    undo(&organized);
    undo(&before);

    // another spelling of its own name is no other file
    run("/rename lowercase extensions in lowercase", 0);
    let names: Vec<String> = files(&folder).into_keys().collect();
    assert_eq!(names, ["b.md", "brief.txt", "photo (2).jpg", "photo.jpg"], "{}", disk.kind);
    undo(&before);

    run("/duplicates", 0);
    assert_eq!(files(&folder).len(), 3);
    undo(&before);

    // a name that the disk does not take is left alone, and told
    if disk.kind != "casefold" {
        let said = run("/rename replace \"b\" with \"b:c\" only \"b.md\"", 1);
        assert!(said.contains("does not take such a name"), "{}: {said}", disk.kind);
        assert_eq!(files(&folder), before);
    }
    let doctor = place.deskhand(["doctor"]);
    assert!(doctor.stdout.contains("the log, the journals and the stores agree"), "{}", doctor.stdout);
    let history = place.deskhand(["history"]).ok();
    assert!(!history.contains("unfinished") && !history.contains("damaged"), "{history}");
}
