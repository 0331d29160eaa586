//! Files of the runtime's own, written so that a crash leaves the old or the new one.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Make a folder that only this person can enter. One that is there and open to others is closed to them.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// A file under way to `target`. Dropped without [`Self::publish`], it is gone.
pub(crate) struct Draft {
    pub(crate) file: File,
    path: PathBuf,
    published: bool,
}

impl Draft {
    pub(crate) fn in_folder(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".draft-{}-{number}", std::process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                // a process of the same number died here before
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return Ok(Self { file: opened?, path, published: false }),
            }
        }
    }

    /// Make it durable under its name.
    pub(crate) fn publish(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, target)?;
        self.published = true;
        match target.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Remove drafts of processes that are gone: nobody will publish them.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process =
            name.to_str().and_then(|name| name.strip_prefix(".draft-")).and_then(|rest| rest.split('-').next());
        if let Some(process) = process
            && !Path::new("/proc").join(process).exists()
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Write a whole file.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    let mut draft = Draft::in_folder(folder)?;
    draft.file.write_all(bytes)?;
    draft.publish(target)
}
