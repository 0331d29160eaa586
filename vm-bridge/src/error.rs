//! What can go wrong with a guest.

use deskhand_vm_image::ImageError;
use deskhand_vm_protocol::Refusal;
use std::{io, path::PathBuf};

/// Why there is no guest.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// There is no monitor.
    #[error(
        "there is no virtual machine monitor on this computer. Install QEMU (Debian: qemu-system-x86) and try again"
    )]
    NoMonitor,
    /// The monitor cannot be shut in.
    #[error(
        "QEMU cannot be shut in, and is not started without that: {0}. Install bubblewrap, and allow user namespaces"
    )]
    NotConfined(String),
    /// A folder is not the one that was granted.
    #[error(
        "{} is not the folder any more that it was when it was granted, so no guest is given it. Look at what is there, and grant it again", .0.display()
    )]
    NotThere(PathBuf),
    /// The guest could not do with the folders what it was asked.
    #[error("the guest cannot have the folders: {0}")]
    Folders(io::Error),
    /// The monitor did not do what it was asked.
    #[error("QEMU did not start the guest: {0}")]
    Monitor(String),
    /// The image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The guest was there, and is no more.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The guest does not run a job.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The host's own files and sockets.
    #[error("the guest cannot be started: {0}")]
    Host(#[from] io::Error),
}

/// Why a guest is gone. Whatever ran in it is gone too, and nothing of it has changed a file of the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// It was told to end.
    #[error("the guest was ended")]
    Ended,
    /// It does not answer.
    #[error("the guest did not answer in time, and was ended. What ran in it is lost; start it again")]
    Silent,
    /// What was written in it was being told, and nobody wanted to wait for that any more.
    #[error("the guest was ended while it told what was written in it, so that the last of it is not taken")]
    GivenUp,
    /// It said something that it must not.
    #[error("the guest broke the rules of its channel ({0}), and was ended. What ran in it is lost")]
    Hostile(String),
    /// Its kernel gave up.
    #[error("the guest's kernel stopped ({0}). What ran in it is lost; start it again")]
    Panic(String),
    /// Its monitor is gone.
    #[error("the guest's monitor ended. What ran in it is lost; start it again")]
    Gone,
}
