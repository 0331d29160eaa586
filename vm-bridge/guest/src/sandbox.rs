//! The sandbox of a task: bubblewrap with no privileges, no network but its own loopback, and nothing of the guest but
//! its programs and the scratch disk.

use crate::{
    boot::{SCRATCH, SELF},
    cgroup::Group,
    files::SEEN,
    gate, runner, seccomp,
};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
};
use std::{
    io,
    net::TcpListener,
    os::{fd::AsRawFd as _, unix::process::CommandExt as _},
    process::{Command, Stdio},
    thread,
};

/// Who runs all jobs.
pub(crate) const USER: u32 = 1000;
/// The group of [`USER`].
pub(crate) const GROUP: u32 = 1000;

/// Start the sandbox with its runner. Ends when the agent does; the descriptor speaks with the runner, and the listener is on
/// the sandbox's own loopback.
pub(crate) fn start(place: &Group) -> io::Result<(OwnedFd, TcpListener)> {
    let (ours, runner) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let (ours_gate, gate) = gate::pair()?;
    let filters = seccomp::filters()?;
    gate::inherit(runner.as_fd())?;
    let mut command = Command::new("/usr/bin/bwrap");
    command.args(namespaces());
    gate::hold(&mut command, gate);
    for filter in &filters {
        gate::inherit(filter.as_fd())?;
        command.arg("--add-seccomp-fd").arg(filter.as_raw_fd().to_string());
    }
    command.args(["--", SELF, "runner"]).arg(runner.as_raw_fd().to_string());
    command.env_clear().current_dir("/").uid(USER).gid(GROUP);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    thread::scope(|scope| {
        let passed = scope.spawn(|| ours_gate.pass(|process| place.add(process)));
        // it is waited for with all other children of process 1
        drop(command.spawn()?);
        passed.join().unwrap_or(Err(io::ErrorKind::Other.into()))
    })?;
    drop((command, runner, filters));
    match runner::hear_ready(&ours) {
        Some(listener) => Ok((ours, listener)),
        None => Err(io::Error::other("the sandbox did not start")),
    }
}

/// What the sandbox sees and is.
fn namespaces() -> Vec<String> {
    let (home, temporary) = (format!("{SCRATCH}/home"), format!("{SCRATCH}/tmp"));
    let words = [
        "--unshare-all --unshare-user --as-pid-1 --die-with-parent --new-session --disable-userns --cap-drop ALL",
        "--hostname deskhand",
        "--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/sbin /sbin",
        "--symlink usr/lib /lib --symlink usr/lib64 /lib64 --ro-bind /etc /etc --ro-bind /var /var",
        "--proc /proc --dev /dev --dir /run",
        &format!("--bind {SEEN} /mnt"),
        &format!(
            "--ro-bind {SELF} {SELF} --bind {home} /home/user --bind {temporary} /tmp --bind {temporary} /var/tmp"
        ),
        "--remount-ro / --chdir /home/user --clearenv",
        "--setenv PATH /home/user/.local/bin:/usr/local/bin:/usr/bin:/usr/sbin --setenv HOME /home/user --setenv USER user",
        "--setenv LANG C.UTF-8 --setenv TERM dumb --setenv TMPDIR /tmp",
    ];
    // none of these has a space in a word
    words.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect()
}
