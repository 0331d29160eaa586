//! Makes plugins: [`scaffold`] writes a new one from the template of its kind, [`build`] turns one's source into a component with
//! its manifest inside, [`examine`] says what an author should know before anybody is asked to install it.
//!
//! All that an author needs of Deskhand's sources is carried in here, so no clone of them is needed. This crate stands on
//! the vocabulary alone; it neither compiles nor runs a component.

mod build;
mod cargo;
mod carried;
mod component;
mod error;
mod examine;
mod manifest;
mod scaffold;
mod toolchain;

pub use build::{Built, build};
pub use carried::{SDK_FOLDER, unpack_sdk};
pub use component::{Outline, manifest_of, outline};
pub use error::BuildError;
pub use examine::{Finding, Weight, examine};
pub use manifest::{Source, pack};
pub use scaffold::{Kind, Scaffold, scaffold};
pub use toolchain::{TARGET, Toolchain, make_toolchain};
