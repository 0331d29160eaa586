//! The outer helper: a user namespace of its own with the overlays mounted in it, and then bubblewrap.

use crate::{
    layout::{SHOWN, shown_at},
    order::{self, Bounds, GO, Layers, Order, WAITS},
};
use rustix::{
    fd::{AsRawFd as _, OwnedFd},
    fs::{MemfdFlags, Mode, OFlags, ResolveFlags, SeekFrom},
    io::Errno,
    mount::{MountFlags, MountPropagationFlags},
    process::{Resource, Rlimit, Signal},
    thread::UnshareFlags,
};
use std::{
    ffi::{CString, OsString},
    io::{self, Write as _},
    os::unix::{ffi::OsStrExt as _, process::CommandExt as _},
    process::{Command, ExitCode},
};

/// What went wrong at which step, for the person.
type Failed = String;

pub(crate) fn run() -> ExitCode {
    let failed = match prepare() {
        // only comes back where it fails
        Ok(mut bubblewrap) => format!("bubblewrap could not be started: {}", bubblewrap.exec()),
        Err(failed) => failed,
    };
    let _ = writeln!(io::stderr(), "{failed}"); // whoever reads it may be gone
    ExitCode::FAILURE
}

fn prepare() -> Result<Command, Failed> {
    close_inherited().map_err(at("closing what was inherited"))?;
    let mut input = order::input().map_err(at("reading what is to run"))?;
    let order: Order = order::receive(&mut input).map_err(at("reading what is to run"))?;
    die_with(order.parent)?;
    enter_namespace(&mut input)?;
    // the kernel forgets it when rights change
    die_with(order.parent)?;
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(at("a mount namespace of its own"))?;
    for layers in &order.overlays {
        mount(layers)?;
    }
    show(&order.shown)?;
    bound(&order.bounds).map_err(at("limits"))?;
    bubblewrap(order).map_err(at("handing over to bubblewrap"))
}

fn at<E: std::fmt::Display>(step: &str) -> impl Fn(E) -> Failed {
    move |error| format!("{step}: {error}")
}

/// Close whatever another part of the host left open for children.
fn close_inherited() -> io::Result<()> {
    let listed = std::fs::read_dir("/proc/self/fd")?;
    let open: Vec<i32> = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in open.into_iter().filter(|number| *number > 2) {
        // the handle of the listing itself is in the list and closed by now
        if std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok() {
            #[expect(unsafe_code, reason = "closes handles that this process was started with and nothing in it owns")]
            // SAFETY: this runs first in a process with one thread; the number was just seen to be open, and no value of
            // this program owns a handle above standard error yet.
            drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(number) });
        }
    }
    Ok(())
}

/// End when the host does, also where it is gone already.
fn die_with(parent: i32) -> Result<(), Failed> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(at("ending with the host"))?;
    match rustix::process::getppid() {
        Some(now) if now.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err("whoever started it is gone".to_owned()),
    }
}

/// A user namespace of its own, in which this process has the rights to mount. The host writes its maps: where that is root,
/// only somebody outside may write more than one line.
fn enter_namespace(input: &mut impl io::Read) -> Result<(), Failed> {
    let step = "a user namespace of its own";
    #[expect(unsafe_code, reason = "`unshare` is unsafe for the sake of a flag that is not used here")]
    // SAFETY: the table of open files, the one thing that makes it unsafe, stays shared.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS) }.map_err(at(step))?;
    let mut go = [0];
    let handed = io::stdout().write_all(&[WAITS]).and_then(|()| io::stdout().flush());
    handed.and_then(|()| input.read_exact(&mut go)).map_err(at(step))?;
    if go == [GO] { Ok(()) } else { Err(format!("{step}: the host did not write its maps")) }
}

fn open_folder(path: &OsString) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path.as_os_str(), flags, Mode::empty())
}

/// Mount an overlay over the very folder that was granted. Its layers are named by open handles, so that no other folder can
/// take their place, and no sign in a name means anything.
fn mount(layers: &Layers) -> Result<(), Failed> {
    let shown = || layers.lower.to_string_lossy().into_owned();
    let step = |error: Errno| format!("an overlay over {}: {error}", shown());
    let lower = open_folder(&layers.lower).map_err(step)?;
    let stat = rustix::fs::fstat(&lower).map_err(step)?;
    if (stat.st_dev, stat.st_ino) != layers.id {
        return Err(format!("{} is not the folder any more that was granted", shown()));
    }
    let (upper, work, at) = (
        open_folder(&layers.upper).map_err(step)?,
        open_folder(&layers.work).map_err(step)?,
        open_folder(&layers.at).map_err(step)?,
    );
    let through = |handle: &OwnedFd| format!("/proc/self/fd/{}", handle.as_raw_fd());
    // attributes of ours are in `user.`, since `trusted.` is not for us (Linux 5.11); nothing that a name in the upper
    // layer could stand for other content than its own
    let options = format!(
        "userxattr,redirect_dir=nofollow,metacopy=off,index=off,xino=off,lowerdir={},upperdir={},workdir={}",
        through(&lower),
        through(&upper),
        through(&work)
    );
    let options = CString::new(options).map_err(|error| error.to_string())?;
    let mut flags = MountFlags::NODEV | MountFlags::NOSUID;
    if !layers.writable {
        flags |= MountFlags::RDONLY;
    }
    rustix::mount::mount("deskhand", through(&at).as_str(), "overlay", flags, Some(options.as_c_str()))
        .map_err(step)?;
    cover(layers).map_err(step)
}

