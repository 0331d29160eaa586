//! A folder for what a sandbox needs beside its layers, such as the socket of its proxy.

use crate::overlay::{OverlayError, Place};
use std::path::Path;

/// A folder that is its owner's alone. It goes with its holder; where its process dies, with the next layer that is made beside
/// it.
#[derive(Debug)]
pub struct Nook(Place);

impl Nook {
    /// A new one below `place`, where layers lie as well.
    ///
    /// # Errors
    /// [`OverlayError::Place`].
    pub fn new(place: &Path) -> Result<Self, OverlayError> {
        Place::new(place).map(Self).map_err(|error| OverlayError::place(place, error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
