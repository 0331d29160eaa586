//! `deskhand`
#![allow(dead_code, unused_imports)]
mod request;
fn main() {}
