//! A model at work on real files, through the real program: the model is a scripted server that checks the protocol.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that finds something wrong ends")]
#![allow(clippy::print_stderr, reason = "a test that cannot run here says so")]

mod background;
mod beside;
mod budgets;
mod changes;
mod connections;
mod crash;
mod delegate;
mod documents;
mod ends;
#[cfg(feature = "guests")]
mod guest;
mod instructions;
mod kit;
mod mcp;
mod meanwhile;
mod memory;
mod notekeeper;
mod parked;
mod plan;
mod plugins;
mod programs;
mod served;
mod shell;
mod steering;
mod torn;
mod transcripts;
mod typing;

use deskhand_tests::terminal;
