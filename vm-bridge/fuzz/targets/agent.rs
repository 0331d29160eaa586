//! The guest's end: a host that says anything, and a sandbox that was taken over and does so as well. What the agent does to its
//! machine is not done here: that would be this computer.
#![no_main]

#[path = "../../guest/src/agent.rs"]
#[allow(dead_code)]
mod agent;
#[path = "../../guest/src/job.rs"]
mod job;
#[path = "../../guest/src/output.rs"]
mod output;
#[path = "../../guest/src/runner.rs"]
#[allow(dead_code)]
mod runner;

use deskhand_vm_fuzz::Script;
use deskhand_vm_protocol::{Receiver, Report, Request, Sender, VERSION};
use libfuzzer_sys::fuzz_target;
use rustix::{
    fd::OwnedFd,
    net::{
        AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send, shutdown, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
};
use std::{fs::File, os::unix::net::UnixStream, thread, time::Duration};

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut sandbox = script.part().0.to_vec();
    let mut said = Vec::new();
    if script.byte() != 0 {
        Sender::new(&mut said).send(&Request::Hello { version: VERSION }).unwrap();
    }
    said.extend(script.framed(u32::from(!said.is_empty())));

    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let (host, reports) = UnixStream::pair().unwrap();
    let hearing = thread::spawn(move || {
        let mut reports = Receiver::new(reports);
        // whatever it was told, what it says is in order
        while reports.receive::<Report>().unwrap().is_some() {}
    });
    // it answers each order with the next of its words, and leaves where none comes that it would have to answer
    set_socket_timeout(&theirs, Timeout::Recv, Some(Duration::from_millis(20))).unwrap();
    let acting = thread::spawn(move || {
        let mut packet = vec![0; runner::PACKET];
        sandbox.reverse();
        while let Ok((1.., _)) = recv(&theirs, &mut packet, RecvFlags::empty()) {
            let length = usize::from(sandbox.pop().unwrap_or(0) % 8);
            let word: Vec<u8> = (0..length).filter_map(|_| sandbox.pop()).collect();
            if word.is_empty() || send(&theirs, &word, SendFlags::NOSIGNAL).is_err() {
                return;
            }
        }
    });
    let host = File::from(OwnedFd::from(host));
    let sandbox = rustix::io::dup(&ours).unwrap();
    agent::converse(&said[..], host, ours, &mut std::io::sink()).unwrap();
    // with the sandbox all jobs end, and then nothing more is said
    let _ = shutdown(&sandbox, Shutdown::Both); // it may have left
    acting.join().unwrap();
    hearing.join().unwrap();
});

/// The gate of a process that comes to it at once.
#[allow(dead_code)]
mod gate {
    use rustix::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        process::Pid,
    };
    use std::{io, process::Command};

    #[derive(Debug)]
    pub(crate) struct Gate;

    pub(crate) fn pair() -> io::Result<(Gate, OwnedFd)> {
        Ok((Gate, rustix::io::dup(io::stderr().as_fd())?))
    }

    impl Gate {
        pub(crate) fn pass(self, place: impl FnOnce(Pid) -> io::Result<()>) -> io::Result<()> {
            place(Pid::INIT)
        }
    }

    pub(crate) fn inherit(_: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn hold(_: &mut Command, _: OwnedFd) {}

    pub(crate) fn adopt(_: i32) -> Option<OwnedFd> {
        None
    }
}

/// Groups that nothing is in.
mod cgroup {
    use deskhand_vm_protocol::{JobId, Limits, Usage};
    use rustix::process::{Pid, Signal};
    use std::io;

    pub(crate) struct Group;

    pub(crate) fn prepare() -> io::Result<Group> {
        Ok(Group)
    }

    impl Group {
        pub(crate) fn of_job(_: JobId, _: Limits) -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn add(&self, _: Pid) -> io::Result<()> {
            Ok(())
        }

        pub(crate) fn signal(&self, _: Signal) {}

        pub(crate) fn kill(&self) -> io::Result<()> {
            Ok(())
        }

        pub(crate) fn out_of_memory(&self) -> bool {
            false
        }

        pub(crate) fn usage(&self) -> Usage {
            Usage::default()
        }

        pub(crate) fn remove(self) {}
    }
}

/// Files of no disk.
mod log {
    use deskhand_vm_protocol::JobId;
    use std::io;

    pub(crate) struct Log;

    impl Log {
        pub(crate) fn of(_: JobId) -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn keep(&self, _: &[u8]) {}
    }
}

/// A network that nothing is on.
mod net {
    use std::{fs::File, io, net::TcpListener};

    pub(crate) fn serve(_: TcpListener, _: File, _: File) -> io::Result<()> {
        Ok(())
    }
}

/// The sandbox is the fuzzer's.
mod sandbox {
    use crate::cgroup::Group;
    use rustix::fd::OwnedFd;
    use std::{io, net::TcpListener};

    pub(crate) fn start(_: &Group) -> io::Result<(OwnedFd, TcpListener)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The clock and the generator of this computer are not the fuzzer's.
mod wake {
    use deskhand_vm_protocol::Wake;
    use std::io;

    pub(crate) fn wake(wake: &Wake) -> io::Result<()> {
        if wake.nanoseconds < 1_000_000_000 { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }
}

/// No interpreter waits.
mod warm {
    use deskhand_vm_protocol::Command;
    use rustix::fd::BorrowedFd;
    use std::io;

    pub(crate) struct Warm;

    pub(crate) fn programs() {}

    pub(crate) fn source(_: &Command) -> Option<&[u8]> {
        None
    }

    impl Warm {
        pub(crate) fn start() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn fork(&self, _: &[u8], _: &Command, _: [BorrowedFd<'_>; 4]) -> io::Result<Option<i32>> {
            Ok(None)
        }
    }
}
