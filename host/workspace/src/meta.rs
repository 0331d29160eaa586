//! What belongs to a file besides its content: mode, owner, times, extended attributes.

use crate::{disk::Disk, entry::Stamp};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    os::{
        fd::AsRawFd as _,
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
};

/// A thing opened without any right to its content, so that its attributes can be read whatever its mode.
pub(crate) fn handle(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, OsStr::from_bytes(name), flags, Mode::empty())
}

fn through(handle: impl AsFd) -> String {
    format!("/proc/self/fd/{}", handle.as_fd().as_raw_fd())
}

/// All extended attributes that we may see, by name. Links have none that survive a copy.
pub(crate) fn xattrs(handle: impl AsFd) -> Result<Vec<(OsString, Vec<u8>)>, Errno> {
    let path = through(&handle);
    let size = match rustix::fs::listxattr_query(&path) {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Ok(size) => size,
        Err(error) => return Err(error),
    };
    let mut list = vec![0; size + 1024];
    let length = rustix::fs::listxattr(&path, &mut list[..])?;
    let mut found = Vec::new();
    for name in list[..length].split(|b| *b == 0).filter(|name| !name.is_empty()) {
        let name = OsString::from_vec(name.to_vec());
        let size = rustix::fs::getxattr_query(&path, &name)?;
        let mut value = vec![0; size + 64];
        let length = rustix::fs::getxattr(&path, &name, &mut value[..])?;
        value.truncate(length);
        found.push((name, value));
    }
    Ok(found)
}

/// Give `to` the owner, mode and extended attributes of the thing that `from` is, and its times if `times`. An owner that
/// we may not give, and attributes that belong to the system (`security.`, `trusted.`), are left out where it forbids them.
pub(crate) fn carry(
    disk: &dyn Disk,
    from: BorrowedFd<'_>,
    stamp: &Stamp,
    to: BorrowedFd<'_>,
    times: bool,
) -> Result<(), Errno> {
    let now = Stamp::of(to)?;
    let mut mode = stamp.mode;
    if (stamp.uid, stamp.gid) != (now.uid, now.gid) {
        match disk.set_owner(to, stamp.uid, stamp.gid) {
            Ok(()) => {}
            // never a set-user-id file under another owner than it was made for
            Err(Errno::PERM | Errno::INVAL | Errno::NOTSUP) => mode &= 0o777,
            Err(error) => return Err(error),
        }
    }
    for (name, value) in xattrs(from)? {
        let ours = name.as_bytes().starts_with(b"user.") || name.as_bytes().starts_with(b"system.posix_acl");
        match disk.set_xattr(to, &name, &value) {
            Ok(()) => {}
            Err(Errno::PERM | Errno::NOTSUP | Errno::INVAL) if !ours => {}
            // what the target's file system cannot hold at all cannot be carried there
            Err(Errno::NOTSUP) if Stamp::of(to)?.dev != stamp.dev => {}
            Err(error) => return Err(error),
        }
    }
    if mode != now.mode || now.mode & 0o6000 != 0 {
        disk.set_mode(to, mode)?;
    }
    if times {
        disk.set_times_of(to, stamp.accessed, stamp.modified)?;
    }
    Ok(())
}

const DEFAULT_ACL: &str = "system.posix_acl_default";
const ACCESS_ACL: &str = "system.posix_acl_access";

/// Give what was made in a store what it would have inherited from `parent`: the group of a set-group-id folder, and
/// default access rules (acl(5)).
pub(crate) fn inherit(
    disk: &dyn Disk,
    parent: BorrowedFd<'_>,
    made: BorrowedFd<'_>,
    folder: bool,
) -> Result<(), Errno> {
    let above = Stamp::of(parent)?;
    let now = Stamp::of(made)?;
    let mut mode = now.mode;
    if above.mode & 0o2000 != 0 {
        match disk.set_owner(made, now.uid, above.gid) {
            Ok(()) if folder => mode |= 0o2000,
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error),
        }
    }
    let mut value = vec![0; 4096];
    let rules = match rustix::fs::getxattr(through(parent), DEFAULT_ACL, &mut value[..]) {
        Ok(length) => Some(&mut value[..length]),
        Err(_) => None,
    };
    if let Some(rules) = rules.filter(|rules| !rules.is_empty()) {
        if folder {
            disk.set_xattr(made, OsStr::new(DEFAULT_ACL), rules)?;
        } else {
            without_execution(rules);
        }
        disk.set_xattr(made, OsStr::new(ACCESS_ACL), rules)?;
        mode = Stamp::of(made)?.mode | (mode & 0o2000);
    }
    if mode != Stamp::of(made)?.mode {
        disk.set_mode(made, mode)?;
    }
    Ok(())
}

/// A new file is not executable: take that bit from the owner, the mask (or the group) and the others. The form is a
/// 4-byte version and entries of tag, permissions (16 bits each) and id (32 bits), little-endian (`linux/posix_acl_xattr.h`).
fn without_execution(rules: &mut [u8]) {
    for entry in rules.get_mut(4..).unwrap_or_default().chunks_exact_mut(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        // ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_MASK, ACL_OTHER
        if matches!(tag, 0x01 | 0x04 | 0x10 | 0x20) {
            entry[2] &= !1;
        }
    }
}
