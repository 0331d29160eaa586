//! What the bridge wants of a virtual machine monitor. QEMU is the first; Hypervisor.framework, the Windows Hypervisor
//! Platform, libkrun or Virtualization.framework can follow behind the same trait: what they need is a console, four
//! byte streams, disks that are open files, a folder that is shared by 9p, and an end that comes with the host's.

use crate::{VmError, hardware::Accelerator};
use deskhand_vm_image::Image;
use deskhand_vocabulary::Sha256;
use std::{fs::File, os::unix::net::UnixStream, path::PathBuf};

/// How large a guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// MiB of memory.
    pub memory: u32,
    /// GiB of scratch disk, of which only what is written takes room.
    pub scratch: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self { memory: 1024, scratch: 8 }
    }
}

/// The disks of a machine beside its root.
#[derive(Debug)]
pub struct Disks {
    /// What it writes to.
    pub scratch: File,
    /// Folders that were packed for it, which it reads; of the same size for all guests.
    pub import: File,
}

/// How a machine starts.
#[derive(Debug)]
pub enum Start {
    /// From its kernel. The memory is a file where it will be saved, and nowhere else to be found where it will not.
    Cold {
        /// An empty file of the size of the memory.
        memory: Option<File>,
    },
    /// As it was when it was saved. Nothing is written to either file.
    Restored {
        /// The memory.
        memory: File,
        /// The devices.
        devices: File,
    },
}

/// A folder of this computer that a guest sees, and cannot change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The name that it has in the guest's sandbox, below `/mnt`.
    pub name: Vec<u8>,
    /// Where it is: canonical and absolute.
    pub path: PathBuf,
    /// What is there, if it is still that folder: device and inode.
    pub id: (u64, u64),
    /// Folders in it that are not seen.
    pub covered: Vec<PathBuf>,
    /// What lies over it, in the form of an overlay's layer: a folder of our own.
    pub pending: Option<PathBuf>,
    /// Whether jobs can write to it, which is taken up in the guest.
    pub writable: bool,
    /// Whether the guest is to see what becomes of it meanwhile. Else it may be given what it held when the guest began, which is
    /// much faster where that is many small files.
    pub live: bool,
}

/// What of this computer a guest reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The folders of its task.
    pub folders: Vec<Share>,
    /// The socket of the proxy that is its only network; none where it has no network.
    pub proxy: Option<PathBuf>,
}

/// The host's ends of a machine's streams. Each ends when the machine does.
#[derive(Debug)]
pub struct Ports {
    /// Requests and reports.
    pub control: UnixStream,
    /// What is asked and told of folders.
    pub files: UnixStream,
    /// Connections to the proxy.
    pub net: UnixStream,
    /// What the guest says of itself.
    pub log: UnixStream,
    /// What its kernel says.
    pub console: UnixStream,
}

/// A monitor that can start machines.
pub trait Vmm: Send + Sync {
    /// What the guest runs on.
    fn accelerator(&self) -> &Accelerator;

    /// The monitor and its version, for people.
    fn name(&self) -> String;

    /// Of everything on the monitor's side that a saved machine depends on.
    fn identity(&self, size: Size) -> Sha256;

    /// Start a machine that can reach these folders and no other.
    fn start(
        &self,
        image: &Image,
        size: Size,
        disks: Disks,
        start: Start,
        shares: &[Share],
    ) -> Result<Box<dyn Machine>, VmError>;
}

/// A machine that runs. It ends when it is dropped, and when this process does, however that comes about.
pub trait Machine: Send + Sync {
    /// The streams, which can be taken once.
    fn ports(&mut self) -> Option<Ports>;

    /// Stop, and write the state of the devices to `devices`; the memory is in the file that it was started with.
    fn save(&mut self, devices: File) -> Result<(), VmError>;

    /// End it now. Once this returns, nothing of it is left.
    fn kill(&self);

    /// Bytes that it has resident; `None` once it has ended.
    fn resident(&self) -> Option<u64>;
}
