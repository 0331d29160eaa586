//! What a sandbox may use.

use crate::kit::{Desk, finish, helper, run, script, shell};
use deskhand_confine::{Confined, Ended, Excess, Limits, start};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

fn within(text: &str, limits: Limits) -> Confined {
    Confined { limits, ..script(text) }
}

/// Where the kernel holds a user to a number, the bomb stands still; root is held by a group that is a little larger, so that
/// whoever watches sees it and ends it.
#[tokio::test]
async fn a_fork_bomb_is_bounded() {
    let limits = Limits { processes: 60, ..Limits::default() };
    let bomb =
        "import os, time\nwhile True:\n try:\n  if os.fork() == 0: time.sleep(600)\n except OSError: time.sleep(1)\n";
    let bomb = format!("exec python3 -c '{bomb}'");
    let mut running = start(&helper(), within(&bomb, limits)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), running.wait()).await;
    match ended {
        Ok(Ended::Beyond(Excess::Processes)) => {}
        Err(_) if !rustix::process::geteuid().is_root() => {}
        other => panic!("{other:?}"),
    }
    running.stop();
    running.wait().await;
}

#[tokio::test]
async fn memory_is_bounded_in_one_process_and_over_all() {
    let limits = Limits { memory: 200 << 20, ..Limits::default() };
    let one = "python3 -c 'x = bytearray(400 << 20)' 2>&1 | tail -1";
    let said = run(within(one, limits)).await;
    assert_eq!((said.out.as_str(), said.ended), ("MemoryError", Ended::Exited(0)));
    let many = "for n in 1 2 3 4; do python3 -c 'import time; x = b\"x\" * (90 << 20); time.sleep(60)' & done; wait";
    assert_eq!(run(within(many, limits)).await.ended, Ended::Beyond(Excess::Memory));
}

#[tokio::test]
async fn time_of_processors_is_bounded() {
    let limits = Limits { processor: Some(Duration::from_secs(1)), ..Limits::default() };
    assert_eq!(run(within("while :; do :; done", limits)).await.ended, Ended::Beyond(Excess::Processor));
    // one after another, each of which takes less
    let many = "while :; do python3 -c 'sum(range(2000000))'; done";
    assert_eq!(run(within(many, limits)).await.ended, Ended::Beyond(Excess::Processor));
    assert_eq!(run(within("sleep 2", limits)).await.ended, Ended::Exited(0));
}

#[tokio::test]
async fn the_disk_is_bounded() {
    let desk = Desk::new(&[]);
    let overlay = desk.overlay();
    let over = |text: &str, limits: Limits| Confined {
        folders: vec![overlay.mount()],
        working_folder: Some(overlay.mount().inside().to_owned()),
        ..within(text, limits)
    };
    let limits = Limits { file: 1 << 20, ..Limits::default() };
    let said = run(over("head -c 2000000 /dev/zero > large; echo $?; stat -c %s large", limits)).await;
    assert!(said.out.ends_with("\n1048576") && !said.out.starts_with("0\n"), "{}", said.out);
    let limits = Limits { disk: 32 << 20, ..Limits::default() };
    let flood = "n=0; while :; do n=$((n+1)); head -c 4000000 /dev/urandom > f$n; done";
    assert_eq!(run(over(flood, limits)).await.ended, Ended::Beyond(Excess::Disk));
}

#[tokio::test]
async fn output_that_nobody_reads_holds_a_program_up() {
    let mut running = start(&helper(), script("yes | head -c 1000000000; echo done >&2")).await.unwrap();
    let mut first = vec![0; 100_000];
    running.stdout.as_mut().unwrap().read_exact(&mut first).await.unwrap();
    assert!(first.chunks(2).all(|line| line == b"y\n"));
    running.stop();
    assert_eq!(running.wait().await, Ended::Stopped);
    // what was said is there to be read, and no more than the pipe holds
    let mut rest = Vec::new();
    running.stdout.take().unwrap().read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() <= 1 << 20, "{}", rest.len());
    // and what is read flows
    let said = finish(start(&helper(), script("yes | head -c 100000000")).await.unwrap()).await;
    assert_eq!((said.out.len(), said.ended), (99_999_999, Ended::Exited(0)));
}

#[tokio::test]
async fn memory_that_belongs_to_nobody_cannot_be_had() {
    let said = shell(
        "python3 -c 'import errno, os
try: os.memfd_create(\"x\"); print(\"made\")
except OSError as error: print(errno.errorcode[error.errno])' ; head -c 100000000 /dev/zero > /dev/shm/x 2>/dev/null; stat -c %s /dev/shm/x",
    )
    .await;
    assert_eq!(said.out, format!("ENOSYS\n{}", 64 << 20));
}
