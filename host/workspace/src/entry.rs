//! What a file or folder is at one moment.

use deskhand_vocabulary::FilePath;
use jiff::Timestamp;
use rustix::{
    fd::AsFd,
    fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags, StatxTimestamp},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link. Never followed.
    Link,
    /// A named pipe. Listed, never opened or changed.
    Fifo,
    /// A socket. Listed, never opened or changed.
    Socket,
    /// A block or character device. Listed, never opened or changed.
    Device,
}

impl Kind {
    /// The name that plugins see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
            Self::Device => "device",
        }
    }

    /// True for what may be moved, copied or removed on its own.
    pub const fn is_ordinary(self) -> bool {
        matches!(self, Self::File | Self::Folder | Self::Link)
    }

    /// The bits of a mode that say so (inode(7)).
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Folder => 0o040_000,
            Self::Link => 0o120_000,
            Self::Fifo => 0o010_000,
            Self::Socket => 0o140_000,
            Self::Device => 0o060_000,
        }
    }

    fn of(mode: u16) -> Self {
        match FileType::from_raw_mode(u32::from(mode)) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            _ => Self::Device,
        }
    }
}

/// A file or folder as a task sees it, its pending changes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: FilePath,
    /// What.
    pub kind: Kind,
    /// In bytes; 0 for what is no file.
    pub size: u64,
    /// When the content last changed.
    pub modified: Timestamp,
    /// When it came to be, where the file system knows.
    pub created: Option<Timestamp>,
    /// The same for two names of one file.
    pub file_id: String,
    /// How many names it has.
    pub links: u32,
    /// Changes whenever the content does. Opaque.
    pub version: String,
    /// The permission bits.
    pub mode: u32,
    /// How many blocks of 512 bytes it takes.
    pub blocks: u64,
}

/// A point in time as file systems keep it: seconds since 1970 and nanoseconds.
pub(crate) type Moment = (i64, u32);

/// For what is known without its inode: no file system gives this number to a file.
const NO_INODE: u64 = 0;

/// What the file system says about one thing, links not followed. Two stamps are equal while nothing has happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stamp {
    #[serde(rename = "d")]
    pub(crate) dev: u64,
    #[serde(rename = "i")]
    pub(crate) ino: u64,
    #[serde(rename = "k")]
    pub(crate) kind: Kind,
    #[serde(rename = "s")]
    pub(crate) size: u64,
    #[serde(rename = "m")]
    pub(crate) modified: Moment,
    #[serde(rename = "c")]
    pub(crate) changed: Moment,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none", default)]
    pub(crate) born: Option<Moment>,
    #[serde(rename = "p")]
    pub(crate) mode: u32,
    #[serde(rename = "l")]
    pub(crate) links: u32,
    #[serde(skip)]
    pub(crate) accessed: Moment,
    #[serde(skip)]
    pub(crate) uid: u32,
    #[serde(skip)]
    pub(crate) gid: u32,
    #[serde(skip)]
    pub(crate) blocks: u64,
    #[serde(skip)]
    pub(crate) mount: u64,
    #[serde(skip)]
    pub(crate) mount_root: bool,
}

const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME).union(StatxFlags::MNT_ID);

fn moment(time: StatxTimestamp) -> Moment {
    (time.tv_sec, time.tv_nsec)
}

pub(crate) fn timestamp((seconds, nanos): Moment) -> Timestamp {
    let nanos = i32::try_from(nanos).unwrap_or(0);
    let limit = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::new(seconds, nanos).unwrap_or(limit)
}

impl Stamp {
    fn from(statx: &Statx) -> Self {
        let kind = Kind::of(statx.stx_mode);
        Self {
            dev: rustix::fs::makedev(statx.stx_dev_major, statx.stx_dev_minor),
            ino: statx.stx_ino,
            kind,
            size: if kind == Kind::Folder { 0 } else { statx.stx_size },
            modified: moment(statx.stx_mtime),
            changed: moment(statx.stx_ctime),
            born: (statx.stx_mask & StatxFlags::BTIME.bits() != 0).then(|| moment(statx.stx_btime)),
            mode: u32::from(statx.stx_mode) & 0o7777,
            links: statx.stx_nlink,
            accessed: moment(statx.stx_atime),
            uid: statx.stx_uid,
            gid: statx.stx_gid,
            blocks: statx.stx_blocks,
            mount: statx.stx_mnt_id,
            mount_root: statx.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        }
    }

