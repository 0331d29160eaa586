//! The image of the guest: a kernel, a first file system with the guest's own program, and a root image out of Debian
//! packages and, where Debian has none, wheels of Python.
//!
//! [`Recipe`] says what goes in, by the digest of each package, and what more a person wants, which lies over the root image in a
//! layer; [`build`] makes an image of it, anywhere, without
//! privileges and without running anything of the packages, so that two builds have one digest; [`Store`] keeps images
//! under their digest and verifies them each time one is opened. Where the packages come from is the caller's: see
//! [`Fetch`].
//!
//! This crate stands on `vocabulary` and `files`.

mod build;
mod error;
mod fetch;
mod initramfs;
mod kernel;
mod layer;
mod list;
mod name;
mod package;
mod promised;
mod recipe;
mod root;
mod store;
mod tree;
mod wheel;

pub use build::{Step, build};
pub use error::ImageError;
pub use fetch::Fetch;
pub use name::{NoName, PackageName};
pub use promised::{MODULES, PROGRAMS, USUAL};
pub use recipe::{Package, Place, Recipe};
pub use store::{Image, Layer, Manifest, Part, Parts, Store};

/// The guest's program, or nothing where there is none for this machine.
static GUEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest"));

/// The guest's program, which also has the probes of the boundary check; empty where there is none for this machine.
pub const fn guest_program() -> &'static [u8] {
    GUEST
}

/// Whether there is a guest for this machine at all.
pub const fn supported() -> bool {
    !GUEST.is_empty()
}
