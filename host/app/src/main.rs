//! `deskhand`
#![allow(dead_code, unused_imports)]
mod request;
mod show;
fn main() {}
