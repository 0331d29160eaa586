//! What the host and the guest say to each other, and how it is put on a virtio-serial port.
//!
//! Either end takes the other for hostile: [`Receiver`] gives a whole message that is well formed, of bounded length
//! and in its place, or an error after which nothing more is read. What a message means, and whether it is in order, is
//! for the ends to judge. This crate imports no other of ours, and is the only one that both ends share.

pub mod files;
mod frame;
mod message;
pub mod streams;

pub use frame::{FrameError, MOST, Receiver, Sender};
pub use message::{
    Command, Ending, FOLDERS, INPUT_WINDOW, JobId, Limits, OUTPUT_WINDOW, PROXY_PORT, PYTHON, Refusal, Report, Request,
    SessionId, Stream, Usage, VERSION, Wake, disk, log, port,
};
