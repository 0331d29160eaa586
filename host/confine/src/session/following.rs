//! Making known in a sandbox what has changed in its task. Nothing else runs meanwhile, so what is looked at is what is changed;
//! what a job has put in the place of a folder is not followed.

use crate::overlay::Step;
use std::{fs, io, path::Path};

/// Make one step.
pub(super) fn make(step: &Step) -> io::Result<()> {
    match step {
        Step::Remove(path) => remove(path),
        Step::Folder(path) => match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => Ok(()),
            _ => {
                remove(path)?;
                beneath(path)?;
                fs::create_dir(path)
            }
        },
        Step::Write(path, bytes) => {
            if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
                remove(path)?;
            }
            beneath(path)?;
            fs::write(path, bytes)
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => beneath(path).and_then(|()| fs::remove_dir_all(path)),
        Ok(_) => beneath(path).and_then(|()| fs::remove_file(path)),
        Err(error) => Err(error),
    };
    match removed {
        // it went with the folder that it was in
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        removed => removed,
    }
}

/// Refuses a path that leads elsewhere than it says.
fn beneath(path: &Path) -> io::Result<()> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if parent.canonicalize()? == parent { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
}
