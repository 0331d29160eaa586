//! What a request used, in tokens.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Tokens. The first four kinds do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Usage {
    /// Input that was neither read from the prompt cache nor written to it.
    pub input: u64,
    /// Input that was read from the prompt cache.
    pub cache_read: u64,
    /// Input that was written to the prompt cache.
    pub cache_write: u64,
    /// Output, thinking included.
    pub output: u64,
    /// How much of the output was thinking, where the server says so.
    pub thinking: u64,
}

impl Usage {
    /// All input: what the prompt took of the model's context.
    pub const fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// All tokens.
    pub const fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        add(&mut self.input, other.input);
        add(&mut self.cache_read, other.cache_read);
        add(&mut self.cache_write, other.cache_write);
        add(&mut self.output, other.output);
        add(&mut self.thinking, other.thinking);
    }
}
