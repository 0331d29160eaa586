//! Memory: the notes that later tasks are told. Here the person adds, finds, edits and forgets them, takes them elsewhere and
//! in, and here it is decided which of them a task begins with.

mod command;
mod edit;
mod list;
mod offer;
mod place;
mod transfer;

pub(crate) use command::MemoryCommand;
pub(crate) use offer::offer;
