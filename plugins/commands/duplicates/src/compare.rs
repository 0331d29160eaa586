//! Comparing files byte by byte, in pieces, as the host reads them.

use deskhand_sdk::{
    Code, Result,
    files::{self, Entry},
    invocation,
};

/// How much of a file is read at a time, in bytes.
pub const PIECE: u32 = 512 * 1024;

/// What comparing found of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The same content.
    Same,
    /// Other content, or it changed while it was read.
    Different,
    /// It could not be read.
    Unreadable,
}

/// Compares `others` with `first`, each byte read once. `read` is told how many bytes were read each time. `None` if `first` itself
/// cannot be read any more.
pub fn compare(first: &Entry, others: &[&Entry], mut read: impl FnMut(u64)) -> Result<Option<Vec<Compared>>> {
    let mut found = vec![Compared::Same; others.len()];
    let mut offset = 0;
    while offset < first.size && found.contains(&Compared::Same) {
        invocation::check()?;
        let piece = match piece(first, offset)? {
            Ok(piece) if !piece.is_empty() => piece,
            _ => return Ok(None),
        };
        read(length(&piece));
        for (other, found) in others.iter().zip(&mut found).filter(|(_, found)| **found == Compared::Same) {
            *found = match self::piece(other, offset)? {
                Ok(bytes) => {
                    read(length(&bytes));
                    if bytes == piece { Compared::Same } else { Compared::Different }
                }
                Err(found) => found,
            };
        }
        offset += length(&piece);
    }
    Ok(Some(found))
}

/// A piece of a file as it was seen; or what came in between. An error that concerns more than this file ends the work.
fn piece(file: &Entry, offset: u64) -> Result<Result<Vec<u8>, Compared>> {
    match files::read_at(&file.path, Some(&file.version), offset, PIECE) {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(error) => match error.code {
            Code::Cancelled | Code::Parked | Code::Exhausted => Err(error),
            Code::Conflict | Code::NotFound => Ok(Err(Compared::Different)),
            _ => Ok(Err(Compared::Unreadable)),
        },
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
