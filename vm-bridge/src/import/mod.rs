//! Folders with many small files, packed into one read-only image that a guest mounts: it then asks this computer for
//! blocks, and not for each file. It holds what was in them when the guest began.

mod erofs;

use crate::Share;
use erofs::{Node, What};
use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat, statat},
    io::Errno,
    process::{getegid, geteuid},
};
use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes of the disk. It is the same for all guests, since a snapshot knows its disks' sizes.
pub(crate) const SIZE: u64 = 512 << 20;

/// The fewest files of a folder that is packed: fewer are as soon read one by one.
const FEWEST: usize = 500;
/// The most things in it, and the most bytes of them, since all of them are read before the guest begins.
const MOST: usize = 200_000;
const BYTES: u64 = 256 << 20;
/// The deepest folder that is looked into.
const DEEPEST: usize = 80;
/// The one whose jobs run in a guest, and whose the person's files are there.
const OWNER: u32 = 1000;
/// Whose all others are (`/proc/sys/kernel/overflowuid`).
const NOBODY: u32 = 65534;

/// What is found in a folder.
struct Thing {
    path: PathBuf,
    stat: Stat,
    kind: Kind,
}

enum Kind {
    Folder,
    File,
    Link(Vec<u8>),
    /// A folder that is not seen.
    Covered,
}

/// Pack those folders that this makes faster: which ones. The image is of [`SIZE`] bytes, and empty where there are none.
pub(crate) fn pack(shares: &[Share], to: &File) -> io::Result<Vec<bool>> {
    let found: Vec<_> = shares.iter().map(|share| find(share).unwrap_or(None)).collect();
    let packed: Vec<bool> = found.iter().map(Option::is_some).collect();
    if packed.contains(&true) && write(found, to).is_err() {
        to.set_len(0)?;
        to.set_len(SIZE)?;
        return Ok(vec![false; shares.len()]);
    }
    to.set_len(SIZE)?;
    Ok(packed)
}

/// All that is in a folder; none where it is not to be packed. What cannot be read, or is no file, folder or link, is
/// something that only the folder itself can show.
fn find(share: &Share) -> io::Result<Option<(Arc<OwnedFd>, Vec<Thing>)>> {
    if share.live {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = openat(CWD, &share.path, flags, Mode::empty())?;
    let stat = fstat(&top)?;
    if (stat.st_dev, stat.st_ino) != share.id {
        return Ok(None);
    }
    let mut walk = Walk { share, things: Vec::new(), files: 0, bytes: 0 };
    walk.things.push(Thing { path: PathBuf::new(), stat, kind: Kind::Folder });
    let whole = walk.read(top.as_fd(), Path::new(""), 0)?;
    Ok((whole && walk.files >= FEWEST).then(|| (Arc::new(top), walk.things)))
}

struct Walk<'a> {
    share: &'a Share,
    things: Vec<Thing>,
    files: usize,
    bytes: u64,
}

impl Walk<'_> {
    /// False where it is not to be packed.
    fn read(&mut self, at: BorrowedFd<'_>, path: &Path, depth: usize) -> io::Result<bool> {
        for entry in Dir::read_from(at)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let path = path.join(name);
            let stat = statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let mut inner = None;
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if self.share.covered.contains(&path) => Kind::Covered,
                FileType::Directory => {
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                    inner = Some(openat(at, name, flags, Mode::empty())?);
                    Kind::Folder
                }
                FileType::RegularFile => {
                    self.files += 1;
                    self.bytes = self.bytes.saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
                    Kind::File
                }
                FileType::Symlink => Kind::Link(readlinkat(at, name, Vec::new())?.into_bytes()),
                _ => return Ok(false),
            };
            if self.things.len() >= MOST || self.bytes > BYTES || depth >= DEEPEST {
                return Ok(false);
            }
            self.things.push(Thing { path: path.clone(), stat, kind });
            if let Some(inner) = inner
                && !self.read(inner.as_fd(), &path, depth + 1)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

type Found = Option<(Arc<OwnedFd>, Vec<Thing>)>;

fn write(found: Vec<Found>, to: &File) -> io::Result<()> {
    let top = Node { mode: 0o755, user: 0, group: 0, modified: (0, 0), what: What::Folder(BTreeMap::new()) };
    let mut nodes = vec![top];
    for (number, (top, things)) in found.into_iter().enumerate().filter_map(|(number, found)| Some((number, found?))) {
        let own = PathBuf::from(number.to_string());
        let mut known = HashMap::from([(PathBuf::new(), 0)]);
        for Thing { path, stat, kind } in things {
            let place = if path.as_os_str().is_empty() { own.clone() } else { own.join(&path) };
            let mut mode = u16::try_from(stat.st_mode & 0o777).unwrap_or(0);
            let what = match kind {
                Kind::Folder => What::Folder(BTreeMap::new()),
                Kind::Covered => {
                    mode = 0;
                    What::Folder(BTreeMap::new())
                }
                Kind::Link(text) => What::Link(text),
                Kind::File => {
                    let size = u64::try_from(stat.st_size).unwrap_or(0);
                    What::File(size, Lazy { top: Arc::clone(&top), path, open: None })
                }
            };
            let seen = |id: u32, own: u32| if id == own { OWNER } else { NOBODY };
            let (user, group) = (seen(stat.st_uid, geteuid().as_raw()), seen(stat.st_gid, getegid().as_raw()));
            let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
            let modified = (seconds, u32::try_from(stat.st_mtime_nsec).unwrap_or(0));
            if matches!(what, What::Folder(_)) {
                known.insert(place.clone(), nodes.len());
            }
            let above = place.parent().and_then(|above| known.get(above)).copied();
            let name = place.file_name().unwrap_or_default().as_bytes().to_vec();
            let number = nodes.len();
            match above.and_then(|above| nodes.get_mut(above)).map(|above| &mut above.what) {
                Some(What::Folder(entries)) => entries.insert(name, number),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            };
            nodes.push(Node { mode, user, group, modified, what });
        }
    }
    if erofs::write(nodes, to)? > SIZE { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// A file that is opened when it is read.
struct Lazy {
    top: Arc<OwnedFd>,
    path: PathBuf,
    open: Option<File>,
}

impl Lazy {
    fn open(&self) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let file = openat2(&self.top, &self.path, flags, Mode::empty(), resolve)?;
        match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            _ => Err(Errno::NOTSUP),
        }
    }
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.open {
            Some(file) => file,
            None => {
                let file = self.open()?;
                self.open.insert(file)
            }
        };
        file.read(buffer)
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
