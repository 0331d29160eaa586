//! Real guests: what they do for jobs, what jobs cannot do to them, and what becomes of them when something breaks.
//! Each boots or restores one, so these run under `make test-vm`, one at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod boundary;
mod faults;
mod files;
mod image;
mod jobs;
mod kit;
mod programs;
mod snapshots;
