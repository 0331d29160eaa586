//! What is piped into `deskhand run` goes along with the request.

use crate::failure::{Failure, Result};
use rustix::{
    fs::{FileType, fstat},
    stdio::stdin,
};
use std::io::Read as _;

/// The most that is taken, in bytes.
const LONGEST: u64 = 1 << 20;

/// What standard input holds, if it is a pipe or a file. A terminal is the person's, and from a device or socket nothing is
/// taken.
pub(crate) fn piped() -> Result<Option<String>> {
    let kind = fstat(stdin()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if !matches!(kind, Ok(FileType::Fifo | FileType::RegularFile)) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::failed(format!("what was piped in could not be read: {error}. Nothing was done")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::usage(format!(
            "what was piped in is larger than {}. Save it as a file in the folder, and name it in the request",
            crate::show::bytes(LONGEST)
        )));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(
            "what was piped in is not text (UTF-8). Save it as a file in the folder, and name it in the request",
        )
    })?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}
