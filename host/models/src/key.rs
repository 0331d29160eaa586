//! Keys of models come from outside and are only put on the wire.

use deskhand_egress::Secret;

/// A key that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key {name} could not be read: {reason}")]
pub struct NoKey {
    /// What it is called in the settings.
    pub name: String,
    /// Why, and what to do.
    pub reason: String,
}

/// Who holds the keys: the system's keyring, or a file.
pub trait Keys: Send + Sync {
    /// The key of this name.
    ///
    /// # Errors
    /// [`NoKey`] where there is none or it cannot be read.
    fn key(&self, name: &str) -> Result<Secret, NoKey>;
}