/// Whether what is to be covered is where it was. What is pending might have put a link in its way, which bubblewrap would follow
/// out of the sandbox.
fn cover(layers: &Layers) -> Result<(), Errno> {
    let top = open_folder(&layers.at)?;
    let straight = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    for path in &layers.covered {
        rustix::fs::openat2(&top, path.as_os_str(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), straight)?;
    }
    Ok(())
}

/// Mount each folder that is shown where bubblewrap finds it: below a folder with nothing in it, by which it is an overlay, whose
/// sockets and pipes are no others' than its own.
fn show(shown: &[OsString]) -> Result<(), Failed> {
    if shown.is_empty() {
        return Ok(());
    }
    let lowers: Vec<OwnedFd> = shown
        .iter()
        .map(|path| {
            rustix::fs::open(path.as_os_str(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                .map_err(|error| format!("{}: {error}", path.to_string_lossy()))
        })
        .collect::<Result<_, _>>()?;
    let flags = MountFlags::NODEV | MountFlags::NOSUID;
    let place = at("a place for what is shown");
    rustix::mount::mount("deskhand", SHOWN, "tmpfs", flags, None).map_err(&place)?;
    let nothing = format!("{SHOWN}/nothing");
    rustix::fs::mkdir(&nothing, Mode::RWXU).map_err(&place)?;
    for (number, (lower, path)) in lowers.iter().zip(shown).enumerate() {
        let step = |error: Errno| format!("{} cannot be shown: {error}", path.to_string_lossy());
        let target = shown_at(number);
        rustix::fs::mkdir(&target, Mode::RWXU).map_err(step)?;
        let options = format!("xino=off,lowerdir=/proc/self/fd/{}:{nothing}", lower.as_raw_fd());
        let options = CString::new(options).map_err(|error| error.to_string())?;
        rustix::mount::mount("deskhand", &target, "overlay", flags | MountFlags::RDONLY, Some(options.as_c_str()))
            .map_err(step)?;
    }
    Ok(())
}

fn bound(bounds: &Bounds) -> Result<(), Errno> {
    let limit = |resource: Resource, most: u64| {
        let most = rustix::process::getrlimit(resource).maximum.map_or(most, |present| most.min(present));
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, 4096)?;
    limit(Resource::Data, bounds.memory)?;
    limit(Resource::Nproc, bounds.processes)?;
    limit(Resource::Fsize, bounds.file)?;
    limit(Resource::Memlock, 8 << 20)?;
    bounds.seconds.map_or(Ok(()), |seconds| limit(Resource::Cpu, seconds))
}

/// Bubblewrap, with its options and all that it needs in memory of its own: a list of processes shows nothing of them.
fn bubblewrap(order: Order) -> io::Result<Command> {
    let mut options = order.options;
    for (path, bytes) in &order.made {
        let handle = kept(bytes)?;
        options.extend(["--ro-bind-data".into(), handle, path.clone()]);
    }
    // all that was to be made is: the top itself is in memory too
    options.extend(["--remount-ro", "/"].map(OsString::from));
    for filter in &order.filters {
        options.extend(["--add-seccomp-fd".into(), kept(filter)?]);
    }
    let mut list = Vec::new();
    for option in &options {
        list.extend_from_slice(option.as_bytes());
        list.push(0);
    }
    let mut command = Command::new(&order.bubblewrap);
    command.arg("--args").arg(kept(&list)?).arg("--").args(&order.command).env_clear();
    Ok(command)
}

/// The number of a handle that what comes next inherits, from which these bytes are read.
fn kept(bytes: &[u8]) -> io::Result<OsString> {
    let memory = rustix::fs::memfd_create("deskhand", MemfdFlags::empty())?;
    let mut file = std::fs::File::from(memory);
    file.write_all(bytes)?;
    rustix::fs::seek(&file, SeekFrom::Start(0))?;
    let number = std::os::fd::IntoRawFd::into_raw_fd(file);
    Ok(number.to_string().into())
}
