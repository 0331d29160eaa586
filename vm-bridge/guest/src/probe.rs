//! The probes of the boundary check: each tries from inside of the sandbox what must not be possible there, and says
//! how it failed. `OPEN` is a hole.

use crate::kernel::attempt;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    process::{self, ExitCode},
    time::Duration,
};

/// What is tried, and the outcome: an error is what is wanted.
type Probe = (&'static str, fn() -> io::Result<()>);

const PROBES: [Probe; 30] = [
    ("mount a file system", || attempt(libc::SYS_mount, [0; 4])),
    ("open a new mount", || attempt(libc::SYS_fsopen, [0; 4])),
    ("make a user namespace", || attempt(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0])),
    ("make a mount namespace", || attempt(libc::SYS_unshare, [libc::CLONE_NEWNS.into(), 0, 0, 0])),
    ("clone into a user namespace", || attempt(libc::SYS_clone, [libc::CLONE_NEWUSER.into(), 0, 0, 0])),
    ("enter another namespace", || attempt(libc::SYS_setns, [0, 0, 0, 0])),
    ("trace a process", || attempt(libc::SYS_ptrace, [libc::PTRACE_ATTACH.into(), 1, 0, 0])),
    ("read another's memory", || attempt(libc::SYS_process_vm_readv, [1, 0, 0, 0])),
    ("raw socket", || socket(libc::AF_INET, libc::SOCK_RAW, 0)),
    ("packet socket", || socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0)),
    ("AF_VSOCK socket", || socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0)),
    ("netlink socket", || socket(libc::AF_NETLINK, libc::SOCK_DGRAM, 0)),
    ("AF_ALG socket", || socket(libc::AF_ALG, libc::SOCK_DGRAM, 0)),
    ("ping socket", || socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP)),
    ("multipath TCP socket", || socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP)),
    ("UDP-Lite socket", || socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE)),
    ("load BPF", || attempt(libc::SYS_bpf, [0; 4])),
    ("io_uring", || attempt(libc::SYS_io_uring_setup, [1, 0, 0, 0])),
    ("kernel keyring", || attempt(libc::SYS_keyctl, [0; 4])),
    ("become root", || attempt(libc::SYS_setresuid, [0, 0, 0, 0])),
    ("reach the network", network),
    ("open a disk in /dev", || devices(&["vda", "vdb", "sda", "nvme0n1", "loop0", "dm-0"])),
    ("open memory or a port in /dev", || {
        devices(&["mem", "kmsg", "vport0p1", "vport0p2", "hvc0", "ttyS0", "tty0", "kvm"])
    }),
    ("see /sys", || fs::read_dir("/sys").map(drop)),
    ("see the scratch disk or the guest's own files", || fs::read_dir("/run/scratch").map(drop)),
    ("see other processes", processes),
    ("open the memory of the first process", || OpenOptions::new().write(true).open("/proc/1/mem").map(drop)),
    ("write to the memory of another process", memory),
    ("change the kernel's settings", || OpenOptions::new().write(true).open("/proc/sys/kernel/hostname").map(drop)),
    ("change the programs", || fs::write("/usr/bin/probe", b"")),
];

/// `probe`: one line a probe. Fails where one of them succeeds.
pub(crate) fn main() -> ExitCode {
    let mut open = privileges();
    let mut out = io::stdout();
    let mut say = |name: &str, outcome: &str| writeln!(out, "{outcome}\t{name}");
    if say("privileges", if open { "OPEN" } else { "none" }).is_err() {
        return ExitCode::FAILURE;
    }
    for (name, probe) in PROBES {
        let outcome = match probe() {
            Ok(()) => {
                open = true;
                "OPEN".to_owned()
            }
            Err(error) => describe(&error),
        };
        if say(name, &outcome).is_err() {
            return ExitCode::FAILURE;
        }
    }
    if open { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "denied".to_owned(),
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported => "absent".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "read-only".to_owned(),
        // there is no such user in the sandbox
        io::ErrorKind::InvalidInput => "impossible".to_owned(),
        io::ErrorKind::NetworkUnreachable => "unreachable".to_owned(),
        _ => error.to_string(),
    }
}

fn socket(family: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<()> {
    attempt(libc::SYS_socket, [family.into(), kind.into(), protocol.into(), 0])
}

/// Whoever else runs in the sandbox, if anybody does, may have other limits.
fn memory() -> io::Result<()> {
    let own = process::id().to_string();
    let mut tried = Err(io::ErrorKind::PermissionDenied.into());
    for entry in fs::read_dir("/proc")?.flatten() {
        let number = entry.file_name();
        let is_other = number.to_str().is_some_and(|name| name != own && name.parse::<u32>().is_ok());
        if is_other && OpenOptions::new().write(true).open(entry.path().join("mem")).is_ok() {
            tried = Ok(());
        }
    }
    tried
}

/// A public address that nothing answers at: TEST-NET-1 of RFC 5737.
fn network() -> io::Result<()> {
    let address = SocketAddr::from(([192, 0, 2, 1], 80));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).map(drop)
}

fn devices(names: &[&str]) -> io::Result<()> {
    names
        .iter()
        .find_map(|name| OpenOptions::new().read(true).open(format!("/dev/{name}")).ok())
        .map(drop)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The runner and this job, and whatever else runs in the task's own sandbox, are all that may be seen. The first process of
/// the machine is not: the one of the sandbox stands in its place, which is bubblewrap where there is no guest.
fn processes() -> io::Result<()> {
    let name = fs::read_to_string("/proc/1/comm")?;
    let kernel = fs::read_to_string("/proc/2/comm").is_ok_and(|name| name.trim() == "kthreadd");
    if ["guest", "bwrap"].contains(&name.trim()) && !kernel { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
}

/// Whether there is a capability, or a way to new ones.
fn privileges() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let none = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"]
        .iter()
        .all(|name| field(name) == Some("0000000000000000"));
    !(none && field("NoNewPrivs:") == Some("1") && field("Seccomp:") == Some("2"))
}