    /// Of a name in an open folder.
    pub(crate) fn at(folder: impl AsFd, name: &[u8]) -> Result<Self, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        rustix::fs::statx(folder, OsStr::from_bytes(name), flags, WANTED).map(|statx| Self::from(&statx))
    }

    /// Of an open file or folder.
    pub(crate) fn of(file: impl AsFd) -> Result<Self, Errno> {
        rustix::fs::statx(file, "", AtFlags::EMPTY_PATH, WANTED).map(|statx| Self::from(&statx))
    }

    /// True if it is the same thing with the same content, as far as can be told without reading it. The time of the last
    /// change of its inode is not compared: a rename sets it. Folders are the same whatever is in them.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        self.same_thing(other)
            && (self.kind == Kind::Folder || (self.size == other.size && self.modified == other.modified))
    }

    /// True if it is a file, the same one, of the same size, and only its time differs: it may hold what it held.
    pub(crate) fn only_touched(&self, other: &Self) -> bool {
        self.kind == Kind::File
            && self.ino != NO_INODE
            && other.ino != NO_INODE
            && self.same_thing(other)
            && self.size == other.size
    }

    /// True if it is the same thing, whatever has happened to its content. Device numbers are not compared: they
    /// change from one boot to the next. Where inode numbers do not last either, a file is known by its size and time, and
    /// a folder by its place alone.
    pub(crate) fn same_thing(&self, other: &Self) -> bool {
        let known = if self.ino != NO_INODE && other.ino != NO_INODE {
            self.ino == other.ino
        } else {
            self.kind == Kind::Folder || (self.size == other.size && self.modified == other.modified)
        };
        known
            && self.kind == other.kind
            && match (self.born, other.born) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    }

    /// As it is written down, where the next mount of its disk gives other inode numbers.
    pub(crate) fn without_inode(self) -> Self {
        Self { ino: NO_INODE, ..self }
    }

    /// True if nothing at all has happened to it; for folders, if it is the same folder.
    pub(crate) fn unchanged(&self, now: &Self) -> bool {
        self.dev == now.dev && self.same_content(now) && (self.kind == Kind::Folder || self.changed == now.changed)
    }

    /// Device and inode.
    pub(crate) fn id(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    /// The opaque text of this stamp that plugins hand back.
    pub(crate) fn version(&self) -> String {
        let ((ms, mn), (cs, cn)) = (self.modified, self.changed);
        let mut text = String::with_capacity(80);
        for (number, end) in [
            (self.dev, "-"),
            (self.ino, "-"),
            (self.size, "-"),
            (ms.cast_unsigned(), "."),
            (mn.into(), "-"),
            (cs.cast_unsigned(), "."),
            (cn.into(), ""),
        ] {
            hexadecimal(&mut text, number);
            text.push_str(end);
        }
        text
    }

    pub(crate) fn file_id(&self) -> String {
        let mut text = String::with_capacity(24);
        hexadecimal(&mut text, self.dev);
        text.push('-');
        hexadecimal(&mut text, self.ino);
        text
    }
}

/// True if two versions of a file differ at most by when its inode was last changed, which a rename there and back sets: as
/// far as can be told without reading it, it holds what it held.
pub fn holds_the_same(version: &str, other: &str) -> bool {
    let held = |version: &str| version.rsplit_once('-').map(|(held, _)| held.to_owned());
    held(version).is_some_and(|version| held(other) == Some(version))
}

/// As `{:x}` writes it. Told apart from that because versions are asked for by the hundred thousand.
fn hexadecimal(text: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        text.extend(char::from_digit(((number >> (place * 4)) & 0xf) as u32, 16));
    }
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;

    #[test]
    fn digits() {
        for number in [0, 1, 9, 15, 16, 255, 4096, 0x0123_4567_89ab_cdef, u64::MAX] {
            let mut text = String::new();
            hexadecimal(&mut text, number);
            assert_eq!(text, format!("{number:x}"));
        }
    }
}
