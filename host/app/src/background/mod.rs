//! Tasks that are worked on where no terminal is: queued by `deskhand run --background`, worked on by the supervisor, which is this
//! program in a process of its own, and followed from any terminal.

mod announce;
mod environment;
mod follow;
mod queue;
mod screen;
mod start;
mod supervise;
mod workshop;

pub(crate) use follow::run as follow;
pub(crate) use queue::{NOT_A_COMMAND, queue_again, queue_new};
pub(crate) use start::look_if_queued;
pub(crate) use supervise::{SUPERVISE, run as supervise};
