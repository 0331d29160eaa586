//! The gate: a new process waits in it until its limits hold, and only then becomes the program that was asked for.
//!
//! The process says one byte, by which the kernel tells the agent who it is; the agent puts it where it belongs and
//! says one byte back. The process then becomes the program, which closes the gate.

use rustix::{
    fd::{BorrowedFd, FromRawFd, OwnedFd},
    io::{FdFlags, fcntl_setfd, read, write},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, recvmsg,
        socketpair,
        sockopt::{Timeout, set_socket_passcred, set_socket_timeout},
    },
    process::Pid,
};
use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::unix::process::CommandExt as _,
    process::Command,
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
    /// Wait for the process, hand it to `place`, and let it go.
    pub(crate) fn pass(self, place: impl FnOnce(Pid) -> io::Result<()>) -> io::Result<()> {
        place(self.process()?)?;
        write(&self.0, &[1])?;
        Ok(())
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

/// Have the process of a command wait at its gate before it becomes its program. Whoever starts it waits with it.
#[allow(unsafe_code)]
pub(crate) fn hold(command: &mut Command, gate: OwnedFd) {
    let wait = move || {
        write(&gate, &[1])?;
        match read(&gate, &mut [0_u8; 1])? {
            1 => Ok(()),
            _ => Err(io::Error::from_raw_os_error(libc::ECANCELED)),
        }
    };
    // SAFETY: the process of a fork makes two system calls in it, and takes no memory and no lock
    unsafe { command.pre_exec(wait) };
}

/// Take over a descriptor that was inherited for this process's own use.
#[allow(unsafe_code)]
pub(crate) fn adopt(number: i32) -> Option<OwnedFd> {
    // SAFETY: whoever started this process named the descriptor in its arguments, and nothing else here has it
    (number > 2).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}
