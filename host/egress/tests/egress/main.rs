//! The way out, against servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod bodies;
mod gateway;
mod kit;
mod proxies;
mod redirects;
