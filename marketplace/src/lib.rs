//! Marketplaces: where plugins come from, and why they can be trusted.
//!
//! A marketplace is a repository of The Update Framework (TUF) in a folder: a disk, a stick, a share, a synchronised
//! folder. [`Publisher`] makes one, publishes to it and keeps it alive; [`Marketplaces`] holds those that a person
//! added, each by the fingerprint of its first root; a [`Session`] is one whose state was just verified, and the only
//! thing that hands out components. Search and resolution read the verified metadata alone.
//!
//! This room stands on `vocabulary`: it knows components as bytes with a digest and a manifest.

pub mod catalogue;
pub mod conformance;
mod disk;
pub mod error;
pub mod marketplaces;
pub mod naming;
mod paths;
pub mod publish;
mod ranges;
pub mod resolve;
mod verify;

pub use catalogue::{Catalogue, Published, Status};
pub use error::{MarketError, Role, Trouble};
pub use marketplaces::{Listed, Marketplace, Marketplaces, Session};
pub use publish::{
    Created, NewMarketplace, Outcome, Publisher, Release, Replace, Rotated, keys::KeyId, keys::KeyPlace,
};
pub use resolve::{Installed, Step, Wanted};
pub use verify::{LIMITS, Limits, RoleState, State, folder::ReadError};
