//! Real programs in real sandboxes: what they cannot get at, what they may use, how they end, and what comes of what they
//! wrote. Where these run as root, all of them run once more as somebody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    unreachable_pub
)]

mod boundary;
mod changes;
mod ends;
mod hostile;
mod kit;
mod limits;
mod network;
mod session;
mod somebody;
mod told;
