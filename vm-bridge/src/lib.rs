//! The bridge to a guest: starts a virtual machine from an image, and runs jobs in it.
//!
//! [`Bridge`] hands out guests, each restored from a snapshot that was made on this machine; [`Guest`] is one of them.
//! What a machine runs on is behind [`Vmm`], so that other monitors can follow. Whatever a guest says is checked here:
//! one that breaks the protocol, falls silent or dies is ended, and its jobs with it.
//!
//! This room stands on `vocabulary` and `files`; the protocol and the image are its own crates.

mod bridge;
mod error;
mod guest;
mod hardware;
mod import;
mod qemu;
mod snapshot;
mod vmm;

pub use bridge::{Bridge, Facts, Warmth};
pub use deskhand_vm_protocol::files::{PIECE, Step, What};
pub use deskhand_vm_protocol::{Command, Ending, Limits, PYTHON, Refusal, Stream, Usage};
pub use error::{Lost, VmError};
pub use guest::{Collector, Event, Guest, Job, Patience, Stdin};
pub use hardware::Accelerator;
pub use qemu::Qemu;
pub use snapshot::Snapshots;
pub use vmm::{Disks, Machine, Ports, Reach, Share, Size, Start, Vmm};
