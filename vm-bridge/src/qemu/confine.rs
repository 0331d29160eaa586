//! Shutting QEMU in: no network, no file of the person's but the folders that its guest reads, no other process, no
//! privilege; and it ends when we do.

use crate::{
    Accelerator, Share, VmError,
    qemu::line::{EXPORT, Line},
};
use command_fds::{CommandFdExt as _, FdMapping};
use std::{
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const BUBBLEWRAP: &str = "bwrap";

/// Where programs and their libraries are, on all systems that keep to the Filesystem Hierarchy Standard.
const PROGRAMS: &str = "/usr";

/// Who QEMU is inside, and with it whose the person's files are: the one who runs all jobs of the guest.
const USER: &str = "1000";

/// Whether QEMU can be shut in here.
pub(super) fn check(program: &Path) -> Result<(), VmError> {
    if !program.starts_with(PROGRAMS) {
        return Err(VmError::NotConfined(format!("{} is not below {PROGRAMS}", program.display())));
    }
    let said = walls(&Accelerator::Emulation(String::new()), &[]).arg("--").arg(program).arg("--version").output();
    match said {
        Err(error) => Err(VmError::NotConfined(format!("bubblewrap does not start ({error})"))),
        Ok(said) if said.status.success() => Ok(()),
        Ok(said) => Err(VmError::NotConfined(String::from_utf8_lossy(&said.stderr).trim().to_owned())),
    }
}

/// The command that starts QEMU inside of the walls.
pub(super) fn command(
    program: &Path,
    accelerator: &Accelerator,
    line: Line,
    shares: &[Share],
) -> Result<Command, VmError> {
    let (words, passed) = line.into_parts();
    let mut command = walls(accelerator, shares);
    command.arg("--").arg(program).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // what a terminal sends to all in its foreground is meant for us, and ends no guest
    command.process_group(0);
    let mappings = passed.into_iter().map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect();
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    Ok(command)
}

/// Where QEMU sees a folder, and what lies over it.
pub(super) fn places(number: usize) -> (PathBuf, PathBuf) {
    let place = |part: &str| Path::new(EXPORT).join(part).join(number.to_string());
    (place("own"), place("pending"))
}

fn walls(accelerator: &Accelerator, shares: &[Share]) -> Command {
    let mut command = Command::new(BUBBLEWRAP);
    let words = "--unshare-all --as-pid-1 --die-with-parent --new-session --cap-drop ALL \
        --clearenv \
        --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
        --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache --proc /proc --dev /dev";
    command.args(words.split_whitespace()).args(["--uid", USER, "--gid", USER, "--dir", EXPORT]);
    for (number, share) in shares.iter().enumerate() {
        let (own, pending) = places(number);
        command.arg("--ro-bind").arg(&share.path).arg(&own);
        for covered in &share.covered {
            command.args(["--perms", "0000", "--tmpfs"]).arg(own.join(covered));
        }
        if let Some(layer) = &share.pending {
            command.arg("--ro-bind").arg(layer).arg(pending);
        }
    }
    if *accelerator == Accelerator::Kvm {
        command.args(["--dev-bind", "/dev/kvm", "/dev/kvm"]);
    }
    command.args(["--remount-ro", "/"]);
    command
}
