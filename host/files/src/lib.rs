//! Opening and reading single files that Deskhand itself keeps, or that the person names: the one way to do so outside of
//! granted folders. What stands in the place of such a file can be anything, and a pipe or a device would hold up whoever
//! opens or reads it, without end. So only regular files are opened, opening never waits, and reading ends at a bound.
//! Imports no other room.

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, openat},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The most bytes of a file that is read as a whole where nothing smaller is named: far more than any of our own has.
pub const MOST: u64 = 256 << 20;

/// Who puts a file in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Deskhand alone: a symbolic link there is not one of ours, and is refused.
    Own,
    /// The person, who may have put a symbolic link there.
    Person,
}

/// Open a regular file for reading. Anything else is an error that says what stands there and what helps; only
/// [`io::ErrorKind::NotFound`] means that there is nothing.
pub fn open(path: &Path, origin: Origin) -> io::Result<File> {
    open_with(path, OFlags::RDONLY, origin)
}

/// Open a file of our own that other processes lock, making it (mode 0600) where there is none. It may be read and written.
pub fn open_lock(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::RDWR | OFlags::CREATE, Origin::Own)
}

/// The whole of a regular file, which must not have more than `most` bytes.
pub fn read(path: &Path, origin: Origin, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, origin)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than the {} kB that such a file may have", most / 1000),
        ));
    }
    Ok(bytes)
}

/// As [`read`], as text (UTF-8).
pub fn read_text(path: &Path, origin: Origin, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, origin, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text (UTF-8)"))
}

fn open_with(path: &Path, flags: OFlags, origin: Origin) -> io::Result<File> {
    // without NONBLOCK, opening a pipe would wait for whoever writes to it
    let mut flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if origin == Origin::Own {
        flags |= OFlags::NOFOLLOW;
    }
    let file = match openat(CWD, path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => file,
        Err(Errno::LOOP) if origin == Origin::Own => return Err(refused(FileType::Symlink)),
        Err(Errno::NXIO) => return Err(refused(FileType::Socket)),
        Err(Errno::ISDIR) => return Err(refused(FileType::Directory)),
        Err(error) => return Err(error.into()),
    };
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(File::from(file)),
        other => Err(refused(other)),
    }
}

/// What is said of something that is not a regular file.
fn refused(kind: FileType) -> io::Error {
    let what = match kind {
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::RegularFile | FileType::Unknown => "something unknown",
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what} stands in the place of the file; move it away"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::{fs, os::unix::net::UnixListener};

    fn said(path: &Path, origin: Origin) -> String {
        read(path, origin, 8).unwrap_err().to_string()
    }

    #[test]
    fn only_a_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "12345678").unwrap();
        fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        rustix::fs::mknodat(CWD, path("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _listens = UnixListener::bind(path("socket")).unwrap();

        assert_eq!(read(&path("file"), Origin::Own, 8).unwrap(), b"12345678");
        assert_eq!(read(&path("link"), Origin::Person, 8).unwrap(), b"12345678");
        let refused = |what: &str| format!("{what} stands in the place of the file; move it away");
        assert_eq!(said(&path("link"), Origin::Own), refused("a symbolic link"));
        for origin in [Origin::Own, Origin::Person] {
            assert_eq!(said(&path("folder"), origin), refused("a folder"));
            assert_eq!(said(&path("pipe"), origin), refused("a pipe"));
            assert_eq!(said(&path("socket"), origin), refused("a socket"));
            assert_eq!(said(Path::new("/dev/zero"), origin), refused("a device"));
        }
        assert_eq!(open_lock(&path("pipe")).unwrap_err().to_string(), refused("a pipe"));
        assert_eq!(open(&path("nothing"), Origin::Own).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn reading_ends_at_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "123456789").unwrap();
        assert_eq!(said(&path, Origin::Own), "it has more than the 0 kB that such a file may have");
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, Origin::Own, 8).unwrap_err().to_string(), "it is not text (UTF-8)");
    }
}
