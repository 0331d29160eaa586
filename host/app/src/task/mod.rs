//! What the task of a command and that of an agent have in common.

mod folders;
mod invocation;
mod seen;

pub(crate) use folders::{Opening, open as open_folders};
pub(crate) use invocation::{invocation, services};
pub(crate) use seen::{STOPPED, Seen};
