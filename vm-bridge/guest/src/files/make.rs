//! Making a change in the sandbox that was made in the task. Jobs are held meanwhile; a link that one of them has put in the
//! way of a path is not followed.

use crate::sandbox::{GROUP, USER};
use deskhand_vm_protocol::files::Step;
use rustix::{
    fd::{AsRawFd as _, OwnedFd},
    fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid},
    io::Errno,
};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

/// See the module.
pub(super) fn make(seen: &OwnedFd, path: &[u8], step: &Step) -> io::Result<()> {
    let path = Path::new(OsStr::from_bytes(path));
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let above = match above(seen, parent) {
        // what was in a folder went with it
        Err(Errno::NOENT | Errno::NOTDIR) if *step == Step::Remove => return Ok(()),
        above => above?,
    };
    match step {
        Step::Remove => remove(&above, name),
        Step::Folder => {
            if kind(&above, name)? == Some(FileType::Directory) {
                return Ok(());
            }
            remove(&above, name)?;
            rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(0o755))?;
            own(&above, name)
        }
        Step::Write { more, bytes } => {
            if kind(&above, name)?.is_some_and(|kind| kind != FileType::RegularFile) {
                remove(&above, name)?;
            }
            let how = if *more { OFlags::APPEND } else { OFlags::CREATE | OFlags::TRUNC };
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | how;
            let file = rustix::fs::openat(&above, name, flags, Mode::from_raw_mode(0o644))?;
            File::from(file).write_all(bytes)?;
            own(&above, name)
        }
    }
}

fn above(seen: &OwnedFd, parent: &Path) -> Result<OwnedFd, Errno> {
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(seen, parent, flags, Mode::empty(), resolve)
}

fn kind(above: &OwnedFd, name: &OsStr) -> io::Result<Option<FileType>> {
    match rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn remove(above: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let path = Path::new("/proc/self/fd").join(above.as_raw_fd().to_string()).join(name);
    match kind(above, name)? {
        None => Ok(()),
        Some(FileType::Directory) => fs::remove_dir_all(path),
        Some(_) => fs::remove_file(path),
    }
}

fn own(above: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(USER), Gid::from_raw(GROUP));
    Ok(rustix::fs::chownat(above, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?)
}
