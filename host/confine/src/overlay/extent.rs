//! How far the folders of a task are in a sandbox.

/// See the module. Each is more than the one before it. What is not granted to the task at all is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// They are not in it.
    Nothing,
    /// They can be read.
    Read,
    /// What is written to them is taken, but for removals.
    Change,
    /// All that is written to them is taken.
    Remove,
}
