//! What a guest has at hand when it is saved, so that the first job need not wait for it: programs in memory, and an
//! interpreter of Python that has its libraries loaded and runs nothing. Jobs are forked from that. It is a process of the
//! sandbox like any other, and a job could end it; jobs then begin in an interpreter of their own.

use crate::gate;
use deskhand_vm_protocol::{Command, PYTHON};
use rustix::{
    fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv,
        sendmsg, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
};
use std::{
    fs,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{self, Stdio},
    time::Duration,
};

const PROGRAM: &str = include_str!("warm.py");

/// What most jobs run, and what these programs load.
const OFTEN: [&str; 22] = [
    "bin/bash",
    "bin/cat",
    "bin/cp",
    "bin/cut",
    "bin/echo",
    "bin/env",
    "bin/find",
    "bin/grep",
    "bin/head",
    "bin/ls",
    "bin/mkdir",
    "bin/mv",
    "bin/rm",
    "bin/sed",
    "bin/sort",
    "bin/tail",
    "bin/wc",
    "bin/xargs",
    "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "lib/x86_64-linux-gnu/libc.so.6",
    "lib/x86_64-linux-gnu/libselinux.so.1",
    "lib/x86_64-linux-gnu/libtinfo.so.6",
];

/// Have the programs in memory that most jobs run. One that cannot be read is not worth a word.
pub(crate) fn programs() {
    for file in OFTEN {
        let _ = fs::read(Path::new("/usr").join(file));
    }
}

/// How long it may take to fork. It is stopped where that takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The runner's side of it.
#[derive(Debug)]
pub(crate) struct Warm(OwnedFd);

/// What it is to run, where a command is for it.
pub(crate) fn source(command: &Command) -> Option<&[u8]> {
    // what Python reads of its variables it has read
    if command.environment.iter().any(|(name, _)| name.starts_with(b"PYTHON")) {
        return None;
    }
    let [python, unbuffered, given] = PYTHON.map(str::as_bytes);
    match command.words.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
        [first, second, third] if first == python && second == given => Some(third),
        [first, second, third, source] if [first, second, third] == [python, unbuffered, given] => Some(source),
        _ => None,
    }
}

impl Warm {
    /// Start it, and wait until it is warm, which takes as long as its libraries do.
    pub(crate) fn start() -> io::Result<Self> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        gate::inherit(theirs.as_fd())?;
        let mut python = process::Command::new(PYTHON[0]);
        python.args(&PYTHON[1..]).arg(PROGRAM).arg(theirs.as_raw_fd().to_string());
        python.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(python.spawn()?);
        drop(theirs);
        let (read, _) = recv(&ours, &mut [0_u8; 1], RecvFlags::empty())?;
        if read == 0 {
            return Err(io::Error::other("Python does not start"));
        }
        set_socket_timeout(&ours, Timeout::Recv, Some(PATIENCE))?;
        set_socket_timeout(&ours, Timeout::Send, Some(PATIENCE))?;
        Ok(Self(ours))
    }

    /// Fork a process that runs `source`, and waits at its gate first: its number, or why the command cannot be. None where no
    /// answer is to be had any more.
    pub(crate) fn fork(
        &self,
        source: &[u8],
        command: &Command,
        descriptors: [BorrowedFd<'_>; 4],
    ) -> io::Result<Option<i32>> {
        let variables = command.environment.iter().flat_map(|(name, value)| [&name[..], value]);
        let texts: Vec<&[u8]> = [&command.folder[..], source].into_iter().chain(variables).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        if sendmsg(&self.0, &[IoSlice::new(&texts.join(&0))], &mut ancillary, SendFlags::NOSIGNAL).is_err() {
            return Ok(None);
        }
        let mut answer = [0; 4];
        match recv(&self.0, &mut answer, RecvFlags::empty()).map(|(read, _)| (read, i32::from_le_bytes(answer))) {
            Ok((4, process @ 1..)) => Ok(Some(process)),
            Ok((4, code @ ..=0)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
            _ => Ok(None),
        }
    }
}
