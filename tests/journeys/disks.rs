//! What is kept for undo is kept on each disk by itself.

use deskhand_tests::{Place, Ran, deskhand};
use std::{fs, process::Command};

/// Run a script in which `Small` is a disk of 10 MiB and `$0` is Deskhand; none where nobody may mount.
fn with_a_small_disk(place: &Place, script: &str) -> Option<Ran> {
    let mut tried = Command::new("unshare");
    tried.args(["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    if !tried.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return None;
    }
    fs::create_dir(place.path("home/Small")).unwrap();
    let script = format!("set -e; mount -t tmpfs -o size=10M tmpfs Small; {script}");
    let mut command = place.command("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &script]).arg(deskhand());
    Some(Ran::of(command.output().unwrap()))
}

#[test]
fn a_small_disk_takes_nothing_from_a_large_one() {
    let place = Place::with_plugins();
    let folder = place.path("home/Large");
    fs::create_dir(&folder).unwrap();
    for name in ["a.bin", "b.bin"] {
        fs::write(folder.join(name), vec![7; 3 << 20]).unwrap();
    }
    let script = "\"$0\" run --yes --allow-removals 1 -f Large /duplicates; test ! -e Large/b.bin || test ! -e Large/a.bin; \
        echo a > Small/a.pdf; \"$0\" run --yes -f Small '/organize by type'; test ! -e Small/a.pdf; \"$0\" undo 1 --yes";
    let Some(ran) = with_a_small_disk(&place, script) else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("given up"), "{}", ran.stderr);
    for name in ["a.bin", "b.bin"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), vec![7; 3 << 20], "{name}");
    }
}

#[test]
fn the_first_removal_on_a_small_disk_is_said_to_be_for_good() {
    let place = Place::with_plugins();
    let script = "head -c 2000000 /dev/zero > Small/a.bin; cp Small/a.bin Small/b.bin; \
        code=0; \"$0\" run --yes --allow-removals 1 -f Small /duplicates || code=$?; \
        cmp Small/a.bin Small/b.bin; exit $code";
    let Some(ran) = with_a_small_disk(&place, script) else { return };
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("at most 1.0 MB are kept for undo"), "{}", ran.stdout);
}

#[test]
fn a_note_that_a_full_disk_has_no_room_for_is_not_kept_and_takes_nothing_along() {
    let place = Place::new();
    let scope = r#""scope":{"for":"all"},"origin":{"by":"person"},"labels":[],"made":"2026-01-01T00:00:00Z""#;
    let notes: Vec<String> =
        (0..12_000).map(|n| format!(r#"{{"text":"{} {n}",{scope}}}"#, "long ".repeat(100))).collect();
    let file = format!(r#"{{"deskhand":"memory","version":1,"notes":[{}]}}"#, notes.join(","));
    fs::write(place.path("home/many.json"), file).unwrap();
    let script = "export DESKHAND_HOME=\"$PWD/Small/deskhand\"; \"$0\" memory add one; \
        \"$0\" memory import --yes many.json || echo import $?; \
        cat /dev/zero > Small/filler || true; \"$0\" memory add two || echo add $?; \
        \"$0\" memory export --to Small/notes.json || echo export $?; rm Small/filler; ls -A Small; \
        \"$0\" memory export | grep '\"text\"'; \"$0\" memory add three; \"$0\" log --verify";
    let Some(ran) = with_a_small_disk(&place, script) else { return };
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        ran.stdout,
        "Remembered for all work (note 1):\n  one\nimport 1\nadd 1\nexport 1\ndeskhand\n      \"text\": \"one\",\n\
         Remembered for all work (note 2):\n  three\n\
         The log is whole: 4 events, none changed, removed or put in between.\n"
    );
    assert_eq!(ran.stderr.matches("is full").count(), 3, "{}", ran.stderr);
}
