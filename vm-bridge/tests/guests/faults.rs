//! What breaks, and what is left standing.

use crate::kit::{LIMITS, SIZE, alone, bridge, command, finish, folder, image, impatient, run, run_with, shell};
use deskhand_vm_bridge::{Bridge, Ending, Event, Limits, Lost, Qemu, Reach, Snapshots, VmError, Warmth};
use deskhand_vm_image::{Manifest, Part, Store};
use deskhand_vocabulary::{Blake3, Sha256};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

#[test]
fn a_job_that_takes_too_much_ends_and_the_guest_goes_on() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let memory = run(&guest, &["python3", "-c", "x = bytearray(400 << 20)"]);
    assert_eq!(memory.ending(), Ending::OutOfMemory);

    let limits = Limits { milliseconds: 5000, ..LIMITS };
    let bomb = run_with(&guest, &["bash", "-c", "bomb() { bomb | bomb & }; bomb; sleep 100"], limits);
    assert!(bomb.usage().out_of_processes);
    assert_eq!(shell(&guest, "ls /proc | grep -c '^[0-9]'").output, "4\n");

    let disk = shell(&guest, "head -c 2000000000 /dev/zero > big; echo $?; rm big; echo room > small; cat small");
    assert_eq!(disk.output, "1\nroom\n");
    assert!(disk.error.contains("No space left on device"), "{disk:?}");
    assert_eq!(run(&guest, &["echo", "still here"]).output, "still here\n");
}

#[test]
fn a_gigabyte_of_output_is_counted_and_cut() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let outcome = run(&guest, &["head", "-c", "1073741824", "/dev/zero"]);
    assert_eq!(outcome.ending(), Ending::Exited(0));
    assert_eq!((outcome.output.len() as u64, outcome.usage().output), (LIMITS.output, 1 << 30));
}

#[test]
fn a_job_can_end_neither_the_runner_nor_another_job() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let other = guest.start(command(&["sleep", "1000"]), LIMITS).unwrap();
    // jobs of one task are one user's: they may end each other, as on any computer, but not what runs them
    shell(&guest, "kill -9 1; kill -STOP 1; kill -9 -1");
    assert_eq!(run(&guest, &["echo", "still here"]).output, "still here\n");
    assert_eq!(finish(&other).ending(), Ending::Signal(9));
}

#[test]
fn a_monitor_that_is_killed_takes_its_jobs_with_it() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let job = guest.start(command(&["sleep", "1000"]), LIMITS).unwrap();
    signal_monitor("KILL");
    assert_eq!(finish(&job).last, Event::Lost(Lost::Gone));
    assert_eq!(guest.lost(), Some(Lost::Gone));
}

#[test]
fn a_guest_that_hangs_is_ended() {
    let _alone = alone();
    let guest = bridge().patient(impatient()).guest(&Reach::default(), Warmth::Booted).unwrap();
    let job = guest.start(command(&["sleep", "1000"]), LIMITS).unwrap();
    signal_monitor("STOP");
    assert_eq!(finish(&job).last, Event::Lost(Lost::Silent));
}

#[test]
fn twenty_guests_leave_nothing_behind() {
    let _alone = alone();
    let bridge = bridge();
    drop(bridge.guest(&Reach::default(), Warmth::Booted).unwrap());
    let before = left();
    for number in 0..20 {
        let guest = bridge.guest(&Reach::default(), Warmth::Booted).unwrap();
        assert_eq!(run(&guest, &["echo", &number.to_string()]).output, format!("{number}\n"));
    }
    assert_eq!(left(), before);
}

/// Why a guest does not start whose image has `bytes` as one of its parts.
fn start_with(part: &str, bytes: &[u8]) -> Lost {
    let folder = tempfile::tempdir_in(folder()).unwrap();
    let image = image();
    let changed = Part { digest: Blake3::of_reader(bytes).unwrap(), size: bytes.len() as u64 };
    let mut manifest = Manifest { ..image.manifest };
    match part {
        "initramfs" => manifest.initramfs = changed,
        _ => manifest.root = changed,
    }
    let text = serde_json::to_vec(&manifest).unwrap();
    let made = folder.path().join("images").join(Sha256::of(&text).to_string());
    fs::create_dir_all(&made).unwrap();
    fs::write(made.join("manifest.json"), &text).unwrap();
    for name in ["kernel", "initramfs", "root"] {
        let from = crate::kit::folder().join("store/images").join(image.digest.to_string()).join(name);
        fs::copy(from, made.join(name)).unwrap();
    }
    fs::write(made.join(part), bytes).unwrap();
    let snapshots = Snapshots::open(folder.path().join("snapshots")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    let bridge = Bridge::new(Box::new(Qemu::find().unwrap()), store, Sha256::of(&text), snapshots).sized(SIZE);
    match bridge.guest(&Reach::default(), Warmth::Booted) {
        Err(VmError::Lost(lost)) => lost,
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_kernel_that_panics_and_a_guest_that_cannot_start_say_why() {
    let _alone = alone();
    let panic = start_with("initramfs", &[b'x'; 4096]);
    assert!(matches!(&panic, Lost::Panic(line) if line.starts_with("Kernel panic - not syncing")), "{panic:?}");
    let broken = start_with("root", &[0; 1 << 20]);
    let why = "deskhand: the guest did not start: Invalid argument (os error 22)";
    assert_eq!(broken, Lost::Panic(why.to_owned()));
}

/// Set for the process that is the host in this test, and is killed in it.
const HOST: &str = "HOLDS_A_GUEST";

#[test]
fn a_guest_ends_when_its_host_is_killed() {
    if std::env::var_os(HOST).is_some() {
        return hold_a_guest();
    }
    let _alone = alone();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::a_guest_ends_when_its_host_is_killed", "--nocapture"])
        .env(HOST, "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let held = lines.map(Result::unwrap).find_map(|line| Some(line.strip_prefix("held ")?.to_owned())).unwrap();
    let monitor = std::path::Path::new("/proc").join(held);
    assert!(monitor.exists());
    host.kill().unwrap();
    host.wait().unwrap();
    // killed by the kernel, a moment later
    assert!((0..200).any(|_| {
        thread::sleep(Duration::from_millis(50));
        !monitor.exists()
    }));
}

fn hold_a_guest() {
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let _job = guest.start(command(&["sleep", "1000"]), LIMITS).unwrap();
    println!("held {}", monitors()[0]);
    let _ = std::io::stdin().read(&mut [0]);
}

/// The processes of monitors, this process's threads and open files, and the files beside the snapshots.
fn left() -> (usize, usize, usize, usize) {
    // threads that follow a guest end a moment after it
    thread::sleep(Duration::from_secs(2));
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    let snapshots = crate::kit::folder().join("snapshots");
    (monitors().len(), count("/proc/self/task"), count("/proc/self/fd"), count(snapshots.to_str().unwrap()))
}

/// The processes of QEMU that descend from this one.
fn monitors() -> Vec<u32> {
    let children = |id: u32| -> Vec<u32> {
        let mut found = Vec::new();
        for task in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(text.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
        }
        found
    };
    children(std::process::id()).into_iter().flat_map(children).collect()
}

fn signal_monitor(signal: &str) {
    let monitors = monitors();
    assert_eq!(monitors.len(), 1);
    let sent = Command::new("kill").args([&format!("-{signal}"), &monitors[0].to_string()]).status();
    assert!(sent.unwrap().success());
}
