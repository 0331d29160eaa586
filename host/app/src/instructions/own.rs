//! The person's own file, for all folders: edited in their editor.

use super::places;
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    person, show,
};
use deskhand_files::{Origin, read_text};
use std::{
    fs,
    io::{self, ErrorKind, Write as _},
};

/// The most that is given to an editor, in bytes: more than is ever followed, so that it can be made shorter.
const MOST: u64 = 1 << 20;

/// What became of the file.
pub(super) enum Edited {
    Kept,
    Written,
    Removed,
}

/// Let the person edit it. One that is left without text is removed.
pub(super) fn edit(desk: &Desk) -> Result<Edited> {
    let path = places::own(desk);
    let failed = |error: io::Error| {
        Failure::failed(format!("{} could not be used: {error}. Put it right by hand", show::path(&path)))
    };
    let before = match read_text(&path, Origin::Own, MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let after = person::edit(&before).map_err(Failure::failed)?;
    if after == before {
        return Ok(Edited::Kept);
    }
    if after.trim().is_empty() {
        fs::remove_file(&path).map_err(failed)?;
        return Ok(Edited::Removed);
    }
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(&desk.home.config)?;
        file.write_all(after.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(failed)?;
    Ok(Edited::Written)
}
