//! Files that are mostly holes: only what is in them is read.

use deskhand_vocabulary::Blake3;
use rustix::{
    fs::{SeekFrom, seek},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Visit what is in a file: where it lies, and what it is.
fn visit(file: &mut File, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    let mut at = 0;
    loop {
        let data = match seek(&*file, SeekFrom::Data(at)) {
            Err(Errno::NXIO) => return Ok(()),
            data => data?,
        };
        let hole = seek(&*file, SeekFrom::Hole(data))?;
        seek(&*file, SeekFrom::Start(data))?;
        at = data;
        while at < hole {
            let most = usize::try_from(hole - at).map_or(PIECE, |left| left.min(PIECE));
            let read = file.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            each(at, &buffer[..read])?;
            at += read as u64;
        }
    }
}

/// The digest of a file: its length, and all that is in it with its places.
pub(super) fn digest(file: &mut File) -> io::Result<Blake3> {
    let mut hash = blake3::Hasher::new();
    hash.update(&file.metadata()?.len().to_le_bytes());
    visit(file, |at, bytes| {
        hash.update(&at.to_le_bytes());
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
        Ok(())
    })?;
    Ok(Blake3(hash.finalize()))
}

/// Copy a file with its holes.
pub(super) fn copy(from: &mut File, to: &mut File) -> io::Result<()> {
    to.set_len(from.metadata()?.len())?;
    visit(from, |at, bytes| {
        to.seek(io::SeekFrom::Start(at))?;
        to.write_all(bytes)
    })
}

/// Bytes that the files of a folder take on the disk.
pub(super) fn allocated(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        total += entry?.metadata()?.blocks() * 512;
    }
    Ok(total)
}
