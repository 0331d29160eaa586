//! The real program on real files, as a person or a script uses it: what it says, word for word, and what it leaves.
//! The expected output lies in `snapshots/`; after a wanted change, look at what `INSTA_UPDATE=always` makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that finds something wrong ends"
)]

mod answers;
mod authors;
mod awkward;
mod codes;
mod damage;
mod disks;
mod duplicates;
mod foreign_disks;
mod grants;
mod instructions;
mod machine;
mod meanwhile;
mod memory;
mod models;
mod organize;
mod pipes;
mod questions;
mod record;
mod rename;
mod same_names;
mod sandbox;
mod slips;
mod together;
mod trouble;
mod undo;
mod vm;

use deskhand_tests::{said, terminal};
