//! Shutting QEMU in: no network, no file of the person's, no other process, no privilege; and it ends when we do.

use crate::{Accelerator, VmError, qemu::line::Line};
use command_fds::{CommandFdExt as _, FdMapping};
use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

const BUBBLEWRAP: &str = "bwrap";

/// Where programs and their libraries are, on all systems that keep to the Filesystem Hierarchy Standard.
const PROGRAMS: &str = "/usr";

/// Whether QEMU can be shut in here.
pub(super) fn check(program: &Path) -> Result<(), VmError> {
    if !program.starts_with(PROGRAMS) {
        return Err(VmError::NotConfined(format!("{} is not below {PROGRAMS}", program.display())));
    }
    let said = walls(&Accelerator::Emulation(String::new())).arg("--").arg(program).arg("--version").output();
    match said {
        Err(error) => Err(VmError::NotConfined(format!("bubblewrap does not start ({error})"))),
        Ok(said) if said.status.success() => Ok(()),
        Ok(said) => Err(VmError::NotConfined(String::from_utf8_lossy(&said.stderr).trim().to_owned())),
    }
}

/// The command that starts QEMU inside of the walls.
pub(super) fn command(program: &Path, accelerator: &Accelerator, line: Line) -> Result<Command, VmError> {
    let (words, passed) = line.into_parts();
    let mut command = walls(accelerator);
    command.arg("--").arg(program).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mappings = passed.into_iter().map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect();
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    Ok(command)
}

fn walls(accelerator: &Accelerator) -> Command {
    let mut command = Command::new(BUBBLEWRAP);
    let words = "--unshare-all --as-pid-1 --die-with-parent --new-session --cap-drop ALL --uid 65534 --gid 65534 \
        --clearenv \
        --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
        --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache --proc /proc --dev /dev";
    command.args(words.split_whitespace());
    if *accelerator == Accelerator::Kvm {
        command.args(["--dev-bind", "/dev/kvm", "/dev/kvm"]);
    }
    command.args(["--remount-ro", "/"]);
    command
}
