//! The program that the crash tests kill: it does one piece of random work on a desk that they have made, and ends itself
//! by SIGKILL just before the call to the disk that it was told.
//!
//!     victim DESK apply SEED OPS KILL-AT
//!     victim DESK undo COMMIT KILL-AT
//!     victim DESK recover KILL-AT
//!
//! `KILL-AT` 0 is never. It prints how many calls it made, if it lives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

use deskhand_vocabulary::{CommitId, Stop};
use deskhand_workspace::{UndoOptions, disk::Disk};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use support::{
    Desk,
    faults::Hooked,
    model::{Numbers, read_model, work},
};

static CALLS: AtomicU64 = AtomicU64::new(0);

fn deadly(at: u64) -> Arc<dyn Disk> {
    Arc::new(Hooked::without_paths(move |_| {
        if CALLS.fetch_add(1, Ordering::SeqCst) + 1 == at {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }))
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let desk = Desk::existing(Path::new(&arguments[1]));
    let number = |at: usize| arguments[at].parse::<u64>().unwrap();
    match arguments[2].as_str() {
        "apply" => {
            let mut model = read_model(&desk.folder);
            let task = desk.open_with(deadly(number(5)));
            let ops = Numbers(number(3)).ops(usize::try_from(number(4)).unwrap());
            work(&task, &mut model, &ops);
            if !task.is_unchanged() {
                desk.propose(&task);
            }
        }
        "undo" => {
            let task = desk.open_with(deadly(number(4)));
            let preview = desk.history().preview(&task, CommitId(number(3)), &UndoOptions::default()).unwrap();
            let person = desk.person.as_ref();
            desk.history().undo(&task, &desk.gate, &desk.context, person, &preview, &Stop::default()).unwrap();
        }
        _ => {
            deskhand_workspace::recover_with(&desk.home, desk.log().as_ref(), deadly(number(3))).unwrap();
        }
    }
    println!("{}", CALLS.load(Ordering::SeqCst));
}
