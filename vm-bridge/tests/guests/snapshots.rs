//! Snapshots: one is made, used, and thrown away when it is not what it was.

use crate::kit::{LIMITS, alone, bridge, bridge_at, command, finish, run, run_with, shell};
use deskhand_vm_bridge::{Command, Ending, Event, Limits, PYTHON, Reach, Refusal, Warmth};
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
        let guest = bridge.guest(&Reach::default(), Warmth::Booted).unwrap();
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
    let guest = bridge.guest(&Reach::default(), Warmth::Booted).unwrap();
    assert_eq!(
        shell(&guest, "echo secret > here; head -c 50000000 /dev/urandom > /tmp/large; cat here").output,
        "secret\n"
    );
    drop(guest);
    let guest = bridge.guest(&Reach::default(), Warmth::Booted).unwrap();
    assert_eq!(shell(&guest, "find . /tmp -type f").output, "");
}

#[test]
fn a_snapshot_that_was_changed_is_thrown_away_and_made_again() {
    let _alone = alone();
    let folder = tempfile::tempdir_in(crate::kit::folder()).unwrap();
    let bridge = bridge_at(folder.path());
    drop(bridge.guest(&Reach::default(), Warmth::Booted).unwrap());
    for part in ["memory", "devices", "scratch"] {
        let snapshot = only(folder.path());
        let file = fs::File::options().read(true).write(true).open(snapshot.join(part)).unwrap();
        let mut bytes = vec![0; 4096];
        // one bit, where there is something
        let read = file.read_at(&mut bytes, if part == "devices" { 0 } else { 4 << 20 }).unwrap();
        bytes[read / 2] ^= 1;
        file.write_at(&bytes[..read], if part == "devices" { 0 } else { 4 << 20 }).unwrap();
        let before = fs::read(snapshot.join("seal.json")).unwrap();
        assert_eq!(
            run(&bridge.guest(&Reach::default(), Warmth::Booted).unwrap(), &["echo", part]).output,
            format!("{part}\n")
        );
        assert_ne!(fs::read(only(folder.path()).join("seal.json")).unwrap(), before);
    }
    let snapshot = only(folder.path());
    fs::File::create(snapshot.join("seal.json")).unwrap().write_all(b"{}").unwrap();
    assert_eq!(run(&bridge.guest(&Reach::default(), Warmth::Booted).unwrap(), &["echo", "seal"]).output, "seal\n");
}

#[test]
fn a_warm_interpreter_has_its_libraries_and_no_two_guests_draw_the_same_from_them() {
    let _alone = alone();
    let bridge = bridge();
    let source = "import sys
loaded = all(name in sys.modules for name in ('numpy', 'pandas', 'matplotlib.pyplot'))
import os, random, numpy, pandas
print(loaded, __name__, sys.argv, os.getcwd(), os.environ['GIVEN'], os.getpgid(0) == os.getpid())
print(pandas.DataFrame({'a': [1, 2]}).sum().a, input(), file=sys.stderr)
print(random.random(), numpy.random.random())";
    let drawn = || {
        let guest = bridge.guest(&Reach::default(), Warmth::Python).unwrap();
        let mut drawn = Vec::new();
        // the second one is forked as the first was
        for _ in 0..2 {
            let command = Command {
                environment: vec![(b"GIVEN".to_vec(), "a ü".into())],
                folder: b"/tmp".to_vec(),
                merged: true,
                ..command(&[&PYTHON[..], &[source]].concat())
            };
            let job = guest.start(command, LIMITS).unwrap();
            job.input(b"typed\n").unwrap();
            let came = finish(&job);
            let lines: Vec<_> = came.output.lines().collect();
            assert_eq!(lines[..2], ["True __main__ ['-c'] /tmp a ü True", "3 typed"], "{came:?}");
            assert_eq!(came.ending(), Ending::Exited(0));
            drawn.extend(lines[2].split(' ').map(str::to_owned));
        }
        // one that ends it has it no more, and is told so by nothing else
        let ended = "import os, signal; os.kill(os.getppid(), 0); import subprocess
for line in subprocess.run(['pgrep', '-f', 'what takes long'], capture_output=True, text=True).stdout.split():
    if int(line) != os.getpid(): os.kill(int(line), signal.SIGKILL)";
        assert_eq!(run(&guest, &["python3", "-u", "-c", ended]).ending(), Ending::Exited(0));
        let cold = run(&guest, &["python3", "-u", "-c", "import sys; print('pandas' in sys.modules)"]);
        assert_eq!((cold.output.as_str(), cold.error.as_str()), ("False\n", ""));
        drawn
    };
    let mut all = drawn();
    all.extend(drawn());
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((count, all.len()), (8, 8), "{all:?}");
}

#[test]
fn what_cannot_be_in_the_warm_interpreter_is_refused_as_anywhere() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Python).unwrap();
    let nowhere = Command { folder: b"/nowhere".to_vec(), ..command(&[&PYTHON[..], &["1"]].concat()) };
    assert_eq!(finish(&guest.start(nowhere, LIMITS).unwrap()).last, Event::Refused(Refusal::Start(2)));
    let raised = run(&guest, &["python3", "-u", "-c", "1/0"]);
    assert_eq!(raised.ending(), Ending::Exited(1));
    assert!(raised.error.ends_with("ZeroDivisionError: division by zero\n"), "{raised:?}");
    let greedy = Limits { memory: 96 << 20, ..LIMITS };
    let full = run_with(&guest, &["python3", "-u", "-c", "x = bytearray(300 << 20)"], greedy);
    assert_eq!(full.ending(), Ending::OutOfMemory);
    assert_eq!(run(&guest, &["python3", "-u", "-c", "print(1)"]).output, "1\n");
}
