//! `deskhand mcp serve`: what a client is offered, whom its questions reach, and what is left of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that finds something wrong ends")]
#![allow(clippy::print_stderr, reason = "a test that cannot run here says so")]

mod calls;
mod conformance;
mod faults;
mod files;
mod http;
mod kit;
mod offered;
mod peers;
mod questions;
