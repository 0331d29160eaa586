//! The runtime on real components: each is written out here as text, and does one thing, mostly a bad one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, reason = "tests")]

mod bad_files;
mod cache;
mod calls;
mod faults;
mod folders;
mod imports;
mod kit;
mod memory;
mod nesting;
mod network;
mod plugins;
mod roles;
mod together;
