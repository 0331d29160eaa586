//! Documents that go out and come in by the person's own hand: what was exported, here or elsewhere.

use crate::{
    failure::{Failure, Result},
    output, show,
};
use deskhand_files::Origin;
use std::{fs::Permissions, io::Write as _, os::unix::fs::PermissionsExt as _, path::Path};

/// Write one: to standard output, or into a file that is not there yet, whole or not at all, which only its owner may read.
pub(crate) fn write(to: Option<&Path>, text: &str) -> Result<()> {
    let Some(to) = to else {
        output::text(text);
        return Ok(());
    };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || {
        let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(to).map_err(|error| error.error)
    };
    written().map(drop).map_err(|error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                "it is there already. Name another file, or move that one away".to_owned()
            }
            _ => format!("{error}. Name a file in a folder that you may write to"),
        };
        Failure::failed(format!("{} was not written: {advice}", show::path(to)))
    })
}

/// Read one, of at most so many bytes.
pub(crate) fn read(from: &Path, most: u64) -> Result<String> {
    deskhand_files::read_text(from, Origin::Person, most).map_err(|error| {
        let what =
            if error.kind() == std::io::ErrorKind::NotFound { "it is not there".to_owned() } else { error.to_string() };
        Failure::failed(format!("{} could not be read: {what}", show::path(from)))
    })
}
