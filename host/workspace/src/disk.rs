//! The system calls that have an effect, as a seam: tests put faults, kills and records between us and the file system.
//! Whatever changes a granted folder, a store or a journal goes through here, and nothing else does.

use crate::entry::Moment;
use deskhand_vocabulary::Sha256;
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, XattrFlags},
    io::Errno,
};
use sha2::Digest as _;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

/// Effects, each one system call unless it says otherwise. Names are single names in an open folder, never paths.
pub trait Disk: Send + Sync {
    /// `renameat2(RENAME_NOREPLACE)`: fails with `EXIST` if the target is there.
    fn rename(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Result<(), Errno>;
    /// `renameat2(RENAME_EXCHANGE)`.
    fn exchange(&self, a: BorrowedFd<'_>, name: &[u8], b: BorrowedFd<'_>, other: &[u8]) -> Result<(), Errno>;
    /// `linkat`: another name for a file.
    fn link(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Result<(), Errno>;
    /// `unlinkat`. Only ever called in a store, on a second name of one file, or on journals.
    fn unlink(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno>;
    /// `unlinkat(AT_REMOVEDIR)`. Only ever called in a store and on journals.
    fn remove_folder(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno>;
    /// `mkdirat`.
    fn make_folder(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<(), Errno>;
    /// `symlinkat`.
    fn make_link(&self, text: &[u8], folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno>;
    /// `openat(O_CREAT | O_EXCL)`, for writing.
    fn create(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd, Errno>;
    /// Write all of `bytes` at the file's position.
    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno>;
    /// Make `to` a copy of `from`, sharing the blocks where the file system can; holes stay holes.
    fn copy(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> Result<(), Errno>;
    /// `ftruncate`.
    fn set_size(&self, file: BorrowedFd<'_>, size: u64) -> Result<(), Errno>;
    /// `fsync`, of a file or a folder.
    fn sync(&self, file: BorrowedFd<'_>) -> Result<(), Errno>;
    /// `syncfs`: everything on the file system of `file`.
    fn sync_all(&self, file: BorrowedFd<'_>) -> Result<(), Errno>;
    /// `utimensat` on a name, links not followed.
    fn set_times(&self, folder: BorrowedFd<'_>, name: &[u8], accessed: Moment, modified: Moment) -> Result<(), Errno>;
    /// `futimens` on an open file or folder.
    fn set_times_of(&self, file: BorrowedFd<'_>, accessed: Moment, modified: Moment) -> Result<(), Errno>;
    /// `fchmod`.
    fn set_mode(&self, file: BorrowedFd<'_>, mode: u32) -> Result<(), Errno>;
    /// `fchown`.
    fn set_owner(&self, file: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<(), Errno>;
    /// `fsetxattr`.
    fn set_xattr(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Result<(), Errno>;
}

/// The system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

fn timestamps(accessed: Moment, modified: Moment) -> Timestamps {
    let spec = |(seconds, nanos): Moment| Timespec { tv_sec: seconds, tv_nsec: i64::from(nanos) };
    Timestamps { last_access: spec(accessed), last_modification: spec(modified) }
}

impl Disk for System {
    fn rename(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Result<(), Errno> {
        match rustix::fs::renameat_with(from, os(name), to, os(new), RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_without_noreplace(self, from, name, to, new),
            result => result,
        }
    }

    fn exchange(&self, a: BorrowedFd<'_>, name: &[u8], b: BorrowedFd<'_>, other: &[u8]) -> Result<(), Errno> {
        rustix::fs::renameat_with(a, os(name), b, os(other), RenameFlags::EXCHANGE)
    }

    fn link(&self, from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new: &[u8]) -> Result<(), Errno> {
        rustix::fs::linkat(from, os(name), to, os(new), AtFlags::empty())
    }

    fn unlink(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::unlinkat(folder, os(name), AtFlags::empty())
    }

    fn remove_folder(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::unlinkat(folder, os(name), AtFlags::REMOVEDIR)
    }

    fn make_folder(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<(), Errno> {
        rustix::fs::mkdirat(folder, os(name), Mode::from_raw_mode(mode))
    }

    fn make_link(&self, text: &[u8], folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::symlinkat(os(text), folder, os(name))
    }

    fn create(&self, folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(folder, os(name), flags, Mode::from_raw_mode(mode))
    }

    fn write(&self, file: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            match rustix::io::write(file, bytes) {
                Ok(0) => return Err(Errno::NOSPC),
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn copy(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> Result<(), Errno> {
        if rustix::fs::ioctl_ficlone(to, from).is_ok() {
            return Ok(());
        }
        copy_data(self, from, to, size)
    }

    fn set_size(&self, file: BorrowedFd<'_>, size: u64) -> Result<(), Errno> {
        rustix::fs::ftruncate(file, size)
    }

    fn sync(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        match rustix::fs::fsync(file) {
            // some network and FUSE file systems cannot sync a folder; the file system is synced instead
            Err(Errno::INVAL | Errno::NOTSUP) => rustix::fs::syncfs(file),
            result => result,
        }
    }

    fn sync_all(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        rustix::fs::syncfs(file)
    }

    fn set_times(&self, folder: BorrowedFd<'_>, name: &[u8], accessed: Moment, modified: Moment) -> Result<(), Errno> {
        rustix::fs::utimensat(folder, os(name), &timestamps(accessed, modified), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn set_times_of(&self, file: BorrowedFd<'_>, accessed: Moment, modified: Moment) -> Result<(), Errno> {
        rustix::fs::futimens(file, &timestamps(accessed, modified))
    }

    fn set_mode(&self, file: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode))
    }

    fn set_owner(&self, file: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<(), Errno> {
        rustix::fs::fchown(file, Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)))
    }

    fn set_xattr(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Result<(), Errno> {
        rustix::fs::fsetxattr(file, name, value, XattrFlags::empty())
    }
}

/// For file systems without RENAME_NOREPLACE (NFS, some FUSE): a link fails where a name is taken, so a file gets its
/// new name first and loses the old one after; a folder is renamed only onto nothing, which the kernel takes as such
/// or as an empty folder.
fn rename_without_noreplace(
    disk: &System,
    from: BorrowedFd<'_>,
    name: &[u8],
    to: BorrowedFd<'_>,
    new: &[u8],
) -> Result<(), Errno> {
    let stat = rustix::fs::statat(from, os(name), AtFlags::SYMLINK_NOFOLLOW)?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory {
        return match rustix::fs::statat(to, os(new), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => rustix::fs::renameat(from, os(name), to, os(new)),
            Err(error) => Err(error),
        };
    }
    match disk.link(from, name, to, new) {
        Ok(()) => disk.unlink(from, name),
        // no hard links there (FAT): the best that is left is to look first
        Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => {
            match rustix::fs::statat(to, os(new), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => rustix::fs::renameat(from, os(name), to, os(new)),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Copy the parts that hold data; the rest stays a hole.
fn copy_data(disk: &System, from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> Result<(), Errno> {
    use rustix::fs::SeekFrom;
    disk.set_size(to, size)?;
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(_) => at,
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start)).unwrap_or(size).min(size);
        if end <= start {
            break;
        }
        copy_range(from, to, start, end)?;
        at = end;
    }
    Ok(())
}

fn copy_range(from: BorrowedFd<'_>, to: BorrowedFd<'_>, start: u64, end: u64) -> Result<(), Errno> {
    let mut at = start;
    let mut kernel = true;
    let mut buffer = Vec::new();
    while at < end {
        let length = usize::try_from((end - at).min(1 << 30)).unwrap_or(1 << 30);
        if kernel {
            let (mut read, mut written) = (at, at);
            match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), length) {
                Ok(0) => return Err(Errno::IO), // the file became shorter while it was copied
                Ok(count) => at += count as u64,
                Err(Errno::INTR) => {}
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => kernel = false,
                Err(error) => return Err(error),
            }
            continue;
        }
        buffer.resize(1 << 17, 0);
        let part = buffer.len().min(length);
        let count = rustix::io::pread(from, &mut buffer[..part], at)?;
        if count == 0 {
            return Err(Errno::IO);
        }
        let mut done = 0;
        while done < count {
            done += rustix::io::pwrite(to, &buffer[done..count], at + done as u64)?;
        }
        at += count as u64;
    }
    Ok(())
}

/// A folder opened for reading names, beneath `folder`, no link followed and no mount crossed.
///
/// # Errors
/// The system's; `LOOP` for a link, `XDEV` for a mount.
pub fn open_folder(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let name = if name.is_empty() { b"." } else { name };
    retry(|| rustix::fs::openat2(folder, os(name), flags, Mode::empty(), resolve))
}

/// As [`open_folder`], without the right to list it: for what may be passed through but not read.
pub(crate) fn open_way(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let name = if name.is_empty() { b"." } else { name };
    retry(|| rustix::fs::openat2(folder, os(name), flags, Mode::empty(), resolve))
}

/// A regular file opened for reading. Anything else is refused with `NOTSUP` before it can block or act: it is opened as
/// a path first, judged, and only then for reading.
///
/// # Errors
/// The system's; `ISDIR` for a folder, `LOOP` for a link, `NOTSUP` for anything else that is no regular file.
pub fn open_file(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let stat = rustix::fs::statat(folder, os(name), AtFlags::SYMLINK_NOFOLLOW)?;
    match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => {}
        rustix::fs::FileType::Directory => return Err(Errno::ISDIR),
        rustix::fs::FileType::Symlink => return Err(Errno::LOOP),
        _ => return Err(Errno::NOTSUP),
    }
    open_seen(folder, name)
}

/// As [`open_file`], for what was seen just now to be a regular file. If it is none any more, it is refused all the same.
pub(crate) fn open_seen(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = retry(|| rustix::fs::openat2(folder, os(name), flags, Mode::empty(), resolve))?;
    let stat = rustix::fs::fstat(file.as_fd())?;
    match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => Ok(file),
        _ => Err(Errno::NOTSUP),
    }
}

/// `openat2` may say `EAGAIN` while something is renamed above (openat2(2)).
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    for _ in 0..64 {
        match call() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// The SHA-256 of the rest of an open file.
pub(crate) fn digest(file: BorrowedFd<'_>) -> Result<Sha256, Errno> {
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    loop {
        match rustix::io::read(file, &mut buffer) {
            Ok(0) => return Ok(Sha256(hash.finalize().into())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The kind of file system, by the numbers of statfs(2); 0 where it is not told.
pub(crate) fn magic(folder: BorrowedFd<'_>) -> u64 {
    #[expect(clippy::cast_sign_loss, reason = "a magic number is a bit pattern")]
    rustix::fs::fstatfs(folder).map_or(0, |stat| stat.f_type as u64 & 0xffff_ffff)
}

/// The names in an open folder, unordered, without `.` and `..`.
///
/// # Errors
/// The system's.
pub fn names(folder: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    each_name(folder, |name, _| {
        names.push(name.to_vec());
        Ok(())
    })?;
    Ok(names)
}

/// As [`names`], each with what kind of thing has it.
pub(crate) fn names_and_kinds(folder: BorrowedFd<'_>) -> Result<Vec<(Vec<u8>, FileType)>, Errno> {
    let mut names = Vec::new();
    each_name(folder, |name, kind| {
        // not every file system tells it along with the name
        let kind = match kind {
            FileType::Unknown => {
                FileType::from_raw_mode(rustix::fs::statat(folder, os(name), AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
            }
            kind => kind,
        };
        names.push((name.to_vec(), kind));
        Ok(())
    })?;
    Ok(names)
}

fn each_name(folder: BorrowedFd<'_>, mut take: impl FnMut(&[u8], FileType) -> Result<(), Errno>) -> Result<(), Errno> {
    let handle = open_folder(folder, b".")?;
    let mut buffer = Vec::with_capacity(1 << 16);
    let mut listing = rustix::fs::RawDir::new(handle.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = listing.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            take(name, entry.file_type())?;
        }
    }
    Ok(())
}
