//! The tools that look at the task's folders and change them, a file each.

mod change;
mod edit;
mod encoding;
mod grep;
mod listing;
mod read;
mod write;

pub use change::REMOVE;
pub(crate) use change::{MakeFolder, Move, Remove};
pub(crate) use edit::Edit;
pub(crate) use grep::Grep;
pub(crate) use listing::{Find, List};
pub(crate) use read::Read;
pub(crate) use write::Write;
