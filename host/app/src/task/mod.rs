//! What the tasks of commands, of agents and of clients have in common.

mod folders;
mod invocation;
mod known;
mod seen;
mod written;

pub(crate) use folders::{Opening, open as open_folders};
pub(crate) use invocation::{invocation, services};
pub(crate) use known::{By, Known, known, one as known_one, outcome};
pub(crate) use seen::{STOPPED, Seen};
pub(crate) use written::written;
