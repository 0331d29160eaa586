//! The gate: a new process waits in it until its limits hold, and only then becomes the program that was asked for.
//!
//! The process says one byte, by which the kernel tells the agent who it is; the agent puts it where it belongs and
//! says one byte back. The program then takes the process over, which closes the gate, or the gate says why it could
//! not.

use rustix::{
    fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd},
    io::{FdFlags, fcntl_setfd, read, write},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, recvmsg,
        socketpair,
        sockopt::{Timeout, set_socket_passcred, set_socket_timeout},
    },
    process::Pid,
};
use std::{
    ffi::OsString,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
    time::Duration,
};

/// How long a process may take to come to its gate, under a load that a sandbox can make.
const PATIENCE: Duration = Duration::from_secs(30);

/// The agent's side of a gate, and the other.
pub(crate) fn pair() -> io::Result<(Gate, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_passcred(&ours, true)?;
    set_socket_timeout(&ours, Timeout::Recv, Some(PATIENCE))?;
    Ok((Gate(ours), theirs))
}

/// Let a descriptor pass to the programs that are started from now on.
pub(crate) fn inherit(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    Ok(fcntl_setfd(descriptor, FdFlags::empty())?)
}

/// The agent's side.
#[derive(Debug)]
pub(crate) struct Gate(OwnedFd);

impl Gate {
    /// Wait for the process, hand it to `place`, let it go, and wait until the program runs. An error with a code is
    /// the program's: it could not be started.
    pub(crate) fn pass(self, place: impl FnOnce(Pid) -> io::Result<()>) -> io::Result<()> {
        place(self.process()?)?;
        write(&self.0, &[1])?;
        let mut code = [0; 4];
        match read(&self.0, &mut code)? {
            0 => Ok(()),
            4 => Err(io::Error::from_raw_os_error(i32::from_le_bytes(code))),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Who is at the gate, in the agent's own numbers.
    fn process(&self) -> io::Result<Pid> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let received = recvmsg(&self.0, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let credentials = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmCredentials(credentials) => Some(credentials.pid),
            _ => None,
        });
        match (received.bytes, credentials) {
            (1, Some(process)) => Ok(process),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The process's side: `gate DESCRIPTOR FOLDER PROGRAM ARGUMENT...`
pub(crate) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let descriptor = arguments.next().and_then(|text| text.to_str()?.parse().ok()).and_then(adopt);
    let (Some(gate), Some(folder), Some(program)) = (descriptor, arguments.next(), arguments.next()) else {
        return ExitCode::from(2);
    };
    let passed = write(&gate, &[1]).and_then(|_| read(&gate, &mut [0_u8; 1]));
    if passed != Ok(1) || fcntl_setfd(&gate, FdFlags::CLOEXEC).is_err() {
        return ExitCode::from(2);
    }
    let error = Command::new(program).args(arguments).current_dir(folder).exec();
    let code = error.raw_os_error().unwrap_or(libc::EINVAL);
    // the agent may be gone, and then so is the guest
    let _ = write(gate.as_fd(), &code.to_le_bytes());
    ExitCode::from(127)
}

/// Take over a descriptor that was inherited for this process's own use.
#[allow(unsafe_code)]
pub(crate) fn adopt(number: i32) -> Option<OwnedFd> {
    // SAFETY: whoever started this process named the descriptor in its arguments, and nothing else here has it
    (number > 2).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}
