//! Telling the host what lies in a layer, as far as it does not know it yet.

use deskhand_vm_protocol::files::{LARGEST, PIECE, Tell, What};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{AtFlags, Dir, FileType, Mode, OFlags, SeekFrom, Stat},
    io::Errno,
};
use std::{collections::BTreeMap, ffi::OsStr, io, ops::Range, os::unix::ffi::OsStrExt as _};

/// The deepest folder that is looked into: the host takes less.
const DEEPEST: usize = 80;
/// The attribute by which an overlay hides what lies below a folder, where it may not use attributes of the system.
const OPAQUE: &str = "user.overlay.opaque";

/// What the host knows of a layer.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Vec<u8>, Mark>);

/// What tells a thing from what it is later. Nobody can set when something was changed last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    what: What,
    inode: u64,
    changed: (i64, u64),
}

type Told<'a> = dyn FnMut(&Tell) -> io::Result<()> + 'a;

/// See the module.
pub(super) fn collect(
    folder: u16,
    layer: &OwnedFd,
    known: &mut Known,
    left: &mut u64,
    tell: &mut Told<'_>,
) -> io::Result<()> {
    let mut walk = Walk { folder, known, now: BTreeMap::new(), left, tell };
    walk.read(layer.as_fd(), &[], 0)?;
    let Walk { now, tell, .. } = walk;
    for path in known.0.keys().filter(|path| !now.contains_key(*path)) {
        tell(&Tell::Lost { folder, path: path.clone() })?;
    }
    known.0 = now;
    Ok(())
}

struct Walk<'a> {
    folder: u16,
    known: &'a Known,
    now: BTreeMap<Vec<u8>, Mark>,
    /// How many bytes of content may still be told.
    left: &'a mut u64,
    tell: &'a mut Told<'a>,
}

impl Walk<'_> {
    fn read(&mut self, at: BorrowedFd<'_>, path: &[u8], depth: usize) -> io::Result<()> {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for entry in Dir::read_from(at)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        for name in names {
            let inner = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            self.one(at, &name, inner, depth)?;
        }
        Ok(())
    }

    fn one(&mut self, at: BorrowedFd<'_>, name: &[u8], path: Vec<u8>, depth: usize) -> io::Result<()> {
        let name = OsStr::from_bytes(name);
        let stat = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let inner = match kind {
            FileType::Directory => Some(open(at, name, OFlags::DIRECTORY)?),
            _ => None,
        };
        let mark = mark(&stat, kind, inner.as_ref())?;
        if self.known.0.get(&path) != Some(&mark) {
            (self.tell)(&Tell::Found { folder: self.folder, path: path.clone(), what: mark.what.clone() })?;
            if let What::File { size: size @ 1.., .. } = mark.what {
                self.content(at, name, size)?;
            }
        }
        self.now.insert(path.clone(), mark);
        match inner {
            Some(inner) if depth < DEEPEST => self.read(inner.as_fd(), &path, depth + 1),
            _ => Ok(()),
        }
    }

    fn content(&mut self, at: BorrowedFd<'_>, name: &OsStr, size: u64) -> io::Result<()> {
        if size > LARGEST.min(*self.left) {
            return (self.tell)(&Tell::CutShort);
        }
        *self.left -= size;
        let Ok(file) = open(at, name, OFlags::empty()) else { return (self.tell)(&Tell::CutShort) };
        let (mut at, mut data) = (0, 0..0);
        while at < size {
            if at == data.end {
                data = next_data(&file, at, size);
            }
            if at < data.start {
                (self.tell)(&Tell::Hole { bytes: data.start - at })?;
                at = data.start;
                continue;
            }
            let mut bytes = vec![0; PIECE.min(usize::try_from(data.end - at).unwrap_or(PIECE))];
            match rustix::io::pread(&file, &mut bytes, at) {
                Ok(read @ 1..) => bytes.truncate(read),
                Err(Errno::INTR) => continue,
                Ok(0) | Err(_) => return (self.tell)(&Tell::CutShort),
            }
            at += bytes.len() as u64;
            (self.tell)(&Tell::Content { bytes })?;
        }
        Ok(())
    }
}

/// Where in a file of this size the next bytes are, from a place on, that are no hole; where that cannot be known, all are none.
fn next_data(file: &OwnedFd, from: u64, size: u64) -> Range<u64> {
    match rustix::fs::seek(file, SeekFrom::Data(from)) {
        Ok(start) => {
            let end = rustix::fs::seek(file, SeekFrom::Hole(start)).unwrap_or(size);
            start.min(size)..end.max(start + 1).min(size)
        }
        Err(Errno::NXIO) => size..size,
        Err(_) => from..size,
    }
}

fn open(at: BorrowedFd<'_>, name: &OsStr, more: OFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

fn mark(stat: &Stat, kind: FileType, folder: Option<&OwnedFd>) -> io::Result<Mark> {
    let what = match (kind, folder) {
        (FileType::RegularFile, _) => What::File {
            size: u64::try_from(stat.st_size).unwrap_or(u64::MAX),
            // the bits of permissions, which fit
            mode: u16::try_from(stat.st_mode & 0o7777).unwrap_or(0),
            seconds: stat.st_mtime,
            nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
        },
        (_, Some(folder)) => What::Folder { opaque: is_opaque(folder)? },
        (FileType::Symlink, _) => What::Link,
        (FileType::CharacterDevice, _) if stat.st_rdev == 0 => What::Whiteout,
        _ => What::Other,
    };
    Ok(match what {
        What::File { .. } => Mark { what, inode: stat.st_ino, changed: (stat.st_ctime, stat.st_ctime_nsec) },
        // all whiteouts of a layer are one, and a folder is as it was as long as it is one
        what => Mark { what, inode: 0, changed: (0, 0) },
    })
}

fn is_opaque(folder: &OwnedFd) -> io::Result<bool> {
    let mut value = [0_u8; 1];
    match rustix::fs::fgetxattr(folder, OPAQUE, &mut value) {
        Ok(1) => Ok(value == *b"y"),
        Ok(_) | Err(Errno::NODATA | Errno::RANGE | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[path = "collect_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
