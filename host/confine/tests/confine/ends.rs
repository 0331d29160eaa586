//! Nothing that was started in a sandbox outlives it.

use crate::kit::{Desk, finish, helper, processes_with, script, states_with, until, word};
use deskhand_confine::{Ended, start};
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

/// A script with processes that mean to stay: in the background, deaf to signals, in a session of their own.
fn clinging(word: &str) -> String {
    let stay = format!(
        "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]; '{word}'; time.sleep(600)"
    );
    format!(
        "for n in 1 2 3; do setsid python3 -c \"{stay}\" </dev/null >/dev/null 2>&1 & done; \
         ( ( setsid python3 -c \"{stay}\" </dev/null >/dev/null 2>&1 & ) & ); sleep 1; echo up; "
    )
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let word = word();
    let running = start(&helper(), script(&clinging(&word))).await.unwrap();
    let said = finish(running).await;
    assert_eq!((said.out.as_str(), said.ended), ("up", Ended::Exited(0)));
    assert_eq!(processes_with(&word), 0, "none runs once the end was told");
}

#[tokio::test]
async fn it_ends_when_it_is_stopped_or_let_go_of() {
    let word = word();
    let long = clinging(&word) + "sleep 600";
    let running = start(&helper(), script(&long)).await.unwrap();
    until(|| processes_with(&word) >= 5).await;
    running.stop();
    assert_eq!(finish(running).await.ended, Ended::Stopped);
    assert_eq!(processes_with(&word), 0);
    let running = start(&helper(), script(&long)).await.unwrap();
    until(|| processes_with(&word) >= 5).await;
    drop(running);
    until(|| processes_with(&word) == 0).await;
    // given up on before it had started
    let starting = tokio::time::timeout(std::time::Duration::ZERO, start(&helper(), script(&long))).await;
    drop(starting);
    until(|| processes_with(&word) == 0).await;
}

/// A process that holds a sandbox, which is this test itself once more. Says when all is up, and waits.
#[test]
fn host_that_is_killed() {
    let Ok(word) = std::env::var(VICTIM) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let desk = Desk::new(&[("a.txt", "a")]);
        let overlay = desk.overlay();
        let mut confined = script(&(clinging(&word) + "sleep 600"));
        confined.folders.push(overlay.mount());
        let _running = start(&helper(), confined).await.unwrap();
        until(|| processes_with(&word) >= 5).await;
        println!("victim is up");
        std::future::pending::<()>().await;
    });
}

const VICTIM: &str = "DESKHAND_TEST_SANDBOX_VICTIM";

#[tokio::test]
async fn it_ends_with_a_host_that_is_killed() {
    let word = word();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::host_that_is_killed", "--nocapture"])
        .env(VICTIM, &word)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("victim is up")));
    // one that is about to run another program has no words for a moment
    until(|| processes_with(&word) >= 5).await;
    victim.kill().unwrap();
    victim.wait().unwrap();
    until(|| processes_with(&word) == 0).await;
}

/// How many of the processes with this word stand still, and how many there are.
fn still(word: &str) -> (usize, usize) {
    let states = states_with(word);
    (states.iter().filter(|state| **state == 'T').count(), states.len())
}

#[tokio::test]
async fn it_is_held_still_and_goes_on() {
    let word = word();
    // processes that come and go all the time
    let busy = "while :; do (sh -c ':' \"$0\" & :); done";
    let mut busy = script(&format!("for n in 1 2 3; do sh -c '{busy}' {word} & done; wait"));
    busy.limits.processes = 4096;
    let running = start(&helper(), busy).await.unwrap();
    until(|| still(&word).1 >= 5).await;
    let held = running.hold().await.unwrap();
    let (before, there) = still(&word);
    // bubblewrap itself, which waits for the sandbox from outside, is none of it
    assert!(there > 3 && before == there - 1, "{before} of {there} stand still");
    drop(held);
    until(|| still(&word).0 < 3).await;
    drop(running);
}
