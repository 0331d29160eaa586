//! Both wires, against a scripted server on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod kit;
mod outcomes;
mod prefix;
mod replies;
mod streams;
