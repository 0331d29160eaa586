//! What the host tells the helpers over their standard input, before that becomes the program's, and what they answer.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
};

/// The most bytes of an order: arguments and environments have their own limit in the kernel (execve(2)).
const MOST: u32 = 4 << 20;

/// One byte from the outer helper: it is in its own user namespace, and waits for the maps of that.
pub(crate) const WAITS: u8 = b'w';
/// One byte to it: the maps are written.
pub(crate) const GO: u8 = b'g';
/// From the inner helper: the sandbox is whole, and it waits for the [`Environment`].
pub(crate) const WHOLE: [u8; 8] = *b"\0whole\0\n";
/// From the inner helper: the program is there, and comes next.
pub(crate) const FOUND: [u8; 8] = *b"\0found\0\n";
/// The status with which the inner helper ends where the program cannot be run (as shells do).
pub(crate) const NOT_FOUND: u8 = 127;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The host's process.
    pub(crate) parent: i32,
    pub(crate) overlays: Vec<Layers>,
    /// Folders of this machine that are shown and cannot be changed.
    pub(crate) shown: Vec<OsString>,
    pub(crate) bubblewrap: OsString,
    /// Its options.
    pub(crate) options: Vec<OsString>,
    /// Files made of these bytes, by their paths in the sandbox.
    pub(crate) made: Vec<(OsString, Vec<u8>)>,
    /// Filters of system calls, as the kernel takes them.
    pub(crate) filters: Vec<Vec<u8>>,
    pub(crate) bounds: Bounds,
    /// What runs in the sandbox.
    pub(crate) command: Vec<OsString>,
}

/// The program's environment. It comes to the inner helper and not before: the loader of ours believes some of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Environment(pub(crate) Vec<(OsString, OsString)>);

/// An overlay to be mounted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Layers {
    /// The granted folder, and what it has to be: device and inode.
    pub(crate) lower: OsString,
    pub(crate) id: (u64, u64),
    pub(crate) upper: OsString,
    pub(crate) work: OsString,
    /// Where it is mounted, seen by nobody else.
    pub(crate) at: OsString,
    pub(crate) writable: bool,
    /// What of it is covered, by its path in it.
    pub(crate) covered: Vec<OsString>,
}

/// What one process may use (getrlimit(2)).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// Bytes of memory that it writes to.
    pub(crate) memory: u64,
    /// Processes in the sandbox.
    pub(crate) processes: u64,
    /// Seconds of a processor.
    pub(crate) seconds: Option<u64>,
    /// Bytes of a file.
    pub(crate) file: u64,
}

/// Write a value with its length before it.
pub(crate) fn send(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_allocvec(value).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= MOST);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "arguments and environment are too long"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&bytes)
}

/// The standard input, of which nothing is read ahead: what follows is the program's own.
pub(crate) fn input() -> io::Result<File> {
    Ok(rustix::io::dup(rustix::stdio::stdin())?.into())
}

/// Read what [`send`] wrote, and not one byte more.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the order is too long"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}
