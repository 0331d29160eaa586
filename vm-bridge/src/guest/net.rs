//! The connections of a guest, on the host's side: each goes to the proxy, where there is one, and nowhere else.

use super::{Shared, watch};
use crate::Lost;
use deskhand_vm_protocol::{
    Receiver, Sender,
    streams::{Streams, StreamsError},
};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{
    io,
    os::{fd::AsRawFd as _, unix::net::UnixStream},
    path::{Path, PathBuf},
};

/// Carry what the guest connects, until its port is over.
pub(super) fn serve(guest: &Shared, port: UnixStream, proxy: Option<&PathBuf>) {
    let Ok(out) = port.try_clone() else { return };
    let streams = Streams::new(Sender::new(out));
    let heard = streams.listen(&mut Receiver::new(port), || connect(proxy?).ok());
    match heard {
        Ok(()) => {}
        Err(StreamsError::Rule(rule)) => guest.end(Lost::Hostile(rule.to_owned())),
        Err(StreamsError::Frame(error)) => guest.end(watch::lost(&error, &guest.console)),
    }
}

/// A socket's path is short (unix(7)), and a home's may be long.
fn connect(proxy: &Path) -> io::Result<UnixStream> {
    let (Some(folder), Some(name)) = (proxy.parent(), proxy.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, folder, flags, Mode::empty())?;
    UnixStream::connect(Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
}
