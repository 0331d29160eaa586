//! From the kernel's hand-over to a machine in which the agent can work.

use crate::{agent, files, kernel, port, sandbox};
use deskhand_vm_protocol::{disk, port as name};
use rustix::{
    fs::Mode,
    io::Errno,
    mount::{MountFlags, mount, mount_move},
    process::{chdir, chroot},
};
use std::{
    ffi::CString,
    fs,
    io::{self, Write as _},
    os::fd::AsFd as _,
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// Where this program lies once the root image is the root.
pub(crate) const SELF: &str = "/run/deskhand/guest";
/// The scratch disk: all that a task writes outside of its folders.
pub(crate) const SCRATCH: &str = "/run/scratch";

const ROOT: &str = "/image";
/// Where the root image and what lies over it are mounted, where the image has both.
const GROUND: &str = "/ground";
const LAYER: &str = "/layer";
/// The root image, the scratch disk and that of imports, in the order of the monitor's arguments.
const ROOT_DISK: &str = "/dev/vda";
const SCRATCH_DISK: &str = "/dev/vdb";
pub(crate) const IMPORT_DISK: &str = "/dev/vdc";
/// A slow machine under load takes seconds to find its devices. The host has a shorter patience of its own.
const PATIENCE: u32 = 6000;

/// What process 1 does. It never returns: a guest that cannot go on restarts, which ends it.
pub(crate) fn main() -> ExitCode {
    if let Err(error) = start() {
        // the console is the host's, and the last that it shows of a guest that did not start
        let _ = writeln!(io::stderr(), "deskhand: the guest did not start: {error}");
    }
    let error = kernel::restart();
    let _ = writeln!(io::stderr(), "deskhand: the guest did not end: {error}");
    ExitCode::FAILURE
}

fn start() -> io::Result<()> {
    mount_kernel("")?;
    load_modules()?;
    let control = wait(|| port::open(name::CONTROL))?;
    let log = wait(|| port::open(name::LOG))?;
    let shared = wait(|| port::open(name::FILES))?;
    let net = wait(|| port::open(name::NET))?;
    mount_image()?;
    enter_root()?;
    mount_scratch()?;
    // what the kernel kills for memory must never be process 1
    fs::write("/proc/self/oom_score_adj", "-1000")?;
    // jobs are one user's, and none of them may reach into another one's memory, or that of what is kept for them
    fs::write("/proc/sys/kernel/yama/ptrace_scope", "2")?;
    files::prepare()?;
    files::serve(shared, log.try_clone()?)?;
    agent::run(control, net, log)
}

/// The kernel's own file systems under a root.
fn mount_kernel(root: &str) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devtmpfs", format!("{root}/dev"), "devtmpfs", MountFlags::NOSUID, None)?;
    mount("proc", format!("{root}/proc"), "proc", flags | MountFlags::NODEV, None)?;
    mount("sysfs", format!("{root}/sys"), "sysfs", flags | MountFlags::NODEV, None)?;
    Ok(())
}

/// The modules of the image, in the order that it names.
fn load_modules() -> io::Result<()> {
    for module in fs::read_to_string("/modules/order")?.lines() {
        let file = fs::File::open(Path::new("/modules").join(module))?;
        match kernel::load_module(file.as_fd()) {
            Err(error) if error.raw_os_error() != Some(libc::EEXIST) => {
                return Err(io::Error::other(format!("module {module}: {error}")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The root image, and over it the layer where the host tells of one.
fn mount_image() -> io::Result<()> {
    wait(|| fs::metadata(ROOT_DISK).map(drop))?;
    let read_only = MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOSUID;
    let told = fs::read_to_string("/proc/cmdline")?;
    if !told.split_whitespace().any(|word| word == disk::TOLD) {
        mount(ROOT_DISK, ROOT, "squashfs", read_only, None)?;
        return Ok(());
    }
    let layer = wait(|| named(disk::LAYER))?;
    for (from, to) in [(ROOT_DISK, GROUND), (&*layer, LAYER)] {
        fs::create_dir(to)?;
        mount(from, to, "squashfs", read_only, None)?;
    }
    let lower = CString::new(format!("lowerdir={LAYER}:{GROUND}"))?;
    mount("overlay", ROOT, "overlay", read_only, lower.as_c_str())?;
    Ok(())
}

/// The disk that the host gave this name.
fn named(name: &str) -> io::Result<String> {
    for disk in fs::read_dir("/sys/block")?.flatten() {
        // not every disk has a name
        if fs::read_to_string(disk.path().join("serial")).is_ok_and(|serial| serial.trim() == name) {
            return Ok(format!("/dev/{}", disk.file_name().to_string_lossy()));
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Make the root image the root. A chroot alone would not do: the kernel refuses user namespaces to whoever is in one.
fn enter_root() -> io::Result<()> {
    mount_kernel(ROOT)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", format!("{ROOT}/run"), "tmpfs", flags, c"mode=0755,size=32m")?;
    fs::create_dir(format!("{ROOT}/run/deskhand"))?;
    fs::copy("/init", format!("{ROOT}{SELF}"))?;
    mount("cgroup2", format!("{ROOT}/sys/fs/cgroup"), "cgroup2", flags | MountFlags::NOEXEC, None)?;
    chdir(ROOT)?;
    mount_move(".", "/")?;
    chroot(".")?;
    chdir("/")?;
    Ok(())
}

/// A fresh disk gets a file system; the host gives a fresh one to each guest, so it needs neither journal nor checks.
fn mount_scratch() -> io::Result<()> {
    let made = Command::new("/usr/sbin/mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-O", "^has_journal,^resize_inode", "-m", "0"])
        .args(["-E", "lazy_itable_init=1,nodiscard", SCRATCH_DISK])
        .stdin(Stdio::null())
        .status()?;
    if !made.success() {
        return Err(io::Error::other("the scratch disk could not be formatted"));
    }
    fs::create_dir(SCRATCH)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    mount(SCRATCH_DISK, SCRATCH, "ext4", flags, c"noinit_itable")?;
    own_folder("tmp")?;
    own_folder("home")?;
    // where `pip` puts modules of a user: an interpreter looks there only where the folder was there when it began
    let mut modules = "home".to_owned();
    for name in [".local", "lib", &python()?, "site-packages"] {
        modules = format!("{modules}/{name}");
        own_folder(&modules)?;
    }
    Ok(())
}

/// A folder of the scratch disk that is the user's.
fn own_folder(path: &str) -> io::Result<()> {
    let path = format!("{SCRATCH}/{path}");
    fs::create_dir(&path)?;
    std::os::unix::fs::chown(&path, Some(sandbox::USER), Some(sandbox::GROUP))?;
    rustix::fs::chmod(&path, Mode::RWXU)?;
    Ok(())
}

/// The name of the image's Python with its version, such as `python3.11`.
fn python() -> io::Result<String> {
    let program = fs::read_link("/usr/bin/python3")?;
    program.into_os_string().into_string().map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Devices appear some time after their module was loaded.
fn wait<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..PATIENCE {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(BUSY) => {
                thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
    attempt()
}

const BUSY: i32 = Errno::BUSY.raw_os_error();
