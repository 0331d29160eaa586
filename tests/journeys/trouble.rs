//! Folders and settings that are not as they should be.

use crate::said::said;
use deskhand_tests::{Place, Ran, deskhand, snapshot};
use insta::assert_snapshot;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

/// Run without root's powers, which would open every folder. The place belongs to nobody (65534) then.
pub(crate) fn powerless<const N: usize>(place: &Place, arguments: [&str; N]) -> Ran {
    let mine = fs::symlink_metadata("/proc/self").is_ok_and(|facts| std::os::unix::fs::MetadataExt::uid(&facts) != 0);
    if mine {
        return place.deskhand(arguments);
    }
    // the build's own folder may be closed to others
    let binary = place.path("deskhand-binary");
    if !binary.exists() {
        fs::copy(deskhand(), &binary).unwrap();
    }
    let given = Command::new("chown").arg("-R").arg("65534:65534").arg(place.dir.path()).status().unwrap();
    assert!(given.success());
    let mut command = place.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]).arg(binary).args(arguments);
    Ran::of(command.output().unwrap())
}

fn close(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_is_not_there() {
    let place = Place::with_plugins();
    fs::write(place.path("home/file.txt"), "a file").unwrap();
    std::os::unix::fs::symlink("nowhere", place.path("home/link")).unwrap();
    let whole: String = ["Missing", "file.txt", "link", ""]
        .iter()
        .map(|folder| {
            format!("=== {folder}\n{}", said(&place, &place.deskhand(["run", "-y", "-f", folder, "/organize"])))
        })
        .collect();
    assert_snapshot!(whole);
}

#[test]
fn a_folder_that_may_not_be_read() {
    let place = Place::with_plugins();
    let folder = place.path("home/Closed");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note.txt"), "note").unwrap();
    close(&folder, 0);
    let ran = powerless(&place, ["run", "--yes", "--folder", "Closed", "/organize"]);
    close(&folder, 0o700);
    assert_snapshot!(said(&place, &ran));
    assert!(folder.join("note.txt").is_file());
}

#[test]
fn a_folder_that_may_not_be_changed() {
    let place = Place::with_plugins();
    let folder = place.path("home/Fixed");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note.txt"), "note").unwrap();
    close(&folder, 0o555);
    let before = snapshot(&folder);
    let ran = powerless(&place, ["run", "--yes", "--folder", "Fixed", "/organize by type"]);
    assert_snapshot!(said(&place, &ran));
    assert_eq!(snapshot(&folder), before);
    close(&folder, 0o755);
}

#[test]
fn a_part_that_may_not_be_read() {
    let place = Place::with_plugins();
    let folder = place.path("home/Mixed");
    fs::create_dir_all(folder.join("closed")).unwrap();
    for name in ["open.txt", "secret.pdf", "closed/inside.txt"] {
        fs::write(folder.join(name), name).unwrap();
    }
    close(&folder.join("secret.pdf"), 0);
    close(&folder.join("closed"), 0);
    let ran = powerless(&place, ["run", "--yes", "--folder", "Mixed", "/organize by type including subfolders"]);
    close(&folder.join("closed"), 0o700);
    assert_snapshot!(said(&place, &ran));
    assert!(folder.join("closed/inside.txt").is_file());
    assert!(folder.join("Documents/open.txt").is_file());
}

#[test]
fn a_home_that_cannot_be_written() {
    let place = Place::with_plugins();
    place.downloads();
    let before = snapshot(&place.path("home/Downloads"));
    powerless(&place, ["history"]);
    close(&place.path("deskhand/data"), 0o500);
    let ran = powerless(&place, ["run", "--yes", "--folder", "Downloads", "/organize"]);
    close(&place.path("deskhand/data"), 0o700);
    assert_snapshot!(said(&place, &ran));
    let after = snapshot(&place.path("home/Downloads"));
    assert_eq!(after, before);
}

#[test]
fn settings_with_a_typo() {
    let place = Place::with_plugins();
    let file = place.deskhand(["config", "--path"]).ok();
    let file = Path::new(file.trim());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let texts =
        ["[undo]\nkeep_dys = 30\n", "[undo]\nkeep_days = 0\n", "[undo]\nkeep_days = \"long\"\n", "[undo\n", "[unod]\n"];
    let whole: String = texts
        .iter()
        .map(|text| {
            fs::write(file, text).unwrap();
            format!("=== {}\n{}", text.trim().replace('\n', " / "), said(&place, &place.deskhand(["history"])))
        })
        .collect();
    assert_snapshot!(whole);
    fs::write(file, "[undo]\nkeep_days = 30\n").unwrap();
    assert_eq!(place.deskhand(["history"]).ok(), "Nothing was changed yet.\n");
}

#[test]
fn settings_as_they_hold() {
    let place = Place::with_plugins();
    let mut whole = said(&place, &place.deskhand(["config"]));
    let file = place.path("deskhand/config/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "[undo]\nkeep_days = 30\n").unwrap();
    for arguments in [&["config"][..], &["config", "--json"]] {
        whole.push_str(&said(&place, &place.deskhand(arguments)));
    }
    assert_snapshot!(whole);
    // what is printed is itself a settings file that says the same
    let printed = place.deskhand(["config"]).stdout;
    fs::write(&file, &printed).unwrap();
    let values = |text: &str| {
        text.lines().filter_map(|line| line.split_once("  #")).map(|(value, _)| value.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&place.deskhand(["config"]).stdout), values(&printed));
}

/// Everything that Deskhand keeps lies on a disk without room: what is said names the disk, and nothing is changed.
#[test]
fn a_full_disk_below_its_own_home() {
    let try_it = ["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    if !Command::new("unshare").args(try_it).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let place = Place::with_plugins();
    let folder = place.path("home/Inbox");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note.txt"), "note").unwrap();
    let before = snapshot(&folder);
    let script = "mount -t tmpfs -o size=32M tmpfs ../deskhand && cp -a ../kept/. ../deskhand && \
        \"$0\" history && { cat /dev/zero > ../deskhand/fill; } 2>/dev/null; \
        for command in 'run --yes -f Inbox /organize' log grants 'undo --yes' doctor; do \
            echo \"=== $command\"; \"$0\" $command 2>&1; echo \"exit code $?\"; done";
    let copied = Command::new("cp").arg("-a").arg(place.path("deskhand")).arg(place.path("kept")).status().unwrap();
    assert!(copied.success());
    let mut command = place.command("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(deskhand());
    let ran = said(&place, &Ran::of(command.output().unwrap()));
    // of the doctor, what it says of the disk; the rest depends on the machine
    let (said, doctor) = ran.split_once("=== doctor").unwrap();
    let doctor: String = doctor
        .lines()
        .filter(|line| line.contains("disk") || line.contains("log"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_snapshot!(format!("{said}=== doctor\n{doctor}"));
    assert_eq!(snapshot(&folder), before);
}

#[test]
fn a_disk_that_is_read_only() {
    // `unshare` makes a mount that ends with the command; not every machine lets it
    let place = Place::with_plugins();
    let folder = place.path("home/Disc");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note.txt"), "note").unwrap();
    let script =
        "mount --bind Disc Disc && mount -o remount,bind,ro Disc && exec \"$0\" run --yes -f Disc '/organize by type'";
    let tried = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount");
        return;
    }
    let mut command = place.command("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(deskhand());
    assert_snapshot!(said(&place, &Ran::of(command.output().unwrap())));
    assert!(folder.join("note.txt").is_file());
}
